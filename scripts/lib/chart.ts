import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { z } from "zod/v4";
import { yamlFile } from "../../deploy/besu/yaml-file.ts";
import { alertsOf } from "../../src/app/composition.ts";
import { configSchemaOf } from "../../src/app/config-schema.ts";
import { FEATURES } from "../../src/app/features.ts";

// What of deploy/relay/chart is made from the code: its version, which is the product's; the alerts, which Prometheus of
// compose.yaml loads, too; and the schema by which Helm refuses values that the relay would refuse when it starts.

const CHART = "deploy/relay/chart";
/** Between blocks where the ledger has nothing to do, at most: as in the example of a ledger's plan, and then some. */
const IDLE_SECONDS = 30;
/** As Kubernetes has them: what is in them is for the cluster to judge. */
const anyObject = z.record(z.string(), z.unknown());
const strings = z.record(z.string(), z.string());
const name = z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);

const valuesSchema = z.strictObject({
  image: z.strictObject({
    repository: z
      .string()
      .regex(/^(localhost|[a-z0-9-]+([.:][a-z0-9-]+)+)(\/[a-z0-9._-]+)+$/)
      .meta({ description: "With its registry: a bare name would be looked for where nobody owns it." }),
    tag: z.string().regex(/^[\w.-]*$/),
    digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
    pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]),
    pullSecrets: z.array(name),
  }),
  existingSecret: name.meta({ description: "The Secret with the relay's keys, made before the chart is installed." }),
  config: configSchemaOf(FEATURES),
  replicas: z.int().min(1).max(10),
  strategy: z.enum(["Recreate", "RollingUpdate"]),
  resources: anyObject,
  env: z.record(z.string(), z.string()),
  nodeSelector: strings,
  tolerations: z.array(anyObject),
  networkPolicy: z.strictObject({ enabled: z.boolean(), from: z.array(anyObject), to: z.array(anyObject).min(1) }),
  monitoring: z.strictObject({ enabled: z.boolean(), labels: strings }),
  // Helm's own.
  global: anyObject.optional(),
});

const without = (key: string): object => ({ not: { required: [key] } });
/**
 * What the chart asks for beyond the relay: PostgreSQL, by a URL that is not in values, as Helm keeps those; a drain whose
 * length is written down; and nothing of where the API listens, which the image says.
 */
const NARROWED = {
  required: ["database", "shutdown"],
  properties: {
    database: { required: ["urlFile"], ...without("url") },
    shutdown: { required: ["drainSeconds"] },
    api: { allOf: [without("host"), without("port")] },
  },
};
/** Variables of the relay go before its file, and secrets come as files. */
const NO_ENV = { pattern: "^[A-Za-z_][A-Za-z0-9_]*$", not: { pattern: "^(FEIQIAN_|DATABASE_URL$)" } };

function chartSchema(): object {
  const schema = z.toJSONSchema(valuesSchema, { io: "input", target: "draft-7" });
  const properties = schema.properties ?? {};
  return {
    ...schema,
    title: "Values of the chart feiqian-relay. Made by `npm run chart`: change scripts/lib/chart.ts, not this.",
    properties: {
      ...properties,
      config: { allOf: [properties["config"], NARROWED] },
      env: { type: "object", propertyNames: NO_ENV, additionalProperties: { type: "string" } },
    },
  };
}

/** Chart.yaml with the product's version for both that it has: the chart's own, and the image's tag. */
async function versioned(): Promise<string> {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile("package.json", "utf8")));
  const text = await readFile(`${CHART}/Chart.yaml`, "utf8");
  return text.replaceAll(/^(version|appVersion): .*$/gm, `$1: ${version}`);
}

/** The files that are made, by path. */
async function renderChart(): Promise<ReadonlyMap<string, string>> {
  const alerts = yamlFile(
    { groups: [alertsOf(FEATURES, { idleSeconds: IDLE_SECONDS })] },
    [
      "What somebody is told of one relay. critical: wake somebody; warning: look at it today; info: know it.",
      "runbook names the file of Feiqian's documentation that says what to do.",
    ],
    "Made by `npm run chart`: change the alerts of the feature, or of src/kernel/telemetry, not this.",
  );
  const files = {
    "Chart.yaml": await versioned(),
    "alerts.yml": alerts,
    "values.schema.json": JSON.stringify(chartSchema()),
  };
  return new Map(
    await Promise.all(
      Object.entries(files).map(async ([file, text]): Promise<[string, string]> => {
        const filepath = `${CHART}/${file}`;
        return [filepath, await format(text, { ...(await resolveConfig(filepath)), filepath })];
      }),
    ),
  );
}

export async function writeChart(): Promise<void> {
  for (const [path, text] of await renderChart()) await writeFile(path, text);
}

/**
 * The files that are not what the code says.
 * @internal for the test that holds them to it
 */
export async function staleChart(): Promise<readonly string[]> {
  const rendered = [...(await renderChart())];
  const committed = await Promise.all(rendered.map(([path]) => readFile(path, "utf8").catch(() => undefined)));
  return rendered.filter(([, text], index) => text !== committed[index]).map(([path]) => path);
}
