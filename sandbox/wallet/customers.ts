import type { PartnerId } from "../../src/domain/partner.ts";
import type { Random } from "../../src/kernel/random.ts";
import type { Community } from "./names.ts";
import { COMMUNITIES } from "./names.ts";
import type { Party } from "../orders/order.ts";
import { makeMobileNumber } from "./phones.ts";
import type { Wallet } from "./wallets.ts";

/** A bounded search: the ranges hold millions of numbers, so that a hundred taken ones in a row mean an exhausted plan. */
const MAX_NUMBER_ATTEMPTS = 100;

export interface Customer extends Party {
  readonly wallet: PartnerId;
}

/** Who has an account where. A wallet rejects a transfer to anybody else (ISO 20022 AC03). */
export interface CustomerDirectory {
  readonly size: number;
  /** The customer of `wallet` with that mobile number (E.164). */
  find(wallet: PartnerId, phone: string): Customer | undefined;
  customersOf(wallet: PartnerId): readonly Customer[];
}

/** Opens an account for each customer; of two with one wallet and number, the first has it. */
export function openDirectory(customers: Iterable<Customer>): CustomerDirectory {
  const accounts = new Map<string, Customer>();
  for (const customer of customers) {
    const key = accountKey(customer.wallet, customer.phone);
    if (!accounts.has(key)) accounts.set(key, customer);
  }
  return {
    size: accounts.size,
    find: (wallet, phone) => accounts.get(accountKey(wallet, phone)),
    customersOf: (wallet) => [...accounts.values()].filter((customer) => customer.wallet === wallet),
  };
}

/**
 * Invents customers of a wallet: names as people of the country bear them, in Latin letters and in their own script,
 * and mobile numbers of the country, all different. Two people may share a name.
 */
export function makeCustomers(wallet: Wallet, count: number, random: Random): Customer[] {
  const communities = COMMUNITIES[wallet.country];
  const weights = communities.map((community) => community.weight);
  const taken = new Set<string>();
  return Array.from({ length: count }, () => {
    const phone = makeFreeNumber(wallet, taken, random);
    taken.add(phone);
    // The index is one of the communities' own.
    const community = communities[random.weighted(weights)] as Community;
    return { wallet: wallet.id, ...makeName(community, random), phone };
  });
}

function makeName({ order, joint, given, family }: Community, random: Random): Omit<Party, "phone"> {
  const first = random.pick(given);
  // Nobody here is called after a father, or a family, of the very same name.
  const last = random.pick(family.filter((candidate) => candidate.latin !== first.latin));
  const [left, right] = order === "given first" ? [first, last] : [last, first];
  return {
    name: left.latin + joint.latin + right.latin,
    nameLocal: left.local + joint.local + right.local,
  };
}

function makeFreeNumber(wallet: Wallet, taken: ReadonlySet<string>, random: Random): string {
  for (let attempt = 0; attempt < MAX_NUMBER_ATTEMPTS; attempt++) {
    const phone = makeMobileNumber(wallet, random);
    if (!taken.has(phone)) return phone;
  }
  throw new Error(`${wallet.name}: no free mobile number after ${MAX_NUMBER_ATTEMPTS} attempts`);
}

function accountKey(wallet: PartnerId, phone: string): string {
  return `${wallet} ${phone}`;
}
