import { parseCurrency, type CurrencyCode } from "../../domain/currency.ts";
import { appendEvents } from "../../kernel/store/events.ts";
import { lastAlarm, lockBalance, readFunds } from "./store.ts";
import type { RelayContext, Step } from "../context.ts";
import { workEach } from "../../kernel/steps/faults.ts";

/** An alarm ends once there is a tenth more than what raises it, so that it does not go on and off around that. */
const RESTORED_PERCENT = 110n;

/**
 * Raises an alarm where the money on the ledger that is free to send falls below a currency's low water, and ends it
 * where it is back. That there is an alarm is the last event of it in the store.
 */
export const liquidityStep: Step = async (context) => {
  const { db, ledger, settings, metrics } = context;
  for (const { currency, available, held, elsewhere } of await readFunds(db, ledger.addresses.treasury)) {
    metrics.availableMinor.set({ currency }, gaugeOf(available));
    metrics.heldMinor.set({ currency }, gaugeOf(held + elsewhere.held));
    metrics.elsewhereMinor.set({ currency }, gaugeOf(elsewhere.available));
  }
  const changed: CurrencyCode[] = [];
  await workEach(context, {
    step: "liquidity",
    items: Object.entries(settings.liquidity.lowWater),
    keyOf: ([code]) => code,
    async work([code, lowWater]) {
      const currency = parseCurrency(code, "lowWater").code;
      const state = await judge(context, currency, lowWater);
      if (state === undefined) return;
      metrics.lowWater.set({ currency }, state.isLow ? 1 : 0);
      if (state.hasChanged) changed.push(currency);
    },
  });
  if (changed.length > 0) context.wake("notifier");
  return false;
};

interface State {
  readonly isLow: boolean;
  readonly hasChanged: boolean;
}

/** Undefined while the ledger has not been read. */
async function judge(
  { db, ledger, clock, log }: Pick<RelayContext, "db" | "ledger" | "clock" | "log">,
  currency: CurrencyCode,
  lowWater: bigint,
): Promise<State | undefined> {
  return db.transaction(async (tx) => {
    // Whoever else judges this currency waits, and then sees the alarm.
    const available = await lockBalance(tx, { treasury: ledger.addresses.treasury, currency });
    if (available === undefined) return undefined;
    const wasLow = (await lastAlarm(tx, currency)) === "liquidity.low";
    const isLow = wasLow ? available * 100n < lowWater * RESTORED_PERCENT : available < lowWater;
    if (isLow === wasLow) return { isLow, hasChanged: false };
    const type = isLow ? "liquidity.low" : "liquidity.restored";
    const data = { currency, available: String(available), lowWater: String(lowWater) };
    await appendEvents(tx, [{ type, at: clock.nowMs(), data }]);
    if (isLow) log.warn(data, "liquidity is low");
    else log.info(data, "liquidity is restored");
    return { isLow, hasChanged: true };
  });
}

/** A gauge is a float, for people to look at; no money is reckoned with it. */
function gaugeOf(minor: bigint): number {
  return Number.parseInt(String(minor), 10);
}
