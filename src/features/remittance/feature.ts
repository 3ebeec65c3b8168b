import type { RelayFeature } from "../context.ts";
import { remittanceMetrics } from "./metrics.ts";
import { remittanceProblems } from "./problems.ts";

declare module "../../kernel/steps/step.ts" {
  interface StepNames {
    watcher: true;
    batcher: true;
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
  interface EventTypes {
    "transfer.held": true;
    "transfer.settled": true;
    "transfer.credited": true;
    "transfer.rejected": true;
    "transfer.expired": true;
    "transfer.failed": true;
    "transfer.requeued": true;
    "transfer.cancelled": true;
    "credit.posted": true;
    "credit.stuck": true;
    "signature.unknown": true;
  }
}

/** A transfer from its intake to its receipt, as source and as target. */
export const remittance: RelayFeature = {
  name: "remittance",
  events: {
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
  },
  problems: remittanceProblems,
  metrics: remittanceMetrics,
  work: async () => (await import("./work.ts")).remittanceWork,
};
