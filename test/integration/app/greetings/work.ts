import type { RelayWork } from "../../../../src/features/context.ts";
import { eraseGreetings } from "./erase.ts";
import { greeterStep } from "./greeter.ts";
import { reconcileGreetings } from "./reconcile.ts";
import { greetingRoutes } from "./routes.ts";

export const greetingsWork: RelayWork = {
  steps: [{ name: "greeter", run: greeterStep, pollIntervalMs: 1_000 }],
  routes: [greetingRoutes],
  messages: () => [{ path: "/peer/v1/greetings", bodyLimit: 1_000, answer: () => Promise.resolve(undefined) }],
  alarms: () => () => Promise.resolve([{ code: "ungreeted", detail: "nobody greets for nothing" }]),
  reconcile: reconcileGreetings,
  erase: eraseGreetings,
};
