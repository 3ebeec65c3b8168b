import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { tree, type Tree } from "../besu/output-support.ts";

// What an operator of one relay is given, as the tests read it.

export const RELAY_FOLDER = "deploy/relay";
/** Where secrets are in a container, whoever starts it. */
export const SECRETS_FOLDER = "/run/secrets/";

export function fileOf(name: string): string {
  return readFileSync(`${RELAY_FOLDER}/${name}`, "utf8");
}

export function yamlFileOf(name: string): Tree {
  return tree(parse(fileOf(name), { merge: true }));
}

/** The version of the product, which images and the chart are tagged with. */
export function productVersion(): string {
  return String(tree(JSON.parse(readFileSync("package.json", "utf8")))["version"]);
}

/** Names of the secrets that a configuration wants to be there. */
export function secretsIn(config: string): ReadonlySet<string> {
  return new Set([...config.matchAll(/\/run\/secrets\/([\w.-]+)/g)].map(([, name = ""]) => name));
}
