import type { RelayFeature } from "../context.ts";
import { addStatisticsCommands } from "./commands/commands.ts";

/** What can be counted of the network: how many transfers were paid. */
export const statistics: RelayFeature = {
  name: "statistics",
  commands: addStatisticsCommands,
  work: async () => (await import("./work.ts")).statisticsWork,
};
