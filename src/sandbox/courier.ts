import type { Log, TransactionReceipt } from "ethers";
import { decodeEvent, type LedgerEvent, type LedgerEventKind } from "../ledger/events.ts";
import { LedgerError } from "../ledger/errors.ts";
import type { Call, Submitter } from "../ledger/submitter.ts";

/** What became of a call that was submitted twice. */
export interface Delivery {
  readonly receipt: TransactionReceipt;
  readonly gasUsed: bigint;
}

/** Carries calls to the ledger, and carries each of them there twice. */
export interface Courier {
  /** Submits a call. @throws LedgerError when the ledger refuses it */
  deliver(call: Call): Promise<Delivery>;
  /**
   * Submits a call again that has been delivered, under another account, as a relay does that was not told.
   * @throws Error when the ledger lets it have any effect
   */
  repeat(call: Call): Promise<void>;
  /** How many repeated calls the ledger refused. */
  readonly refusedRepeats: number;
}

export function createCourier(first: Submitter, second: Submitter): Courier {
  let refusedRepeats = 0;
  return {
    get refusedRepeats() {
      return refusedRepeats;
    },
    async deliver(call) {
      const receipt = await first.submit(call);
      return { receipt, gasUsed: receipt.gasUsed };
    },
    async repeat(call) {
      try {
        await second.submit(call);
      } catch (failure) {
        if (!(failure instanceof LedgerError) || failure.remedy !== "done") throw failure;
        refusedRepeats++;
        return;
      }
      throw new Error("the ledger accepted a call that it had accepted before");
    },
  };
}

/**
 * The event of a kind that a delivery caused.
 * @throws Error when there is none, which a call that succeeded does not leave possible
 */
export function eventOf<Kind extends LedgerEventKind>(
  { receipt }: Delivery,
  kind: Kind,
): Extract<LedgerEvent, { kind: Kind }> {
  const events = receipt.logs.map((log: Log) => decodeEvent(log)).filter((event) => event !== undefined);
  const found = events.find((event): event is Extract<LedgerEvent, { kind: Kind }> => event.kind === kind);
  if (found === undefined) throw new Error(`transaction ${receipt.hash} has no event ${kind}`);
  return found;
}
