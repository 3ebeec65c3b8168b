export type TomlValue = string | number | boolean | readonly string[];

/** Values that belong together, under a sentence that says why they are as they are. */
export interface TomlSection {
  readonly about: string;
  readonly values: Readonly<Record<string, TomlValue>>;
}

const LINE = 118;

/** Sections as TOML, in their order. Texts have no control characters, so a JSON string is a TOML string. */
export function tomlFile(sections: readonly TomlSection[]): string {
  return sections
    .map(({ about, values }) => {
      const lines = Object.entries(values).map(([name, value]) => `${name}=${tomlValue(value)}`);
      return `${[...wrap(about), ...lines].join("\n")}\n`;
    })
    .join("\n");
}

function tomlValue(value: TomlValue): string {
  if (typeof value !== "object") return JSON.stringify(value);
  const oneLine = `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
  if (oneLine.length <= LINE / 2) return oneLine;
  return `[\n${value.map((item) => `  ${JSON.stringify(item)},\n`).join("")}]`;
}

function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > LINE) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
