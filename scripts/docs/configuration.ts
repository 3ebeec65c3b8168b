import { configKeys, type ConfigKey } from "../../src/app/config-reference.ts";
import { FEATURES } from "../../src/app/features.ts";
import { configSchemaOf, SECRET_VARIABLES } from "../../src/app/config-schema.ts";

/** Every key by its section, and the secrets, as Markdown: the body of docs/configuration.md. */
export function configReference(): string {
  const sections = Map.groupBy(configKeys(configSchemaOf(FEATURES)), ({ path }) =>
    path.length === 1 ? "" : (path[0] ?? ""),
  );
  const keys = [...sections].flatMap(([section, members]) => [
    section === "" ? "### The relay" : `### \`${section}\``,
    members.map(item).join("\n"),
  ]);
  const secrets = Object.entries(SECRET_VARIABLES).map(
    ([variable, { is, file }]) => `- \`${variable}\`, or the file of \`${file}\`: ${is}`,
  );
  return [...keys, "### Secrets", secrets.join("\n")].join("\n\n");
}

function item({ path, variable, isRequired, fallback, description }: ConfigKey): string {
  const shown = fallback === undefined ? (isRequired ? "required" : "no default") : `default \`${format(fallback)}\``;
  return `- \`${path.join(".")}\` (\`${variable}\`; ${shown}): ${description}`;
}

function format(fallback: unknown): string {
  return typeof fallback === "string"
    ? fallback
    : typeof fallback === "bigint"
      ? `${fallback}`
      : JSON.stringify(fallback);
}
