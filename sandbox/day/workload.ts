import { corridorKey } from "../../src/domain/corridor.ts";
import { currencyOf } from "../../src/domain/currency.ts";
import { convertDown, withMarginBps } from "../../src/domain/rate.ts";
import { createRandom } from "../../src/kernel/random.ts";
import type { AccountHolder } from "../wallet/books.ts";
import { openDirectory, type Customer, type CustomerDirectory } from "../wallet/customers.ts";
import { makeDay } from "./day.ts";
import { corridorBetween } from "../network.ts";
import type { Order } from "../orders/order.ts";
import { readOrdersFile, type AcceptedOrder, type RefusedOrder } from "../orders/orders.ts";
import type { DailyRates } from "../provider/rates.ts";
import type { Wallet } from "../wallet/wallets.ts";

export interface WorkloadOptions {
  readonly transfers: number;
  readonly seed: string;
  readonly rates: DailyRates;
  /** A file of orders of one's own, in place of a day that is made up. */
  readonly input: string | undefined;
}

/** The orders to be sent, and the customers who exist. */
export interface Workload {
  readonly orders: readonly Order[];
  readonly directory: CustomerDirectory;
  /** Lines of the input that cannot be sent. */
  readonly refused: readonly RefusedOrder[];
}

/** What a customer has at least, beside what the day's orders take, in minor units. */
const POCKET_MONEY_MINOR = 100_000n;
/** What the sandbox has money for, in source minor units: of an order, and of a corridor's orders together. */
const MOST_PER_ORDER = 10n ** 15n;
const MOST_PER_DAY = 10n ** 16n;
/** More than any network fee, in per cent of the amount. */
const FEE_PERCENT = 1n;

/** A wallet's customers, each with enough for the orders that he or she has. */
export function holdersFor(
  orders: readonly Order[],
  directory: CustomerDirectory,
): (wallet: Wallet) => readonly AccountHolder[] {
  const needs = new Map<string, bigint>();
  for (const { source, debtor, sourceAmount } of orders) {
    const key = `${source} ${debtor.phone}`;
    const charged = sourceAmount.minor + (sourceAmount.minor * FEE_PERCENT) / 100n + 1n;
    needs.set(key, (needs.get(key) ?? 0n) + charged);
  }
  return ({ id }) =>
    directory.customersOf(id).map((customer) => ({
      ...customer,
      openingMinor: POCKET_MONEY_MINOR + (needs.get(`${id} ${customer.phone}`) ?? 0n),
    }));
}

/** More than any provider takes: what is still more than nothing after it can be sent. */
const WIDEST_MARGIN_BPS = 100n;

/** Makes up a day, or reads it from a file. Throws InvalidInput for options that are not possible. */
export async function loadWorkload({ transfers, seed, rates, input }: WorkloadOptions): Promise<Workload> {
  if (input === undefined) return { ...makeDay({ transfers, seed, rates }), refused: [] };

  const accepted: AcceptedOrder[] = [];
  const refused: RefusedOrder[] = [];
  const sent = new Map<string, bigint>();
  for await (const result of readOrdersFile(input, { random: createRandom(`feiqian sandbox orders ${seed}`) })) {
    const checked = result.accepted ? (tooSmallOrLarge(result, rates, sent) ?? result) : result;
    if (checked.accepted) accepted.push(checked);
    else refused.push(checked);
  }
  return { orders: accepted.map(({ order }) => order), directory: openDirectory(accepted.flatMap(partiesOf)), refused };
}

function partiesOf({ order, creditorExists }: AcceptedOrder): Customer[] {
  const debtor = { wallet: order.source, ...order.debtor };
  return creditorExists ? [debtor, { wallet: order.target, ...order.creditor }] : [debtor];
}

/**
 * What only the day's rates and the orders before can tell.
 * @param sent source minor units of the orders before, by corridor; this order's are added
 */
function tooSmallOrLarge(
  { line, order }: AcceptedOrder,
  rates: DailyRates,
  sent: Map<string, bigint>,
): RefusedOrder | undefined {
  const corridor = corridorBetween(order.source, order.target);
  const { sourceCurrency, targetCurrency } = corridor;
  const { minor } = order.sourceAmount;
  const refuse = (rule: string, reason: RefusedOrder["reason"]): RefusedOrder => ({
    accepted: false,
    line,
    lastLine: line,
    field: "amount",
    rule,
    reason,
  });
  if (minor > MOST_PER_ORDER) return refuse(`at most ${MOST_PER_ORDER} minor units`, "AM12");
  const least = withMarginBps(rates.rate(currencyOf(sourceCurrency), currencyOf(targetCurrency)), WIDEST_MARGIN_BPS);
  if (convertDown(minor, least) === 0n) return refuse(`enough for one minor unit of ${targetCurrency}`, "AM12");
  const total = (sent.get(corridorKey(corridor)) ?? 0n) + minor;
  if (total > MOST_PER_DAY) {
    return refuse(`with the corridor's orders before, at most ${MOST_PER_DAY} minor units`, "AM12");
  }
  sent.set(corridorKey(corridor), total);
  return undefined;
}
