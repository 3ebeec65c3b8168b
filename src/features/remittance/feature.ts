import type { RelayFeature } from "../context.ts";
import { addRemittanceCommands } from "./commands/commands.ts";
import { remittanceAlerts } from "./alerts.ts";
import { remittanceMetrics } from "./metrics.ts";
import { remittanceProblems } from "./problems.ts";
import { remittanceRules, remittanceSettings } from "./settings.ts";

declare module "../../kernel/steps/step.ts" {
  interface StepNames {
    watcher: true;
    batcher: true;
    proposer: true;
    opener: true;
    courier: true;
    responder: true;
    settler: true;
    crediter: true;
    confirmer: true;
    sweeper: true;
  }
}

declare module "../../kernel/store/events.ts" {
  interface EventTypes extends Readonly<typeof remittanceEvents> {}
}

declare module "../../kernel/telemetry/health.ts" {
  interface Alarms extends Readonly<typeof remittanceAlarms> {}
}

const remittanceEvents = {
  "transfer.held": "A transfer's money is held on the ledger.",
  "transfer.settled": "The ledger has settled it.",
  "transfer.credited": "The payee's wallet has credited it.",
  "transfer.rejected": "The target partner refused it, and the ledger refunded it.",
  "transfer.expired": "It was not settled in time, and the ledger refunded it.",
  "transfer.failed": "It never got on the ledger: no money was held.",
  "transfer.requeued": "Its batch cannot be opened any more; it goes into another.",
  "transfer.cancelled": "It was cancelled before it was signed into a batch.",
  "credit.posted": "A transfer from another partner was credited to its payee.",
  "credit.stuck": "The wallet does not credit a transfer that the ledger has settled.",
  "signature.unknown": "The ledger has a batch with this partner's signature that this relay did not make.",
};

const remittanceAlarms = {
  "unknown-signatures": "The ledger has batches with this partner's signature that this relay did not make.",
};

/** A transfer from its intake to its receipt, as source and as target. */
export const remittance: RelayFeature = {
  name: "remittance",
  events: remittanceEvents,
  alarms: remittanceAlarms,
  problems: remittanceProblems,
  metrics: remittanceMetrics,
  alerts: remittanceAlerts,
  tags: { transfers: "From a quote to a receipt" },
  settings: remittanceSettings,
  settingRules: remittanceRules,
  commands: addRemittanceCommands,
  work: async () => (await import("./work.ts")).remittanceWork,
};
