import type { RelayFeature } from "../context.ts";
import { partnerMessages } from "./peer-messages.ts";
import { networkRoutes } from "./routes.ts";

/** Who is in the network, what can be sent where, and whom an alias names. */
export const partners: RelayFeature = {
  name: "partners",
  routes: [networkRoutes],
  messages: partnerMessages,
};
