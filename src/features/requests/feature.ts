import type { RelayFeature } from "../context.ts";
import { addBillCommands, addRequestCommands } from "./commands.ts";
import { requestsProblems } from "./problems.ts";

declare module "../../kernel/store/events.ts" {
  interface EventTypes extends Readonly<typeof requestsEvents> {}
}

const requestsEvents = {
  "request.paid": "A payment of a request was credited to its payee.",
  "request.cancelled": "A request was withdrawn: nobody can pay it any more.",
};

/** What customers ask to be paid, by a code that others scan. */
export const requests: RelayFeature = {
  name: "requests",
  events: requestsEvents,
  problems: requestsProblems,
  tags: { requests: "What customers ask to be paid, and what others can pay" },
  commands(program, io) {
    addRequestCommands(program, io);
    addBillCommands(program, io);
  },
  work: async () => (await import("./work.ts")).requestsWork,
};
