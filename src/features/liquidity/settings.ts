import { z } from "zod/v4";
import { CURRENCIES } from "../../domain/currency.ts";
import type { SettingsOf } from "../../kernel/config/settings.ts";

declare module "../../kernel/config/settings.ts" {
  interface Settings extends SettingsOf<typeof liquiditySettings> {}
}

const minorRule = "minor units, as an integer or decimal text";
const minor = z
  .union([z.number().int().min(0), z.string().regex(/^(?:0|[1-9]\d{0,38})$/, minorRule)], { error: minorRule })
  .transform(BigInt);

const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, "an ISO 4217 alphabetic code")
  .refine((code) => CURRENCIES.some((each) => each.code === code), "an active ISO 4217 alphabetic code");

export const liquiditySettings = {
  liquidity: z
    .strictObject({
      lowWater: z
        .record(currency, minor, {
          error: "amounts in minor units by the currency's ISO 4217 code, as { HKD: 500000 }",
        })
        .prefault({})
        .meta({ description: "By currency: the available money, in minor units, below which there is an alarm." }),
    })
    .prefault({}),
};
