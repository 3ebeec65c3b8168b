import type { Erase } from "../../../../src/features/context.ts";
import { forgetGreetings } from "./store.ts";

/** Who was greeted is nobody's business once it was long ago. Greetings belong to no transfer. */
export const eraseGreetings: Erase = {
  older: async ({ db }, beforeMs) => ({ greetings: await forgetGreetings(db, beforeMs) }),
  transfer: () => Promise.resolve("unknown"),
};
