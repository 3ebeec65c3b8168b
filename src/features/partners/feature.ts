import type { RelayFeature } from "../context.ts";
import { addPartnerCommands } from "./commands.ts";
import { partnersMetrics } from "./metrics.ts";
import { partnersProblems } from "./problems.ts";
import { partnersSettings } from "./settings.ts";

/** Who is in the network, what can be sent where, and whom an alias names. */
export const partners: RelayFeature = {
  name: "partners",
  problems: partnersProblems,
  metrics: partnersMetrics,
  tags: { network: "Who can be sent to, and with what money" },
  settings: partnersSettings,
  commands: addPartnerCommands,
  work: async () => (await import("./work.ts")).partnersWork,
};
