// Writes what is made from the features' declarations: docs/openapi.json, the API's OpenAPI document; the types and routes
// that the SDK has of it; and the problems that a wallet can meet. With --check, tells whether they are what the code says.
//
//   node scripts/openapi.ts [--check]

import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { createServer } from "../src/kernel/http/server.ts";
import { compose, metricsOf, problemsOf } from "../src/app/composition.ts";
import { FEATURES } from "../src/app/features.ts";
import { silentLogger } from "../src/kernel/telemetry/logger.ts";
import { createWake } from "../src/kernel/steps/loop.ts";
import { createMetrics } from "../src/kernel/telemetry/metrics.ts";
import type { RelayContext } from "../src/features/context.ts";
import type { StepName } from "../src/kernel/steps/step.ts";
import { renderRoutes } from "./lib/api-routes.ts";
import { renderApiTypes } from "./lib/api-types.ts";

const DOCUMENT = "docs/openapi.json";
const API = "sdk/api.ts";
const ROUTES = "sdk/routes.ts";
const PROBLEMS = "sdk/problems.ts";

/** The document as the server itself gives it, laid out as the formatter has it. */
export async function renderOpenApi(): Promise<string> {
  const context = {
    log: silentLogger,
    metrics: createMetrics({ partner: 1 }, metricsOf(FEATURES)),
    problems: problemsOf(FEATURES),
    wake: createWake<StepName>(),
    drawBytes: (length: number) => new Uint8Array(length),
    // Routes are described here, not called: nothing else is touched.
  } as unknown as RelayContext;
  const app = await createServer(context, {
    ...(await compose(FEATURES)).served(context),
    readiness: () => Promise.resolve({ ready: true, reasons: [] }),
  });
  try {
    const { body } = await app.inject({ url: "/openapi.json" });
    return await laidOut(DOCUMENT, body);
  } finally {
    await app.close();
  }
}

/** The SDK knows no feature: what it tells of their problems is written down. */
function renderProblems(): Promise<string> {
  const text = `// Made by \`npm run openapi\`: change the features' problems, not this.
import type { ProblemEntries } from "../src/schema/problems.ts";

/** Every problem that the API can answer with. Codes are stable: what they mean does not change, and none is reused. */
export const PROBLEMS = ${JSON.stringify(problemsOf(FEATURES), null, 2)} as const satisfies ProblemEntries;

export type ProblemCode = keyof typeof PROBLEMS;`;
  return laidOut(PROBLEMS, text);
}

async function laidOut(file: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}

if (import.meta.main) {
  const document = await renderOpenApi();
  const rendered = [
    [DOCUMENT, document],
    [API, await laidOut(API, await renderApiTypes(document))],
    [ROUTES, await laidOut(ROUTES, await renderRoutes(document))],
    [PROBLEMS, await renderProblems()],
  ] as const;
  for (const [file, text] of rendered) {
    if (!process.argv.includes("--check")) await writeFile(file, text);
    else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
      console.error(`${file} is not what the code says: run npm run openapi`);
      process.exitCode = 1;
    }
  }
}
