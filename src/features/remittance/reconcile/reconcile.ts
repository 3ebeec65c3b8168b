import type { Hex } from "../../../domain/bytes/hex.ts";
import { BATCH_STATUS_NAMES, BatchStatus } from "../../../domain/lifecycle.ts";
import type { Difference, Findings } from "../../../kernel/findings.ts";
import { registryAddresses } from "../../../ledger/contracts.ts";
import { ledgerTimesAt, statusesIn, type RegistryTime } from "../../../ledger/state.ts";
import type { Reconcile, ReconciledBlock, ReconciledMoney, ReconciliationScope, RelayContext } from "../../context.ts";
import {
  comparedBatches,
  comparedMarks,
  endlessBatches,
  endlessTransfers,
  owedCredits,
  projectedStatuses,
  unconfirmedBatches,
} from "../store/findings.ts";
import { findInBatches } from "./batches.ts";
import { replayBatches, type ReplayedBatches } from "./replayed-batches.ts";
import { findMistold, type Told } from "./told.ts";

declare module "../../../kernel/findings.ts" {
  interface DifferenceKinds {
    batch: true;
    transfer: true;
    credit: true;
    confirmation: true;
    event: true;
  }
}

type Needed = Pick<RelayContext, "db" | "ledger" | "partner">;

/** Whether transfers, batches and credits are what the ledger and its events make of them. */
export const reconcileTransfers: Reconcile = (context, scope, findings) => {
  const { cursor, slackSeconds } = scope;
  const batches = replayBatches();
  return {
    async look(events) {
      if (cursor !== undefined) await findInBatches(context, cursor.block, batches.read(events), findings);
    },
    async finish(money) {
      if (money !== undefined && cursor !== undefined) {
        findInHolds(context, batches, money, findings);
        await findInStatuses(context, cursor.block, findings);
        await findEndless(context, cursor, slackSeconds, findings);
      }
      return checkStore(context, scope, findings);
    },
  };
};

/** What each registry holds of the own money must be what its open batches hold: all of it in its own treasury. */
function findInHolds(
  { ledger, partner }: Needed,
  batches: ReplayedBatches,
  money: ReconciledMoney,
  findings: Findings,
): void {
  for (const { transferRegistry, treasury: own } of registryAddresses(ledger.addresses)) {
    const heldByBatches = batches.heldOf(partner, transferRegistry);
    for (const treasury of ledger.treasuries.keys()) {
      for (const currency of ledger.tokens.keys()) {
        const held = money.heldBy(treasury, currency, transferRegistry);
        const due = treasury === own ? (heldByBatches.get(currency) ?? 0n) : 0n;
        if (held === due) continue;
        const sentence = `The registry ${transferRegistry} holds ${held} minor units in the treasury ${treasury}; its open batches hold ${due} there.`;
        findings.add("balance", currency, sentence);
      }
    }
  }
}

const PAGE = 2_000;
const BEFORE_ALL: Hex = "0x";

/** Every batch in the store, as the ledger answers itself. */
async function findInStatuses({ db, ledger }: Needed, block: number, findings: Findings): Promise<void> {
  for (let after = BEFORE_ALL; ;) {
    const page = await projectedStatuses(db, block, after, PAGE);
    const found = await statusesIn(ledger, page, block);
    for (const { id, status } of page) {
      const asked = BATCH_STATUS_NAMES[found.get(id) ?? BatchStatus.None];
      if (asked !== status) {
        findings.add("batch", id, `The store has it as ${status}; on the ledger it is ${asked}.`);
      }
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
}

/** Batches that contradict each other in the store. @returns how many there are of the ledger's */
async function findContradictions({ db, partner }: Needed, findings: Findings): Promise<number> {
  const ofLedger = (after: Hex) => comparedBatches(db, partner, after, PAGE);
  const ofMarks = (after: Hex) => comparedMarks(db, after, PAGE);
  let batches = 0;
  for (const readAfter of [ofLedger, ofMarks]) {
    for (let after = BEFORE_ALL; ;) {
      const page = await readAfter(after);
      if (readAfter === ofLedger) batches += page.length;
      for (const { id, contradiction } of page) {
        if (contradiction !== undefined) findings.add("batch", id, CONTRADICTIONS[contradiction]);
      }
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
  }
  return batches;
}

const CONTRADICTIONS = {
  unknown: "It is on the ledger as this partner's, and this relay has not signed it.",
  void: "It was given up as void, but it is on the ledger.",
  unmarked: "The store says of it both that it is on the ledger and that it is not.",
} as const;

async function findEndless(
  { db, ledger, partner }: Needed,
  { block, timeSeconds }: ReconciledBlock,
  slackSeconds: number,
  findings: Findings,
): Promise<void> {
  const slack = (time: RegistryTime) => ({ ...time, timeSeconds: time.timeSeconds - slackSeconds });
  const ledgerTimes = (await ledgerTimesAt(ledger, block)).map(slack);
  const endless = await endlessBatches(db, partner, ledgerTimes, timeSeconds - slackSeconds);
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

/** What follows from the store alone. @returns how much was gone through */
async function checkStore(
  context: Needed,
  { beforeMs, settledBefore }: ReconciliationScope,
  findings: Findings,
): Promise<Told & { readonly batches: number }> {
  const { db } = context;
  const about = (kind: Difference["kind"], subjects: readonly string[], sentence: string): void => {
    for (const subject of subjects) findings.add(kind, subject, sentence);
  };
  about("transfer", await endlessTransfers(db, beforeMs), "Its time is over, and it has not ended.");
  const batches = await findContradictions(context, findings);
  const told = await findMistold(db, findings);
  const owed = await owedCredits(db, settledBefore);
  about("credit", owed, "Its batch has settled, and the customer is not credited.");
  const unconfirmed = await unconfirmedBatches(db, settledBefore);
  about("confirmation", unconfirmed, "Its source has not been told of the credits.");
  return { batches, ...told };
}
