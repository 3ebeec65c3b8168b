import type { EventsResponse } from "../../src/schema/network.ts";
import type { LineResult, SubmitRequest } from "../../src/schema/transfers.ts";
import type { RelayClient } from "../../sdk/client.ts";
import { RelayProblem, RelayUnreachable } from "../../sdk/http.ts";
import { networkFeeUp } from "../../src/domain/corridor.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { parseUetr, type Uetr } from "../../src/domain/uetr.ts";
import type { Clock } from "../../src/kernel/clock/clock.ts";
import type { WalletBooks } from "./books.ts";
import type { Order } from "../orders/order.ts";
import { ENDINGS, refundAfter } from "./refunds.ts";

/** What the relay said to an order in the end. */
export type Submission =
  | { readonly kind: "accepted"; readonly acceptedAtMs: number; readonly isReplay: boolean }
  | { readonly kind: "refused"; readonly code: string };

/** The side of a wallet that customers send with: it debits, submits to its relay, and refunds what is refused. */
export interface WalletApp {
  /**
   * Sends customers' orders. What the relay does not answer to is repeated under the same UETRs, for as long as it takes.
   * @throws Error when the relay has not answered to all of them after many repeats
   */
  sendAll(orders: readonly Order[]): Promise<ReadonlyMap<Uetr, Submission>>;
  /** Submits again what was sent before, as after a crash, and changes nothing in the books. Throws as above. */
  repeatAll(orders: readonly Order[]): Promise<ReadonlyMap<Uetr, Submission>>;
  /** Whether the money of a transfer can move no more, by the relay. */
  isOver(uetr: Uetr): Promise<boolean>;
  /** Whether a transfer has got to the ledger, by the relay, or is over. */
  isOnLedger(uetr: Uetr): Promise<boolean>;
  /** Reads the relay's events since it was last done, and refunds what webhooks may not have told of. */
  catchUp(): Promise<void>;
}

export interface WalletAppOptions {
  readonly books: WalletBooks;
  readonly relay: RelayClient;
  readonly clock: Clock;
}

const MAX_ATTEMPTS = 30;
const LONGEST_PAUSE_MS = 2_000;
const FIRST_PAUSE_MS = 50;
const EVENTS_PAGE = 1_000;

export async function openWalletApp(options: WalletAppOptions): Promise<WalletApp> {
  const { books, relay, clock } = options;
  // The relay takes transfers in these corridors only.
  const fees = new Map((await relay.corridors()).map(({ target, feeBps }) => [target, BigInt(feeBps)]));
  const feeOf = (target: PartnerId) => fees.get(target) ?? 0n;
  // What has been refunded must never reach the relay again.
  const charge = (orders: readonly Order[]): readonly Order[] =>
    orders.filter(({ uetr, target, sourceAmount, debtor, creditor }) => {
      if (books.refunds.has(uetr)) return false;
      const amountMinor = sourceAmount.minor + networkFeeUp(sourceAmount.minor, feeOf(target));
      const request = { uetr, customer: debtor.phone, amountMinor, text: `to ${creditor.name}` };
      return books.debit(request).kind === "debited";
    });

  // Taken from the start again after a restart: a refund is made once.
  let caughtUp = "0";
  const submitAll = async (orders: readonly Order[]): Promise<Map<Uetr, Submission>> => {
    const submissions = new Map<Uetr, Submission>();
    let waiting = orders;
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw new Error(`wallet ${books.wallet}: no answer to ${waiting.length} orders`);
      if (attempt > 0) await clock.sleep(Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS));
      for (const [uetr, submission] of await submit(relay, waiting)) submissions.set(uetr, submission);
      waiting = waiting.filter(({ uetr }) => !submissions.has(uetr));
    }
    return submissions;
  };
  return {
    async sendAll(orders) {
      const charged = charge(orders);
      // The relay must not hear of a transfer that a crash could make this wallet forget.
      await books.flush();
      const submissions = await submitAll(charged);
      for (const [uetr, submission] of submissions) {
        if (submission.kind === "refused") books.refund(uetr, submission.code);
      }
      await books.flush();
      for (const { uetr } of orders) {
        if (!submissions.has(uetr)) submissions.set(uetr, { kind: "refused", code: "AM04" });
      }
      return submissions;
    },
    repeatAll: submitAll,
    isOver: async (uetr) => (await relay.transfer(uetr)).isFinal,
    async isOnLedger(uetr) {
      const { status, isFinal } = await relay.transfer(uetr);
      return status === "held" || isFinal;
    },
    async catchUp() {
      for (;;) {
        const { events, next } = await endingsAfter(relay, caughtUp);
        for (const { uetr, type, data } of events) {
          if (uetr !== undefined) refundAfter(books, parseUetr(uetr), type, data["reason"]);
        }
        await books.flush();
        caughtUp = next;
        if (events.length < EVENTS_PAGE) return;
      }
    },
  };
}

/** A page of what has ended; where the relay's database was restored, of what has since. A refund is made once. */
async function endingsAfter(relay: RelayClient, after: string): Promise<EventsResponse> {
  const query = { limit: EVENTS_PAGE, types: ENDINGS };
  try {
    return await relay.eventsPage({ ...query, after });
  } catch (failure) {
    if (!(failure instanceof RelayProblem) || failure.goOn === undefined) throw failure;
    return relay.eventsPage({ ...query, after: failure.goOn });
  }
}

/** One attempt. Orders that are left out of the answer have to be submitted again. */
async function submit(relay: RelayClient, orders: readonly Order[]): Promise<ReadonlyMap<Uetr, Submission>> {
  const answers = new Map<Uetr, Submission>();
  try {
    for await (const result of relay.submitMany(orders.map(requestOf))) {
      const submission = submissionOf(result);
      if (result.uetr !== undefined && submission !== undefined) answers.set(parseUetr(result.uetr), submission);
    }
  } catch (failure) {
    // What was answered to counts, and the rest is asked for again: a refusal of the stream is none of its lines.
    if (!(failure instanceof RelayUnreachable || failure instanceof RelayProblem)) throw failure;
  }
  return answers;
}

/** Undefined where nothing is known: then it is asked for again. */
function submissionOf({ replayed, acceptance, problem }: LineResult): Submission | undefined {
  if (acceptance !== undefined) {
    return { kind: "accepted", acceptedAtMs: Date.parse(acceptance.acceptedAt), isReplay: replayed === true };
  }
  if (problem?.transfer === "none") return { kind: "refused", code: problem.reason ?? problem.code };
  // Submitted before with other content: its end is reported as any other's.
  const stored = problem?.stored;
  return stored === undefined
    ? undefined
    : { kind: "accepted", acceptedAtMs: Date.parse(stored.acceptedAt), isReplay: true };
}

/** An order as the relay takes it. */
export function requestOf({ uetr, target, sourceAmount, debtor, creditor, purpose, remittance }: Order): SubmitRequest {
  const alias = (value: string) => ({ type: "MSISDN" as const, value });
  return {
    uetr,
    target,
    amount: { send: { currency: sourceAmount.currency, minor: sourceAmount.minor.toString() } },
    debtor: { name: debtor.name, nameLocal: debtor.nameLocal, alias: alias(debtor.phone) },
    creditor: { name: creditor.name, alias: alias(creditor.phone) },
    purpose,
    ...(remittance === "" ? {} : { remittance }),
    ifUnfunded: "wait",
  };
}
