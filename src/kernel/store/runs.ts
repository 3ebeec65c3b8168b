/** Rows that are alike and whose numbers follow each other, written as one. */
export interface Run<Row> {
  readonly first: bigint;
  readonly last: bigint;
  /** Any of them. */
  readonly row: Row;
}

/** @param rows in the order of their numbers */
export function runsOf<Row extends { readonly seq: bigint }>(
  rows: readonly Row[],
  areAlike: (left: Row, right: Row) => boolean,
): readonly Run<Row>[] {
  const runs: Run<Row>[] = [];
  for (const row of rows) {
    const run = runs.at(-1);
    if (run !== undefined && row.seq === run.last + 1n && areAlike(run.row, row)) {
      runs[runs.length - 1] = { ...run, last: row.seq };
    } else {
      runs.push({ first: row.seq, last: row.seq, row });
    }
  }
  return runs;
}
