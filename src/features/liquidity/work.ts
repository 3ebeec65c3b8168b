import type { RelayWork } from "../context.ts";
import { liquidityStep } from "./liquidity.ts";
import { balanceRoutes } from "./routes.ts";

export const liquidityWork: RelayWork = {
  steps: [{ name: "liquidity", run: liquidityStep, pollIntervalMs: 2_000 }],
  routes: [balanceRoutes],
};
