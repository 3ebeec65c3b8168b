import type { PartnerId } from "../../src/domain/partner.ts";
import { parsePartnerId } from "../../src/domain/partner.ts";
import type { Uetr } from "../../src/domain/uetr.ts";
import type { Clock } from "../../src/kernel/clock/clock.ts";
import type { WalletBooks } from "../wallet/books.ts";
import type { Order } from "../orders/order.ts";
import type { Submission, WalletApp } from "../wallet/wallet-app.ts";
import type { WalletServer } from "../wallet/wallet-server.ts";

/** A stretch of the day in which a wallet's gateway does not answer. */
export interface Outage {
  readonly partner: PartnerId;
  readonly fromSecond: number;
  readonly untilSecond: number;
}

/** GCash, over midday in its own country's evening. */
export const OUTAGE: Outage = { partner: parsePartnerId(4), fromSecond: 11 * 3_600, untilSecond: 13 * 3_600 };

/** The ends of the network that customers are at. */
export interface SendingWallet {
  readonly server: Pick<WalletServer, "books" | "faults">;
  readonly app: WalletApp;
}

export interface SendDayOptions {
  readonly orders: readonly Order[];
  readonly wallets: ReadonlyMap<PartnerId, SendingWallet>;
  readonly clock: Clock;
  /** Lets some time pass on the ledger: less than it takes a loss of beats for. */
  readonly passTime: () => Promise<void>;
  /** How many transfers are under way at once, about. */
  readonly mostUnderWay: number;
  /** Without any transfer ending for so long, the day is given up. */
  readonly patienceMs: number;
  readonly onProgress: (transfersDone: number) => void;
}

export interface DaySent {
  /** Repeated submissions that got the first one's answer. */
  readonly replays: number;
  /** Of each credited transfer, from the relay's acceptance to the wallet's posting. */
  readonly latenciesMs: readonly number[];
  /** Those of them that stood in no queue: sent alone, when all before had ended. */
  readonly aloneMs: readonly number[];
}

/** How many orders go in at once. */
const SLICE = 2_500;
/** The day's last orders are sent alone, one after the other, where its evening has twice as many. */
export const ALONE = 5;
const LEAST_FOR_ALONE = 2 * ALONE;
const POLL_INTERVAL_MS = 50;
/** Between two stretches of time that are made to pass: relays see what has expired meanwhile. */
const PASSING_INTERVAL_MS = 200;

/**
 * Sends a day's orders, every one of them twice, each wallet to its own relay, all wallets at once. While the outage
 * lasts the target wallet answers nobody; what it does not answer to expires.
 * @throws Error when a repeat got another answer than the first submission, or transfers do not come to an end
 */
export async function sendDay(options: SendDayOptions): Promise<DaySent> {
  const { orders, wallets, passTime } = options;
  const run = createRun(options);
  const away = wallets.get(OUTAGE.partner);
  // Its refunds wait for it, as it cannot be told of them.
  const isOverAtSource = async ({ source, uetr }: Order) =>
    away !== undefined && source === OUTAGE.partner && (await away.app.isOver(uetr));
  const onLedger = new Set<Uetr>();
  const isOnLedger = async ({ source, uetr }: Order) => {
    if (!onLedger.has(uetr) && (await wallets.get(source)?.app.isOnLedger(uetr)) === true) onLedger.add(uetr);
    return onLedger.has(uetr);
  };

  await run.send(orders.filter(({ atSecond }) => atSecond < OUTAGE.fromSecond));
  await run.settle();
  if (away !== undefined) away.server.faults.offline = true;
  try {
    await run.send(orders.filter(({ atSecond }) => atSecond >= OUTAGE.fromSecond && atSecond < OUTAGE.untilSecond));
    // Everything else ends as always, and must not expire with what waits for the wallet that is away. What is to expire
    // there has to have got to the ledger: a signed batch that has not by then would be void.
    await run.settle((order) => (order.target === OUTAGE.partner ? isOnLedger(order) : isOverAtSource(order)));
    await run.settle(isOverAtSource, passTime);
  } finally {
    if (away !== undefined) away.server.faults.offline = false;
  }
  // Webhooks that found nobody for long are given up; the events of the relay are not.
  await away?.app.catchUp();
  const evening = orders.filter(({ atSecond }) => atSecond >= OUTAGE.untilSecond);
  const alone = evening.length < LEAST_FOR_ALONE ? [] : evening.slice(-ALONE);
  await run.send(evening.slice(0, evening.length - alone.length));
  await run.settle();
  const { latenciesMs } = run.result();
  const inQueues = latenciesMs.length;
  for (const order of alone) {
    await run.send([order]);
    await run.settle();
  }
  const { replays, latenciesMs: all } = run.result();
  return { replays, latenciesMs: all, aloneMs: all.slice(inQueues) };
}

interface Run {
  send(orders: readonly Order[]): Promise<void>;
  /** Waits for the end of all that was sent, but for what is excused; does something each time that it looks. */
  settle(isExcused?: (order: Order) => Promise<boolean>, meanwhile?: () => Promise<void>): Promise<void>;
  result(): Omit<DaySent, "aloneMs">;
}

function createRun({ wallets, clock, mostUnderWay, patienceMs, onProgress }: SendDayOptions): Run {
  const underWay = new Map<Uetr, Order>();
  const acceptedAt = new Map<Uetr, number>();
  const latenciesMs: number[] = [];
  let replays = 0;
  let done = 0;

  const booksOf = (wallet: PartnerId): WalletBooks | undefined => wallets.get(wallet)?.server.books;
  const collect = () => {
    const before = done;
    for (const { uetr, source, target } of underWay.values()) {
      const credit = booksOf(target)?.postingOf("credit", uetr);
      if (credit === undefined && booksOf(source)?.postingOf("refund", uetr) === undefined) continue;
      underWay.delete(uetr);
      done++;
      if (credit !== undefined) latenciesMs.push(Math.max(0, credit.atMs - (acceptedAt.get(uetr) ?? credit.atMs)));
    }
    if (done > before) onProgress(done);
    return done > before;
  };
  /** The first in the order in which they were sent that is not excused. */
  const missing = async (isExcused: (order: Order) => Promise<boolean>): Promise<Order | undefined> => {
    for (const order of underWay.values()) if (!(await isExcused(order))) return order;
    return undefined;
  };
  const settle: Run["settle"] = async (isExcused = () => Promise.resolve(false), meanwhile) => {
    let patientUntilMs = clock.nowMs() + patienceMs;
    for (;;) {
      if (collect()) patientUntilMs = clock.nowMs() + patienceMs;
      const first = await missing(isExcused);
      if (first === undefined) return;
      if (clock.nowMs() >= patientUntilMs) {
        throw new Error(`${underWay.size} transfers do not come to an end, among them ${first.uetr}`);
      }
      await meanwhile?.();
      await clock.sleep(meanwhile === undefined ? POLL_INTERVAL_MS : PASSING_INTERVAL_MS);
    }
  };
  const sendSlice = async (orders: readonly Order[]) => {
    for (const order of orders) underWay.set(order.uetr, order);
    const sending = [...Map.groupBy(orders, ({ source }) => source)].map(async ([source, own]) => {
      const app = wallets.get(source)?.app;
      if (app === undefined) throw new RangeError(`no wallet ${source} in the network`);
      const first = await app.sendAll(own);
      for (const [uetr, answer] of first) if (answer.kind === "accepted") acceptedAt.set(uetr, answer.acceptedAtMs);
      const accepted = own.filter(({ uetr }) => first.get(uetr)?.kind === "accepted");
      const repeated = countReplays(first, await app.repeatAll(accepted));
      replays += repeated;
    });
    await Promise.all(sending);
  };
  return {
    async send(orders) {
      for (let from = 0; from < orders.length; from += SLICE) {
        await sendSlice(orders.slice(from, from + SLICE));
        // Those that wait for a wallet that is away do not end, and must not keep others from being sent.
        collect();
        if (underWay.size > mostUnderWay) await settleSome(mostUnderWay);
      }
    },
    settle,
    result: () => ({ replays, latenciesMs }),
  };

  async function settleSome(most: number): Promise<void> {
    const isOnline = ({ target }: Order) => wallets.get(target)?.server.faults.offline !== true;
    for (let polls = 0; polls * POLL_INTERVAL_MS < patienceMs; polls++) {
      collect();
      if ([...underWay.values()].filter(isOnline).length <= most) return;
      await clock.sleep(POLL_INTERVAL_MS);
    }
  }
}

/** @throws Error naming the first transfer whose repeat was answered otherwise */
function countReplays(first: ReadonlyMap<Uetr, Submission>, repeats: ReadonlyMap<Uetr, Submission>): number {
  for (const [uetr, repeat] of repeats) {
    const answer = first.get(uetr);
    const isSame =
      repeat.kind === "accepted" &&
      repeat.isReplay &&
      answer?.kind === "accepted" &&
      repeat.acceptedAtMs === answer.acceptedAtMs;
    if (!isSame) throw new Error(`the repeat of ${uetr} got another answer than the first submission`);
  }
  return repeats.size;
}
