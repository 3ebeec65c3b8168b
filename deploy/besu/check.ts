import {
  auditCommands,
  auditConfig,
  auditContainers,
  auditPermissions,
  auditSigner,
  type Fault,
} from "./audit-config.ts";
import type { RelayAlerts } from "./alerts.ts";
import { auditGenesis } from "./audit-genesis.ts";
import { generate } from "./generate.ts";
import { CONFIG_FILE, GENESIS_FILE, PERMISSIONS_FILE } from "./layout.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import type { Files, NetworkPlan } from "./plan.ts";

/** Something by which a folder is not what its network.json says, or not what a node should run with. */
export interface Finding extends Omit<Fault, "kind"> {
  readonly file: string;
  readonly kind: Fault["kind"] | "missing" | "changed" | "extra";
}

const baseName = (path: string): string => path.split("/").at(-1) ?? path;
const GENESIS_NAME = baseName(GENESIS_FILE);

/**
 * Compares a folder with what its plan gives, and looks through its files for options of Besu that are no more or that
 * are dangerous, whether they were generated or written by hand.
 * @param found the folder's files, by their paths below it
 * @returns what was found, by file; empty where all is as it should be
 */
export function check(plan: NetworkPlan, found: Files, relays: RelayAlerts): readonly Finding[] {
  return checkFiles(generate(plan, relays), found);
}

/** As `check`, with the files that are expected. */
export function checkFiles(expected: Files, found: Files): readonly Finding[] {
  const paths = [...new Set([...expected.keys(), ...found.keys()])].toSorted();
  return paths.flatMap((file): readonly Finding[] => {
    const text = found.get(file);
    const faults = text === undefined ? [] : auditFile(file, text).map((fault) => ({ file, ...fault }));
    const difference = differenceOf(expected.get(file), text, file);
    return difference === undefined ? faults : [{ file, ...difference }, ...faults];
  });
}

/** What is wrong with one file, by its name: a node's configuration, a genesis, allow-lists, or what starts a program. */
export function auditFile(path: string, text: string): readonly Fault[] {
  const name = baseName(path);
  if (name === GENESIS_NAME) return auditGenesis(text);
  if (name === PERMISSIONS_FILE) return auditPermissions(text);
  if (name === CONFIG_FILE) return auditConfig(text);
  if (/(?:^|\/)web3signer\/config\.ya?ml$/.test(path)) return auditSigner(text);
  const containers = /\.ya?ml$/.test(name) ? auditContainers(text) : [];
  return [...containers, ...auditStarter(name, text)];
}

function auditStarter(name: string, text: string): readonly Fault[] {
  return /\.(?:ya?ml|env|sh|service|toml)$/.test(name) ? auditCommands(text) : [];
}

function differenceOf(
  expected: string | undefined,
  found: string | undefined,
  file: string,
): Omit<Finding, "file"> | undefined {
  if (expected === found) return undefined;
  const [subject, generateAgain] = [undefined, "feiqian network generate"];
  if (found === undefined) return { kind: "missing", subject, reason: "it is not there", instead: generateAgain };
  if (expected === undefined) {
    return { kind: "extra", subject, reason: "network.json does not give it", instead: "move it out of this folder" };
  }
  if (file === MANIFEST_FILE) {
    const reason = "the folder was generated from another network.json, or by another version";
    return { kind: "changed", subject, reason, instead: generateAgain };
  }
  const lines = found.split("\n");
  const line = expected.split("\n").findIndex((text, index) => text !== lines[index]);
  // Without the lines themselves: somebody may have written a secret into one.
  const reason = `it is not what network.json gives, from line ${(line === -1 ? expected.split("\n").length : line) + 1} on`;
  return { kind: "changed", subject, reason, instead: "the change in network.json, and generate again" };
}
