import type { RelayFeature } from "../context.ts";
import { addReconciliationCommands } from "./commands.ts";
import { reconciliationAlerts } from "./alerts.ts";
import { reconciliationMetrics } from "./metrics.ts";

/** The store, compared with the ledger. */
export const reconciliation: RelayFeature = {
  name: "reconciliation",
  metrics: reconciliationMetrics,
  alerts: () => reconciliationAlerts,
  commands: addReconciliationCommands,
  work: async () => (await import("./work.ts")).reconciliationWork,
};
