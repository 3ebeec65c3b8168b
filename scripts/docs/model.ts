import {
  indexById,
  linearized,
  membersOf,
  nodeAt,
  nodesAt,
  overriddenBy,
  parametersOf,
  textAt,
  walk,
} from "../lib/solidity/ast.ts";
import type { AstNode, NodesById } from "../lib/solidity/ast.ts";
import type { Source } from "../lib/solidity/compile.ts";
import { reachOf } from "./errors.ts";
import { natSpecOf, splitName } from "./natspec.ts";
import type { NatSpec } from "./natspec.ts";

export interface Field {
  readonly type: string;
  readonly name: string;
  readonly doc: string;
}

/** Anything with a name and fields: a function, an event, an error, a struct. */
export interface Entry {
  readonly name: string;
  readonly doc: NatSpec;
  readonly fields: readonly Field[];
  /** Selector of a function or error, first topic of an event; empty for what has none. */
  readonly selector: string;
}

export interface FunctionEntry extends Entry {
  readonly returns: readonly Field[];
  readonly mutability: string;
  readonly caller: string;
  /** Names of the custom errors that its code leads to, ascending. */
  readonly errors: readonly string[];
}

/** A type or constant of a file, and its members where it has some. */
export interface TypeEntry extends Entry {
  readonly kind: "value type" | "enum" | "struct" | "constant";
  /** What a value type is made of, or the value of a constant, as written. */
  readonly code: string;
}

export interface ContractEntry {
  readonly name: string;
  readonly path: string;
  /** contract, interface or library */
  readonly kind: string;
  readonly doc: NatSpec;
  /** Interfaces of ours that it implements. */
  readonly interfaces: readonly { readonly name: string; readonly path: string }[];
  readonly constructorFields: readonly Field[];
  readonly functions: readonly FunctionEntry[];
  /** Functions that come from packages, with the contract they come from. */
  readonly inherited: readonly { readonly entry: Entry; readonly from: string }[];
  readonly events: readonly Entry[];
  readonly errors: readonly Entry[];
  readonly types: readonly TypeEntry[];
}

export interface Reference {
  readonly contracts: readonly ContractEntry[];
  readonly types: readonly { readonly path: string; readonly entries: readonly TypeEntry[] }[];
  /** Errors of packages that functions of ours lead to. */
  readonly foreignErrors: readonly Entry[];
  /** What has no notice and must have one: "path: name". */
  readonly undocumented: readonly string[];
}

const TYPE_KINDS: Readonly<Record<string, TypeEntry["kind"]>> = {
  UserDefinedValueTypeDefinition: "value type",
  EnumDefinition: "enum",
  StructDefinition: "struct",
  VariableDeclaration: "constant",
};

interface Context {
  readonly nodes: NodesById;
  readonly sourceOf: ReadonlyMap<AstNode, Source>;
  readonly ours: ReadonlySet<Source>;
  /** Contracts of ours that can be deployed. */
  readonly deployed: readonly AstNode[];
}

/** Reads the reference of the contracts in `folder` out of what `compile(folder)` made. */
export function referenceOf(sources: readonly Source[], folder: string): Reference {
  const nodes = indexById(sources.map(({ ast }) => ast));
  const sourceOf = new Map(sources.flatMap((source) => [...walk(source.ast)].map((node) => [node, source] as const)));
  const ours = sources.filter(({ path }) => path.startsWith(`${folder}/`));
  const all = ours.flatMap(({ ast }) => membersOf(ast, "ContractDefinition"));
  const deployed = all.filter((node) => node["contractKind"] === "contract" && node["abstract"] === false);
  const context: Context = { nodes, sourceOf, ours: new Set(ours), deployed };

  const implemented = new Set(deployed.flatMap((contract) => linearized(contract, nodes)));
  const documented = all.filter((node) => deployed.includes(node) || !implemented.has(node));
  const rank = ["contract", "interface", "library"];
  const contracts = documented
    .map((node) => contractEntry(node, context))
    .sort((a, b) => rank.indexOf(a.kind) - rank.indexOf(b.kind) || compare(a.name, b.name));
  const types = ours.map(({ path, ast }) => ({ path, entries: typeEntries(ast, context) }));
  return {
    contracts,
    types: types.filter(({ entries }) => entries.length > 0),
    foreignErrors: foreignErrors(contracts, context),
    undocumented: all.flatMap((node) => undocumentedIn(node, context)),
  };
}

function contractEntry(node: AstNode, context: Context): ContractEntry {
  const bases = linearized(node, context.nodes);
  const own = bases.filter((base) => isOurs(base, context));
  const interfaces = own.filter((base) => base !== node && base["contractKind"] === "interface");
  const ownDoc = docOf(node, context);
  const main = interfaces.find((base) => textAt(base, "name") === `I${textAt(node, "name")}`);
  const mainDoc = main === undefined ? ownDoc : docOf(main, context);
  const constructorNode = membersOf(node, "FunctionDefinition").find((member) => member["kind"] === "constructor");
  const declared = (type: string): readonly Entry[] =>
    [...own].reverse().flatMap((base) => membersOf(base, type).map((member) => entryOf(member, context)));
  return {
    name: textAt(node, "name"),
    path: pathOf(node, context),
    kind: textAt(node, "contractKind"),
    doc: { ...mainDoc, dev: ownDoc.dev },
    interfaces: interfaces.map((base) => ({ name: textAt(base, "name"), path: pathOf(base, context) })),
    constructorFields: constructorNode === undefined ? [] : fieldsOf(constructorNode, docOf(constructorNode, context)),
    functions: own.flatMap((base) => callablesOf(base, node)).map((member) => functionEntry(member, node, context)),
    inherited: inheritedOf(bases, own, context),
    events: declared("EventDefinition"),
    errors: declared("ErrorDefinition"),
    types: own.filter((base) => base["contractKind"] === "interface").flatMap((base) => typeEntries(base, context)),
  };
}

/** Functions of packages that nothing more derived overrides. */
function inheritedOf(bases: readonly AstNode[], own: readonly AstNode[], context: Context): ContractEntry["inherited"] {
  return bases.flatMap((base, index) => {
    if (own.includes(base) || base["contractKind"] === "interface") return [];
    const derived = bases.slice(0, index);
    return callablesOf(base, base)
      .filter((member) => !derived.some((other) => overrides(other, member, context)))
      .map((member) => ({ entry: entryOf(member, context), from: textAt(base, "name") }));
  });
}

/** What can be called: external and public functions with a body, and public variables. In a library: all functions. */
function callablesOf(base: AstNode, contract: AstNode): readonly AstNode[] {
  const library = contract["contractKind"] === "library";
  const visible = library ? ["external", "public", "internal"] : ["external", "public"];
  const declaredHere = base === contract && contract["contractKind"] === "interface";
  return nodesAt(base, "nodes").filter((member) => {
    if (!visible.includes(textAt(member, "visibility"))) return false;
    if (member.nodeType === "VariableDeclaration") return !library;
    const ordinary = member.nodeType === "FunctionDefinition" && member["kind"] === "function";
    return ordinary && (declaredHere || nodeAt(member, "body") !== undefined);
  });
}

function functionEntry(node: AstNode, contract: AstNode, context: Context): FunctionEntry {
  const { declaration, doc } = documentation(node, context);
  const { errors, readsCaller } = reachOf(node, contract, context.nodes, context.deployed);
  const mutability = node.nodeType === "VariableDeclaration" ? "view" : textAt(node, "stateMutability");
  return {
    ...entryOf(declaration, context),
    doc,
    selector: selectorOf(node),
    returns: returnsOf(declaration, doc),
    mutability,
    caller: doc.access === "" ? callerOf(node, mutability, readsCaller) : doc.access,
    errors: [...new Set([...errors].map((error) => textAt(error, "name")))].sort(compare),
  };
}

/** Who may call, as far as modifiers tell; where code looks at the caller, the notice has to say how. */
function callerOf(node: AstNode, mutability: string, readsCaller: boolean): string {
  const modifiers = nodesAt(node, "modifiers").map((modifier) =>
    textAt(nodeAt(modifier, "modifierName") ?? node, "name"),
  );
  const codes = modifiers.filter((name) => name !== "restricted").map((name) => `\`${name}\``);
  if (modifiers.includes("restricted")) return ["a role of the AccessManager", ...codes].join(", ");
  if (modifiers.some((name) => name.startsWith("only"))) return codes.join(", ");
  const open = ["view", "pure"].includes(mutability) || !readsCaller;
  return [open ? "anyone" : "see the description", ...codes].join(", ");
}

/** The declaration that says most: the function itself, or the one that it inherits its documentation from. */
function documentation(node: AstNode, context: Context): { readonly declaration: AstNode; readonly doc: NatSpec } {
  const candidates = overriddenBy(node, context.nodes).map((declaration) => ({
    declaration,
    doc: natSpecOf(declaration, textOf(declaration, context)),
  }));
  const [first] = candidates;
  const found = candidates.find(({ doc }) => doc.notice !== "" && doc.inheritdoc === "") ?? first;
  return found ?? { declaration: node, doc: docOf(node, context) };
}

function entryOf(node: AstNode, context: Context): Entry {
  const doc = docOf(node, context);
  return { name: textAt(node, "name"), doc, fields: fieldsOf(node, doc), selector: selectorOf(node) };
}

function fieldsOf(node: AstNode, doc: NatSpec): readonly Field[] {
  return parametersOf(node).map((parameter) => {
    const name = textAt(parameter, "name");
    const indexed = parameter["indexed"] === true ? " indexed" : "";
    return { type: `${typeOf(parameter)}${indexed}`, name, doc: doc.params.get(name) ?? "" };
  });
}

function returnsOf(node: AstNode, doc: NatSpec): readonly Field[] {
  if (node.nodeType === "VariableDeclaration") return [{ type: typeOf(node), name: "", doc: "" }];
  return parametersOf(node, "returnParameters").map((parameter, index) => {
    const name = textAt(parameter, "name");
    const text = doc.returns[index] ?? "";
    return { type: typeOf(parameter), name, doc: name === "" ? text : splitName(text)[1] };
  });
}

function typeEntries(scope: AstNode, context: Context): readonly TypeEntry[] {
  return nodesAt(scope, "nodes").flatMap((node) => {
    const kind = TYPE_KINDS[node.nodeType];
    if (kind === undefined || node["stateVariable"] === true) return [];
    const source = textOf(node, context);
    const written = nodeAt(node, kind === "constant" ? "value" : "underlyingType");
    const fields = nodesAt(node, "members").map((member, index) => ({
      type: kind === "enum" ? String(index) : typeOf(member),
      name: textAt(member, "name"),
      doc: natSpecOf(member, source).notice,
    }));
    const code = written === undefined ? "" : sliceOf(written, source);
    return [{ name: textAt(node, "name"), doc: natSpecOf(node, source), fields, selector: "", kind, code }];
  });
}

function foreignErrors(contracts: readonly ContractEntry[], context: Context): readonly Entry[] {
  const raised = new Set(contracts.flatMap(({ functions }) => functions.flatMap(({ errors }) => errors)));
  const known = new Set(contracts.flatMap(({ errors }) => errors.map(({ name }) => name)));
  const found = [...context.nodes.values()]
    .filter((node) => node.nodeType === "ErrorDefinition" && !isOurs(node, context))
    .map((node) => entryOf(node, context))
    .filter(({ name }) => raised.has(name) && !known.has(name));
  return [...new Map(found.map((entry) => [entry.selector, entry])).values()].sort((a, b) => compare(a.name, b.name));
}

/** Interfaces document everything; contracts what no interface declares. */
function undocumentedIn(contract: AstNode, context: Context): readonly string[] {
  const kinds = ["FunctionDefinition", "EventDefinition", "ErrorDefinition", "VariableDeclaration"];
  const members = nodesAt(contract, "nodes").filter((node) => {
    const hidden = ["internal", "private"].includes(textAt(node, "visibility")) || node["kind"] === "constructor";
    return kinds.includes(node.nodeType) && !hidden;
  });
  return [contract, ...members]
    .filter((node) => documentation(node, context).doc.notice === "" && docOf(node, context).inheritdoc === "")
    .map((node) => `${pathOf(node, context)}: ${textAt(node, "name")}`);
}

function overrides(base: AstNode, member: AstNode, context: Context): boolean {
  return nodesAt(base, "nodes").some((own) => overriddenBy(own, context.nodes).includes(member));
}

function docOf(node: AstNode, context: Context): NatSpec {
  return natSpecOf(node, textOf(node, context));
}

function textOf(node: AstNode, context: Context): Buffer {
  return context.sourceOf.get(node)?.text ?? Buffer.alloc(0);
}

function pathOf(node: AstNode, context: Context): string {
  return context.sourceOf.get(node)?.path ?? "";
}

function isOurs(node: AstNode, context: Context): boolean {
  const source = context.sourceOf.get(node);
  return source !== undefined && context.ours.has(source);
}

function selectorOf(node: AstNode): string {
  const found = ["functionSelector", "errorSelector", "eventSelector"].map((key) => textAt(node, key));
  const selector = found.find((text) => text !== "");
  return selector === undefined ? "" : `0x${selector}`;
}

/** The type's name without the kind of type and the place in memory: "struct Quote calldata" → "Quote". */
function typeOf(variable: AstNode): string {
  const types = variable["typeDescriptions"];
  if (typeof types !== "object" || types === null || !("typeString" in types)) return "";
  return String(types.typeString)
    .replaceAll(/\b(?:struct|enum|contract) /g, "")
    .replace(/ (?:calldata|memory|storage.*)$/, "");
}

function sliceOf(node: AstNode, source: Buffer): string {
  const [start = 0, length = 0] = node.src.split(":").map((part) => Number.parseInt(part, 10));
  return source.subarray(start, start + length).toString("utf8");
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
