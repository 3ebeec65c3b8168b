import { isPast } from "../../kernel/clock/clock.ts";
import type { NewEvent } from "../../kernel/store/events.ts";
import type { Queryable } from "../../kernel/store/database.ts";
import type { FinalBatch, OpenedBatch } from "./store/ledger-projection.ts";
import {
  countUnknownSignatures,
  SIGNED_CALLS,
  unknownOpenings,
  unknownSettlements,
  type UnknownSignature,
} from "./store/unknown-signatures.ts";
import type { RelayContext } from "../context.ts";
import type { Alarm } from "../../kernel/telemetry/health.ts";

// A signature with this partner's key that its relay has not made: the key is somebody else's, too; or the store was set
// back to before; or another relay runs with it. Whichever it is, a person has to look at once.

/** An event names no more batches than this: whoever starts with an empty store finds all of them unknown. */
const MAX_NAMED = 32;
const DAY_MS = 86_400_000;

/** Events of what the store does not explain, one for each call: written in the transaction that reads of it. */
export async function unknownSignatureEvents(
  tx: Queryable,
  { partner, clock, log }: Pick<RelayContext, "partner" | "clock" | "log">,
  opened: readonly OpenedBatch[],
  finished: readonly FinalBatch[],
): Promise<readonly NewEvent[]> {
  const found = [...(await unknownOpenings(tx, partner, opened)), ...(await unknownSettlements(tx, partner, finished))];
  for (const { call, batch, at, why } of found.slice(0, MAX_NAMED)) {
    log.error(
      { call, batch, block: at.block, transaction: at.transaction, why },
      "a signature of this partner's is on the ledger that this relay has not made: see docs/relay-operator.md, First",
    );
  }
  return [...Map.groupBy(found, ({ call }) => call).values()].map((ofCall) => eventOf(ofCall, clock.nowMs()));
}

function eventOf(found: readonly UnknownSignature[], nowMs: number): NewEvent {
  const [first] = found;
  if (first === undefined) throw new RangeError("nothing was found");
  const { call, batch, at, why } = first;
  return {
    type: "signature.unknown",
    batch,
    at: nowMs,
    ledger: { block: at.block, logIndex: at.logIndex },
    data: {
      call,
      why,
      transaction: at.transaction,
      count: found.length,
      batches: found.slice(0, MAX_NAMED).map((each) => each.batch),
    },
  };
}

/** As those of a day grow fewer with time alone. */
const COUNT_EVERY_MS = 60_000;

/** For a day they are an alarm, whichever process finds them, and whether or not it is restarted. */
export async function showUnknownSignatures({
  db,
  clock,
  metrics,
  watched,
}: Pick<RelayContext, "db" | "clock" | "metrics" | "watched">): Promise<void> {
  const { countedAtMs } = watched;
  if (countedAtMs !== undefined && !isPast(clock, countedAtMs, COUNT_EVERY_MS)) return;
  watched.countedAtMs = clock.nowMs();
  const counts = await countUnknownSignatures(db, clock.nowMs() - DAY_MS);
  for (const call of SIGNED_CALLS) metrics.unknownSignatures.set({ call }, counts.get(call) ?? 0);
}

/** The same, for /readyz. */
export async function unknownSignatureAlarms({
  db,
  clock,
}: Pick<RelayContext, "db" | "clock">): Promise<readonly Alarm[]> {
  const counts = await countUnknownSignatures(db, clock.nowMs() - DAY_MS);
  const told = [...counts].map(([call, count]) => `${count} of ${call}`);
  if (told.length === 0) return [];
  const detail = `on the ledger, of the last day, signed with this partner's keys and not by this relay: ${told.join(", ")}`;
  return [{ code: "unknown-signatures", detail }];
}
