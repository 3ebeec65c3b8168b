import { z } from "zod/v4";
import { DAY_SECONDS, integer } from "../../kernel/config/fields.ts";
import type { SettingRule, SettingsOf } from "../../kernel/config/settings.ts";

declare module "../../kernel/config/settings.ts" {
  interface Settings extends SettingsOf<typeof remittanceSettings> {}
}

/** As many as the payload of a batch takes: MAX_PAYLOAD_TRANSFERS, which a test holds it to. */
export const MAX_BATCH_TRANSFERS = 10_000;
/** Whole seconds that the ledger holds a batch's money at most: MAX_HOLD_SECONDS, which a test holds it to. */
export const MAX_BATCH_HOLD_SECONDS = 86_400;

export const remittanceSettings = {
  batch: z
    .strictObject({
      maxTransfers: integer(1, MAX_BATCH_TRANSFERS)
        .default(1_000)
        .meta({ description: "The most transfers in a batch." }),
      maxDelayMs: integer(0, 3_600_000).default(20).meta({
        description:
          "The longest that a transfer waits for others to share its batch, while one for the same partner is on its way to the ledger; without one it does not wait.",
      }),
      holdSeconds: integer(10, MAX_BATCH_HOLD_SECONDS).default(300).meta({
        description:
          "Ledger time after which a batch that nobody has settled is refunded. A quote with a shorter `maxHold` is not used.",
      }),
    })
    .prefault({}),
  transfers: z
    .strictObject({
      validitySeconds: integer(1, 30 * DAY_SECONDS)
        .default(300)
        .meta({
          description: "How long an accepted transfer waits for money or the ledger before it fails.",
        }),
    })
    .prefault({}),
  oneStep: z
    .strictObject({
      enabled: z.boolean("true or false").default(true).meta({
        description:
          "Whether batches open and settle in one step, where the other partner's relay offers that, and whether this relay offers it. Without it, all go in two.",
      }),
      validSeconds: integer(1, 60).default(10).meta({
        description: "How long a batch that this relay has accepted beforehand may take to the ledger, in block time.",
      }),
      answerTimeoutMs: integer(100, 60_000).default(2_000).meta({
        description: "How long the target's relay is waited for before a batch goes in two steps.",
      }),
      unpaidPerMinute: integer(1, 1_000_000).default(1_000).meta({
        description:
          "Transfers of one source partner that are checked in a minute for batches that have not settled: what is checked tells who has an account. This relay proposes no larger batch.",
      }),
    })
    .prefault({}),
  sweep: z
    .strictObject({
      othersAfterSeconds: integer(0, 30 * DAY_SECONDS)
        .default(60)
        .meta({
          description: "How long after its expiry this relay also expires a batch of other partners.",
        }),
    })
    .prefault({}),
};

export const remittanceRules: readonly SettingRule[] = [
  {
    path: ["batch", "maxDelayMs"],
    message: "less than transfers.validitySeconds: transfers would fail before they are sent",
    holds: ({ batch, transfers }) => batch.maxDelayMs < transfers.validitySeconds * 1_000,
  },
  {
    path: ["quote", "leastValiditySeconds"],
    message: "more than twice batch.maxDelayMs: quotes would end while their transfers wait to be sent",
    holds: ({ batch, quote }) => batch.maxDelayMs < quote.leastValiditySeconds * 500,
  },
  {
    path: ["transfers", "validitySeconds"],
    message:
      "more than twice clock.maxSkewSeconds: what one process accepts would have expired by the clock of another already",
    holds: ({ clock, transfers }) => clock.maxSkewSeconds * 2 < transfers.validitySeconds,
  },
  {
    path: ["retry", "maxDelayMs"],
    message:
      "less than transfers.validitySeconds: transfers would fail while what has failed once waits to be tried again",
    holds: ({ retry, transfers }) => retry.maxDelayMs < transfers.validitySeconds * 1_000,
  },
  {
    path: ["retry", "maxDelayMs"],
    message: "less than batch.holdSeconds: batches would expire while what has failed once waits to be tried again",
    holds: ({ retry, batch }) => retry.maxDelayMs < batch.holdSeconds * 1_000,
  },
];
