import type { RelayWork } from "../context.ts";
import { liquidityStep } from "./liquidity.ts";
import { balanceRoutes } from "./routes.ts";
import { reconcileBalances } from "./reconcile.ts";

export const liquidityWork: RelayWork = {
  steps: [{ name: "liquidity", run: liquidityStep, pollIntervalMs: 2_000 }],
  routes: [balanceRoutes],
  reconcile: reconcileBalances,
};
