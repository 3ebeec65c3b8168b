import type { RelayWork } from "../context.ts";
import { eraseRequests } from "./erase.ts";
import { reconcileRequests } from "./reconcile.ts";
import { requestMessages } from "./peer-messages.ts";
import { requestRoutes } from "./routes.ts";

export const requestsWork: RelayWork = {
  routes: [requestRoutes],
  messages: requestMessages,
  reconcile: reconcileRequests,
  erase: eraseRequests,
};
