import { toHex } from "../domain/bytes/hex.ts";
import { corridorKey } from "../domain/corridor.ts";
import { currencyByNumeric, currencyOf, type CurrencyCode } from "../domain/currency.ts";
import type { PartnerId } from "../domain/partner.ts";
import { settle, type Settlement } from "../domain/settlement.ts";
import { transferLeaf } from "../domain/transfer.ts";
import type { Uetr } from "../domain/uetr.ts";
import { readEvents, type LedgerEvent } from "../ledger/events.ts";
import { HUB } from "../ledger/deployment/config.ts";
import { openBooks } from "./accounts.ts";
import type { Movement } from "./funding.ts";
import { corridorBetween } from "./network.ts";
import { commitsTo, customerFee } from "./payload.ts";
import type { BatchRecord, Simulation } from "./simulation.ts";
import type { Sandbox } from "./sandbox.ts";

/** What became of a transfer, by the ledger. */
export type Outcome = "settled" | "rejected" | "expired";

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
  /** By UETR; a transfer that is missing here did not end on the ledger. */
  readonly outcomes: ReadonlyMap<Uetr, Outcome>;
  /** Orders without an end on the ledger, and transfers of which the wallets' books do not say the same. */
  readonly unaccounted: readonly Uetr[];
}

/**
 * Holds the ledger's events and balances against the wallets' books and the orders that were to be sent. Nothing that
 * the simulation remembers of the ledger's answers goes into it: outcomes are read from events, balances from the
 * treasury.
 * @param movements what the partners deposited and withdrew, by their own records
 */
export async function reconcile(
  sandbox: Sandbox,
  simulation: Simulation,
  movements: readonly Movement[],
): Promise<Reconciliation> {
  const { ledger } = sandbox;
  const events = await readEvents(ledger, 0, await ledger.provider.getBlockNumber());
  const outcomes = outcomesOf(simulation.batches, events);
  return {
    currencies: await reconcileCurrencies(sandbox, events),
    balanceDifferences: await compareBalances(sandbox, simulation.batches, movements),
    outcomes,
    unaccounted: findUnaccounted(sandbox, simulation, outcomes),
  };
}

/** Only of transfers that the batch on the ledger commits to. */
function outcomesOf(batches: readonly BatchRecord[], events: readonly LedgerEvent[]): ReadonlyMap<Uetr, Outcome> {
  const headers = new Map(
    events.filter((event) => event.kind === "Opened").map(({ batchId, header }) => [batchId, header]),
  );
  const endings = new Map(
    events
      .filter((event) => event.kind === "Settled" || event.kind === "Rejected" || event.kind === "Expired")
      .map((event) => [event.batchId, event]),
  );
  const outcomes = new Map<Uetr, Outcome>();
  for (const { batchId, prepared } of batches) {
    const header = headers.get(batchId);
    const ending = endings.get(batchId);
    if (header === undefined || ending === undefined || !commitsTo(header, prepared.payload)) continue;
    const rejected = new Set(ending.kind === "Expired" ? [] : ending.rejected.map(({ leaf }) => leaf));
    for (const transfer of prepared.payload) {
      const isRejected = rejected.has(toHex(transferLeaf(transfer)));
      outcomes.set(transfer.uetr, ending.kind === "Expired" ? "expired" : isRejected ? "rejected" : "settled");
    }
  }
  return outcomes;
}

/** Orders without an outcome, and transfers of which a wallet has posted anything else than their outcome asks for. */
function findUnaccounted(
  sandbox: Sandbox,
  { orders, batches, books }: Simulation,
  outcomes: ReadonlyMap<Uetr, Outcome>,
): readonly Uetr[] {
  const targetAmounts = new Map(
    batches.flatMap(({ prepared }) => prepared.payload.map(({ uetr, targetAmount }) => [uetr, targetAmount] as const)),
  );
  const fees = new Map(sandbox.config.corridors.map(({ corridor, terms }) => [corridorKey(corridor), terms.feeBps]));
  const due = new Map([...books.keys()].map((wallet) => [wallet, openBooks(wallet)]));
  for (const order of orders) {
    const { uetr, source, target, sourceAmount } = order;
    const outcome = outcomes.get(uetr);
    const feeBps = fees.get(corridorKey(corridorBetween(source, target))) ?? 0n;
    due.get(source)?.debit(uetr, sourceAmount.minor + customerFee(order, feeBps));
    if (outcome === "settled") due.get(target)?.credit(uetr, targetAmounts.get(uetr) ?? 0n);
    else due.get(source)?.refund(uetr);
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
  { ledger, config }: Sandbox,
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
  { ledger, config }: Sandbox,
  batches: readonly BatchRecord[],
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
