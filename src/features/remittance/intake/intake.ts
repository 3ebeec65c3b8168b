import { toHex } from "../../../domain/bytes/hex.ts";
import { corridorKey, type RegisteredCorridor } from "../../../domain/corridor.ts";
import { hashCanonical } from "../../../domain/details.ts";
import { uetrFromRandom, type Uetr } from "../../../domain/uetr.ts";
import type { ParsedSubmitRequest, QuoteRequest } from "../../../schema/transfers.ts";
import type { RegistryView } from "../../../ledger/registry.ts";
import { findRefusals, insertRefusals } from "../store/refusals.ts";
import { findQuotes, insertQuote, type CustomerQuote, type QuoteWithProvider } from "../../pricing/store/quotes.ts";
import {
  findAccepted,
  findTransfers,
  insertTransfers,
  type AcceptedTransfer,
  type NewTransfer,
} from "../store/transfers.ts";
import { skewDetail } from "../../../kernel/clock/clock-skew.ts";
import { contentOf, readSubmission, type BrokenSubmission, type ReadSubmission } from "./content.ts";
import type { RelayContext } from "../../context.ts";
import {
  isOfTheRegistry,
  judgeByRegistry,
  openCorridor,
  registryNow,
  resolveCorridor,
} from "../../partners/corridors.ts";
import { createFundsEstimate, type FundsEstimate } from "../../liquidity/funds.ts";
import { createPricer, type Price, type Pricer, type ToPrice } from "../../pricing/quotes.ts";
import { refused, type Refusal } from "../../../kernel/refusal.ts";
import { sealDetails } from "../sealed-details.ts";
import { statusOf } from "../status.ts";
import { judgeRetries } from "./retries.ts";

/** What becomes of a submission. */
export type Submission =
  | {
      readonly kind: "accepted";
      readonly transfer: AcceptedTransfer;
      /** It had been accepted before, with the same content. */
      readonly replayed: boolean;
    }
  | Refusal;

export type Quoted = { readonly kind: "quoted"; readonly quote: QuoteWithProvider } | Refusal;

/** Takes transfers in. Any number of processes may do so for one database. */
export interface Intake {
  /**
   * Accepts transfers: what is accepted is stored, with its amounts fixed, before this returns. A UETR has one answer
   * forever. Accepted, the same content gets the same answer again, whatever has changed since, and another content hears
   * how what is stored stands. Refused for good (see problems.ts), it stays refused, whatever is sent under it: of two that
   * arrive at once, one cannot be accepted and one not.
   * @returns an answer for each, in order
   */
  submit(submissions: readonly (ParsedSubmitRequest | BrokenSubmission)[]): Promise<readonly Submission[]>;
  /** Prices a transfer for a customer, and keeps the price until it expires. */
  quote(request: QuoteRequest): Promise<Quoted>;
}

/** A quote can be used up between pricing and storing; then it is priced again, at most this many times. */
const MAX_ATTEMPTS = 4;

export function createIntake(context: RelayContext): Intake {
  const pricer = createPricer(context);
  const funds = createFundsEstimate(context);
  return {
    async submit(submissions) {
      const read = submissions.map((one) => ("fault" in one ? one : readSubmission(one)));
      const answers = await answerOnce(context, pricer, funds, read);
      for (const answer of answers) count(context, answer);
      return answers;
    },
    quote: (request) => quoteTransfer(context, pricer, request),
  };
}

async function answerOnce(
  context: RelayContext,
  pricer: Pricer,
  funds: FundsEstimate,
  read: readonly (ReadSubmission | BrokenSubmission)[],
): Promise<readonly Submission[]> {
  const { db } = context;
  // Before anything is refused for what is in it: what an earlier attempt has stored is stored, whatever is wrong now.
  const known = await findAccepted(
    db,
    read.map(({ uetr }) => uetr),
  );
  const fresh = new Map<Uetr, ReadSubmission | BrokenSubmission>();
  for (const one of read) {
    // Of two with one UETR the first is taken; the other is answered as if it had come later.
    if (!known.has(one.uetr) && !fresh.has(one.uetr)) fresh.set(one.uetr, one);
  }
  const refusals = new Map<Uetr, Refusal>();
  for (const [uetr, refusal] of await judgeRetries(context, [...fresh.values()])) refusals.set(uetr, refusal);
  const skew = context.clockSkew.now();
  const sound: ReadSubmission[] = [];
  for (const one of fresh.values()) {
    if (refusals.has(one.uetr)) continue;
    if ("fault" in one) refusals.set(one.uetr, one.fault);
    else if (skew.isBeyond) refusals.set(one.uetr, refused("unavailable", skewDetail(skew)));
    else sound.push(one);
  }
  const stored = await store(context, pricer, funds, sound, refusals);
  await refuseForGood(context, refusals, fresh);
  const unanswered = [...fresh.keys()].filter((uetr) => !stored.has(uetr));
  // Whoever had the same submission at the same moment has decided.
  const accepted = unanswered.length === 0 ? new Map<Uetr, AcceptedTransfer>() : await findAccepted(db, unanswered);
  const standing = unanswered.length === 0 ? new Map<never, never>() : await findRefusals(db, unanswered);

  const answerTo = (one: ReadSubmission | BrokenSubmission): Submission => {
    const mine = stored.get(one.uetr);
    if (mine !== undefined && fresh.get(one.uetr) === one) return { kind: "accepted", transfer: mine, replayed: false };
    const before = known.get(one.uetr) ?? accepted.get(one.uetr) ?? mine;
    if (before !== undefined) return answerAgain(context, before, one);
    // As it was written down by `refuseForGood`.
    const refusedBefore = standing.get(one.uetr) as Refusal | undefined;
    return refusedBefore ?? refusals.get(one.uetr) ?? refused("internal", "the transfer could not be stored");
  };
  return withStanding(
    context,
    read.map((one) => ({ uetr: one.uetr, answer: answerTo(one) })),
  );
}

/** To a submission under a UETR that is stored. */
function answerAgain(
  { sealer }: Pick<RelayContext, "sealer">,
  transfer: AcceptedTransfer,
  again: ReadSubmission | BrokenSubmission,
): Submission {
  const comparison =
    "fault" in again ? "different" : sealer.compareMac(transfer.contentMac, contentOf(again, transfer));
  if (comparison === "same") return { kind: "accepted", transfer, replayed: true };
  if (comparison === "key missing") {
    return refused("content-uncheckable", "a transfer is stored under this UETR, with a data key that is not here", {
      field: "uetr",
    });
  }
  return refused("uetr-conflict", "another content is stored under this UETR: follow the transfer that is stored", {
    field: "uetr",
  });
}

/** Has what says that something is stored say how that stands. */
async function withStanding(
  { db, ledger, problems }: Pick<RelayContext, "db" | "ledger" | "problems">,
  answers: readonly { readonly uetr: Uetr; readonly answer: Submission }[],
): Promise<readonly Submission[]> {
  const isOfStored = (answer: Submission): answer is Refusal =>
    answer.kind === "refused" && problems[answer.code].transfer === "stored";
  const uetrs = answers.filter(({ answer }) => isOfStored(answer)).map(({ uetr }) => uetr);
  const records = await findTransfers(db, ledger.addresses.treasury, uetrs);
  return answers.map(({ uetr, answer }) => {
    const record = records.get(uetr);
    return isOfStored(answer) && record !== undefined ? { ...answer, stored: statusOf(record) } : answer;
  });
}

/**
 * Writes refusals down before they are told. A wallet gives its customer the money back when it hears of one, and the
 * same submission may be under way once more: in this process, in another one, or on the wallet's second try.
 */
async function refuseForGood(
  context: Pick<RelayContext, "db" | "ledger" | "clock" | "problems">,
  refusals: Map<Uetr, Refusal>,
  submissions: ReadonlyMap<Uetr, ReadSubmission | BrokenSubmission>,
): Promise<void> {
  const { db, clock, problems } = context;
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    const refusedAt = clock.nowMs();
    const final = [...refusals].flatMap(([uetr, refusal]) => {
      if (problems[refusal.code].transfer !== "none") return [];
      // What names an attempt that cannot be tried again is none of its order.
      const retryOf = refusal.code === "not-retryable" ? undefined : submissions.get(uetr)?.retryOf;
      return [{ uetr, refusal: forGood(refusal), refusedAt, retryOf }];
    });
    if (final.length === 0 || (await insertRefusals(db, final)) === "written") return;
    const retries = final.filter(({ retryOf }) => retryOf !== undefined);
    for (const [uetr, refusal] of await judgeRetries(context, retries)) refusals.set(uetr, refusal);
  }
  throw new Error("intake: others try the same orders again faster than it is written down");
}

/** Somebody who corrects the request and sends it again must see why that does not help. */
function forGood(refusal: Refusal): Refusal {
  return { ...refusal, detail: `${refusal.detail}; nothing will be stored under this UETR: a new try needs a new one` };
}

/**
 * Prices and stores what is new.
 * @param refusals gets what is refused
 * @returns what was stored; a UETR that is in neither was stored or refused by somebody else meanwhile
 */
async function store(
  context: RelayContext,
  pricer: Pricer,
  funds: FundsEstimate,
  fresh: readonly ReadSubmission[],
  refusals: Map<Uetr, Refusal>,
): Promise<ReadonlyMap<Uetr, NewTransfer>> {
  let open = fresh;
  const funded = new Set<Uetr>();
  for (let attempts = 0; attempts < MAX_ATTEMPTS && open.length > 0; attempts++) {
    const priced = await priceAll(context, pricer, open, refusals);
    const taken: NewTransfer[] = [];
    for (const one of priced) {
      const transfer = await asTransfer(context, funds, funded, one);
      if (transfer.kind === "refused") refusals.set(one.read.uetr, transfer);
      else taken.push(transfer.transfer);
    }
    if (taken.length === 0) return new Map();
    const outcome = await insertTransfers(context.db, taken);
    if (outcome === "tried again") {
      for (const [uetr, refusal] of await judgeRetries(context, taken)) refusals.set(uetr, refusal);
    } else if (outcome !== "used up") {
      context.checkpoint("intake.stored");
      if (outcome.size > 0) context.wake("batcher");
      return new Map(taken.filter(({ uetr }) => outcome.has(uetr)).map((transfer) => [transfer.uetr, transfer]));
    }
    open = priced.map(({ read }) => read).filter(({ uetr }) => !refusals.has(uetr));
  }
  for (const { uetr } of open) {
    refusals.set(uetr, refused("quotes-unavailable", "others draw on the providers' quotes faster than they are made"));
  }
  return new Map();
}

interface Priced {
  readonly read: ReadSubmission;
  readonly corridor: RegisteredCorridor;
  readonly price: Price;
}

async function priceAll(
  context: RelayContext,
  pricer: Pricer,
  reads: readonly ReadSubmission[],
  refusals: Map<Uetr, Refusal>,
): Promise<readonly Priced[]> {
  if (reads.length === 0) return [];
  const priced = await priceBy(context, pricer, await context.registry.read(), reads, refusals);
  const doubtful = reads.filter(({ uetr }) => isOfTheRegistry(refusals.get(uetr) ?? { kind: "priced" }));
  if (doubtful.length === 0) return priced;
  const now = await registryNow(context.registry);
  for (const { uetr } of doubtful) {
    if (now.kind === "refused") refusals.set(uetr, now);
    else refusals.delete(uetr);
  }
  return now.kind === "refused"
    ? priced
    : [...priced, ...(await priceBy(context, pricer, now.view, doubtful, refusals))];
}

async function priceBy(
  context: RelayContext,
  pricer: Pricer,
  view: RegistryView,
  reads: readonly ReadSubmission[],
  refusals: Map<Uetr, Refusal>,
): Promise<readonly Priced[]> {
  const ids = reads.flatMap(({ request }) => ("quoteId" in request.amount ? [request.amount.quoteId] : []));
  const quotes = new Map((ids.length === 0 ? [] : await findQuotes(context.db, ids)).map((quote) => [quote.id, quote]));
  const groups = new Map<
    string,
    { corridor: RegisteredCorridor; wanted: { read: ReadSubmission; toPrice: ToPrice }[] }
  >();
  for (const read of reads) {
    const resolved = resolve(context, view, quotes, read);
    if (resolved.kind === "refused") {
      refusals.set(read.uetr, resolved);
      continue;
    }
    const key = corridorKey(resolved.corridor.corridor);
    const group = groups.get(key) ?? { corridor: resolved.corridor, wanted: [] };
    group.wanted.push({ read, toPrice: resolved.toPrice });
    groups.set(key, group);
  }

  const priced: Priced[] = [];
  for (const { corridor, wanted } of groups.values()) {
    const prices = await pricer.price(
      corridor,
      wanted.map(({ toPrice }) => toPrice),
    );
    for (const [index, { read }] of wanted.entries()) {
      const price = prices[index];
      if (price?.kind === "priced") priced.push({ read, corridor, price });
      else if (price !== undefined) refusals.set(read.uetr, price);
    }
  }
  return priced;
}

function resolve(
  { partner, clock }: Pick<RelayContext, "partner" | "clock">,
  view: RegistryView,
  quotes: ReadonlyMap<string, CustomerQuote>,
  { request }: ReadSubmission,
): { readonly kind: "resolved"; readonly corridor: RegisteredCorridor; readonly toPrice: ToPrice } | Refusal {
  if (!("quoteId" in request.amount)) {
    const resolved = resolveCorridor(view, partner, request.target, request.amount);
    if (resolved.kind === "refused") return resolved;
    return { kind: "resolved", corridor: resolved.corridor, toPrice: { kind: "asked", asked: resolved.asked } };
  }
  const field = "amount.quoteId";
  const quote = quotes.get(request.amount.quoteId);
  if (quote === undefined) return refused("quote-not-found", "this relay has given no such quote", { field });
  if (clock.nowMs() > quote.expiresAt) {
    return refused("quote-expired", "the quote has expired: ask for another", { field });
  }
  if (quote.target !== request.target) {
    return refused("quote-mismatch", `the quote is for a transfer to partner ${quote.target}`, { field: "target" });
  }
  const corridor = openCorridor(view, { source: partner, ...quote });
  if (corridor.kind === "refused") return corridor;
  return {
    kind: "resolved",
    corridor: corridor.corridor,
    toPrice: { ...quote, kind: "promised", quote: quote.providerQuote },
  };
}

async function asTransfer(
  { sealer, drawBytes, clock, settings }: Pick<RelayContext, "sealer" | "drawBytes" | "clock" | "settings">,
  funds: FundsEstimate,
  funded: Set<Uetr>,
  { read, corridor: { corridor }, price }: Priced,
): Promise<{ readonly kind: "taken"; readonly transfer: NewTransfer } | Refusal> {
  const { uetr, request, canonical } = read;
  const { sourceAmount, targetAmount, fee, drawn } = price;
  if (!funded.has(uetr)) {
    const waits = request.ifUnfunded === "wait";
    const answer = await funds.take(corridor.sourceCurrency, sourceAmount + fee, waits);
    if (answer === "unknown" && !waits) {
      return refused("unavailable", `how much ${corridor.sourceCurrency} is free is being read from the ledger`);
    }
    if (answer === "short" && !waits) {
      return refused(
        "insufficient-liquidity",
        `too little ${corridor.sourceCurrency} on the ledger is free for it now`,
      );
    }
    // Priced anew, it has its money already, give or take the difference.
    funded.add(uetr);
  }
  const salt = toHex(drawBytes(32));
  const acceptedAt = clock.nowMs();
  const transfer = {
    uetr,
    contentMac: sealer.mac(contentOf(read, corridor)),
    target: corridor.target,
    sourceCurrency: corridor.sourceCurrency,
    targetCurrency: corridor.targetCurrency,
    sourceAmount,
    targetAmount,
    fee,
    providerQuote: drawn?.id,
    sealed: sealDetails(sealer, uetr, { canonical, salt }),
    detailsHash: hashCanonical(canonical, salt),
    ifUnfunded: request.ifUnfunded,
    acceptedAt,
    expiresAt: acceptedAt + settings.transfers.validitySeconds * 1_000,
    retryOf: read.retryOf,
  };
  return { kind: "taken", transfer };
}

async function quoteTransfer(context: RelayContext, pricer: Pricer, request: QuoteRequest): Promise<Quoted> {
  const { partner, clock, settings, db, drawBytes } = context;
  const skew = context.clockSkew.now();
  if (skew.isBeyond) return refused("unavailable", skewDetail(skew));
  const priced = await judgeByRegistry(context.registry, async (view) => {
    const resolved = resolveCorridor(view, partner, request.target, request.amount);
    if (resolved.kind === "refused") return resolved;
    const [price] = await pricer.price(resolved.corridor, [{ kind: "asked", asked: resolved.asked }]);
    if (price === undefined) throw new Error("pricer: one answer for each");
    return price.kind === "refused" ? price : { kind: "priced" as const, ...resolved.corridor, price };
  });
  if (priced.kind === "refused") return priced;
  const {
    corridor,
    price: { sourceAmount, targetAmount, fee, drawn },
  } = priced;
  const createdAt = clock.nowMs();
  const wanted = createdAt + settings.quote.validitySeconds * 1_000;
  // What is promised on a provider's quote ends before it does.
  const possible =
    drawn === undefined ? wanted : (drawn.quote.validUntil - settings.quote.leastValiditySeconds) * 1_000;
  const quote: CustomerQuote = {
    id: uetrFromRandom(drawBytes(16)),
    target: corridor.target,
    sourceCurrency: corridor.sourceCurrency,
    targetCurrency: corridor.targetCurrency,
    sourceAmount,
    targetAmount,
    fee,
    providerQuote: drawn?.id,
    createdAt,
    expiresAt: Math.max(createdAt, Math.min(wanted, possible)),
  };
  await insertQuote(db, quote);
  return { kind: "quoted", quote: { ...quote, provider: drawn?.quote } };
}

function count({ metrics }: Pick<RelayContext, "metrics">, answer: Submission): void {
  if (answer.kind === "refused") metrics.transfersRefused.inc({ code: answer.code });
  else if (!answer.replayed) metrics.transfersAccepted.inc({ target: String(answer.transfer.target) });
}
