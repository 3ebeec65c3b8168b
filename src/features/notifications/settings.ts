import { z } from "zod/v4";
import { integer } from "../../kernel/config/fields.ts";
import type { SettingsOf } from "../../kernel/config/settings.ts";

declare module "../../kernel/config/settings.ts" {
  interface Settings extends SettingsOf<typeof notificationsSettings> {}
}

export const notificationsSettings = {
  webhooks: z
    .strictObject({
      maxAttempts: integer(1, 10_000)
        .default(1_000)
        .meta({ description: "After this many attempts, a delivery is given up." }),
      timeoutMs: integer(100, 600_000).default(10_000).meta({ description: "For one attempt." }),
      allowUnsafeUrls: z
        .boolean({ error: "true or false" })
        .default(false)
        .meta({ description: "Plain HTTP to other machines, and link-local addresses: for development networks." }),
    })
    .prefault({}),
};
