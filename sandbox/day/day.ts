import { InvalidInput } from "../../src/domain/errors.ts";
import { money } from "../../src/domain/money.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { uetrFromRandom } from "../../src/domain/uetr.ts";
import type { Random } from "../../src/kernel/random.ts";
import { createRandom } from "../../src/kernel/random.ts";
import { apportion } from "./apportion.ts";
import type { Customer, CustomerDirectory } from "../wallet/customers.ts";
import { makeCustomers, openDirectory } from "../wallet/customers.ts";
import type { CorridorFlow } from "./flows.ts";
import { CORRIDOR_FLOWS } from "./flows.ts";
import type { Order, Party, Purpose } from "../orders/order.ts";
import { PURPOSES } from "../orders/order.ts";
import type { DailyRates } from "../provider/rates.ts";
import { makeSizes } from "./sizes.ts";
import type { Wallet } from "../wallet/wallets.ts";
import { WALLETS, walletOf } from "../wallet/wallets.ts";

/** A day is made in memory. */
export const MAX_TRANSFERS = 1_000_000;
const DEFAULT_UNKNOWN_BPS = 100;
const BPS_PER_ONE = 10_000;
const SECONDS_PER_HOUR = 3_600;
const SECONDS_PER_DAY = 86_400;

/** When people send, by the hour of their own clock. Plausible, not measured: lunch, and the evening after work. */
const HOUR_WEIGHTS: readonly number[] = [
  4, 2, 1, 1, 1, 2, 6, 14, 24, 34, 40, 44, 52, 46, 38, 36, 40, 50, 60, 64, 58, 44, 26, 12,
];
const PURPOSE_WEIGHTS = PURPOSES.map(({ weight }) => weight);
/** How many customers a wallet has for five transfers that they send or receive; never fewer than the least. */
const CUSTOMERS_PER_FIVE_USES = 3;
const FEWEST_CUSTOMERS = 20;

export interface DayOptions {
  /** 1 to `MAX_TRANSFERS`. */
  readonly transfers: number;
  /** Same seed, same options, same day: byte for byte. */
  readonly seed: string;
  /** The rates of the day; its date is the day's. */
  readonly rates: DailyRates;
  /** Share of transfers whose beneficiary has no account, in basis points, 0 to 10,000. Default 100: one in a hundred. */
  readonly unknownBeneficiaryBps?: number;
}

export interface CorridorDay extends CorridorFlow {
  readonly transfers: number;
}

export interface Day {
  /** YYYY-MM-DD, UTC. */
  readonly date: string;
  /** By time, then UETR. */
  readonly orders: readonly Order[];
  /** The customers of all ten wallets. */
  readonly directory: CustomerDirectory;
  /** How many of `orders` go to somebody who is not in `directory`. */
  readonly unknownBeneficiaries: number;
  /** Every corridor, those without a transfer that day included. */
  readonly corridors: readonly CorridorDay[];
}

/**
 * Makes up a day of remittances between the ten countries. Each corridor's number of transfers is in proportion to the
 * World Bank's estimate of its volume (the mean size being the same everywhere, so is its volume).
 * @throws InvalidInput naming the option at fault
 */
export function makeDay({ transfers, seed, rates, unknownBeneficiaryBps = DEFAULT_UNKNOWN_BPS }: DayOptions): Day {
  requireInteger(transfers, 1, MAX_TRANSFERS, "transfers");
  requireInteger(unknownBeneficiaryBps, 0, BPS_PER_ONE, "unknownBeneficiaryBps");
  const random = createRandom(`feiqian sandbox day ${rates.date} ${seed}`);
  const counts = apportion(
    transfers,
    CORRIDOR_FLOWS.map((flow) => flow.usdTenThousands),
  );
  const corridors = CORRIDOR_FLOWS.map((flow, index) => ({ ...flow, transfers: counts[index] ?? 0 }));
  const unknownBeneficiaries = Math.round((transfers * unknownBeneficiaryBps) / BPS_PER_ONE);
  const isUnknown = chooseUnknown(transfers, unknownBeneficiaries, random.fork("unknown"));
  const people = makePeople(corridors, random);

  let made = 0;
  const orders = corridors.flatMap((corridor) => {
    const first = made;
    made += corridor.transfers;
    return makeCorridorOrders(corridor, isUnknown.slice(first, made), people, rates, random);
  });
  return {
    date: rates.date,
    orders: orders.sort(byTimeThenUetr),
    directory: openDirectory([...people.values()].flatMap((group) => group.known)),
    unknownBeneficiaries,
    corridors,
  };
}

interface People {
  /** With an account at the wallet. */
  readonly known: readonly Customer[];
  /** Without one, although they have numbers of the country. */
  readonly strangers: readonly Customer[];
}

function makePeople(corridors: readonly CorridorDay[], random: Random): ReadonlyMap<PartnerId, People> {
  return new Map(
    WALLETS.map((wallet) => {
      const uses = corridors
        .filter((corridor) => corridor.source === wallet.id || corridor.target === wallet.id)
        .reduce((sum, corridor) => sum + corridor.transfers, 0);
      const count = Math.max(FEWEST_CUSTOMERS, Math.ceil((uses * CUSTOMERS_PER_FIVE_USES) / 5));
      // Made together, so that no stranger has a customer's number.
      const people = makeCustomers(wallet, count + FEWEST_CUSTOMERS, random.fork(`customers ${wallet.id}`));
      return [wallet.id, { known: people.slice(0, count), strangers: people.slice(count) }];
    }),
  );
}

function makeCorridorOrders(
  corridor: CorridorDay,
  isUnknown: readonly boolean[],
  people: ReadonlyMap<PartnerId, People>,
  rates: DailyRates,
  random: Random,
): Order[] {
  const source = walletOf(corridor.source);
  const own = random.fork(`corridor ${corridor.source}>${corridor.target}`);
  const sizes = makeSizes(corridor.transfers, source.currency, rates, own);
  const debtors = people.get(corridor.source)?.known ?? [];
  const creditors = people.get(corridor.target);
  return sizes.map((sizeMinor, index) => {
    const candidates = isUnknown[index] === true ? creditors?.strangers : creditors?.known;
    // The index is one of the purposes' own.
    const purpose = PURPOSES[own.weighted(PURPOSE_WEIGHTS)] as Purpose;
    return {
      uetr: uetrFromRandom(own.bytes(16)),
      source: corridor.source,
      target: corridor.target,
      sourceAmount: money(sizeMinor, source.currency.code),
      debtor: partyOf(own.pick(debtors)),
      creditor: partyOf(own.pick(candidates ?? [])),
      purpose: purpose.code,
      remittance: own.pick(purpose.remittances),
      atSecond: makeSecondOfDay(source, own),
    };
  });
}

/** Marks exactly `unknown` of `transfers`, at random places. */
function chooseUnknown(transfers: number, unknown: number, random: Random): boolean[] {
  return random.shuffle(Array.from({ length: transfers }, (_, index) => index < unknown));
}

function makeSecondOfDay(wallet: Wallet, random: Random): number {
  const local = random.weighted(HOUR_WEIGHTS) * SECONDS_PER_HOUR + random.below(SECONDS_PER_HOUR);
  return (local - wallet.utcOffsetMinutes * 60 + SECONDS_PER_DAY) % SECONDS_PER_DAY;
}

function partyOf({ name, nameLocal, phone }: Customer): Party {
  return { name, nameLocal, phone };
}

function byTimeThenUetr(left: Order, right: Order): number {
  if (left.atSecond !== right.atSecond) return left.atSecond - right.atSecond;
  return left.uetr < right.uetr ? -1 : 1;
}

function requireInteger(value: number, least: number, most: number, field: string): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new InvalidInput(field, `an integer from ${least} to ${most}`, value);
  }
}
