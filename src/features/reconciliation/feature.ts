import type { RelayFeature } from "../context.ts";

/** The store, compared with the ledger. */
export const reconciliation: RelayFeature = {
  name: "reconciliation",
  work: async () => (await import("./work.ts")).reconciliationWork,
};
