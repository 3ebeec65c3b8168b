import { proposedBatches, withdrawProposed } from "../../../src/features/remittance/store/proposals.ts";
import { type Hex } from "../../../src/domain/bytes/hex.ts";
import type { BatchPayload } from "../../../src/domain/payload.ts";
import { headerSchema, parseWire } from "../../../src/domain/wire.ts";
import type { RelaySettings, Step } from "../../../src/features/context.ts";
import { peerClient } from "../../../src/features/peers/client.ts";
import { batcherStep } from "../../../src/features/remittance/steps/batcher.ts";
import { confirmerStep } from "../../../src/features/remittance/steps/confirmer.ts";
import { courierStep } from "../../../src/features/remittance/steps/courier.ts";
import { crediterStep } from "../../../src/features/remittance/steps/crediter.ts";
import { openerStep } from "../../../src/features/remittance/steps/opener.ts";
import { proposerStep } from "../../../src/features/remittance/steps/proposer.ts";
import { responderStep } from "../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../src/features/remittance/steps/settler.ts";
import { watcherStep } from "../../../src/features/remittance/steps/watcher.ts";
import { payloadOf } from "../../../src/features/remittance/sent-payload.ts";
import { findTransfer } from "../../../src/features/remittance/store/transfers.ts";
import { statusOf } from "../../../src/features/remittance/status.ts";
import { hexOf } from "../../../src/kernel/store/values.ts";
import { type OpenDatabase } from "./databases.ts";
import { startPair, type Pair } from "./peers.ts";
import {
  acceptTransfers,
  DEFAULTS,
  Killed,
  run,
  standingQuote,
  testClock,
  type Accepting,
  type TestRelay,
} from "./relay-context.ts";

// Two relays whose batches go in one step.

export const VALID_SECONDS = 10;

export function oneStep(more: Partial<RelaySettings["oneStep"]> = {}): Pick<RelaySettings, "oneStep"> {
  return {
    oneStep: { ...DEFAULTS.oneStep, enabled: true, validSeconds: VALID_SECONDS, answerTimeoutMs: 5_000, ...more },
  };
}

export const startOneStep = (open: OpenDatabase, more?: Partial<RelaySettings["oneStep"]>) =>
  startPair(open, oneStep(more), testClock());

/** Transfers that wait. */
export async function accept(source: TestRelay, count = 3, more: Omit<Accepting, "quote"> = {}) {
  await run(source, watcherStep);
  return acceptTransfers(source, count, { ...more, quote: await standingQuote(source) });
}

/** A batch that is written down and that nobody has heard of, with its transfers. */
export async function proposal(source: TestRelay, count = 3) {
  const transfers = await accept(source, count);
  await run(source, batcherStep);
  const [row] = await source.db.query<{ id: Uint8Array; header: unknown }>(
    "SELECT id, header FROM batches WHERE send_signature IS NULL",
  );
  if (row === undefined) throw new Error("nothing was proposed");
  const batch = { id: hexOf(row.id), registry: undefined, header: parseWire(headerSchema, row.header, "header") };
  const payload = await payloadOf(source, batch);
  if (payload === undefined) throw new Error("it has no payload");
  return { ...batch, transfers, payload };
}

const SOURCE_STEPS: readonly Step[] = [batcherStep, proposerStep, openerStep, courierStep, watcherStep];
const TARGET_STEPS: readonly Step[] = [
  watcherStep,
  responderStep,
  settlerStep,
  watcherStep,
  crediterStep,
  confirmerStep,
];

/** As a source that was set back would: what it has proposed waits again. */
export async function forget({ db }: TestRelay): Promise<void> {
  for (const { id } of await proposedBatches(db, Number.MAX_SAFE_INTEGER, 100)) {
    await db.transaction((tx) => withdrawProposed(tx, id, new Map(), 0));
  }
}

/** Everything runs until nothing is left; one that dies starts again. */
export async function runAll({ source, target }: Pair): Promise<void> {
  for (let turns = 0; turns < 4; turns++) {
    for (const [relay, steps] of [
      [source, SOURCE_STEPS],
      [target, TARGET_STEPS],
      [source, [watcherStep]],
    ] as const) {
      for (const step of steps) {
        await run(relay, step).catch((failure: unknown) => {
          if (!(failure instanceof Killed)) throw failure;
        });
      }
    }
    for (const { db } of [source, target]) await makeDue(db);
  }
}

/** What has failed is tried again at once. */
async function makeDue(db: TestRelay["db"]): Promise<void> {
  await db.query("UPDATE batches SET open_due_at = 0, payload_due_at = 0 WHERE NOT on_ledger");
  await db.query("UPDATE payloads SET due_at = 0");
  await db.query("UPDATE decisions SET confirm_due_at = 0, settle_due_at = 0");
}

export const statuses = async ({ db }: TestRelay) =>
  (await db.query<{ status: string }>("SELECT status FROM ledger_batches ORDER BY opened_block, opened_log")).map(
    ({ status }) => status,
  );
export const count = async ({ db }: TestRelay, table: "credits" | "decisions" | "payloads") =>
  (await db.query<{ rows: number }>(`SELECT count(*)::integer AS rows FROM ${table}`))[0]?.rows;
export const signedOnes = ({ db }: TestRelay) =>
  db.query<{ acceptance: unknown }>(
    "SELECT acceptance FROM batches WHERE send_signature IS NOT NULL ORDER BY signed_at",
  );

export async function statusesOf(source: TestRelay, transfers: readonly { readonly uetr: string }[]) {
  const found = [];
  for (const { uetr } of transfers) {
    const record = await findTransfer(source.db, source.ledger.addresses.treasury, uetr as never);
    if (record === undefined) throw new Error("it is gone");
    const { status, reason } = statusOf(record);
    found.push(reason === undefined ? status : `${status} ${reason}`);
  }
  return found;
}

export function ask({ source, target }: Pair, id: Hex, payload: BatchPayload) {
  return peerClient(source).propose(target.partner, id, payload, 5_000);
}
