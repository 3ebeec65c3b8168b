import type { Reconcile } from "../../../../src/features/context.ts";
import { allGreetings, untoldGreetings } from "./store.ts";

declare module "../../../../src/kernel/findings.ts" {
  interface DifferenceKinds {
    greeting: true;
  }
}

/** Counts what the ledger tells of, too, to show that it is told: greetings are not on it. */
export const reconcileGreetings: Reconcile = ({ db }, _scope, findings) => {
  let ledgerEvents = 0;
  return {
    look(events) {
      ledgerEvents += events.length;
      return Promise.resolve();
    },
    async finish() {
      for (const text of await untoldGreetings(db)) findings.add("greeting", text, "It was sent, and not told.");
      return { greetings: (await allGreetings(db)).length, ledgerEvents };
    },
  };
};
