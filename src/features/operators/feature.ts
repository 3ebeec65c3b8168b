import type { RelayFeature } from "../context.ts";
import { resealerStep } from "./resealer.ts";
import { operatorRoutes } from "./routes.ts";

declare module "../../kernel/steps/step.ts" {
  interface StepNames {
    resealer: true;
  }
}

/** API keys, the audit log, erasure, and data keys. */
export const operators: RelayFeature = {
  name: "operators",
  steps: [{ name: "resealer", run: resealerStep, pollIntervalMs: 5_000 }],
  routes: [operatorRoutes],
};
