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
    list(foreignErrors.map(signedItem)),
  ];
  return `${joined(blocks)}\n`;
}

function contractBlocks(contract: ContractEntry): readonly string[] {
  const { name, kind, path, doc, interfaces, constructorFields, functions, inherited, events, errors, types } =
    contract;
  const declared = interfaces.map((base) => `[\`${base.name}\`](../${base.path})`).join(", ");
  const title = doc.title === "" || doc.title === name ? "" : `**${prose(doc.title)}.** `;
  return [
    `## ${name}`,
    `${title}${capital(kind)} [\`${path}\`](../${path})${declared === "" ? "" : `, declared in ${declared}`}.`,
    prose(doc.notice),
    prose(doc.dev),
    ...titled("Constructor", list(constructorFields.map(fieldItem))),
    ...titled("Functions", functionList(functions)),
    ...titled("Events", list(events.map(signedItem))),
    ...titled("Errors", list(errors.map(signedItem))),
    ...titled(
      "Inherited functions",
      list(
        inherited.map(({ entry, from }) => [
          `${spaced([code(signature(entry)), code(entry.selector)])}, OpenZeppelin \`${from}\``,
        ]),
      ),
    ),
    ...titled("Types", joined(typeBlocks(types))),
  ];
}

function functionList(functions: readonly FunctionEntry[]): string {
  return list(
    functions.map((entry) => [
      spaced([code(signature(entry)), returned(entry), code(entry.selector)]),
      line(entry.doc.notice),
      ...details(entry.fields),
      ...details(entry.returns, "returns "),
      labelled("Who may call: ", entry.caller),
      labelled("Errors: ", entry.errors.map(code).join(", ")),
    ]),
  );
}

/** Types one after the other, then the constants of the same file in one list. */
function typeBlocks(entries: readonly TypeEntry[]): readonly string[] {
  const constants = entries.filter(({ kind }) => kind === "constant");
  const items = constants.map(({ name, code: value, doc }) => [
    `${code(name)} = ${code(value)}${labelled(": ", line(doc.notice))}`,
  ]);
  const types = entries.filter(({ kind }) => kind !== "constant");
  return [...types.flatMap(typeBlock), list(items)];
}

function typeBlock({ name, kind, doc, fields, code: underlying }: TypeEntry): readonly string[] {
  const items = fields.map((field) =>
    kind === "enum" ? [`${field.type} ${code(field.name)}${labelled(": ", line(field.doc))}`] : fieldItem(field),
  );
  const made = underlying === "" ? capital(kind) : `${capital(kind)}, ${code(underlying)}`;
  return [`#### ${name}`, `${made}.`, prose(doc.notice), list(items)];
}

function signedItem(entry: Entry): readonly string[] {
  return [spaced([code(signature(entry)), code(entry.selector)]), line(meaning(entry)), ...details(entry.fields)];
}

/** OpenZeppelin tells errors to developers only. */
function meaning({ doc }: Entry): string {
  return doc.notice === "" ? doc.dev : doc.notice;
}

function fieldItem({ name, type, doc }: Field): readonly string[] {
  return [`${spaced([code(name), code(type)])}${labelled(": ", line(doc))}`];
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
    .map(({ name, doc }) => `${prefix}${name === "" ? "" : `${code(name)}: `}${line(doc)}`);
}

function joined(blocks: readonly string[]): string {
  return blocks.filter((block) => block !== "").join("\n\n");
}

function titled(title: string, body: string): readonly string[] {
  return body === "" ? [] : [`### ${title}`, body];
}

/** Each item's first part is what it is about, the others stand below it. */
function list(items: readonly (readonly string[])[]): string {
  return items
    .map((parts) => parts.filter((part) => part !== ""))
    .map(([head = "", ...below]) => [`- ${head}`, ...below.map((part) => `  - ${part}`)].join("\n"))
    .join("\n");
}

function spaced(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

function labelled(label: string, text: string): string {
  return text === "" ? "" : `${label}${text}`;
}

function line(text: string): string {
  return prose(text).replaceAll(/\s*\n\s*/g, " ");
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
