import type { RelayWork } from "../context.ts";
import { reconciliationRoutes } from "./routes.ts";

export const reconciliationWork: RelayWork = {
  routes: [reconciliationRoutes],
};
