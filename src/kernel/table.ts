export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Numbers go to the right. */
  readonly align?: "left" | "right";
}

/** Rows as aligned text, with a line under the titles. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ value }) => value(row)));
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title, index) => Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0)));
  const layOut = (line: readonly string[]) =>
    line
      .map((text, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.align === "right" ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [layOut(titles), layOut(widths.map((width) => "─".repeat(width))), ...cells.map(layOut)].join("\n");
}
