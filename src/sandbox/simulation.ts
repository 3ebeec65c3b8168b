import { randomBytes } from "node:crypto";
import { batchId, type BatchHeader } from "../domain/batch.ts";
import type { Hex } from "../domain/bytes/hex.ts";
import { corridorId } from "../domain/corridor.ts";
import { currencyOf } from "../domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../domain/partner.ts";
import { bestQuote, quoteId, type Exchange } from "../domain/quote.ts";
import type { ReasonCode } from "../domain/reason.ts";
import { proveRejections, type Rejection } from "../domain/settlement.ts";
import type { Uetr } from "../domain/uetr.ts";
import { beatCall, expireCall, openCall, settleCall } from "../ledger/calls.ts";
import { signBatch, signSettlement } from "../ledger/signing.ts";
import { createRandom } from "../platform/random.ts";
import { openBooks, type WalletBooks } from "./accounts.ts";
import { batchOrders, type OrderBatch } from "./batching.ts";
import { createCourier, eventOf, type Courier } from "./courier.ts";
import type { CustomerDirectory } from "./customers.ts";
import { createLiquidityProvider, type LiquidityProvider, type Offer } from "./liquidity-provider.ts";
import { corridorBetween, MAX_PER_BATCH, PROVIDERS } from "./network.ts";
import type { Order } from "./order.ts";
import { customerFee, judgePayload, prepareBatch, type PreparedBatch } from "./payload.ts";
import type { DailyRates } from "./rates.ts";
import type { Sandbox } from "./sandbox.ts";
import { WALLETS } from "./wallets.ts";

/** A stretch of the day in which a wallet does not answer. */
export interface Outage {
  readonly partner: PartnerId;
  readonly fromSecond: number;
  readonly untilSecond: number;
}

/** GCash, over the midday close of all batches. */
export const OUTAGE: Outage = { partner: parsePartnerId(4), fromSecond: 11 * 3_600, untilSecond: 13 * 3_600 };

export interface SimulationOptions {
  readonly orders: readonly Order[];
  readonly directory: CustomerDirectory;
  readonly rates: DailyRates;
  readonly seed: string;
  readonly batchSize: number;
  /** Lets time pass on the ledger. Only an in-process chain can be told to. */
  readonly passTime: (seconds: number) => Promise<void>;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly onProgress: (transfersDone: number) => void;
}

/** One batch from the closing of its orders to its end on the ledger. */
export interface BatchRecord {
  readonly batchId: Hex;
  readonly orders: readonly Order[];
  readonly header: BatchHeader;
  readonly prepared: PreparedBatch;
  readonly rejections: readonly Rejection[];
  readonly ending: "settled" | "expired";
  /** Gas of all its transactions. */
  readonly gasUsed: bigint;
  /** From the orders being taken to the beneficiaries being credited; absent where none was. */
  readonly latencyMs: number | undefined;
}

export interface Simulation {
  /** What there was to be done. */
  readonly orders: readonly Order[];
  readonly batches: readonly BatchRecord[];
  readonly books: ReadonlyMap<PartnerId, WalletBooks>;
  readonly refusedRepeats: number;
}

/** Batches that are not full close four times a day. */
const WINDOW_SECONDS = 6 * 3_600;
const HOLD_SECONDS = 300;

interface Run {
  readonly sandbox: Sandbox;
  readonly options: SimulationOptions;
  readonly courier: Courier;
  readonly providers: readonly LiquidityProvider[];
  readonly books: ReadonlyMap<PartnerId, WalletBooks>;
}

interface OpenBatch extends Omit<BatchRecord, "ending" | "latencyMs" | "rejections"> {
  readonly takenAtMs: number;
}

/** Takes a day's orders through the ledger, batch by batch. */
export async function simulate(sandbox: Sandbox, options: SimulationOptions): Promise<Simulation> {
  const run = await prepareRun(sandbox, options);
  const batches: BatchRecord[] = [];
  let unanswered: OpenBatch[] = [];
  let done = 0;
  const finish = (record: BatchRecord) => {
    batches.push(record);
    done += record.orders.length;
    options.onProgress(done);
  };

  for (const orderBatch of batchOrders(options.orders, {
    batchSize: options.batchSize,
    maxSourceTotal: MAX_PER_BATCH,
    windowSeconds: WINDOW_SECONDS,
  })) {
    if (unanswered.length > 0 && orderBatch.closedAtSecond >= OUTAGE.untilSecond) {
      for (const record of await sweep(run, unanswered)) finish(record);
      unanswered = [];
    }
    const opened = await openBatch(run, orderBatch);
    if (isOffline(orderBatch)) unanswered.push(opened);
    else finish(await settleBatch(run, opened));
  }
  for (const record of await sweep(run, unanswered)) finish(record);
  return { orders: options.orders, batches, books: run.books, refusedRepeats: run.courier.refusedRepeats };
}

async function prepareRun(sandbox: Sandbox, options: SimulationOptions): Promise<Run> {
  const { ledger, keys, submitterOf } = sandbox;
  const random = createRandom(`feiqian sandbox providers ${options.seed}`);
  return {
    sandbox,
    options,
    courier: createCourier(await submitterOf({ kind: "courier" }), await submitterOf({ kind: "secondCourier" })),
    providers: PROVIDERS.map(({ id }) => {
      const signer = keys.walletOf({ kind: "operator", partner: id });
      return createLiquidityProvider({ id, signer, ledger, rates: options.rates, random: random.fork(`${id}`) });
    }),
    books: new Map(WALLETS.map(({ id }) => [id, openBooks(id)])),
  };
}

function isOffline({ target, closedAtSecond }: OrderBatch): boolean {
  return target === OUTAGE.partner && closedAtSecond >= OUTAGE.fromSecond && closedAtSecond < OUTAGE.untilSecond;
}

/** The source relay: debits the customers, takes the best quote, signs, and has the batch opened. */
async function openBatch(run: Run, { source, target, orders }: OrderBatch): Promise<OpenBatch> {
  const { sandbox, options, courier, books } = run;
  const { ledger, keys } = sandbox;
  const takenAtMs = options.now();
  const corridor = corridorBetween(source, target);
  const { feeBps } = await ledger.partnerRegistry.corridorOf(corridorId(corridor));
  for (const order of orders) {
    books.get(source)?.debit(order.uetr, order.sourceAmount.minor + customerFee(order, feeBps));
  }
  const offer = await bestOffer(
    run,
    {
      source,
      sourceCurrency: currencyOf(corridor.sourceCurrency).numeric,
      targetCurrency: currencyOf(corridor.targetCurrency).numeric,
    },
    orders.reduce((sum, { sourceAmount }) => sum + sourceAmount.minor, 0n),
  );
  const expiresAt = secondsOf(await ledger.transferRegistry.time()) + HOLD_SECONDS;
  const prepared = prepareBatch(orders, corridor, { quote: offer.quote, feeBps, expiresAt }, randomBytes);
  const send = await signBatch(
    keys.walletOf({ kind: "operator", partner: source }),
    ledger.chain,
    prepared.batch.header,
  );
  const call = openCall(ledger, prepared.batch.header, send, offer.authorization);
  const delivery = await courier.deliver(call);
  await courier.repeat(call);
  // The target relay acts on what is on the ledger, whatever it was sent.
  const { header } = eventOf(delivery, "Opened");
  return {
    batchId: batchId(header, ledger.chain),
    orders,
    header,
    prepared,
    gasUsed: delivery.gasUsed,
    takenAtMs,
  };
}

async function bestOffer({ providers, sandbox }: Run, exchange: Exchange, sourceTotal: bigint): Promise<Offer> {
  const { ledger } = sandbox;
  const now = (await ledger.provider.getBlock("latest"))?.timestamp ?? 0;
  const offers = await Promise.all(providers.map((provider) => provider.offer(exchange, sourceTotal, now)));
  const byId = new Map(offers.map((offer) => [quoteId(offer.quote, ledger.chain), offer]));
  const choice = bestQuote(
    offers.map(({ quote }) => quote),
    {
      ...exchange,
      sourceTotal,
      now,
      holdSeconds: HOLD_SECONDS,
      remaining: (quote) => byId.get(quoteId(quote, ledger.chain))?.remaining ?? 0n,
    },
  );
  const chosen = choice.kind === "chosen" ? byId.get(quoteId(choice.quote, ledger.chain)) : undefined;
  if (chosen === undefined) {
    throw new Error(`no provider sells ${exchange.targetCurrency} for ${exchange.sourceCurrency}`);
  }
  return chosen;
}

/** The target relay: checks the payload, rejects who is unknown, signs, and credits once the ledger has settled. */
async function settleBatch(run: Run, { takenAtMs, ...opened }: OpenBatch): Promise<BatchRecord> {
  const { sandbox, options, courier, books } = run;
  const { ledger, keys } = sandbox;
  const { header, prepared } = opened;
  const reasons = judgePayload(header, prepared.payload, options.directory);
  if (reasons === undefined) throw new Error(`the payload of batch ${opened.batchId} is not what the ledger has`);
  const proved = proveRejections(prepared.batch, reasons);
  const signer = keys.walletOf({ kind: "operator", partner: header.target });
  const accept = await signSettlement(signer, ledger.chain, {
    batchId: opened.batchId,
    rejectionsHash: proved.rejectionsHash,
  });
  const call = settleCall(ledger, header, proved, accept);
  const delivery = await courier.deliver(call);
  creditAndRefund(books, header, prepared, reasons);
  const latencyMs = options.now() - takenAtMs;
  await courier.repeat(call);
  return {
    ...opened,
    rejections: proved.rejections,
    ending: "settled",
    gasUsed: opened.gasUsed + delivery.gasUsed,
    latencyMs: proved.rejections.length < opened.orders.length ? latencyMs : undefined,
  };
}

function creditAndRefund(
  books: Run["books"],
  { source, target }: BatchHeader,
  { payload }: PreparedBatch,
  reasons: ReadonlyMap<Uetr, ReasonCode>,
): void {
  for (const { uetr, targetAmount } of payload) {
    if (reasons.has(uetr)) books.get(source)?.refund(uetr);
    else books.get(target)?.credit(uetr, targetAmount);
  }
}

/** Anyone: lets the expiry pass, beating as every relay does, and has each batch refunded. */
async function sweep({ sandbox, options, courier, books }: Run, open: readonly OpenBatch[]): Promise<BatchRecord[]> {
  const { ledger, config } = sandbox;
  const latest = open.reduce((last, { header }) => Math.max(last, header.expiresAt), 0);
  const records: BatchRecord[] = [];
  for (let time = secondsOf(await ledger.transferRegistry.time()); time < latest;) {
    await options.passTime(config.clock.graceSeconds);
    await courier.deliver(beatCall(ledger));
    const now = secondsOf(await ledger.transferRegistry.time());
    if (now < time + config.clock.beatIntervalSeconds) throw new Error(`ledger time stands still at ${now}`);
    time = now;
  }
  for (const { takenAtMs: _, ...opened } of open) {
    const call = expireCall(ledger, opened.header);
    const delivery = await courier.deliver(call);
    await courier.repeat(call);
    for (const { uetr } of opened.orders) books.get(opened.header.source)?.refund(uetr);
    records.push({
      ...opened,
      rejections: [],
      ending: "expired",
      gasUsed: opened.gasUsed + delivery.gasUsed,
      latencyMs: undefined,
    });
  }
  return records;
}

/** Ledger time as a number: a uint48 fits. */
function secondsOf(time: bigint): number {
  return Number.parseInt(time.toString(), 10);
}
