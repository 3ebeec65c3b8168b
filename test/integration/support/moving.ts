import { expect } from "chai";
import type { Hex } from "../../../src/domain/bytes/hex.ts";
import type { Uetr } from "../../../src/domain/uetr.ts";
import { reconcile, type ReconciledBalance } from "../../../src/features/reconciliation/reconciler.ts";
import { openerStep } from "../../../src/features/remittance/steps/opener.ts";
import { sweeperStep } from "../../../src/features/remittance/steps/sweeper.ts";
import { findSent } from "../../../src/features/remittance/store/receipts.ts";
import { nothingWatched } from "../../../src/features/remittance/watched.ts";
import { hexOf } from "../../../src/kernel/store/values.ts";
import { openRegistry } from "../../../src/ledger/registry.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { readLedger } from "./peers.ts";
import { passTime, run, type TestRelay } from "./relay-context.ts";

/**
 * A relay as it is after its configuration has been changed, and it has been started again on its database: nothing that
 * it had in memory is left.
 */
export function switched(relay: TestRelay, sandbox: Sandbox, ledger = sandbox.ledger): TestRelay {
  const options = { clock: relay.clock, fromBlock: 0, maxBlockRange: 500, timeToLiveMs: 0 };
  const registry = openRegistry(ledger, { ...options, onError: (error) => expect.fail(String(error)) });
  return { ...relay, sandbox, ledger, registry, watched: nothingWatched() };
}

/** @param ofNone the registry of rows that name none */
export async function batchesOf(
  { db }: TestRelay,
  ofNone: Hex | undefined,
): Promise<ReadonlyMap<Hex, { readonly registry: Hex | undefined; readonly status: string }>> {
  const rows = await db.query<{ id: Uint8Array; registry: Uint8Array | null; status: string }>(
    "SELECT id, registry, status FROM ledger_batches ORDER BY id",
  );
  const registryOf = (bytes: Uint8Array | null) => (bytes === null ? ofNone : hexOf(bytes));
  return new Map(rows.map(({ id, registry, status }) => [hexOf(id), { registry: registryOf(registry), status }]));
}

export async function batchOf({ db }: TestRelay, uetr: Uetr): Promise<Hex | undefined> {
  return (await findSent(db, uetr))?.batch;
}

const FUTURE_ROUNDS = 40;

/** Until what is open or unopened has ended by its registry's time; beaten for by this relay. */
export async function untilNothingWaits(relay: TestRelay): Promise<void> {
  for (let round = 0; round < FUTURE_ROUNDS; round++) {
    await passTime(relay, 25);
    await run(relay, sweeperStep);
    await readLedger(relay);
    await run(relay, openerStep);
    const [row] = await relay.db.query<{ waiting: number }>(
      `SELECT (SELECT count(*) FROM ledger_batches WHERE status = 'open')::integer
         + (SELECT count(*) FROM batches WHERE NOT on_ledger AND voided_at IS NULL)::integer AS waiting`,
    );
    if (row?.waiting === 0) return;
  }
  throw new Error("something waits for ever");
}

/** @returns the partner's money, as the ledger and its events agree on it */
export async function expectSound(relay: TestRelay): Promise<readonly ReconciledBalance[]> {
  const { differences, balances } = await reconcile(relay, { slackMs: 0 });
  expect(differences).to.deep.equal([]);
  for (const { expected, found } of balances) expect(expected).to.deep.equal(found);
  return balances;
}
