import { z } from "zod/v4";
import { DAY_SECONDS, integer } from "../../kernel/config/fields.ts";
import type { SettingRule, SettingsOf } from "../../kernel/config/settings.ts";

declare module "../../kernel/config/settings.ts" {
  interface Settings extends SettingsOf<typeof pricingSettings> {}
}

/** Providers' quotes hold for minutes: asked to hold for longer, none would ever be drawn on. */
const MAX_LEAST_VALIDITY_SECONDS = 600;

export const pricingSettings = {
  quote: z
    .strictObject({
      validitySeconds: integer(1, DAY_SECONDS).default(60).meta({ description: "How long a customer's quote holds." }),
      leastValiditySeconds: integer(1, MAX_LEAST_VALIDITY_SECONDS).default(15).meta({
        description:
          "A provider's quote with less time left is no longer used. Half of this must be left when the batch is signed; `batch.maxDelayMs` fits into the other half.",
      }),
      providerTimeoutMs: integer(100, 60_000).default(2_000).meta({ description: "For one request to one provider." }),
    })
    .prefault({}),
};

export const pricingRules: readonly SettingRule[] = [
  {
    path: ["clock", "maxSkewSeconds"],
    message: "at most quote.leastValiditySeconds: by a clock that is further off, quotes would be used that have ended",
    holds: ({ clock, quote }) => clock.maxSkewSeconds <= quote.leastValiditySeconds,
  },
  {
    path: ["quote", "validitySeconds"],
    message:
      "more than twice clock.maxSkewSeconds: what one process gives would have ended by the clock of another already",
    holds: ({ clock, quote }) => clock.maxSkewSeconds * 2 < quote.validitySeconds,
  },
];
