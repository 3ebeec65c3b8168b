// Writes docs/openapi.json, the API's OpenAPI document; with --check, tells whether it is what the code says.
//
//   node scripts/openapi.ts [--check]

import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { createServer } from "../src/kernel/http/server.ts";
import { compose, metricsOf } from "../src/app/composition.ts";
import { FEATURES } from "../src/app/features.ts";
import { silentLogger } from "../src/kernel/telemetry/logger.ts";
import { createWake } from "../src/kernel/steps/loop.ts";
import { createMetrics } from "../src/kernel/telemetry/metrics.ts";
import type { RelayContext } from "../src/features/context.ts";
import type { StepName } from "../src/kernel/steps/step.ts";

const FILE = "docs/openapi.json";

/** The document as the server itself gives it, laid out as the formatter has it. */
export async function renderOpenApi(): Promise<string> {
  const context = {
    log: silentLogger,
    metrics: createMetrics({ partner: 1 }, metricsOf(FEATURES)),
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
    return await format(body, { ...(await resolveConfig(FILE)), filepath: FILE });
  } finally {
    await app.close();
  }
}

if (import.meta.main) {
  const rendered = await renderOpenApi();
  if (!process.argv.includes("--check")) await writeFile(FILE, rendered);
  else if ((await readFile(FILE, "utf8").catch(() => "")) !== rendered) {
    console.error(`${FILE} is not what the code says: run node scripts/openapi.ts`);
    process.exitCode = 1;
  }
}
