import type { ConfigProblem } from "../../src/kernel/config-error.ts";

// What the fields of a network.json say together. These rules look at whatever was given, whether its shape is right or
// not, so that all that is wrong is told at once.

const WRITTEN_SECRET = "keys are referenced, never written here: say with kind where the key is";

const SECRET_NAMES = /private.?key|secret|password|passphrase|mnemonic|seed|^d$/i;
/** A private key or a hash of one's length: no field of a plan holds 32 bytes. */
const PRIVATE_KEY = /^\s*(?:0x)?[0-9a-fA-F]{64}\s*$/;
const MNEMONIC = /^\s*(?:[a-z]{3,8}\s+){11,23}[a-z]{3,8}\s*$/;

/** Every field that holds, or by its name would hold, a secret. */
export function writtenSecrets(given: unknown): readonly ConfigProblem[] {
  return walk(given, []).flatMap(({ path, value }) => {
    const name = path.at(-1) ?? "";
    const isSecret =
      SECRET_NAMES.test(name) ||
      (typeof value === "string" && (PRIVATE_KEY.test(value) || MNEMONIC.test(value) || value.includes("-----BEGIN")));
    return isSecret ? [{ key: path.join("."), rule: WRITTEN_SECRET }] : [];
  });
}

const NODES = ["members.*.validator", "members.*.rpc"];

/** What no two of may be the same, at any of the paths. */
const UNIQUE: readonly { readonly paths: readonly string[]; readonly rule: string }[] = [
  { paths: ["members.*.partner"], rule: "a partner of its own" },
  { paths: ["members.*.name"], rule: "a name of its own" },
  { paths: NODES.map((node) => `${node}.host`), rule: "a host of its own: nodes that share one fail together" },
  { paths: NODES.map((node) => `${node}.publicKey`), rule: "a key of its own: it is the node's identity" },
  { paths: ["accounts.*.address", "members.*.accounts.*.address"], rule: "an account that is named once" },
  { paths: ["accounts.*.name"], rule: "a name of its own" },
  { paths: ["genesis.validators.*"], rule: "a validator that is named once" },
];

/** Everything that has to be unique in a plan and is not. */
export function contradictions(given: unknown): readonly ConfigProblem[] {
  const problems = UNIQUE.flatMap(({ paths, rule }) => repeated(find(given, paths), rule));
  const isRefused = new Set(problems.map(({ key }) => key));
  return [
    ...problems,
    // The ports of a node that shares another's host are not the point.
    ...repeated(
      endpoints(given).filter(({ path }) => !isRefused.has([...path.slice(0, -1), "host"].join("."))),
      "a port that nothing else on its host has",
    ),
    ...repeated(find(given, ["members.*.accounts.*.name"]).map(withinMember), "a name of its own within the member"),
    ...repeated(keys(given, [...NODES.map((node) => `${node}.key`), "members.*.signer.keys.*"]), "a key of its own"),
  ];
}

interface Found {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Every host with each of its ports, at the port's field. */
function endpoints(given: unknown): readonly Found[] {
  const pairs = [
    ["validator", "host", "p2pPort"],
    ["validator", "host", "metricsPort"],
    ["rpc", "host", "p2pPort"],
    ["rpc", "host", "metricsPort"],
    ["rpc", "host", "rpcPort"],
    ["relay", "metricsHost", "metricsPort"],
    ["signer", "host", "port"],
  ] as const;
  return pairs.flatMap(([part, host, port]) =>
    find(given, [`members.*.${part}`]).flatMap(({ path, value }) => {
      const [hostname, number] = [member(value, host), member(value, port)];
      if (typeof hostname !== "string" || typeof number !== "number") return [];
      return [{ path: [...path, port], value: `${hostname}:${number}` }];
    }),
  );
}

/** All but the first of those that have the same value. */
function repeated(found: readonly Found[], rule: string): readonly ConfigProblem[] {
  const firsts = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const { path, value } of found) {
    if (typeof value !== "string" && typeof value !== "number") continue;
    const key = path.join(".");
    const same = String(value).toLowerCase();
    const first = firsts.get(same);
    if (first === undefined) firsts.set(same, key);
    else problems.push({ key, rule: `${rule} (the same as ${first})` });
  }
  return problems;
}

/** Key references as text. The path of a file says nothing outside its host, where a member has one of each of its own. */
function keys(given: unknown, paths: readonly string[]): readonly Found[] {
  return find(given, paths).map((found) => {
    const text = { path: found.path, value: JSON.stringify(found.value) };
    if (member(found.value, "kind") !== "file") return text;
    return { path: text.path, value: `${found.path.slice(0, 3).join(".")} ${text.value}` };
  });
}

function withinMember({ path, value }: Found): Found {
  return { path, value: typeof value === "string" ? `${path.slice(0, 2).join(".")} ${value}` : undefined };
}

/** What is at the paths, a `*` standing for every item of a list. */
function find(given: unknown, patterns: readonly string[]): readonly Found[] {
  return patterns
    .flatMap((pattern) => findOne({ path: [], value: given }, pattern.split(".")))
    .toSorted((left, right) => (comesBefore(left.path, right.path) ? -1 : 1));
}

function findOne({ path, value }: Found, [step, ...rest]: readonly string[]): readonly Found[] {
  if (value === undefined) return [];
  if (step === undefined) return [{ path, value }];
  if (step !== "*") return findOne({ path: [...path, step], value: member(value, step) }, rest);
  if (!Array.isArray(value)) return [];
  // Array.isArray makes any[] of unknown.
  const items = value as readonly unknown[];
  return items.flatMap((item, index) => findOne({ path: [...path, String(index)], value: item }, rest));
}

function comesBefore(left: readonly string[], right: readonly string[]): boolean {
  const at = left.findIndex((step, index) => step !== right[index]);
  return (left[at] ?? "").localeCompare(right[at] ?? "", "en", { numeric: true }) < 0;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}

/** Every field and item, with its path. */
function walk(value: unknown, path: readonly string[]): readonly Found[] {
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [{ path, value }, ...inner.flatMap(([name, item]) => walk(item, [...path, name]))];
}
