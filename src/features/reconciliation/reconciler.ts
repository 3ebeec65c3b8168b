import type { Hex } from "../../domain/bytes/hex.ts";
import type { CurrencyCode } from "../../domain/currency.ts";
import { createFindings, type Difference, type Findings } from "../../kernel/findings.ts";
import { balancesAt, blockHead } from "../../ledger/state.ts";
import type { LedgerEvent } from "../../ledger/events.ts";
import { readCursor, type LedgerCursor } from "../remittance/store/ledger-projection.ts";
import type { ReconciledMoney, ReconciliationScope, Reconciling, RelayContext } from "../context.ts";
import { replay, type Replayed } from "./replay.ts";

declare module "../../kernel/findings.ts" {
  interface DifferenceKinds {
    ledger: true;
    balance: true;
  }
}

/** A currency's money in a treasury at the block of the reconciliation, in minor units. */
export interface ReconciledBalance {
  readonly treasury: Hex;
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
  /** How much of what was gone through. */
  readonly checked: Readonly<Record<string, number>>;
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

type Needed = Pick<RelayContext, "ledger" | "partner" | "settings">;

/**
 * Holds the store against the ledger, and both against what the rules make of the ledger's events: the money here, and
 * what is each feature's by itself. Reads only, may run beside everything else, and takes time in proportion to the whole
 * history, but no more memory.
 */
export async function reconcile(
  context: RelayContext,
  { slackMs = SLACK_MS }: ReconcilerOptions = {},
): Promise<ReconciliationReport> {
  const { db, clock, metrics, log } = context;
  const at = clock.nowMs();
  const cursor = await readCursor(db);
  const slackSeconds = Math.ceil(slackMs / 1_000);
  // By block time where that is ahead of this machine's.
  const nowSeconds = Math.max(Math.floor(at / 1_000), cursor?.timeSeconds ?? 0);
  const scope: ReconciliationScope = {
    cursor,
    beforeMs: at - slackMs,
    settledBefore: nowSeconds - slackSeconds,
    slackSeconds,
  };
  const findings = createFindings();
  const parts = context.reconcilers.map((begin) => begin(context, scope, findings));
  const compared = await holdAgainstLedger(context, cursor, parts, findings);
  const checked: Record<string, number> = {};
  for (const { finish } of parts) Object.assign(checked, await finish(compared?.money));
  const { named: differences, omitted } = findings;
  const count = differences.length + omitted;
  metrics.reconciliationDifferences.set(count);
  if (count > 0) log.error({ differences: count }, "reconciliation found differences");
  return { at, block: cursor?.block, balances: compared?.balances ?? [], checked, differences, omitted };
}

/** The ledger's money, once it could be compared. */
interface Compared {
  readonly balances: readonly ReconciledBalance[];
  readonly money: ReconciledMoney;
}

async function holdAgainstLedger(
  { ledger, partner, settings }: Needed,
  cursor: LedgerCursor | undefined,
  parts: readonly Reconciling[],
  findings: Findings,
): Promise<Compared | undefined> {
  if (cursor === undefined) {
    const sentence = "The ledger has not been read yet, so there is nothing to compare the store with.";
    findings.add("ledger", "cursor", sentence);
    return undefined;
  }
  const head = await blockHead(ledger, cursor.block);
  if (head?.hash !== cursor.hash) {
    const sentence = `The ledger's block ${cursor.block} is not the one that was read: ${head?.hash ?? "there is none"} instead of ${cursor.hash}.`;
    findings.add("ledger", `block ${cursor.block}`, sentence);
    return undefined;
  }
  const { fromBlock, maxBlockRange } = settings.ledger;
  const look = async (events: readonly LedgerEvent[]): Promise<void> => {
    for (const part of parts) await part.look?.(events);
  };
  const replayed = await replay(ledger, partner, { from: fromBlock, to: cursor.block, maxBlockRange }, look);
  const balances = await reconcileBalances({ ledger, partner, settings }, cursor, replayed);
  for (const balance of balances) findInBalance(balance, findings);
  const money: ReconciledMoney = {
    foundIn: (treasury, currency) =>
      balances.find((each) => each.treasury === treasury && each.currency === currency)?.found,
    heldBy: (treasury, currency, module) => replayed.get(treasury)?.get(currency)?.heldBy.get(module) ?? 0n,
  };
  return { balances, money };
}

async function reconcileBalances(
  { ledger, partner }: Needed,
  { block }: LedgerCursor,
  replayed: Replayed,
): Promise<readonly ReconciledBalance[]> {
  const balances = [...ledger.treasuries].map(async ([address, treasury]) => {
    const found = await balancesAt({ treasury }, partner, [...ledger.tokens.keys()], block);
    return found.map(({ currency, available, held }) => {
      const expected = replayed.get(address)?.get(currency);
      return {
        treasury: address,
        currency,
        expected: { available: expected?.available ?? 0n, held: expected?.held ?? 0n },
        found: { available, held },
      };
    });
  });
  return (await Promise.all(balances)).flat();
}

function findInBalance({ treasury, currency, expected, found }: ReconciledBalance, findings: Findings): void {
  if (expected.available === found.available && expected.held === found.held) return;
  const sentence = `The treasury ${treasury} has ${found.available} available and ${found.held} held; by the ledger's events it should be ${expected.available} and ${expected.held} minor units.`;
  findings.add("balance", currency, sentence);
}
