import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SubmitRequest } from "../../src/schema/transfers.ts";
import { networkFeeUp } from "../../src/domain/corridor.ts";
import { parseUetr, uetrFromRandom, type Uetr } from "../../src/domain/uetr.ts";
import type { Random } from "../../src/kernel/random.ts";
import type { Order } from "../../sandbox/orders/order.ts";
import { requestOf } from "../../sandbox/wallet/wallet-app.ts";
import { createClient, type RelayClient } from "../../sdk/client.ts";
import { RelayProblem, RelayUnreachable } from "../../sdk/http.ts";
import { openOutbox, type Outbox, type SubmissionOutcome } from "../../sdk/outbox.ts";
import { makeMobileNumber } from "../../sandbox/wallet/phones.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";
import type { CrashWorld } from "./world.ts";

/** A transfer that a customer has been debited for. */
export interface Sent {
  readonly order: Order;
  /** What the relay said; undefined until it has. */
  outcome: "accepted" | "refused" | undefined;
  /** What the payee is to get, once accepted. */
  receiveMinor: bigint | undefined;
}

/** The source wallet's customers. */
export interface Load {
  /** Every transfer since the beginning. */
  readonly sent: ReadonlyMap<Uetr, Sent>;
  /** Requests that the relay failed at: nothing that happens around it may make it. */
  readonly failures: readonly string[];
  /** Sends at a steady rate until `pause`. */
  resume(): void;
  /** Stops sending; resolves when the relay has answered to everything, or rejects after the time given. */
  pause(timeoutMs: number): Promise<void>;
  /** Stops sending, whatever is under way. */
  stop(): void;
  /** Sends one transfer; where the relay does not answer, it is repeated in the background. */
  send(wanted?: Wanted): Promise<Sent>;
}

export interface Wanted {
  readonly amountMinor?: bigint;
  readonly ifUnfunded?: "wait" | "fail";
}

const MOST_UNDER_WAY = 60;
const RESUME_INTERVAL_MS = 200;
const LEAST_MINOR = 10_000;
const RANGE_MINOR = 190_000;
/** Of a hundred transfers. */
const UNKNOWN_PERCENT = 6;
const WAITING_PERCENT = 35;
const QUOTED_PERCENT = 10;
const CANCELLED_PERCENT = 8;

/** @param perSecond transfers sent in a second while it runs */
export async function startLoad(world: CrashWorld, random: Random, perSecond: number): Promise<Load> {
  const { source } = world;
  const sent = new Map<Uetr, Sent>();
  const failures: string[] = [];
  const underWay = new Set<Promise<unknown>>();
  let stopping = new AbortController();
  stopping.abort();
  const client = createClient({ url: source.relay.url, key: source.apiKey, retries: 0, timeoutMs: 5_000 });
  const outbox = await openOutbox({
    client,
    folder: join(world.folder, "outbox"),
    onOutcome: (outcome) => settleOutcome(world, sent, outcome),
  });

  const send = async (wanted: Wanted = {}): Promise<Sent> => {
    const order = makeOrder(world, random, wanted.amountMinor);
    const fee = networkFeeUp(order.sourceAmount.minor, feeBps(world));
    const { books } = source.wallet;
    const amountMinor = order.sourceAmount.minor + fee;
    const debited = books.debit({ uetr: order.uetr, customer: order.debtor.phone, amountMinor, text: "sent" });
    if (debited.kind === "refused") throw new Error(`no money for ${order.uetr}: ${debited.reason}`);
    const transfer: Sent = { order, outcome: undefined, receiveMinor: undefined };
    sent.set(order.uetr, transfer);
    await books.flush();
    const ifUnfunded = wanted.ifUnfunded ?? (random.below(100) < WAITING_PERCENT ? "wait" : "fail");
    const isQuoted = random.below(100) < QUOTED_PERCENT;
    const isCancelled = random.below(100) < CANCELLED_PERCENT;
    await unlessAway(() => submitOrder(client, outbox, { ...requestOf(order), ifUnfunded }, isQuoted));
    if (isCancelled && wanted.amountMinor === undefined) await unlessAway(() => client.cancel(order.uetr));
    return transfer;
  };

  /** A relay that is away is what this is about: what it was to be told is in the outbox. */
  const unlessAway = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (failure) {
      const isProblem = failure instanceof RelayProblem;
      if (isProblem && failure.code === "internal") failures.push(`${failure.instance}: ${failure.message}`);
      if (!isProblem && !(failure instanceof RelayUnreachable)) throw failure;
    }
  };

  const track = (work: Promise<unknown>): void => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  };
  const every = async (intervalMs: number, work: () => unknown, { signal }: AbortController): Promise<void> => {
    while (!signal.aborted) {
      await work();
      await delay(intervalMs);
    }
  };
  const sendOne = (): void => {
    if (underWay.size < MOST_UNDER_WAY) track(send());
  };

  return {
    sent,
    failures,
    send,
    resume() {
      if (!stopping.signal.aborted) return;
      stopping = new AbortController();
      track(every(1_000 / perSecond, sendOne, stopping));
      track(every(RESUME_INTERVAL_MS, () => outbox.resume(), stopping));
    },
    stop: () => stopping.abort(),
    async pause(timeoutMs) {
      stopping.abort();
      await Promise.all(underWay);
      const open = (): number => [...sent.values()].filter(({ outcome }) => outcome === undefined).length;
      const until = Date.now() + timeoutMs;
      while (open() > 0) {
        const { left } = await outbox.resume();
        if (Date.now() > until) {
          throw new Error(`the relay does not answer to ${open()} transfers (${left} in the outbox)`);
        }
        await delay(RESUME_INTERVAL_MS);
      }
    },
  };
}

function makeOrder({ source, target }: CrashWorld, random: Random, amountMinor?: bigint): Order {
  const isUnknown = amountMinor === undefined && random.below(100) < UNKNOWN_PERCENT;
  const payee = random.pick(target.customers);
  return {
    uetr: uetrFromRandom(random.bytes(16)),
    source: source.id,
    target: target.id,
    sourceAmount: {
      currency: walletOf(source.id).currency.code,
      minor: amountMinor ?? BigInt(LEAST_MINOR + random.below(RANGE_MINOR)),
    },
    debtor: random.pick(source.customers),
    creditor: isUnknown ? { ...payee, phone: strangersNumber(target, random) } : payee,
    purpose: "FAMI",
    remittance: "For the family",
    atSecond: 0,
  };
}

/** A number of the target's country that none of its customers has. */
function strangersNumber({ id, customers }: CrashWorld["target"], random: Random): string {
  const taken = new Set(customers.map(({ phone }) => phone));
  for (;;) {
    const phone = makeMobileNumber(walletOf(id), random);
    if (!taken.has(phone)) return phone;
  }
}

async function submitOrder(
  client: RelayClient,
  outbox: Outbox,
  request: SubmitRequest,
  isQuoted: boolean,
): Promise<void> {
  let { amount } = request;
  if (isQuoted && "send" in amount) {
    // Before the transfer is written down: which quote it goes by is part of it.
    const quote = await client.quote({ target: request.target, amount }).catch(() => undefined);
    if (quote !== undefined) amount = { quoteId: quote.id };
  }
  await outbox.submit({ ...request, amount });
}

/** What the wallet writes down of the relay's answer, which it may get more than once. */
async function settleOutcome(
  { source }: CrashWorld,
  sent: ReadonlyMap<Uetr, Sent>,
  outcome: SubmissionOutcome,
): Promise<void> {
  const uetr = parseUetr(outcome.request.uetr);
  const transfer = sent.get(uetr);
  if (transfer === undefined) throw new Error(`an answer to ${uetr}, which nobody has sent`);
  if (outcome.kind === "conflict") throw new Error(`${uetr}: other content is stored, and nobody has sent any`);
  if (transfer.outcome !== undefined && transfer.outcome !== outcome.kind) {
    throw new Error(`${uetr} was ${transfer.outcome}, and is now ${outcome.kind}`);
  }
  if (outcome.kind === "accepted") {
    const receiveMinor = BigInt(outcome.acceptance.receive.minor);
    if (transfer.receiveMinor !== undefined && transfer.receiveMinor !== receiveMinor) {
      throw new Error(`${uetr}: ${transfer.receiveMinor} was promised, and now ${receiveMinor}`);
    }
    transfer.receiveMinor = receiveMinor;
  } else {
    source.wallet.books.refund(uetr, outcome.problem.code);
    await source.wallet.books.flush();
  }
  transfer.outcome = outcome.kind;
}

function feeBps({ sandbox: { config }, source, target }: CrashWorld): bigint {
  const found = config.corridors.find(({ corridor }) => corridor.source === source.id && corridor.target === target.id);
  if (found === undefined) throw new Error("the corridor is not in the ledger's configuration");
  return found.terms.feeBps;
}
