import type { RelayFeature } from "../../../../src/features/context.ts";
import { addGreetingCommands } from "./commands.ts";
import { greetingMetrics } from "./metrics.ts";
import { greetingProblems } from "./problems.ts";
import { greetingSettings } from "./settings.ts";

// A whole feature, as docs/add-a-feature.md has it: what a relay does not have, and a test gives it.

declare module "../../../../src/kernel/steps/step.ts" {
  interface StepNames {
    greeter: true;
  }
}

declare module "../../../../src/kernel/store/events.ts" {
  interface EventTypes extends Readonly<typeof greetingEvents> {}
}

declare module "../../../../src/kernel/telemetry/health.ts" {
  interface Alarms extends Readonly<typeof greetingAlarms> {}
}

const greetingEvents = { "greeting.sent": "Somebody was greeted." };
const greetingAlarms = { ungreeted: "Greetings wait for too long." };

export const greetings: RelayFeature = {
  name: "greetings",
  migrations: new URL("./migrations/", import.meta.url),
  events: greetingEvents,
  alarms: greetingAlarms,
  problems: greetingProblems,
  metrics: greetingMetrics,
  settings: greetingSettings,
  tags: { greetings: "Good wishes" },
  commands: addGreetingCommands,
  work: async () => (await import("./work.ts")).greetingsWork,
};
