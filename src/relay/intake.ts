import { utf8 } from "../domain/bytes/bytes.ts";
import { toHex } from "../domain/bytes/hex.ts";
import { canonicalJson, type CanonicalObject } from "../domain/canonical-json.ts";
import { corridorKey } from "../domain/corridor.ts";
import { hashDetails } from "../domain/details.ts";
import { InvalidInput } from "../domain/errors.ts";
import { detailsOf, parseParties, type TransferParties } from "../domain/payload.ts";
import { parseUetr, uetrFromRandom, type Uetr } from "../domain/uetr.ts";
import { PROBLEMS } from "../contract/problems.ts";
import type { ParsedSubmitRequest, QuoteRequest } from "../contract/transfers.ts";
import type { RegisteredCorridor, RegistryView } from "../ledger/registry.ts";
import { findRefusals, forgetRefusals, insertRefusals } from "../store/refusals.ts";
import { findQuotes, insertQuote, type CustomerQuote, type QuoteWithProvider } from "../store/quotes.ts";
import { findAccepted, insertTransfers, type AcceptedTransfer, type NewTransfer } from "../store/transfers.ts";
import type { RelayContext } from "./context.ts";
import { isOfTheRegistry, judgeByRegistry, openCorridor, registryNow, resolveCorridor } from "./corridors.ts";
import { createFundsEstimate, type FundsEstimate } from "./funds.ts";
import { createPricer, type Price, type Pricer, type ToPrice } from "./pricing/quotes.ts";
import { refused, type Refusal } from "./refusal.ts";
import { sealDetails } from "./sealed-details.ts";

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
   * Accepts transfers: what is accepted is stored, with its amounts fixed, before this returns. A UETR that was accepted
   * before gets the same answer for ever, whatever has changed since; with other content it is refused. What is refused
   * for a reason that is not passing stays refused: of two that arrive at once, one cannot be accepted and one not.
   * @returns an answer for each, in order
   */
  submit(requests: readonly ParsedSubmitRequest[]): Promise<readonly Submission[]>;
  /** Prices a transfer for a customer, and keeps the price until it expires. */
  quote(request: QuoteRequest): Promise<Quoted>;
}

/** A quote can be used up between pricing and storing; then it is priced anew, so often at most. */
const MAX_ATTEMPTS = 4;

export function createIntake(context: RelayContext): Intake {
  const pricer = createPricer(context);
  const funds = createFundsEstimate(context);
  return {
    async submit(requests) {
      const read = requests.map(readSubmission);
      const answers = await answerOnce(context, pricer, funds, read);
      for (const answer of answers) count(context, answer);
      return answers;
    },
    quote: (request) => quoteTransfer(context, pricer, request),
  };
}

/** A submission that has been read: every spelling of one content is the same here. */
interface Read {
  readonly kind: "read";
  readonly uetr: Uetr;
  /** The content, in the one form that is compared. */
  readonly content: Uint8Array;
  readonly request: ParsedSubmitRequest;
  readonly parties: TransferParties;
}

function readSubmission(request: ParsedSubmitRequest): Read | Refusal {
  try {
    const parties = parseParties(request);
    const content = {
      uetr: request.uetr,
      target: request.target,
      // Strings only, and what was left out is not there.
      amount: request.amount as CanonicalObject,
      ifUnfunded: request.ifUnfunded,
      ...detailsOf(parties),
    };
    const canonical = utf8(canonicalJson(content, "request"));
    return { kind: "read", uetr: parseUetr(request.uetr), content: canonical, request, parties };
  } catch (failure) {
    if (!(failure instanceof InvalidInput)) throw failure;
    return refused("invalid-request", failure.rule, { field: failure.field });
  }
}

async function answerOnce(
  context: RelayContext,
  pricer: Pricer,
  funds: FundsEstimate,
  read: readonly (Read | Refusal)[],
): Promise<readonly Submission[]> {
  const { db, sealer } = context;
  const submissions = read.filter((one) => one.kind === "read");
  const known = await findAccepted(
    db,
    submissions.map(({ uetr }) => uetr),
  );
  const fresh = new Map<Uetr, Read>();
  for (const one of submissions) {
    // Of two with one UETR the first is taken; the other is answered as if it had come later.
    if (!known.has(one.uetr) && !fresh.has(one.uetr)) fresh.set(one.uetr, one);
  }
  const refusals = new Map<Uetr, Refusal>();
  const stored = await store(context, pricer, funds, [...fresh.values()], refusals);
  await refuseForGood(
    context,
    [...fresh.values()].filter(({ uetr }) => refusals.has(uetr)),
    refusals,
  );
  const unanswered = [...fresh.keys()].filter((uetr) => !stored.has(uetr));
  // Whoever had the same submission at the same moment has decided.
  const accepted = unanswered.length === 0 ? new Map<Uetr, AcceptedTransfer>() : await findAccepted(db, unanswered);
  const refusedBefore = unanswered.length === 0 ? new Map<never, never>() : await findRefusals(db, unanswered);

  return read.map((one): Submission => {
    if (one.kind === "refused") return one;
    const mine = stored.get(one.uetr);
    if (mine !== undefined && fresh.get(one.uetr) === one) return { kind: "accepted", transfer: mine, replayed: false };
    const before = known.get(one.uetr) ?? accepted.get(one.uetr) ?? mine;
    if (before === undefined) {
      const same = refusedBefore.get(one.uetr)?.find(({ contentMac }) => sealer.isMacOf(contentMac, one.content));
      // As it was written down by `refuseForGood`.
      const standing = same?.refusal as Refusal | undefined;
      return standing ?? refusals.get(one.uetr) ?? refused("internal", "the transfer could not be stored");
    }
    if (sealer.isMacOf(before.contentMac, one.content)) return { kind: "accepted", transfer: before, replayed: true };
    return refused("uetr-conflict", "the UETR is that of another transfer; a new transfer needs a new one", {
      field: "uetr",
    });
  });
}

const SERVER_ERROR = 500;

/**
 * Writes refusals down before they are told. A wallet gives its customer the money back when it hears of one, and the
 * same submission may be under way once more: in this process, in another one, or on the wallet's second try.
 */
async function refuseForGood(
  { db, sealer, clock }: RelayContext,
  reads: readonly Read[],
  refusals: ReadonlyMap<Uetr, Refusal>,
): Promise<void> {
  const refusedAt = clock.nowMs();
  const final = reads.flatMap(({ uetr, content }) => {
    const refusal = refusals.get(uetr);
    if (refusal === undefined || PROBLEMS[refusal.code].status >= SERVER_ERROR) return [];
    return [{ uetr, contentMac: sealer.mac(content), refusal, refusedAt }];
  });
  if (final.length === 0) return;
  await insertRefusals(db, final);
  await forgetRefusals(db, refusedAt);
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
  fresh: readonly Read[],
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
    // In a transaction where there are several, for two statements of several rows can wait for each other.
    const outcome = await (taken.length === 1
      ? insertTransfers(context.db, taken)
      : context.db.transaction((tx) => insertTransfers(tx, taken)));
    if (outcome !== "used up") {
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
  readonly read: Read;
  readonly corridor: RegisteredCorridor;
  readonly price: Price;
}

async function priceAll(
  context: RelayContext,
  pricer: Pricer,
  reads: readonly Read[],
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
  reads: readonly Read[],
  refusals: Map<Uetr, Refusal>,
): Promise<readonly Priced[]> {
  const ids = reads.flatMap(({ request }) => ("quoteId" in request.amount ? [request.amount.quoteId] : []));
  const quotes = new Map((ids.length === 0 ? [] : await findQuotes(context.db, ids)).map((quote) => [quote.id, quote]));
  const groups = new Map<string, { corridor: RegisteredCorridor; wanted: { read: Read; toPrice: ToPrice }[] }>();
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
  { partner, clock }: RelayContext,
  view: RegistryView,
  quotes: ReadonlyMap<string, CustomerQuote>,
  { request }: Read,
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
  { sealer, drawBytes, clock, settings }: RelayContext,
  funds: FundsEstimate,
  funded: Set<Uetr>,
  { read: { uetr, content, request, parties }, corridor: { corridor }, price }: Priced,
): Promise<{ readonly kind: "taken"; readonly transfer: NewTransfer } | Refusal> {
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
  const details = detailsOf(parties);
  const salt = toHex(drawBytes(32));
  const acceptedAt = clock.nowMs();
  const transfer = {
    uetr,
    contentMac: sealer.mac(content),
    target: corridor.target,
    sourceCurrency: corridor.sourceCurrency,
    targetCurrency: corridor.targetCurrency,
    sourceAmount,
    targetAmount,
    fee,
    providerQuote: drawn?.id,
    sealed: sealDetails(sealer, uetr, { details, salt }),
    detailsHash: hashDetails(details, salt),
    ifUnfunded: request.ifUnfunded,
    acceptedAt,
    expiresAt: acceptedAt + settings.transferValiditySeconds * 1_000,
  };
  return { kind: "taken", transfer };
}

async function quoteTransfer(context: RelayContext, pricer: Pricer, request: QuoteRequest): Promise<Quoted> {
  const { partner, clock, settings, db, drawBytes } = context;
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

function count({ metrics }: RelayContext, answer: Submission): void {
  if (answer.kind === "refused") metrics.transfersRefused.inc({ code: answer.code });
  else if (!answer.replayed) metrics.transfersAccepted.inc({ target: String(answer.transfer.target) });
}
