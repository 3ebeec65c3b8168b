import type { Hex } from "../../../domain/bytes/hex.ts";
import { outcomesIn, type PublishedRejection } from "../../../domain/lifecycle.ts";
import type { Queryable } from "../../../kernel/store/database.ts";
import { rejectionsOf, strayEvents, toldCredits, toldTransfers, type ToldTransfer } from "../store/reconciled-rows.ts";
import type { Findings } from "../../../kernel/findings.ts";

// Whether what was told of transfers and credits, in events, is what became of them.

const PAGE = 1_000;
/** Of which each may have as many credits as a payload has transfers. */
const BATCHES = 16;
const BEFORE_ALL: Hex = "0x";

/** How much was gone through. */
export interface Told extends Readonly<Record<string, number>> {
  readonly transfers: number;
  readonly credits: number;
  readonly events: number;
}

export async function findMistold(db: Queryable, findings: Findings): Promise<Told> {
  let transfers = 0;
  for (let after = 0n; ;) {
    const page = await toldTransfers(db, after, PAGE);
    transfers += page.length;
    for (const [batch, members] of Map.groupBy(page, (transfer) => transfer.batch)) {
      const isAsked = batch !== undefined && members.some(({ hasRejected }) => hasRejected);
      const rejected = isAsked ? await rejectionsOf(db, batch) : [];
      for (const transfer of members) findInTransfer(transfer, rejected, findings);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.seq;
  }
  return { transfers, credits: await findInCredits(db, findings), events: await findStrayEvents(db, findings) };
}

function findInTransfer(transfer: ToldTransfer, rejected: readonly PublishedRejection[], findings: Findings): void {
  const { uetr, batch, ended, waits, isConfirmed, told } = transfer;
  const differ = (sentence: string) => {
    findings.add("transfer", uetr, sentence);
  };
  if (ended !== undefined && batch !== undefined) {
    differ(`It is told as ${ended}, and it is in a batch, whose end alone is its own.`);
  }
  if (waits !== false && (ended !== undefined || batch !== undefined)) {
    differ(`It waits for a batch, and ${batch === undefined ? "has ended" : "is in one"}: it may be sent again.`);
  }
  if (waits === "astray") differ("It waits with another corridor, quote or amounts than it was accepted with.");
  if (waits === false && ended === undefined && batch === undefined) {
    differ("It has not ended, is in no batch, and does not wait for one: nothing becomes of it.");
  }
  const story = storyOf(transfer, rejected);
  if (isConfirmed && !story.has("transfer.settled")) {
    differ("It is reported as credited, and the ledger has not settled it.");
  }
  const expected = new Map([...story].map((type) => [type, 1]));
  // Each time that its batch was void for its provider's fault.
  if (transfer.requeued > 0) expected.set("transfer.requeued", transfer.requeued);
  for (const type of new Set([...expected.keys(), ...Object.keys(told)])) {
    const times = told[type] ?? 0;
    const name = type.replace("transfer.", "");
    if (!expected.has(type)) differ(`It was told as ${name}, which it is not.`);
    else if (times !== expected.get(type)) differ(`It is ${name}, which was told ${times} times.`);
  }
}

/** The events that a transfer has, each once, by what its rows and those of its batch are. */
function storyOf(transfer: ToldTransfer, rejected: readonly PublishedRejection[]): ReadonlySet<string> {
  const { batch, ended, isVoid, status, isConfirmed } = transfer;
  if (status === undefined) {
    if (batch === undefined) return new Set(ended === undefined ? [] : [`transfer.${ended}`]);
    return new Set(isVoid ? ["transfer.failed"] : []);
  }
  if (status === "open") return new Set(["transfer.held"]);
  const { status: end } = outcomesIn({ status, rejected })(transfer);
  const isCredited = end === "settled" && isConfirmed;
  return new Set(["transfer.held", `transfer.${end}`, ...(isCredited ? ["transfer.credited"] : [])]);
}

async function findInCredits(db: Queryable, findings: Findings): Promise<number> {
  let credits = 0;
  for (let after = BEFORE_ALL; ;) {
    const page = await toldCredits(db, after, BATCHES);
    credits += page.length;
    for (const { uetr, isCredited, isSettled, told } of page) {
      if (isCredited && !isSettled) {
        findings.add("credit", uetr, "The customer is credited, and its batch has not settled.");
      }
      if (told === (isCredited ? 1 : 0)) continue;
      findings.add(
        "credit",
        uetr,
        isCredited
          ? `The customer is credited, which was told ${told} times.`
          : "It was told as posted, and stands as not posted: the wallet may be asked for it again.",
      );
    }
    const last = page.at(-1);
    if (last === undefined) return credits;
    after = last.batch;
  }
}

async function findStrayEvents(db: Queryable, findings: Findings): Promise<number> {
  let events = 0;
  for (let after = 0n; ;) {
    const { last, seen, strays } = await strayEvents(db, after, PAGE);
    for (const { seq, type } of strays) {
      findings.add("event", String(seq), `It tells of ${type}, and this relay has no such ${type.split(".")[0]}.`);
    }
    events += seen;
    if (last === undefined) return events;
    after = last;
  }
}
