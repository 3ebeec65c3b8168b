import type { Hex } from "../domain/bytes/hex.ts";
import { startOf } from "../domain/day.ts";
import { DAYS_TO_END, endedCounts, openedCount, type OutcomeCount } from "../domain/success.ts";
import { registryAddresses, type Ledger } from "./contracts.ts";
import { readEvents, type Emitters, type LedgerEvent } from "./events.ts";
import { blockHead, latestHead, type BlockHead } from "./state.ts";

/** Nodes limit how many blocks one question about logs may span. */
const MAX_BLOCK_RANGE = 1_000;

/** Counts transfers by how they ended, of batches that were opened on some days; as of a block, and from nothing but the ledger. */
export async function countOnLedger(
  ledger: Ledger,
  { from, to }: { readonly from: number; readonly to: number },
  head: BlockHead,
): Promise<readonly OutcomeCount[]> {
  const days = await firstBlocks(ledger, from, to + DAYS_TO_END + 1, head);
  const dayOfBlock = (block: number) => from + days.filter((first) => first <= block).length - 1;
  const emitters: Emitters = new Map(
    registryAddresses(ledger.addresses).map(({ transferRegistry }) => [transferRegistry, "transferRegistry"]),
  );
  const last = Math.min((days.at(-1) ?? head.number + 1) - 1, head.number);
  const opened = new Map<Hex, OutcomeCount>();
  const counts: OutcomeCount[] = [];
  for (let block = days[0] ?? 0; block <= last; block += MAX_BLOCK_RANGE) {
    const events = await readEvents(ledger, block, Math.min(last, block + MAX_BLOCK_RANGE - 1), emitters);
    for (const event of events) counts.push(...countsOf(event, dayOfBlock(event.cursor.block), to, opened));
  }
  return counts;
}

/** The block as of which to count. @throws Error where the node does not have it */
export async function countedHead(ledger: Ledger, block: number | undefined): Promise<BlockHead> {
  const head = block === undefined ? await latestHead(ledger) : await blockHead(ledger, block);
  if (head === undefined) throw missing(block);
  return head;
}

/** @param opened what has been opened on the days that are counted; what ends there was opened on one of them, or is left out */
function countsOf(
  event: LedgerEvent,
  day: number,
  lastDay: number,
  opened: Map<Hex, OutcomeCount>,
): readonly OutcomeCount[] {
  switch (event.kind) {
    case "Opened": {
      if (day > lastDay) return [];
      const count = openedCount(day, event.header);
      opened.set(event.batchId, count);
      return [count];
    }
    case "Settled":
    case "Rejected":
    case "Expired": {
      const count = opened.get(event.batchId);
      opened.delete(event.batchId);
      const rejected = event.kind === "Expired" ? [] : event.rejected;
      return count === undefined ? [] : endedCounts(count, { status: STATUS[event.kind], rejected }, day);
    }
    default:
      return [];
  }
}

const STATUS = { Settled: "settled", Rejected: "rejected", Expired: "expired" } as const;

/**
 * With which block each day begins, up to the first that has not begun: asked for by halves, as blocks are in the order of
 * their times. A day without a block begins where the next one does.
 */
async function firstBlocks(
  ledger: Ledger,
  fromDay: number,
  toDay: number,
  head: BlockHead,
): Promise<readonly number[]> {
  const times = new Map([[head.number, head.timeSeconds]]);
  const timeOf = async (block: number): Promise<number> => {
    const known = times.get(block) ?? (await blockHead(ledger, block))?.timeSeconds;
    if (known === undefined) throw missing(block);
    times.set(block, known);
    return known;
  };
  const firsts: number[] = [];
  let least = 0;
  for (let day = fromDay; day <= toDay; day++) {
    let [low, high] = [least, head.number + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((await timeOf(middle)) < startOf(day)) low = middle + 1;
      else high = middle;
    }
    firsts.push(low);
    least = low;
  }
  return firsts;
}

function missing(block: number | undefined): Error {
  return new Error(`the ledger's node does not have block ${block ?? "latest"}`);
}
