import type { Hex } from "../domain/bytes/hex.ts";
import type { CurrencyCode } from "../domain/currency.ts";
import { BatchStatus } from "../domain/lifecycle.ts";
import { balancesAt, blockHead, ledgerTimeAt, statusesAt } from "../ledger/state.ts";
import { readBalances, readCursor, type LedgerCursor } from "../store/ledger-projection.ts";
import {
  contradictoryBatches,
  endlessBatches,
  endlessTransfers,
  extentOf,
  owedCredits,
  owedDeliveries,
  projectedStatuses,
  promisedCredits,
  unconfirmedBatches,
  untoldTransfers,
  wrongCredits,
  type Extent,
} from "../store/reconciliation.ts";
import type { RelayContext } from "./context.ts";
import { replay, type Replay } from "./replay.ts";

export interface Difference {
  readonly kind: "ledger" | "balance" | "batch" | "transfer" | "credit" | "confirmation" | "delivery";
  /** What it is about: a currency, a batch, a UETR, a webhook. */
  readonly subject: string;
  /** For people. */
  readonly sentence: string;
}

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
  /** The block that everything is held against; undefined where the ledger has not been read. */
  readonly block: number | undefined;
  readonly balances: readonly ReconciledBalance[];
  readonly checked: Extent;
  /** None: all is sound. */
  readonly differences: readonly Difference[];
}

export interface ReconcilerOptions {
  /** What is owed for less than this is under way, not missing. Milliseconds. */
  readonly slackMs?: number;
}

const SLACK_MS = 60_000;

/**
 * Holds the store against the ledger, and both against what the rules make of the ledger's events. Reads only, may run
 * beside everything else, and takes time in proportion to the whole history.
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
  const { balances, differences: onLedger } =
    cursor === undefined
      ? { balances: [], differences: [NOT_READ] }
      : await holdAgainstLedger(context, cursor, slackMs);
  const differences = [...onLedger, ...(await checkStore(context, at - slackMs, settledBefore))];
  metrics.reconciliationDifferences.set(differences.length);
  if (differences.length > 0) log.error({ differences: differences.length }, "reconciliation found differences");
  return { at, block: cursor?.block, balances, checked: await extentOf(db), differences };
}

const NOT_READ: Difference = {
  kind: "ledger",
  subject: "cursor",
  sentence: "The ledger has not been read yet, so there is nothing to hold the store against.",
};

async function holdAgainstLedger(
  context: RelayContext,
  cursor: LedgerCursor,
  slackMs: number,
): Promise<Pick<ReconciliationReport, "balances" | "differences">> {
  const { ledger, partner, settings } = context;
  const head = await blockHead(ledger, cursor.block);
  if (head?.hash !== cursor.hash) {
    const sentence = `The ledger's block ${cursor.block} is not the one that was read: ${head?.hash ?? "there is none"} instead of ${cursor.hash}.`;
    return { balances: [], differences: [{ kind: "ledger", subject: `block ${cursor.block}`, sentence }] };
  }
  const { fromBlock, maxBlockRange } = settings.ledger;
  const replayed = await replay(ledger, partner, { from: fromBlock, to: cursor.block, maxBlockRange });
  const balances = await reconcileBalances(context, cursor, replayed);
  const differences = [
    ...balances.flatMap(balanceDifference),
    ...(await projectedBalanceDifferences(context, cursor, balances)),
    ...(await statusDifferences(context, cursor, replayed)),
    ...(await promiseDifferences(context, cursor, replayed)),
    ...(await endlessDifferences(context, cursor, Math.ceil(slackMs / 1_000))),
  ];
  return { balances, differences };
}

async function reconcileBalances(
  { ledger, partner }: RelayContext,
  { block }: LedgerCursor,
  { balances }: Replay,
): Promise<readonly ReconciledBalance[]> {
  const found = await balancesAt(ledger, partner, [...ledger.tokens.keys()], block);
  return found.map(({ currency, available, held }) => ({
    currency,
    expected: balances.get(currency) ?? { available: 0n, held: 0n },
    found: { available, held },
  }));
}

function balanceDifference({ currency, expected, found }: ReconciledBalance): readonly Difference[] {
  if (expected.available === found.available && expected.held === found.held) return [];
  const sentence = `The treasury has ${found.available} available and ${found.held} held; by the ledger's events it should be ${expected.available} and ${expected.held} minor units.`;
  return [{ kind: "balance", subject: currency, sentence }];
}

async function projectedBalanceDifferences(
  { db }: RelayContext,
  cursor: LedgerCursor,
  balances: readonly ReconciledBalance[],
): Promise<readonly Difference[]> {
  const projected = (await readBalances(db)).filter(({ block }) => block <= cursor.block);
  return projected.flatMap(({ currency, available, held }) => {
    const found = balances.find((balance) => balance.currency === currency)?.found;
    if (found === undefined || (found.available === available && found.held === held)) return [];
    const sentence = `The store has ${available} available and ${held} held; the treasury has ${found.available} and ${found.held} minor units.`;
    return [{ kind: "balance", subject: currency, sentence } as const];
  });
}

const STATUS_NAMES = {
  [BatchStatus.None]: "none",
  [BatchStatus.Open]: "open",
  [BatchStatus.Settled]: "settled",
  [BatchStatus.Rejected]: "rejected",
  [BatchStatus.Expired]: "expired",
} as const;
const PAGE = 2_000;
const BEFORE_ALL: Hex = "0x";

/** Every batch: in the store, by the ledger's events, and as the ledger answers itself. */
async function statusDifferences(
  { db, ledger, partner }: RelayContext,
  { block }: LedgerCursor,
  { statuses }: Replay,
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  const differ = (subject: Hex, sentence: string) => differences.push({ kind: "batch", subject, sentence });
  const unseen = new Set(statuses.keys());
  for (let after = BEFORE_ALL; ;) {
    const page = await projectedStatuses(db, block, after, PAGE);
    const found = await statusesAt(
      ledger,
      page.map(({ id }) => id),
      block,
    );
    for (const [index, { id, status }] of page.entries()) {
      const asked = STATUS_NAMES[found[index] ?? BatchStatus.None];
      if (asked !== status) differ(id, `The store has it as ${status}; on the ledger it is ${asked}.`);
      if (statuses.get(id) !== status) {
        differ(id, `The store has it as ${status}; by the ledger's events it is ${statuses.get(id) ?? "not there"}.`);
      }
      unseen.delete(id);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
  for (const id of unseen) differ(id, `It is ${statuses.get(id) ?? "there"} on the ledger, and not in the store.`);
  for (const { id, how } of await contradictoryBatches(db, partner)) differ(id, CONTRADICTIONS[how]);
  return differences;
}

const CONTRADICTIONS = {
  unknown: "It is on the ledger as this partner's, and this relay has not signed it.",
  void: "It was given up as void, and is on the ledger all the same.",
  unmarked: "The store says of it both that it is on the ledger and that it is not.",
} as const;

/** What the ledger paid to this partner for its customers is what it has promised to credit them with. */
async function promiseDifferences(
  { db, partner }: RelayContext,
  { block }: LedgerCursor,
  { received }: Replay,
): Promise<readonly Difference[]> {
  const promised = await promisedCredits(db, partner, block);
  return [...received].flatMap(([id, minor]) => {
    const credits = promised.get(id) ?? 0n;
    if (credits === minor) return [];
    const sentence = `It paid ${minor} minor units to this partner, whose customers are to be credited with ${credits}.`;
    return [{ kind: "credit", subject: id, sentence } as const];
  });
}

async function endlessDifferences(
  { db, ledger, partner }: RelayContext,
  { block, timeSeconds }: LedgerCursor,
  slackSeconds: number,
): Promise<readonly Difference[]> {
  const ledgerTime = await ledgerTimeAt(ledger, block);
  const endless = await endlessBatches(db, partner, ledgerTime - slackSeconds, timeSeconds - slackSeconds);
  return endless.map(({ id, isOpen }) => ({
    kind: "batch",
    subject: id,
    sentence: isOpen
      ? "It is past its expiry and still open: its money is held."
      : "It was signed, can be opened no more, and has not been given up.",
  }));
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
): Promise<readonly Difference[]> {
  const about = (kind: Difference["kind"], subjects: readonly string[], sentence: string): Difference[] =>
    subjects.map((subject) => ({ kind, subject, sentence }));
  const untold = await untoldTransfers(db);
  const deliveries = await owedDeliveries(db, beforeMs);
  return [
    ...about("transfer", await endlessTransfers(db, beforeMs), "Its time is over, and it has no end."),
    ...untold.map(({ uetr, told }): Difference => {
      return { kind: "transfer", subject: uetr, sentence: `It has ended on the ledger, which was told ${told} times.` };
    }),
    ...about(
      "credit",
      await owedCredits(db, settledBefore),
      "Its batch has settled, and the customer is not credited.",
    ),
    ...about("credit", await wrongCredits(db), "The customer is credited, and its batch has not settled."),
    ...about(
      "confirmation",
      await unconfirmedBatches(db, settledBefore),
      "Its source has not been told of the credits.",
    ),
    ...deliveries.map(({ webhook, owed, dead }): Difference => {
      return { kind: "delivery", subject: webhook, sentence: `${owed} events are owed to it, ${dead} were given up.` };
    }),
  ];
}
