import type { Erase } from "../context.ts";
import { eraseRequestsBefore } from "./store.ts";

/** Whom requests pay. That of one transfer is not theirs: its payee may be paid by others. */
export const eraseRequests: Erase = {
  older: async ({ db, clock }, beforeMs) => ({ requests: await eraseRequestsBefore(db, beforeMs, clock.nowMs()) }),
  transfer: () => Promise.resolve("unknown"),
};
