import { z } from "zod/v4";
import type { CurrencyCode } from "../../src/domain/currency.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import type { Uetr } from "../../src/domain/uetr.ts";
import { minorUnits, parseWire, uetrText } from "../../src/domain/wire.ts";
import type { Clock } from "../../src/kernel/clock/clock.ts";
import { memoryJournal, type Journal } from "./journal.ts";
import type { Party } from "../orders/order.ts";

/** What a wallet did with its customers' money for one transfer, in minor units of its own currency. */
export interface Postings {
  /** Taken from the debtor: amount and fee. */
  readonly debits: ReadonlyMap<Uetr, bigint>;
  /** Given back to the debtor. */
  readonly refunds: ReadonlyMap<Uetr, bigint>;
  /** Given to the creditor. */
  readonly credits: ReadonlyMap<Uetr, bigint>;
}

/** One line of the books. */
export interface Posting {
  readonly kind: "debit" | "refund" | "credit";
  readonly uetr: Uetr;
  /** Mobile number of the customer whose balance it changes. */
  readonly customer: string;
  readonly amountMinor: bigint;
  readonly atMs: number;
  /** The wallet's own name for it. */
  readonly reference: string;
  /** The person at the other end; why, for a refund. */
  readonly text: string;
  /** What a credit was asked for with, so that another request under its UETR can be told from a repeat. */
  readonly content: string;
}

/** A customer, with what was on the account before all postings, in minor units. */
export interface AccountHolder extends Party {
  readonly openingMinor: bigint;
}

export interface Account extends AccountHolder {
  readonly balanceMinor: bigint;
  /** The newest last. */
  readonly history: readonly Posting[];
}

/** What is asked of the books. `text` and `content` as in `Posting`. */
export interface PostingRequest {
  readonly uetr: Uetr;
  readonly customer: string;
  readonly amountMinor: bigint;
  readonly text: string;
  readonly content?: string;
  /** What it is posted as where others are posted with it; by itself otherwise. */
  readonly as?: PostingMark;
}

/** What the wallet says of a posting. */
export type PostingMark = Pick<Posting, "reference" | "atMs">;

export type DebitOutcome =
  { readonly kind: "debited" } | { readonly kind: "refused"; readonly reason: "AC01" | "AM04" };
export type CreditOutcome =
  | { readonly kind: "credited"; readonly posting: Posting }
  | { readonly kind: "refused"; readonly reason: "AC03" | "AM05" };

/**
 * A wallet's own books. Every posting is made once per transfer, however often it is asked for. What was posted is
 * durable, and may be told to anybody, once `flush` has resolved.
 */
export interface WalletBooks extends Postings {
  readonly wallet: PartnerId;
  readonly currency: CurrencyCode;
  accountOf(customer: string): Account | undefined;
  accounts(): Iterable<Account>;
  postingOf(kind: Posting["kind"], uetr: Uetr): Posting | undefined;
  /** Takes money from a customer who has it. Throws RangeError for a UETR that was debited with another amount. */
  debit(request: PostingRequest): DebitOutcome;
  /** Gives back all that was debited. Throws RangeError where nothing was. */
  refund(uetr: Uetr, why: string): Posting;
  /** Gives money to a customer. The same content again has the first answer; another one under the UETR is refused. */
  credit(request: PostingRequest): CreditOutcome;
  /** For credits that are posted together. */
  markCredits(): PostingMark;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface BooksOptions {
  readonly wallet: PartnerId;
  readonly currency: CurrencyCode;
  readonly holders: Iterable<AccountHolder>;
  readonly clock: Clock;
  /** Where the postings are kept; in memory only, where it is left out. */
  readonly journal?: Journal;
  /**
   * How many postings of a kind are known at a time, all where it is left out. Of those before, only the balances and the
   * journal tell: one that is asked for again would be made again. For loads that never ask again.
   */
  readonly mostKept?: number;
}

const PREFIXES = { debit: "D", refund: "R", credit: "C" } as const;

const postingSchema: z.ZodType<Posting> = z
  .strictObject({
    kind: z.enum(["debit", "refund", "credit"]),
    uetr: uetrText,
    customer: z.string(),
    amount: minorUnits,
    at: z.number().int(),
    reference: z.string(),
    text: z.string(),
    content: z.string(),
  })
  .transform(({ amount, at, ...posting }) => ({ ...posting, amountMinor: amount, atMs: at }));

/**
 * Every line of a journal, as it was written: for whoever holds a wallet to account.
 * @throws InvalidInput for a line that no books have written
 */
export function parsePostings(lines: readonly string[]): readonly Posting[] {
  return lines.map((line, index) => parseWire(postingSchema, JSON.parse(line), `journal[${index}]`));
}

/** Balances and postings, as they are after some lines of the books. */
interface Pages {
  readonly accounts: Map<string, { readonly holder: AccountHolder; balanceMinor: bigint; readonly history: Posting[] }>;
  readonly postings: { readonly [Kind in Posting["kind"]]: Map<Uetr, Posting> };
  readonly amounts: { readonly [Kind in Posting["kind"]]: Map<Uetr, bigint> };
  /** How many there have been. */
  readonly counts: { [Kind in Posting["kind"]]: number };
  readonly mostKept: number;
}

function openPages({ holders, mostKept = Infinity }: Pick<BooksOptions, "holders" | "mostKept">): Pages {
  const accounts: Pages["accounts"] = new Map();
  for (const holder of holders) {
    if (accounts.has(holder.phone)) continue;
    accounts.set(holder.phone, { holder, balanceMinor: holder.openingMinor, history: [] });
  }
  return {
    accounts,
    postings: { debit: new Map(), refund: new Map(), credit: new Map() },
    amounts: { debit: new Map(), refund: new Map(), credit: new Map() },
    counts: { debit: 0, refund: 0, credit: 0 },
    mostKept,
  };
}

/** @throws RangeError for a second posting of its kind and transfer */
function enter(pages: Pages, posting: Posting): Posting {
  const { accounts, postings, amounts, counts } = pages;
  const { kind, uetr, customer, amountMinor } = posting;
  if (postings[kind].has(uetr)) throw new RangeError(`a second ${kind} of ${uetr}`);
  postings[kind].set(uetr, posting);
  amounts[kind].set(uetr, amountMinor);
  counts[kind]++;
  const account = accounts.get(customer);
  if (account !== undefined) {
    account.balanceMinor += kind === "debit" ? -amountMinor : amountMinor;
    account.history.push(posting);
  }
  if (postings[kind].size > pages.mostKept) forgetOldest(pages, kind);
  return posting;
}

function forgetOldest({ accounts, postings, amounts }: Pages, kind: Posting["kind"]): void {
  const [oldest] = postings[kind].values();
  if (oldest === undefined) return;
  postings[kind].delete(oldest.uetr);
  amounts[kind].delete(oldest.uetr);
  const history = accounts.get(oldest.customer)?.history;
  history?.splice(history.indexOf(oldest), 1);
}

/**
 * Opens a wallet's books, with all that is in their journal.
 * @throws RangeError when the journal posts one transfer twice in the same way
 */
export function openBooks(options: BooksOptions): WalletBooks {
  const { wallet, currency, clock, journal = memoryJournal() } = options;
  const pages = openPages(options);
  const { accounts, postings, amounts, counts } = pages;
  for (const posting of parsePostings(journal.lines)) enter(pages, posting);

  const mark = (kind: Posting["kind"]): PostingMark => ({
    reference: `${wallet}-${PREFIXES[kind]}-${counts[kind] + 1}`,
    atMs: clock.nowMs(),
  });
  const post = (kind: Posting["kind"], request: PostingRequest): Posting => {
    const { uetr, customer, amountMinor, text, content = "", as = mark(kind) } = request;
    const posting = { kind, uetr, customer, amountMinor, text, content, atMs: as.atMs, reference: as.reference };
    journal.append(lineOf(posting));
    return enter(pages, posting);
  };
  return {
    wallet,
    currency,
    debits: amounts.debit,
    refunds: amounts.refund,
    credits: amounts.credit,
    accountOf(customer) {
      const account = accounts.get(customer);
      if (account === undefined) return undefined;
      return { ...account.holder, balanceMinor: account.balanceMinor, history: account.history };
    },
    *accounts() {
      for (const { holder, balanceMinor, history } of accounts.values()) yield { ...holder, balanceMinor, history };
    },
    postingOf: (kind, uetr) => postings[kind].get(uetr),
    debit(request) {
      const posted = postings.debit.get(request.uetr);
      if (posted !== undefined) {
        const isSame = posted.amountMinor === request.amountMinor && posted.customer === request.customer;
        if (isSame) return { kind: "debited" };
        const [had, asked] = [posted.amountMinor, request.amountMinor];
        throw new RangeError(`wallet ${wallet} has debited ${had} for ${request.uetr}, and now ${asked}`);
      }
      const account = accounts.get(request.customer);
      if (account === undefined) return { kind: "refused", reason: "AC01" };
      if (account.balanceMinor < request.amountMinor) return { kind: "refused", reason: "AM04" };
      post("debit", request);
      return { kind: "debited" };
    },
    refund(uetr, why) {
      const debited = postings.debit.get(uetr);
      if (debited === undefined) throw new RangeError(`wallet ${wallet} has not debited ${uetr}: nothing to refund`);
      const { customer, amountMinor } = debited;
      return postings.refund.get(uetr) ?? post("refund", { uetr, customer, amountMinor, text: why });
    },
    credit(request) {
      const posted = postings.credit.get(request.uetr);
      if (posted !== undefined) {
        const isSame = posted.content === (request.content ?? "") && posted.amountMinor === request.amountMinor;
        return isSame ? { kind: "credited", posting: posted } : { kind: "refused", reason: "AM05" };
      }
      if (!accounts.has(request.customer)) return { kind: "refused", reason: "AC03" };
      return { kind: "credited", posting: post("credit", request) };
    },
    markCredits: () => mark("credit"),
    flush: () => journal.flush(),
    close: () => journal.close(),
  };
}

function lineOf({ amountMinor, atMs, ...posting }: Posting): string {
  return JSON.stringify({ ...posting, amount: amountMinor.toString(), at: atMs });
}
