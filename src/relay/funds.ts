import type { CurrencyCode } from "../domain/currency.ts";
import { readFunds } from "../store/transfers.ts";
import type { RelayContext } from "./context.ts";

/**
 * What the partner can still promise, estimated: the batcher, which signs, judges by the rows themselves. Between two
 * readings this process counts what it promises; what others promise is seen at the next.
 */
export interface FundsEstimate {
  /**
   * Takes an amount of what is free.
   * @param regardless it is promised even where there is too little: it will wait
   * @returns whether there was enough
   */
  take(currency: CurrencyCode, minor: bigint, regardless: boolean): Promise<boolean>;
}

/** A reading is used for this long… */
const TIME_TO_LIVE_MS = 200;
/** …or, where reading is slow, for this many times what it takes: with much waiting it is a long sum. */
const READING_SHARE = 20;
/** Who finds too little looks again, but not more often than this. */
const LEAST_AGE_MS = 20;

export function createFundsEstimate({ db, clock }: Pick<RelayContext, "db" | "clock">): FundsEstimate {
  let free = new Map<CurrencyCode, bigint>();
  let readAtMs = -Infinity;
  let timeToLiveMs = 0;
  let reading: Promise<void> | undefined;

  const read = (): Promise<void> => {
    reading ??= (async () => {
      const startedMs = clock.nowMs();
      const funds = await readFunds(db);
      free = new Map(funds.map(({ currency, available, committed }) => [currency, available - committed]));
      readAtMs = clock.nowMs();
      timeToLiveMs = Math.max(TIME_TO_LIVE_MS, (readAtMs - startedMs) * READING_SHARE);
    })().finally(() => (reading = undefined));
    return reading;
  };

  return {
    async take(currency, minor, regardless) {
      if (clock.nowMs() - readAtMs >= timeToLiveMs) await read();
      const suffices = () => (free.get(currency) ?? 0n) >= minor;
      if (!suffices() && !regardless && clock.nowMs() - readAtMs >= LEAST_AGE_MS) await read();
      const enough = suffices();
      if (enough || regardless) free.set(currency, (free.get(currency) ?? 0n) - minor);
      return enough;
    },
  };
}
