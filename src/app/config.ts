import { ConfigError, type ConfigProblem } from "../kernel/config-error.ts";
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import type { z } from "zod/v4";
import { configKeys, type ConfigKey } from "./config-reference.ts";
import { configSchemaOf, SECRET_VARIABLES, type RelayConfigFile, type SecretVariable } from "./config-schema.ts";
import { FEATURES } from "./features.ts";
import { secret, type Secret } from "../kernel/secrets/secret.ts";
import { readSecretText, UnfitSecretFile, whyNotPrivate } from "../kernel/secrets/secret-file.ts";
import { dataKeyFault, passwordFault, walletSecretFault } from "../kernel/secrets/secret-strength.ts";
import { NotUtf8, readTextFile } from "../kernel/text-file.ts";

/** Where a key of the ledger is. */
export type KeySource =
  | { readonly kind: "keystore"; readonly path: string; readonly password: Secret }
  | { readonly kind: "web3signer"; readonly url: string; readonly address: string };

/** The configuration of one relay: checked, its paths absolute, its secrets read. */
export interface RelayConfig extends Omit<
  RelayConfigFile,
  "keys" | "peer" | "database" | "dataKey" | "wallet" | "ledger"
> {
  readonly ledger: Omit<RelayConfigFile["ledger"], "addresses" | "tokenFiles"> & {
    /** JSON, as the deployment writes it. */
    readonly addressesJson: string;
    /** Bearer tokens by the endpoints that they are shown to. */
    readonly tokens?: ReadonlyMap<string, Secret>;
  };
  readonly keys: { readonly send: KeySource; readonly accept: KeySource; readonly transactions: KeySource };
  /** An encrypted JWK set, and its password. */
  readonly peer: { readonly keysPath: string; readonly encryptedKeys: string; readonly password: Secret };
  readonly database: { readonly url: Secret } | { readonly folder: string };
  /** 64 hexadecimal digits each. */
  readonly dataKey: { readonly current: Secret; readonly previous: readonly Secret[] };
  readonly wallet: { readonly url: string; readonly secret: Secret; readonly timeoutMs: number };
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of this product that are not part of the configuration: the command line's, the scripts', and the tests'. */
const OTHER_VARIABLES = new Set([
  "FEIQIAN_CONFIG",
  "FEIQIAN_URL",
  "FEIQIAN_API_KEY",
  "FEIQIAN_KILL_AT",
  "FEIQIAN_RPC_URL",
  "FEIQIAN_RPC_URLS",
  "FEIQIAN_BFT_RPC_URL",
  "FEIQIAN_MNEMONIC_FILE",
]);
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads a relay's configuration: the file, then the environment, which goes before it.
 * @param path a YAML file; without one, the environment alone
 * @param features those of the relay, whose settings are among it
 * @throws ConfigError naming every key that is wrong and its rule
 */
export async function loadConfig(
  path: string | undefined,
  environment: Environment,
  features = FEATURES,
): Promise<RelayConfig> {
  if (path === undefined) return resolveConfig(parseConfigFile("", environment, features), ".", environment);
  const text = await readText(path, "configuration");
  const file = parseConfigFile(text, environment, features);
  const fault = await whyNotPrivate(path);
  const exposed = fault === undefined ? [] : passwordsIn(parseYaml(text));
  if (exposed.length > 0) {
    const rule = `a URL with a password needs ${fault}`;
    const orElse = ", or put it into database.urlFile or DATABASE_URL";
    throw new ConfigError(exposed.map((key) => ({ key, rule: key === "database.url" ? rule + orElse : rule })));
  }
  return resolveConfig(file, dirname(path), environment);
}

/** The keys of a configuration file that are URLs with a password. */
function passwordsIn(value: unknown, key = ""): readonly string[] {
  if (typeof value === "string") return URL.canParse(value) && new URL(value).password !== "" ? [key] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => passwordsIn(inner, key === "" ? name : `${key}.${name}`));
}

/**
 * Checks the text of a configuration file, with the environment's values in their places. Reads no other file.
 * @throws ConfigError
 */
export function parseConfigFile(text: string, environment: Environment = {}, features = FEATURES): RelayConfigFile {
  const schema = configSchemaOf(features);
  const overlaid = overlay(parseYaml(text), environment, configKeys(schema));
  const checked = schema.safeParse(overlaid);
  if (!checked.success) throw new ConfigError(checked.error.issues.flatMap(problemsOf));
  return checked.data;
}

function parseYaml(text: string): Section {
  // Addresses are written as 0x…, and must not be taken for (inexact) numbers.
  const document = parseDocument(text, {
    customTags: (tags) => tags.filter((tag) => typeof tag === "string" || !("format" in tag) || tag.format !== "HEX"),
  });
  const [broken] = document.errors;
  if (broken !== undefined) throw new ConfigError([{ key: "configuration", rule: broken.message }]);
  const parsed: unknown = document.toJS() ?? {};
  if (!isSection(parsed)) throw new ConfigError([{ key: "configuration", rule: "keys and their values (YAML)" }]);
  return parsed;
}

type Section = Record<string, unknown>;

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function problemsOf(issue: z.core.$ZodIssue): readonly ConfigProblem[] {
  const at = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => ({ key: [...at, name].join("."), rule: "no key of the configuration" }));
  }
  // Of a key that its section cannot have, what is wrong is inside.
  if (issue.code === "invalid_key") {
    return issue.issues.slice(0, 1).map(({ message }) => ({ key: at.join("."), rule: message }));
  }
  const isSectionWanted = issue.code === "invalid_type" && issue.expected === "object";
  return [{ key: at.join("."), rule: isSectionWanted ? "a section with its keys" : issue.message }];
}

/** Puts the environment's values over the file's. */
function overlay(file: Section, environment: Environment, keys: readonly ConfigKey[]): Section {
  const known = new Set([
    ...keys.map(({ variable }) => variable),
    ...Object.keys(SECRET_VARIABLES),
    ...OTHER_VARIABLES,
  ]);
  const unknown = Object.keys(environment).filter((name) => name.startsWith("FEIQIAN_") && !known.has(name));
  if (unknown.length > 0) {
    throw new ConfigError(unknown.map((key) => ({ key, rule: "no variable of the configuration" })));
  }
  const overlaid = structuredClone(file);
  for (const key of keys) {
    const value = environment[key.variable];
    if (value !== undefined && value !== "") put(overlaid, key.path, readVariable(key, value));
  }
  return overlaid;
}

function put(root: Section, path: readonly string[], value: unknown): void {
  let section = root;
  for (const name of path.slice(0, -1)) {
    const inner = (section[name] ??= {});
    // What is no section is for the schema to refuse.
    if (!isSection(inner)) return;
    section = inner;
  }
  section[path.at(-1) ?? ""] = value;
}

function readVariable({ kind, variable }: ConfigKey, value: string): unknown {
  switch (kind) {
    case "text":
      return value;
    case "integer":
      return /^-?\d{1,15}$/.test(value) ? Number.parseInt(value, 10) : value;
    case "flag":
      return value === "true" ? true : value === "false" ? false : value;
    case "list":
      return value.split(",").map((item) => item.trim());
    case "map":
      try {
        // Whatever it is, the schema looks at it next.
        return JSON.parse(value) as unknown;
      } catch {
        throw new ConfigError([{ key: variable, rule: 'JSON, as {"HKD":"500000"}' }]);
      }
  }
}

/** Reads the files that the configuration names; all that cannot be read is told at once. */
async function resolveConfig(file: RelayConfigFile, folder: string, environment: Environment): Promise<RelayConfig> {
  const problems: ConfigProblem[] = [];
  const at = (path: string): string => resolve(folder, path);
  const attempt = async (key: string, path: string, read = readSecretText): Promise<Secret> => {
    try {
      return secret((await readText(at(path), key, read)).trim());
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return secret("");
    }
  };
  const secretOf = async (variable: SecretVariable, path: string | undefined): Promise<Secret> => {
    const given = environment[variable];
    if (given !== undefined && given !== "") return secret(given);
    const key = SECRET_VARIABLES[variable].file;
    if (path !== undefined) return attempt(key, path);
    problems.push({ key, rule: `a file, or the secret itself in ${variable}` });
    return secret("");
  };
  const keyOf = async (name: "send" | "accept" | "transactions"): Promise<KeySource> => {
    const { keystore, passwordFile, web3signer = "", address = "" } = file.keys[name];
    if (keystore === undefined) return { kind: "web3signer", url: web3signer, address: address.toLowerCase() };
    const variable = { send: "SEND", accept: "ACCEPT", transactions: "TRANSACTIONS" } as const;
    const password = await secretOf(`FEIQIAN_KEYS_${variable[name]}_PASSWORD`, passwordFile);
    return { kind: "keystore", path: at(keystore), password };
  };

  const { addresses, tokenFiles: _, ...ledger } = file.ledger;
  const { url, urlFile } = file.database;
  const databaseUrl =
    (environment["DATABASE_URL"] ?? "") === "" && urlFile === undefined
      ? url === undefined
        ? undefined
        : secret(url)
      : await secretOf("DATABASE_URL", urlFile);
  const previous = await Promise.all(
    file.dataKey.previousFiles.map((path, index) => attempt(`dataKey.previousFiles.${index}`, path)),
  );
  const config: RelayConfig = {
    ...file,
    ledger: {
      ...ledger,
      addressesJson:
        typeof addresses === "string"
          ? (await attempt("ledger.addresses", addresses, readTextFile)).reveal()
          : JSON.stringify(addresses),
      tokens: await readTokens(file.ledger, attempt, problems),
    },
    keys: { send: await keyOf("send"), accept: await keyOf("accept"), transactions: await keyOf("transactions") },
    peer: {
      keysPath: at(file.peer.keys),
      encryptedKeys: (await attempt("peer.keys", file.peer.keys, readTextFile)).reveal(),
      password: await secretOf("FEIQIAN_PEER_PASSWORD", file.peer.passwordFile),
    },
    database: databaseUrl === undefined ? { folder: at(file.database.folder) } : { url: databaseUrl },
    dataKey: { current: await secretOf("FEIQIAN_DATA_KEY", file.dataKey.file), previous },
    wallet: {
      url: file.wallet.url,
      timeoutMs: file.wallet.timeoutMs,
      secret: await secretOf("FEIQIAN_WALLET_SECRET", file.wallet.secretFile),
    },
  };
  problems.push(...weakSecrets(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Secrets that protect nothing. One that could not be read is empty, and has been told. */
function weakSecrets({ dataKey, wallet, peer, keys }: RelayConfig): readonly ConfigProblem[] {
  const passwords = Object.entries(keys).flatMap(([name, source]: [string, KeySource]) =>
    source.kind === "keystore" ? [[`keys.${name}.passwordFile`, source.password, passwordFault] as const] : [],
  );
  const looked = [
    ...[dataKey.current, ...dataKey.previous].map((key) => ["dataKey", key, dataKeyFault] as const),
    ["wallet.secretFile", wallet.secret, walletSecretFault] as const,
    ["peer.passwordFile", peer.password, passwordFault] as const,
    ...passwords,
  ];
  return looked.flatMap(([key, given, faultOf]) => {
    const rule = given.reveal() === "" ? undefined : faultOf(given.reveal());
    return rule === undefined ? [] : [{ key, rule }];
  });
}

async function readTokens(
  { rpcUrls, tokenFiles }: RelayConfigFile["ledger"],
  read: (key: string, path: string) => Promise<Secret>,
  problems: ConfigProblem[],
): Promise<ReadonlyMap<string, Secret>> {
  const tokens = new Map<string, Secret>();
  for (const [url, path] of Object.entries(tokenFiles)) {
    const key = `ledger.tokenFiles.${url}`;
    if (!rpcUrls.includes(url)) {
      problems.push({ key, rule: "one of ledger.rpcUrls" });
    } else if (!isPrivate(new URL(url))) {
      problems.push({ key, rule: "https: a token is everybody's on the way otherwise" });
    } else {
      tokens.set(url, await read(key, path));
    }
  }
  return tokens;
}

function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || LOOPBACK.test(hostname);
}

async function readText(path: string, key: string, read = readTextFile): Promise<string> {
  try {
    return await read(path);
  } catch (cause) {
    if (cause instanceof UnfitSecretFile) throw new ConfigError([{ key, rule: cause.rule }]);
    if (cause instanceof NotUtf8) throw new ConfigError([{ key, rule: `a file in UTF-8 (${cause.message})` }]);
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new ConfigError([{ key, rule: `a file that can be read (${path}: ${code})` }]);
  }
}
