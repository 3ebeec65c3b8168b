import type { CurrencyCode } from "../../domain/currency.ts";
import { balancesAt, latestHead } from "../../ledger/state.ts";
import { readFunds } from "./store.ts";
import type { RelayContext } from "../context.ts";
import { createEstimate } from "../pricing/estimate.ts";

/**
 * What the partner can still promise, estimated: the batcher, which signs, judges by the rows themselves. Between two
 * readings this process counts what it promises; what others promise is seen at the next.
 */
export interface FundsEstimate {
  /**
   * Takes an amount of what is free.
   * @param regardless it is promised even where there is too little: it will wait
   */
  take(currency: CurrencyCode, minor: bigint, regardless: boolean): Promise<FundsAnswer>;
}

/** "unknown" while the money has not been read, or is not what the ledger says now: only "short" is a no. */
export type FundsAnswer = "enough" | "short" | "unknown";

export function createFundsEstimate(
  context: Pick<RelayContext, "db" | "clock" | "ledger" | "partner" | "log">,
): FundsEstimate {
  const { db, clock, ledger } = context;
  let available = new Map<CurrencyCode, bigint>();
  const free = createEstimate(clock, async () => {
    const funds = await readFunds(db, ledger.addresses.treasury);
    available = new Map(funds.map((of) => [of.currency, of.available]));
    return new Map(funds.map((of) => [of.currency, of.available - of.committed]));
  });

  return {
    async take(currency, minor, regardless) {
      await free.current();
      const suffices = () => (free.get(currency) ?? 0n) >= minor;
      if (!suffices() && !regardless) await free.again();
      const enough = suffices();
      if (enough || regardless) free.take(currency, minor);
      if (enough) return "enough";
      const known = available.get(currency);
      if (known === undefined || regardless) return "unknown";
      return (await isAsRead(context, currency, known)) ? "short" : "unknown";
    },
  };
}

/** Whether the ledger says no more than what was read of it: the watcher may be behind, or the ledger away. */
async function isAsRead(
  { ledger, partner, log }: Pick<RelayContext, "ledger" | "partner" | "log">,
  currency: CurrencyCode,
  read: bigint,
): Promise<boolean> {
  try {
    const { number } = await latestHead(ledger);
    const [now] = await balancesAt(ledger, partner, [currency], number);
    return now !== undefined && now.available <= read;
  } catch (error) {
    log.warn({ currency, error }, "the ledger did not answer how much money there is");
    return false;
  }
}
