import type { RelayFeature } from "../context.ts";
import { addNotificationCommands } from "./commands.ts";
import { notificationsAlerts } from "./alerts.ts";
import { notificationsMetrics } from "./metrics.ts";
import { notificationsSettings } from "./settings.ts";

declare module "../../kernel/steps/step.ts" {
  interface StepNames {
    notifier: true;
  }
}

declare module "../../kernel/store/events.ts" {
  interface EventTypes extends Readonly<typeof notificationsEvents> {}
}

const notificationsEvents = {
  "webhook.dead": "An event could not be delivered to a webhook, and was given up.",
  "webhook.disabled": "A webhook was disabled: its endpoint answered 410.",
};

/** Events as pages, as a stream, and as webhooks. */
export const notifications: RelayFeature = {
  name: "notifications",
  events: notificationsEvents,
  metrics: notificationsMetrics,
  alerts: () => notificationsAlerts,
  tags: { events: "What happened, under one cursor" },
  settings: notificationsSettings,
  commands: addNotificationCommands,
  work: async () => (await import("./work.ts")).notificationsWork,
};
