import type { RelayFeature } from "../context.ts";
import { reconciliationRoutes } from "./routes.ts";

/** The store, compared with the ledger. */
export const reconciliation: RelayFeature = {
  name: "reconciliation",
  routes: [reconciliationRoutes],
};
