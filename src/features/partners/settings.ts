import { z } from "zod/v4";
import { isPartnerId } from "../../domain/partner.ts";
import { integer, isNetwork, text } from "../../kernel/config/fields.ts";
import type { SettingsOf } from "../../kernel/config/settings.ts";

declare module "../../kernel/config/settings.ts" {
  interface Settings extends SettingsOf<typeof partnersSettings> {}
}

const PARTNER_NUMBER = "a partner's number, from 1 to 65535";

export const partnersSettings = {
  registry: z
    .strictObject({
      names: z
        .record(
          text(PARTNER_NUMBER)
            .regex(/^[1-9][0-9]{0,4}$/, PARTNER_NUMBER)
            .refine(isPartnerId, PARTNER_NUMBER),
          text("a name"),
        )
        .default({})
        .meta({ description: "Your names for the partners, by number. The registry has no names." }),
      trustedNetworks: z
        .array(
          text("a network in CIDR notation, as 10.8.0.0/16").refine(
            isNetwork,
            "a network in CIDR notation, as 10.8.0.0/16",
          ),
        )
        .max(100, "at most 100")
        .default([])
        .meta({
          description:
            "Private networks in which relays and providers of others may be, also over plain HTTP: for example `10.8.0.0/16` between members, or `127.0.0.0/8` on a developer's machine. All others are reached over HTTPS at public addresses only.",
        }),
    })
    .prefault({}),
  lookups: z
    .strictObject({
      perMinute: integer(1, 1_000_000).default(120).meta({
        description: "Payees that one partner may look up here in a minute, and one API key anywhere.",
      }),
      perDay: integer(1, 100_000_000).default(10_000).meta({ description: "The same, in a UTC day." }),
    })
    .prefault({})
    .refine(({ perMinute, perDay }) => perMinute <= perDay, {
      path: ["perMinute"],
      message: "not above lookups.perDay: so many are never reached",
    }),
};
