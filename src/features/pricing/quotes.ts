import type { Hex } from "../../domain/bytes/hex.ts";
import {
  corridorKey,
  isSameCurrency,
  networkFeeUp,
  type Corridor,
  type RegisteredCorridor,
} from "../../domain/corridor.ts";
import { currencyOf } from "../../domain/currency.ts";
import { MAX_MINOR } from "../../domain/money.ts";
import type { Quote } from "../../domain/quote.ts";
import { convertDown, sourceForTargetUp, type Rate } from "../../domain/rate.ts";
import { insertProviderQuotes } from "./store/provider-quotes.ts";
import type { RelayContext } from "../context.ts";
import type { Asked } from "../partners/corridors.ts";
import { refused, type Refusal } from "../../kernel/refusal.ts";
import type { Amounts } from "./promise.ts";
import { createProviderMoney, moneyKey, readBook, readProviderFunds, type Entry } from "./book.ts";

/** What a transfer is priced at. */
export interface Price extends Amounts {
  readonly kind: "priced";
  /** What it draws on; undefined where both currencies are the same. */
  readonly drawn: DrawnQuote | undefined;
}

export interface DrawnQuote {
  readonly id: Hex;
  readonly quote: Quote;
}

/** A transfer to be priced: anew, or at what its customer was promised. */
export type ToPrice =
  | { readonly kind: "asked"; readonly asked: Asked }
  | (Amounts & {
      readonly kind: "promised";
      /** The provider's quote that the promise was made on: drawn on while it lasts. */
      readonly quote: Hex | undefined;
    });

/** A provider is asked for this many times what is needed now, so that those who come next need not ask again. */
const ROOM = 4n;
/** …and for no less than this, in source minor units. */
const LEAST_ASKED = 1_000_000n;

/** What is needed of providers: by what is sent, by what is received, or both. Minor units. */
export interface Volume {
  readonly source: bigint;
  readonly target: bigint;
}

const NO_VOLUME: Volume = { source: 0n, target: 0n };

/** What providers have just offered, when they were asked for so much. */
export interface Answers {
  readonly ids: ReadonlySet<Hex>;
  readonly volume: Volume;
}

/** The offers that stand, after providers have been asked. */
interface Market {
  readonly book: readonly Entry[];
  readonly answers: Answers;
}

export interface Pricer {
  /**
   * Prices transfers of one corridor at the best of the providers' standing quotes that can be delivered and have enough
   * left, each rounded down. Where those do not do, the providers are asked once for more.
   * @returns an answer for each, in order. What they draw is reserved by whoever stores them, not here.
   */
  price(corridor: RegisteredCorridor, wanted: readonly ToPrice[]): Promise<readonly (Price | Refusal)[]>;
}

export function createPricer(context: RelayContext): Pricer {
  const asking = new Map<string, Promise<Answers>>();

  const money = createProviderMoney(context);
  /** Those who come while the providers are being asked wait for that answer instead of asking, too. */
  const ask = async (corridor: Corridor, volume: Volume): Promise<Answers> => {
    const pair = `${corridor.sourceCurrency}>${corridor.targetCurrency}`;
    const current = asking.get(pair);
    if (current !== undefined) return current;
    const asked = (async () => {
      const answers = await askProviders(context, corridor, volume);
      // With the offers came what their providers have.
      await money.afresh();
      return answers;
    })().finally(() => asking.delete(pair));
    asking.set(pair, asked);
    return asked;
  };

  const price = (corridor: RegisteredCorridor, wanted: readonly ToPrice[], book: readonly Entry[]) => {
    const { targetCurrency } = corridor.corridor;
    const free = (entry: Entry) => money.get(moneyKey(entry.quote.provider, targetCurrency));
    return priceOn(corridor, wanted, new Map(book.map((entry) => [entry.quote.provider, free(entry)])), book);
  };

  return {
    async price(corridor, wanted) {
      if (isSameCurrency(corridor.corridor)) return wanted.map((one) => priceAtPar(corridor, one));
      await money.current();
      let prices = price(corridor, wanted, await readBook(context, corridor.corridor));
      let market: Market = { book: [], answers: { ids: new Set(), volume: NO_VOLUME } };
      // Twice: what was being asked for already may not have been asked for as much.
      for (let asks = 0; asks < 2; asks++) {
        const unpriced = wanted.filter((_, index) => prices[index] === undefined);
        if (unpriced.length === 0) break;
        const answers = await ask(corridor.corridor, volumeOf(unpriced));
        const book = await readBook(context, corridor.corridor);
        market = { book, answers };
        prices = price(corridor, wanted, book);
        if (answers.ids.size === 0) break;
      }
      for (const priced of prices) {
        if (priced?.kind !== "priced" || priced.drawn === undefined) continue;
        money.take(moneyKey(priced.drawn.quote.provider, corridor.corridor.targetCurrency), priced.targetAmount);
      }
      return wanted.map((one, index) => prices[index] ?? whyNot(one, market));
    },
  };
}

/**
 * Has the providers quote for a corridor's currencies, with room for more than is needed now, and keeps what they offer.
 * @returns what they offered, and for what they were asked
 */
export async function askProviders(context: RelayContext, corridor: Corridor, needed: Volume): Promise<Answers> {
  const { sourceCurrency, targetCurrency } = corridor;
  const source = needed.source * ROOM > LEAST_ASKED ? needed.source * ROOM : LEAST_ASKED;
  const target = needed.target * ROOM;
  const offers = await context.providers.quotes({
    source: context.partner,
    sourceCurrency: currencyOf(sourceCurrency).numeric,
    targetCurrency: currencyOf(targetCurrency).numeric,
    sourceTotal: source < MAX_MINOR ? source : MAX_MINOR,
    targetTotal: target < MAX_MINOR ? target : MAX_MINOR,
  });
  if (offers.length > 0) {
    const rows = offers.map((offer) => ({ ...offer, sourceCurrency, targetCurrency }));
    await insertProviderQuotes(context.db, rows, context.clock.nowMs());
    await readProviderFunds(context).catch((error: unknown) => {
      // What is not known is found out before a batch is signed.
      context.log.warn({ error }, "the ledger did not answer what the liquidity providers have");
    });
  }
  context.log.debug({ corridor: corridorKey(corridor), offers: offers.length }, "asked the providers for quotes");
  return { ids: new Set(offers.map(({ id }) => id)), volume: needed };
}

/** What each provider still has; undefined where it is not known, which is no reason not to sell. */
type Money = Map<Quote["provider"], bigint | undefined>;

function draw(entry: Entry, targetAmount: bigint, money: Money): void {
  entry.remaining -= targetAmount;
  const { provider } = entry.quote;
  const left = money.get(provider);
  if (left !== undefined) money.set(provider, left - targetAmount);
}

function isEnough(entry: Entry, targetAmount: bigint, money: Money): boolean {
  const left = money.get(entry.quote.provider);
  return entry.remaining >= targetAmount && (left === undefined || left >= targetAmount);
}

/** Undefined where the book has nothing that would do. */
function priceOn(
  corridor: RegisteredCorridor,
  wanted: readonly ToPrice[],
  money: Money,
  all: readonly Entry[],
): readonly (Price | Refusal | undefined)[] {
  const book = all.filter(({ isViable }) => isViable);
  return wanted.map((one) => {
    if (one.kind === "promised") return priceAsPromised(one, book, money);
    const limit = corridor.terms.maxPerBatch;
    for (const [place, entry] of book.entries()) {
      const amounts = amountsAt(one.asked, entry.rate);
      const misfit =
        amounts.targetAmount === 0n ? tooSmall() : amounts.sourceAmount > limit ? tooLarge(limit) : undefined;
      // At the best rate it is so at every rate; at another it is so until the best offer is good for it again.
      if (misfit !== undefined && place === 0) return misfit;
      if (misfit !== undefined || !isEnough(entry, amounts.targetAmount, money)) continue;
      draw(entry, amounts.targetAmount, money);
      const fee = networkFeeUp(amounts.sourceAmount, corridor.terms.feeBps);
      return { kind: "priced", ...amounts, fee, drawn: { id: entry.id, quote: entry.quote } };
    }
    return undefined;
  });
}

/** At the quote that the promise was made on; else at any that still gives as much. */
function priceAsPromised(
  promised: ToPrice & { kind: "promised" },
  book: readonly Entry[],
  money: Money,
): Price | undefined {
  const { sourceAmount, targetAmount, fee } = promised;
  const entry = book
    .filter((each) => isEnough(each, targetAmount, money) && convertDown(sourceAmount, each.rate) >= targetAmount)
    .reduce<Entry | undefined>(
      (best, other) => (best === undefined || other.id === promised.quote ? other : best),
      undefined,
    );
  if (entry === undefined) return undefined;
  draw(entry, targetAmount, money);
  return { kind: "priced", sourceAmount, targetAmount, fee, drawn: { id: entry.id, quote: entry.quote } };
}

function priceAtPar({ terms }: RegisteredCorridor, wanted: ToPrice): Price | Refusal {
  if (wanted.kind === "promised") return { ...wanted, kind: "priced", drawn: undefined };
  const { minor } = wanted.asked;
  if (minor > terms.maxPerBatch) return tooLarge(terms.maxPerBatch);
  return {
    kind: "priced",
    sourceAmount: minor,
    targetAmount: minor,
    fee: networkFeeUp(minor, terms.feeBps),
    drawn: undefined,
  };
}

function amountsAt({ fixed, minor }: Asked, rate: Rate): Omit<Amounts, "fee"> {
  if (fixed === "source") return { sourceAmount: minor, targetAmount: convertDown(minor, rate) };
  return { sourceAmount: sourceForTargetUp(minor, rate), targetAmount: minor };
}

function volumeOf(wanted: readonly ToPrice[]): Volume {
  let [source, target] = [0n, 0n];
  for (const one of wanted) {
    if (one.kind === "promised") source += one.sourceAmount;
    else if (one.asked.fixed === "source") source += one.asked.minor;
    else target += one.asked.minor;
  }
  return { source, target };
}

/**
 * Why nobody sells: for good only where an offer stands that has just been made for as much, and neither it nor any other
 * would do even in full. What is late, old, or reserved by others passes.
 */
function whyNot(wanted: ToPrice, { book, answers }: Market): Refusal {
  const needed = volumeOf([wanted]);
  const isAnswered =
    needed.source <= answers.volume.source &&
    needed.target <= answers.volume.target &&
    book.some(({ id, isViable }) => isViable && answers.ids.has(id));
  if (!isAnswered) return refused("quotes-unavailable", "no liquidity provider has a quote for this now");
  if (book.some((entry) => wouldDo(wanted, entry))) {
    return refused("quotes-unavailable", "what the liquidity providers sell is reserved, or cannot be delivered now");
  }
  if (wanted.kind === "promised") {
    return refused("quote-used-up", "the quote is sold, and nobody else sells at that price", {
      field: "amount.quoteId",
    });
  }
  return refused("no-quote", "no liquidity provider sells this much at once", { field: "amount" });
}

/** Whether all of an offer would be enough. */
function wouldDo(wanted: ToPrice, { quote, rate }: Entry): boolean {
  if (wanted.kind === "asked") return amountsAt(wanted.asked, rate).targetAmount <= quote.capacity;
  const { sourceAmount, targetAmount } = wanted;
  return targetAmount <= quote.capacity && convertDown(sourceAmount, rate) >= targetAmount;
}

function tooSmall(): Refusal {
  return refused("amount-too-small", "is less than one minor unit for the payee", { field: "amount" });
}

function tooLarge(limit: bigint): Refusal {
  return refused("amount-too-large", `above the corridor's limit of ${limit} minor units sent`, { field: "amount" });
}
