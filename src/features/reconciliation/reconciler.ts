import type { Hex } from "../../domain/bytes/hex.ts";
import type { CurrencyCode } from "../../domain/currency.ts";
import { BATCH_STATUS_NAMES, BatchStatus } from "../../domain/lifecycle.ts";
import { balancesAt, blockHead, ledgerTimeAt, statusesAt } from "../../ledger/state.ts";
import { readBalances } from "../liquidity/store.ts";
import { readCursor, type LedgerCursor } from "../remittance/store/ledger-projection.ts";
import {
  contradictoryBatches,
  endlessBatches,
  endlessTransfers,
  extentOf,
  owedCredits,
  owedDeliveries,
  projectedStatuses,
  unconfirmedBatches,
  wrongCredits,
  type Extent,
} from "./store/findings.ts";
import type { RelayContext } from "../context.ts";
import { findInBatches } from "./batches.ts";
import { createFindings, type Difference, type Findings } from "./differences.ts";
import { findMistold } from "./told.ts";
import { replay, type Replayed } from "./replay.ts";

/** A currency's money at the block of the reconciliation, in minor units. */
export interface ReconciledBalance {
  readonly currency: CurrencyCode;
  /** What the ledger's events make of it. */
  readonly expected: { readonly available: bigint; readonly held: bigint };
  /** What the treasury has. */
  readonly found: { readonly available: bigint; readonly held: bigint };
}

export interface ReconciliationReport {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The block that everything is compared with; undefined where the ledger has not been read. */
  readonly block: number | undefined;
  readonly balances: readonly ReconciledBalance[];
  readonly checked: Extent;
  /** None: all is sound. */
  readonly differences: readonly Difference[];
  /** How many there are beside those that are named. */
  readonly omitted: number;
}

export interface ReconcilerOptions {
  /** What is owed for less than this is under way, not missing. Milliseconds. */
  readonly slackMs?: number;
}

const SLACK_MS = 60_000;

/**
 * Holds the store against the ledger, and both against what the rules make of the ledger's events. Reads only, may run
 * beside everything else, and takes time in proportion to the whole history, but no more memory.
 */
export async function reconcile(
  context: RelayContext,
  { slackMs = SLACK_MS }: ReconcilerOptions = {},
): Promise<ReconciliationReport> {
  const { db, clock, metrics, log } = context;
  const at = clock.nowMs();
  const cursor = await readCursor(db);
  // By block time where that is ahead of this machine's.
  const nowSeconds = Math.max(Math.floor(at / 1_000), cursor?.timeSeconds ?? 0);
  const settledBefore = nowSeconds - Math.ceil(slackMs / 1_000);
  const findings = createFindings();
  const balances =
    cursor === undefined ? notRead(findings) : await holdAgainstLedger(context, cursor, slackMs, findings);
  await checkStore(context, at - slackMs, settledBefore, findings);
  const { named: differences, omitted } = findings;
  const count = differences.length + omitted;
  metrics.reconciliationDifferences.set(count);
  if (count > 0) log.error({ differences: count }, "reconciliation found differences");
  return { at, block: cursor?.block, balances, checked: await extentOf(db), differences, omitted };
}

function notRead(findings: Findings): readonly ReconciledBalance[] {
  findings.add("ledger", "cursor", "The ledger has not been read yet, so there is nothing to compare the store with.");
  return [];
}

async function holdAgainstLedger(
  context: RelayContext,
  cursor: LedgerCursor,
  slackMs: number,
  findings: Findings,
): Promise<readonly ReconciledBalance[]> {
  const { ledger, partner, settings } = context;
  const head = await blockHead(ledger, cursor.block);
  if (head?.hash !== cursor.hash) {
    const sentence = `The ledger's block ${cursor.block} is not the one that was read: ${head?.hash ?? "there is none"} instead of ${cursor.hash}.`;
    findings.add("ledger", `block ${cursor.block}`, sentence);
    return [];
  }
  const { fromBlock, maxBlockRange } = settings.ledger;
  const replayed = await replay(ledger, partner, { from: fromBlock, to: cursor.block, maxBlockRange }, (range) =>
    findInBatches(context, cursor.block, range, findings),
  );
  const balances = await reconcileBalances(context, cursor, replayed);
  for (const balance of balances) findInBalance(balance, findings);
  findInHolds(context, replayed, findings);
  await findInProjectedBalances(context, cursor, balances, findings);
  await findInStatuses(context, cursor, findings);
  await findEndless(context, cursor, Math.ceil(slackMs / 1_000), findings);
  return balances;
}

async function reconcileBalances(
  { ledger, partner }: RelayContext,
  { block }: LedgerCursor,
  replayed: Replayed,
): Promise<readonly ReconciledBalance[]> {
  const found = await balancesAt(ledger, partner, [...ledger.tokens.keys()], block);
  return found.map(({ currency, available, held }) => {
    const expected = replayed.balances.get(currency);
    return {
      currency,
      expected: { available: expected?.available ?? 0n, held: expected?.held ?? 0n },
      found: { available, held },
    };
  });
}

function findInBalance({ currency, expected, found }: ReconciledBalance, findings: Findings): void {
  if (expected.available === found.available && expected.held === found.held) return;
  const sentence = `The treasury has ${found.available} available and ${found.held} held; by the ledger's events it should be ${expected.available} and ${expected.held} minor units.`;
  findings.add("balance", currency, sentence);
}

/** What the registry holds of the own money must be what its open batches hold. */
function findInHolds({ ledger }: RelayContext, { balances, heldByBatches }: Replayed, findings: Findings): void {
  for (const currency of ledger.tokens.keys()) {
    const held = balances.get(currency)?.heldBy.get(ledger.addresses.transferRegistry) ?? 0n;
    const due = heldByBatches.get(currency) ?? 0n;
    if (held === due) continue;
    const sentence = `The transfer registry holds ${held} minor units; its open batches hold ${due}.`;
    findings.add("balance", currency, sentence);
  }
}

async function findInProjectedBalances(
  { db }: RelayContext,
  cursor: LedgerCursor,
  balances: readonly ReconciledBalance[],
  findings: Findings,
): Promise<void> {
  const projected = (await readBalances(db)).filter(({ block }) => block <= cursor.block);
  for (const { currency, available, held } of projected) {
    const found = balances.find((balance) => balance.currency === currency)?.found;
    if (found === undefined || (found.available === available && found.held === held)) continue;
    const sentence = `The store has ${available} available and ${held} held; the treasury has ${found.available} and ${found.held} minor units.`;
    findings.add("balance", currency, sentence);
  }
}

const PAGE = 2_000;
const BEFORE_ALL: Hex = "0x";

/** Every batch in the store, as the ledger answers itself; and those that contradict each other in the store. */
async function findInStatuses(
  { db, ledger, partner }: RelayContext,
  { block }: LedgerCursor,
  findings: Findings,
): Promise<void> {
  for (let after = BEFORE_ALL; ;) {
    const page = await projectedStatuses(db, block, after, PAGE);
    const found = await statusesAt(
      ledger,
      page.map(({ id }) => id),
      block,
    );
    for (const [index, { id, status }] of page.entries()) {
      const asked = BATCH_STATUS_NAMES[found[index] ?? BatchStatus.None];
      if (asked !== status) {
        findings.add("batch", id, `The store has it as ${status}; on the ledger it is ${asked}.`);
      }
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
  for (const { id, how } of await contradictoryBatches(db, partner)) findings.add("batch", id, CONTRADICTIONS[how]);
}

const CONTRADICTIONS = {
  unknown: "It is on the ledger as this partner's, and this relay has not signed it.",
  void: "It was given up as void, but it is on the ledger.",
  unmarked: "The store says of it both that it is on the ledger and that it is not.",
} as const;

async function findEndless(
  { db, ledger, partner }: RelayContext,
  { block, timeSeconds }: LedgerCursor,
  slackSeconds: number,
  findings: Findings,
): Promise<void> {
  const ledgerTime = await ledgerTimeAt(ledger, block);
  const endless = await endlessBatches(db, partner, ledgerTime - slackSeconds, timeSeconds - slackSeconds);
  for (const { id, isOpen } of endless) {
    findings.add(
      "batch",
      id,
      isOpen
        ? "It has expired and is still open: its money is held."
        : "It was signed, can no longer be opened, and has not been given up.",
    );
  }
}

/**
 * What follows from the store alone.
 * @param beforeMs what was due before it should be done
 * @param settledBefore the same for what follows from a settlement, in seconds of block time
 */
async function checkStore(
  { db }: RelayContext,
  beforeMs: number,
  settledBefore: number,
  findings: Findings,
): Promise<void> {
  const about = (kind: Difference["kind"], subjects: readonly string[], sentence: string): void => {
    for (const subject of subjects) findings.add(kind, subject, sentence);
  };
  about("transfer", await endlessTransfers(db, beforeMs), "Its time is over, and it has not ended.");
  await findMistold(db, findings);
  const owed = await owedCredits(db, settledBefore);
  about("credit", owed, "Its batch has settled, and the customer is not credited.");
  about("credit", await wrongCredits(db), "The customer is credited, and its batch has not settled.");
  const unconfirmed = await unconfirmedBatches(db, settledBefore);
  about("confirmation", unconfirmed, "Its source has not been told of the credits.");
  for (const { webhook, owed: events, dead } of await owedDeliveries(db, beforeMs)) {
    findings.add("delivery", webhook, `${events} events are owed to it, ${dead} were given up.`);
  }
}
