import type { RelayFeature } from "../context.ts";

declare module "../../kernel/steps/step.ts" {
  interface StepNames {
    resealer: true;
  }
}

/** API keys, the audit log, erasure, and data keys. */
export const operators: RelayFeature = {
  name: "operators",
  work: async () => (await import("./work.ts")).operatorsWork,
};
