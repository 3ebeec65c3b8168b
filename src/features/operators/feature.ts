import type { RelayFeature } from "../context.ts";
import { operatorsAlerts } from "./alerts.ts";
import { addOperatorCommands } from "./commands.ts";
import { operatorsMetrics } from "./metrics.ts";
import { operatorsProblems } from "./problems.ts";

declare module "../../kernel/steps/step.ts" {
  interface StepNames {
    resealer: true;
    dueTimes: true;
    keys: true;
  }
}

/** API keys, the audit log, erasure, data keys, and a clock that was set back. */
export const operators: RelayFeature = {
  name: "operators",
  problems: operatorsProblems,
  metrics: operatorsMetrics,
  alerts: () => operatorsAlerts,
  tags: { operator: "Running the relay; every action is in the audit log" },
  commands: addOperatorCommands,
  work: async () => (await import("./work.ts")).operatorsWork,
};
