import type { ContractEntry, Entry, Field, FunctionEntry, Reference, TypeEntry } from "./model.ts";

/** Writes the reference as Markdown: the same text for the same contracts, whoever makes it. */
export function render({ contracts, types, foreignErrors }: Reference): string {
  const ofKind = (kind: string): readonly ContractEntry[] => contracts.filter((contract) => contract.kind === kind);
  const blocks = [
    "<!-- Made from NatSpec by `npm run docs:contracts`. Change the contracts, not this page. -->",
    "# Contracts",
    "Functions with their selectors, who may call them and the custom errors their code leads to, through modifiers, " +
      "libraries and the other contracts of the ledger. Signatures show the declared types; selectors are of the ABI types.",
    [...contracts.map(({ name }) => name), "Types", "Errors of OpenZeppelin"].map((name) => link(name)).join(" · "),
    ...[...ofKind("contract"), ...ofKind("interface")].flatMap(contractBlocks),
    ...ofKind("library").flatMap(contractBlocks),
    "## Types",
    ...types.flatMap(({ path, entries }) => [`### ${path}`, ...typeBlocks(entries)]),
    "## Errors of OpenZeppelin",
    "Raised by inherited code.",
    table(["Error", "Selector", "Meaning"], foreignErrors.map(signedRow)),
  ];
  return `${joined(blocks)}\n`;
}

function contractBlocks(contract: ContractEntry): readonly string[] {
  const { name, kind, path, doc, interfaces, constructorFields, functions, inherited, events, errors, types } =
    contract;
  const declared = interfaces.map((base) => `[\`${base.name}\`](../${base.path})`).join(", ");
  const title = doc.title === "" || doc.title === name ? "" : `**${prose(doc.title)}.** `;
  const library = kind === "library";
  return [
    `## ${name}`,
    `${title}${capital(kind)} [\`${path}\`](../${path})${declared === "" ? "" : `, declared in ${declared}`}.`,
    prose(doc.notice),
    prose(doc.dev),
    ...titled("Constructor", table(["Parameter", "Type", "Meaning"], constructorFields.map(fieldRow))),
    ...titled("Functions", library ? libraryTable(functions) : functionTable(functions)),
    ...titled("Events", table(["Event", "Topic 0", "Meaning"], events.map(signedRow))),
    ...titled("Errors", table(["Error", "Selector", "Meaning"], errors.map(signedRow))),
    ...titled(
      "Inherited functions",
      table(
        ["Function", "Selector", "From"],
        inherited.map(({ entry, from }) => [code(signature(entry)), code(entry.selector), `OpenZeppelin \`${from}\``]),
      ),
    ),
    ...titled("Types", joined(typeBlocks(types))),
  ];
}

function functionTable(functions: readonly FunctionEntry[]): string {
  const rows = functions.map((entry) => [
    lines([code(signature(entry)), returned(entry), code(entry.selector)]),
    entry.caller,
    lines([cell(entry.doc.notice), ...details(entry.fields), ...details(entry.returns, "returns ")]),
    lines(entry.errors.map(code)),
  ]);
  return table(["Function", "Who may call", "What it does", "Errors"], rows);
}

function libraryTable(functions: readonly FunctionEntry[]): string {
  const rows = functions.map((entry) => [
    lines([code(signature(entry)), returned(entry)]),
    lines([cell(entry.doc.notice), ...details(entry.fields), ...details(entry.returns, "returns ")]),
    lines(entry.errors.map(code)),
  ]);
  return table(["Function", "What it does", "Errors"], rows);
}

/** Types one after the other, then the constants of the same file in one table. */
function typeBlocks(entries: readonly TypeEntry[]): readonly string[] {
  const constants = entries.filter(({ kind }) => kind === "constant");
  const rows = constants.map(({ name, code: value, doc }) => [code(name), code(value), cell(doc.notice)]);
  const types = entries.filter(({ kind }) => kind !== "constant");
  return [...types.flatMap(typeBlock), table(["Constant", "Value", "Meaning"], rows)];
}

function typeBlock({ name, kind, doc, fields, code: underlying }: TypeEntry): readonly string[] {
  const rows = fields.map((field) =>
    kind === "enum" ? [field.type, code(field.name), cell(field.doc)] : fieldRow(field),
  );
  const head = kind === "enum" ? ["Value", "Name", "Meaning"] : ["Field", "Type", "Meaning"];
  const made = underlying === "" ? capital(kind) : `${capital(kind)}, ${code(underlying)}`;
  return [`#### ${name}`, `${made}.`, prose(doc.notice), table(head, rows)];
}

function signedRow(entry: Entry): readonly string[] {
  return [code(signature(entry)), code(entry.selector), lines([cell(meaning(entry)), ...details(entry.fields)])];
}

/** OpenZeppelin tells errors to developers only. */
function meaning({ doc }: Entry): string {
  return doc.notice === "" ? doc.dev : doc.notice;
}

function fieldRow({ name, type, doc }: Field): readonly string[] {
  return [code(name), code(type), cell(doc)];
}

function signature({ name, fields }: Entry): string {
  return `${name}(${fields.map(declaration).join(", ")})`;
}

function returned({ returns, mutability }: FunctionEntry): string {
  const values = returns.length === 0 ? "" : `returns (${returns.map(declaration).join(", ")})`;
  const parts = [mutability === "nonpayable" ? "" : mutability, values].filter((part) => part !== "");
  return parts.length === 0 ? "" : code(parts.join(" "));
}

function declaration({ type, name }: Field): string {
  return name === "" ? type : `${type} ${name}`;
}

function details(fields: readonly Field[], prefix = ""): readonly string[] {
  return fields
    .filter(({ doc }) => doc !== "")
    .map(({ name, doc }) => `• ${prefix}${name === "" ? "" : `${code(name)} `}${cell(doc)}`);
}

function joined(blocks: readonly string[]): string {
  return blocks.filter((block) => block !== "").join("\n\n");
}

function titled(title: string, body: string): readonly string[] {
  return body === "" ? [] : [`### ${title}`, body];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function lines(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("<br>");
}

/** Text inside a table: one line, and no bar that would end the cell. */
function cell(text: string): string {
  return prose(text)
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");
}

/** NatSpec text as Markdown: a reference such as {ITreasury} is code. */
function prose(text: string): string {
  return text.replaceAll(/\{([\w.-]+)\}/g, "`$1`");
}

function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function link(heading: string): string {
  return `[${heading}](#${heading.toLowerCase().replaceAll(" ", "-")})`;
}
