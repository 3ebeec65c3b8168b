import type { RelayWork } from "../context.ts";
import { notifierStep } from "./notifier.ts";
import { eventRoutes } from "./routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";
import { reconcileDeliveries } from "./reconcile.ts";

export const notificationsWork: RelayWork = {
  steps: [{ name: "notifier", run: notifierStep, pollIntervalMs: 1_000 }],
  routes: [eventRoutes, webhookRoutes],
  reconcile: reconcileDeliveries,
};
