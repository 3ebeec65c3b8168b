import { expect } from "chai";
import { currencyByNumeric } from "../../../src/domain/currency.ts";
import { decodeEvent } from "../../../src/ledger/events.ts";
import { ethers } from "./chain.ts";
import { PARTNERS, addressOf, type Network } from "./network.ts";

/** Amounts in minor units by what they belong to, without those that are zero. */
type Book = Map<string, bigint>;

/** Asserts that the treasury's events alone, from its first block on, give every balance: available, and held by module. */
export async function expectReplayed(network: Network): Promise<void> {
  expect(sorted(await replayed(network))).to.deep.equal(sorted(await read(network)));
}

async function replayed({ treasury }: Network): Promise<Book> {
  const address = await addressOf(treasury);
  const book: Book = new Map();
  const add = (key: string, amount: bigint) => book.set(key, (book.get(key) ?? 0n) + amount);
  for (const log of await ethers.provider.getLogs({ address, fromBlock: 0, toBlock: "latest" })) {
    const event = decodeEvent(new Map([[address, "treasury"]]), log);
    if (event === undefined || !("amount" in event)) continue;
    const { amount, partner, currency } = event;
    const held = "module" in event ? heldKey(event.module, partner, currency) : "";
    if (event.kind === "Deposited") add(availableKey(partner, currency), amount);
    if (event.kind === "Withdrawn" || event.kind === "Held") add(availableKey(partner, currency), -amount);
    if (event.kind === "Held") add(held, amount);
    if (event.kind === "Released" || event.kind === "Moved") add(held, -amount);
    if (event.kind === "Released") add(availableKey(partner, currency), amount);
    if (event.kind === "Moved") add(availableKey(event.to, currency), amount);
  }
  return book;
}

async function read({ treasury, tokens }: Network): Promise<Book> {
  const modules = await treasury.modules();
  const book: Book = new Map();
  for (const { id } of PARTNERS) {
    for (const number of tokens.keys()) {
      const currency = currencyByNumeric(number).code;
      const { available, held } = await treasury.balanceOf(id, number);
      book.set(availableKey(id, currency), available);
      const byModule = await Promise.all(modules.map(async (module) => treasury.heldBy(module, id, number)));
      for (const [index, amount] of byModule.entries()) {
        book.set(heldKey(modules[index] ?? "", id, currency), amount);
      }
      expect(held, `held of partner ${id}'s ${currency}`).to.equal(byModule.reduce((sum, amount) => sum + amount, 0n));
    }
  }
  return book;
}

function availableKey(partner: number, currency: string): string {
  return `${partner} ${currency} available`;
}

function heldKey(module: string, partner: number, currency: string): string {
  return `${partner} ${currency} held by ${module.toLowerCase()}`;
}

function sorted(book: Book) {
  return [...book].filter(([, amount]) => amount !== 0n).sort(([left], [right]) => left.localeCompare(right));
}
