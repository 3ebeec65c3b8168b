import type { RelayWork } from "../context.ts";
import { partnerMessages } from "./peer-messages.ts";
import { networkRoutes } from "./routes.ts";

export const partnersWork: RelayWork = {
  routes: [networkRoutes],
  messages: partnerMessages,
};
