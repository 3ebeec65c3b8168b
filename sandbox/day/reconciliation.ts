import type { BatchHeader } from "../../src/domain/batch.ts";
import type { Hex } from "../../src/domain/bytes/hex.ts";
import { corridorKey, networkFeeUp } from "../../src/domain/corridor.ts";
import { currencyByNumeric, currencyOf, type CurrencyCode } from "../../src/domain/currency.ts";
import { outcomesIn, type PublishedRejection } from "../../src/domain/lifecycle.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { commitsTo } from "../../src/domain/payload.ts";
import { settle, type Rejection, type Settlement } from "../../src/domain/settlement.ts";
import type { Transfer } from "../../src/domain/transfer.ts";
import type { Uetr } from "../../src/domain/uetr.ts";
import { readEvents, type LedgerEvent } from "../../src/ledger/events.ts";
import { HUB } from "../../src/ledger/deployment/config.ts";
import type { Postings } from "../wallet/books.ts";
import type { Movement } from "../funding.ts";
import { corridorBetween } from "../network.ts";
import type { Order } from "../orders/order.ts";
import type { Sandbox } from "../sandbox.ts";

/**
 * What became of a transfer: by the ledger, or, where it never got there, because its wallet gave the customer the
 * money back.
 */
export type Outcome = "settled" | "rejected" | "expired" | "failed";

/** A batch as its source relay has it; what the ledger has must commit to it. */
export interface SentBatch {
  readonly batchId: Hex;
  readonly transfers: readonly Transfer[];
}

/** A day as everybody but the ledger remembers it. */
export interface SentDay {
  /** What there was to be done. */
  readonly orders: readonly Order[];
  readonly batches: readonly SentBatch[];
  readonly books: ReadonlyMap<PartnerId, Postings>;
}

/** A batch that has ended on the ledger, and what the ledger says of it. */
export interface EndedBatch extends SentBatch {
  readonly header: BatchHeader;
  /** All of them, where the batch was rejected. */
  readonly rejections: readonly Rejection[];
  readonly ending: "settled" | "expired";
  /** What opened and what ended it. */
  readonly transactions: readonly Hex[];
}

/** One currency's money, in minor units: what went into the treasury is what is there or went out. */
export interface CurrencyReconciliation {
  readonly currency: CurrencyCode;
  readonly deposited: bigint;
  readonly available: bigint;
  readonly held: bigint;
  readonly withdrawn: bigint;
  /** Tokens that the treasury has; they must be what is available and held. */
  readonly tokens: bigint;
  /** Deposited less available, held and withdrawn, or tokens less available and held, whichever is not zero. */
  readonly difference: bigint;
}

/** A partner's balance that is not what its deposits, withdrawals and batches make of it. */
export interface BalanceDifference {
  readonly partner: PartnerId;
  readonly currency: CurrencyCode;
  readonly expected: bigint;
  readonly found: bigint;
}

export interface Reconciliation {
  readonly currencies: readonly CurrencyReconciliation[];
  readonly balanceDifferences: readonly BalanceDifference[];
  readonly batches: readonly EndedBatch[];
  /** By UETR; a transfer that is missing here has no end. */
  readonly outcomes: ReadonlyMap<Uetr, Outcome>;
  /** Orders without an end, and transfers of which the wallets' books do not say the same. */
  readonly unaccounted: readonly Uetr[];
}

/**
 * Holds the ledger's events and balances against the wallets' books and the orders that were to be sent. Nothing that
 * the relays remember of the ledger's answers goes into it: outcomes are read from events, balances from the treasury;
 * what relays say is in a batch counts only where the header on the ledger commits to it.
 * @param movements what the partners deposited and withdrew, by their own records
 */
export async function reconcile(
  sandbox: Pick<Sandbox, "ledger" | "config">,
  day: SentDay,
  movements: readonly Movement[],
): Promise<Reconciliation> {
  const { ledger } = sandbox;
  const events = await readEvents(ledger, 0, await ledger.provider.getBlockNumber());
  const batches = endedBatches(day.batches, events);
  const outcomes = outcomesOf(day, batches, events);
  return {
    currencies: await reconcileCurrencies(sandbox, events),
    balanceDifferences: await compareBalances(sandbox, batches, movements),
    batches,
    outcomes,
    unaccounted: findUnaccounted(sandbox, day, batches, outcomes),
  };
}

/** Only batches whose header on the ledger commits to what their relay says is in them. */
function endedBatches(sent: readonly SentBatch[], events: readonly LedgerEvent[]): readonly EndedBatch[] {
  const opened = new Map(events.filter((event) => event.kind === "Opened").map((event) => [event.batchId, event]));
  const endings = new Map(
    events
      .filter((event) => event.kind === "Settled" || event.kind === "Rejected" || event.kind === "Expired")
      .map((event) => [event.batchId, event]),
  );
  return sent.flatMap((batch) => {
    const opening = opened.get(batch.batchId);
    const ending = endings.get(batch.batchId);
    if (opening === undefined || ending === undefined || !commitsTo(opening.header, batch.transfers)) return [];
    const isExpired = ending.kind === "Expired";
    return {
      ...batch,
      header: opening.header,
      rejections: isExpired ? [] : rejectionsOf(batch, ending.rejected),
      ending: isExpired ? ("expired" as const) : ("settled" as const),
      transactions: [opening.transactionHash, ending.transactionHash],
    };
  });
}

function rejectionsOf(
  { batchId, transfers }: SentBatch,
  rejected: readonly PublishedRejection[],
): readonly Rejection[] {
  const outcomeOf = outcomesIn({ status: "settled", rejected });
  const rejections = transfers.flatMap((transfer) => {
    const outcome = outcomeOf(transfer);
    return outcome.status === "rejected" ? [{ transfer, reason: outcome.reason }] : [];
  });
  if (rejections.length < rejected.length) throw new Error(`batch ${batchId}: a leaf was rejected which is not in it`);
  return rejections;
}

function outcomesOf(
  { orders, batches: sent, books }: SentDay,
  batches: readonly EndedBatch[],
  events: readonly LedgerEvent[],
): ReadonlyMap<Uetr, Outcome> {
  const outcomes = new Map<Uetr, Outcome>();
  for (const { transfers, rejections, ending } of batches) {
    const rejected = new Set(rejections.map(({ transfer }) => transfer.uetr));
    for (const { uetr } of transfers) {
      outcomes.set(uetr, ending === "expired" ? "expired" : rejected.has(uetr) ? "rejected" : "settled");
    }
  }
  const opened = new Set(events.filter((event) => event.kind === "Opened").map(({ batchId }) => batchId));
  const onLedger = new Set(
    sent.filter(({ batchId }) => opened.has(batchId)).flatMap(({ transfers }) => transfers.map(({ uetr }) => uetr)),
  );
  for (const { uetr, source } of orders) {
    if (!onLedger.has(uetr) && books.get(source)?.refunds.has(uetr) === true) outcomes.set(uetr, "failed");
  }
  return outcomes;
}

/** Orders without an outcome, and transfers of which a wallet has posted anything else than their outcome asks for. */
function findUnaccounted(
  { config }: Pick<Sandbox, "config">,
  { orders, books }: SentDay,
  batches: readonly EndedBatch[],
  outcomes: ReadonlyMap<Uetr, Outcome>,
): readonly Uetr[] {
  const targetAmounts = new Map(
    batches.flatMap(({ transfers }) => transfers.map(({ uetr, targetAmount }) => [uetr, targetAmount] as const)),
  );
  const fees = new Map(config.corridors.map(({ corridor, terms }) => [corridorKey(corridor), terms.feeBps]));
  const due = new Map(
    [...books.keys()].map((wallet) => [
      wallet,
      { debits: new Map<Uetr, bigint>(), refunds: new Map<Uetr, bigint>(), credits: new Map<Uetr, bigint>() },
    ]),
  );
  for (const { uetr, source, target, sourceAmount } of orders) {
    const feeBps = fees.get(corridorKey(corridorBetween(source, target))) ?? 0n;
    const charged = sourceAmount.minor + networkFeeUp(sourceAmount.minor, feeBps);
    due.get(source)?.debits.set(uetr, charged);
    if (outcomes.get(uetr) === "settled") due.get(target)?.credits.set(uetr, targetAmounts.get(uetr) ?? 0n);
    else due.get(source)?.refunds.set(uetr, charged);
  }
  const differing = [...books].flatMap(([wallet, posted]) =>
    (["debits", "refunds", "credits"] as const).flatMap((kind) => differingKeys(posted[kind], due.get(wallet)?.[kind])),
  );
  return [...new Set([...orders.map(({ uetr }) => uetr).filter((uetr) => !outcomes.has(uetr)), ...differing])];
}

function differingKeys<Key>(left: ReadonlyMap<Key, bigint>, right: ReadonlyMap<Key, bigint> = new Map()): Key[] {
  return [...new Set([...left.keys(), ...right.keys()])].filter((key) => left.get(key) !== right.get(key));
}

async function reconcileCurrencies(
  { ledger, config }: Pick<Sandbox, "ledger" | "config">,
  events: readonly LedgerEvent[],
): Promise<readonly CurrencyReconciliation[]> {
  const movedIn = (currency: CurrencyCode, kind: "Deposited" | "Withdrawn") =>
    sum(events.map((event) => (event.kind === kind && event.currency === currency ? event.amount : 0n)));
  const reconciled = [...ledger.tokens].map(async ([currency, token]) => {
    const { numeric } = currencyOf(currency);
    const balances = await Promise.all(config.partners.map(({ id }) => ledger.treasury.balanceOf(id, numeric)));
    const available = sum(balances.map((balance) => balance.available));
    const held = sum(balances.map((balance) => balance.held));
    const deposited = movedIn(currency, "Deposited");
    const withdrawn = movedIn(currency, "Withdrawn");
    const tokens = await token.balanceOf(ledger.addresses.treasury);
    const unexplained = deposited - withdrawn - available - held;
    const difference = unexplained === 0n ? tokens - available - held : unexplained;
    return { currency, deposited, available, held, withdrawn, tokens, difference };
  });
  return Promise.all(reconciled);
}

/** What each partner must have by its own records and the rules of settlement, computed from the batches alone. */
async function compareBalances(
  { ledger, config }: Pick<Sandbox, "ledger" | "config">,
  batches: readonly EndedBatch[],
  movements: readonly Movement[],
): Promise<readonly BalanceDifference[]> {
  const expected = new Map<string, bigint>();
  const add = (partner: PartnerId | 0, currency: CurrencyCode, amount: bigint) => {
    const key = `${partner} ${currency}`;
    expected.set(key, (expected.get(key) ?? 0n) + amount);
  };
  for (const { partner, currency, amountMinor } of movements) add(partner, currency, amountMinor);
  for (const { header, rejections, ending } of batches) {
    if (ending === "expired") continue;
    const { settledSource, settledTarget, feeCharged } = settlementOf(settle(header, rejections));
    const sourceCurrency = currencyByNumeric(header.sourceCurrency).code;
    const targetCurrency = currencyByNumeric(header.targetCurrency).code;
    add(header.source, sourceCurrency, -settledSource - feeCharged);
    add(HUB, sourceCurrency, feeCharged);
    add(header.quote.provider, sourceCurrency, settledSource);
    add(header.quote.provider, targetCurrency, -settledTarget);
    add(header.target, targetCurrency, settledTarget);
  }
  const compared = config.partners.flatMap(({ id }) =>
    [...ledger.tokens.keys()].map(async (currency) => {
      const { available } = await ledger.treasury.balanceOf(id, currencyOf(currency).numeric);
      return { partner: id, currency, expected: expected.get(`${id} ${currency}`) ?? 0n, found: available };
    }),
  );
  return (await Promise.all(compared)).filter((balance) => balance.expected !== balance.found);
}

function settlementOf(outcome: ReturnType<typeof settle>): Settlement {
  if (outcome.kind === "refused") throw new Error(`the ledger settled what the rules refuse: ${outcome.refusal}`);
  return outcome;
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
