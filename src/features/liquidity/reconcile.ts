import type { Reconcile } from "../context.ts";
import { readBalances } from "./store.ts";

/** Whether the store has the money that each treasury has. */
export const reconcileBalances: Reconcile = ({ db }, { cursor }, findings) => ({
  async finish(money) {
    if (money === undefined || cursor === undefined) return {};
    const projected = (await readBalances(db)).filter(({ block }) => block <= cursor.block);
    for (const { treasury, currency, available, held } of projected) {
      const found = money.foundIn(treasury, currency);
      if (found === undefined || (found.available === available && found.held === held)) continue;
      const sentence = `The store has ${available} available and ${held} held; the treasury has ${found.available} and ${found.held} minor units (${treasury}).`;
      findings.add("balance", currency, sentence);
    }
    return {};
  },
});
