import { z } from "zod/v4";
import { integer } from "../../../../src/kernel/config/fields.ts";
import type { SettingsOf } from "../../../../src/kernel/config/settings.ts";

declare module "../../../../src/kernel/config/settings.ts" {
  interface Settings extends SettingsOf<typeof greetingSettings> {}
}

export const greetingSettings = {
  greetings: z
    .strictObject({
      mostLetters: integer(1, 100).default(100).meta({ description: "The longest greeting that is taken." }),
    })
    .prefault({}),
};
