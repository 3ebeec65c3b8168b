import type { RelayFeature } from "../../../../src/features/context.ts";

// A whole feature, as docs/add-a-feature.md has it: what a relay does not have, and a test gives it.

declare module "../../../../src/kernel/steps/step.ts" {
  interface StepNames {
    greeter: true;
  }
}

declare module "../../../../src/kernel/store/events.ts" {
  interface EventTypes {
    "greeting.sent": true;
  }
}

export const greetings: RelayFeature = {
  name: "greetings",
  migrations: new URL("./migrations/", import.meta.url),
  events: { "greeting.sent": "Somebody was greeted." },
  work: async () => (await import("./work.ts")).greetingsWork,
};
