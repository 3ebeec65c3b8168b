import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { parse as renderGo } from "@evertdespiegeleer/go-template";
import { parseAllDocuments, stringify } from "yaml";
import { at, tree, type Tree } from "../besu/output-support.ts";
import { fileOf, RELAY_FOLDER, yamlFileOf } from "./files.ts";

// Renders the chart as Helm would. Go's own template engine does it, compiled to WASM; of the functions that Helm has
// besides, only the four below are known here, in these forms: a template that uses another, or another form, does not
// render.

const ACTION = /\{\{(-?)\s*(.*?)\s*(-?)\}\}/g;

interface Form {
  readonly pattern: RegExp;
  readonly render: (values: Tree, first: string, second: string) => string;
}

const FORMS: readonly Form[] = [
  {
    pattern: /^toYaml \.Values\.([\w.]+) \| nindent (\d+)$/,
    render: (values, path, columns) => nindent(toYaml(valueAt(values, path)), columns),
  },
  {
    pattern: /^\.Files\.Get "([\w.-]+)" \| nindent (\d+)$/,
    render: (_, file, columns) => nindent(fileOf(`chart/${file}`), columns),
  },
  {
    pattern: /^toJson \.Values\.([\w.]+) \| sha256sum$/,
    render: (values, path) =>
      createHash("sha256")
        .update(JSON.stringify(valueAt(values, path)))
        .digest("hex"),
  },
  {
    pattern: /^add \.Values\.([\w.]+) (\d+)$/,
    render: (values, path, summand) => String(BigInt(String(valueAt(values, path))) + BigInt(summand)),
  },
];

export const RELEASE = "gcash";

/** values.yaml with others put over it, as Helm does: null takes a value away. */
export function chartValues(...given: readonly Tree[]): Tree {
  return given.reduce(merge, yamlFileOf("chart/values.yaml"));
}

/** The manifests that come of values. */
export async function renderChart(values: Tree): Promise<readonly Tree[]> {
  const templates = readdirSync(`${RELAY_FOLDER}/chart/templates`);
  const texts = await Promise.all(templates.map((name) => render(fileOf(`chart/templates/${name}`), values)));
  return texts.flatMap((text) =>
    parseAllDocuments(text, { version: "1.1" }).flatMap((document) => {
      const [fault] = document.errors;
      if (fault !== undefined) throw fault;
      const content: unknown = document.toJS();
      return content === null ? [] : [tree(content)];
    }),
  );
}

export function manifestOf(manifests: readonly Tree[], kind: string): Tree {
  const [found, ...more] = manifests.filter((manifest) => manifest["kind"] === kind);
  if (found === undefined || more.length > 0) throw new Error(`${more.length + 1} manifests are a ${kind}`);
  return found;
}

async function render(template: string, values: Tree): Promise<string> {
  const chart = yamlFileOf("chart/Chart.yaml");
  const helms: string[] = [];
  const forGo = template.replaceAll(ACTION, (action, left: string, expression: string, right: string) => {
    for (const { pattern, render: renderForm } of FORMS) {
      const [, first = "", second = ""] = pattern.exec(expression) ?? [];
      if (first === "") continue;
      helms.push(renderForm(values, first, second));
      // Go looks at the path, too: within `with` and `range` the dot is another one, and Helm would not find it.
      const [path = ""] = /\.[\w.]+/.exec(expression) ?? [];
      return `{{${left} if ${path} }}{{ end }}{{ ${JSON.stringify(mark(helms.length - 1))} ${right}}}`;
    }
    return action;
  });
  const rendered = await renderGo(forGo, {
    Values: values,
    Files: { Get: true },
    Release: { Name: RELEASE, Namespace: "relays", Service: "Helm" },
    Chart: { Name: chart["name"], AppVersion: chart["appVersion"], Version: chart["version"] },
  });
  return helms.reduce((text, helm, index) => text.replace(mark(index), () => helm), rendered);
}

function mark(index: number): string {
  return `@helm ${index}@`;
}

function valueAt(values: Tree, path: string): unknown {
  return at(values, ...path.split("."));
}

function toYaml(value: unknown): string {
  return stringify(value, { compat: "yaml-1.1", lineWidth: 0 }).trimEnd();
}

/** Sprig's: a new line, and then every line moved to the right. */
function nindent(text: string, columns: string): string {
  const space = " ".repeat(Number.parseInt(columns, 10));
  return `\n${space}${text.replaceAll("\n", `\n${space}`)}`;
}

function merge(base: Tree, over: Tree): Tree {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    if (value === null) merged.delete(key);
    else merged.set(key, isTree(value) && isTree(merged.get(key)) ? merge(tree(merged.get(key)), tree(value)) : value);
  }
  return Object.fromEntries(merged);
}

function isTree(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
