import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { migrationsOf } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import { buildBatch, type BatchHeader } from "../../../../src/domain/batch.ts";
import { fromHex, toHex, type Hex } from "../../../../src/domain/bytes/hex.ts";
import { NO_QUOTE } from "../../../../src/domain/quote.ts";
import { parseUetr, type Uetr } from "../../../../src/domain/uetr.ts";
import { toJson } from "../../../../src/domain/wire.ts";
import { insertBatch, voidBatch, type SignedBatch } from "../../../../src/features/remittance/store/batches.ts";
import { transfersOfBatches } from "../../../../src/features/remittance/store/batch-transfers.ts";
import { findReceivedBatch, findSent } from "../../../../src/features/remittance/store/receipts.ts";
import { cancelTransfer, findTransfers } from "../../../../src/features/remittance/store/transfers.ts";
import {
  countWaiting,
  failWaiting,
  waitingGroups,
  waitingTransfers,
} from "../../../../src/features/remittance/store/waiting-transfers.ts";
import { statusOf } from "../../../../src/features/remittance/status.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { migrate } from "../../../../src/kernel/store/migrate.ts";
import { NO_AUTHORIZATION } from "../../../../src/ledger/signing.ts";
import { HKD_TO_HKD } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

const MIGRATIONS = new URL("../../../../src/kernel/store/migrations/", import.meta.url);
const RANGES = "0016-waiting-and-ranges.sql";
const NOWHERE: Hex = `0x${"00".repeat(20)}`;
const NOW_MS = 1_795_993_200_000;
const [TARGET, OTHER] = [HKD_TO_HKD.target, 9];

const uetrOf = (seq: number): Uetr => parseUetr(`00000000-0000-4000-8000-${String(seq).padStart(12, "0")}`);
const idOf = (number: number): Hex => toHex(new Uint8Array(32).fill(number));

/** Of each transfer: whose batch it is in, how it ended, for whom it is. Several are mixed, as corridors are. */
const STORED: readonly { readonly batch?: number; readonly ended?: string; readonly target?: number }[] = [
  ...[{ batch: 1 }, { batch: 1 }, { batch: 2 }, { batch: 1 }, { batch: 2 }, { batch: 2 }],
  ...[{}, { ended: "cancelled" }, {}, { ended: "failed" }, { target: OTHER }],
  ...[{ batch: 3 }, {}, { batch: 3 }, { batch: 2 }],
];
const seqsOf = (batch: number) => STORED.flatMap((each, index) => (each.batch === batch ? [index + 1] : []));

describeOnBothDatabases("a database whose transfers name their batches", (open) => {
  let folder: string;
  let db: Database;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-upgrade-"));
    const earlier = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql") && name < RANGES);
    for (const name of earlier) await copyFile(new URL(name, MIGRATIONS), join(folder, name));
    db = await open({ migrated: false });
    await migrate(db, [], { folder: pathToFileURL(`${folder}/`) });
    await store(db);
    expect(await migrate(db, migrationsOf(FEATURES))).to.include(RANGES);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("has every transfer where it was", async () => {
    const uetrs = STORED.map((_, index) => uetrOf(index + 1));
    const found = await findTransfers(db, NOWHERE, uetrs);
    expect(uetrs.map((uetr) => found.get(uetr)?.batch?.id)).to.deep.equal(
      STORED.map(({ batch }) => (batch === undefined ? undefined : idOf(batch))),
    );
    expect(uetrs.flatMap((uetr) => found.get(uetr) ?? []).map((record) => statusOf(record).status)).to.deep.equal(
      STORED.map(({ batch, ended }) => ended ?? ["received", "batched", "batched", "failed"][batch ?? 0]),
    );
    const batches = await transfersOfBatches(db, [1, 2, 3, 4].map(idOf));
    expect([...batches].map(([id, transfers]) => [id, transfers.map(({ uetr }) => uetr)])).to.deep.equal(
      [1, 2, 3].map((batch) => [idOf(batch), seqsOf(batch).map(uetrOf)]),
    );
    expect((await findSent(db, uetrOf(3)))?.batch).to.equal(idOf(2));
    expect(await findReceivedBatch(db, uetrOf(3))).to.equal(undefined);
  });

  it("has no more ranges than transfers of a batch that follow each other", async () => {
    const ranges = await db.query<{ first_seq: bigint; last_seq: bigint }>(
      "SELECT first_seq, last_seq FROM batch_ranges ORDER BY first_seq",
    );
    expect(ranges.map(({ first_seq: first, last_seq: last }) => [first, last])).to.deep.equal([
      ...[
        [1n, 2n],
        [3n, 3n],
        [4n, 4n],
        [5n, 6n],
      ],
      ...[
        [12n, 12n],
        [14n, 14n],
        [15n, 15n],
      ],
    ]);
  });

  it("goes on with what waits", async () => {
    expect(await countWaiting(db)).to.equal(4);
    const groups = await waitingGroups(db, 10);
    expect(groups.map(({ target, count }) => [target, count])).to.deep.equal([
      [TARGET, 3],
      [OTHER, 1],
    ]);
    const [group] = groups;
    if (group === undefined) throw new Error("nothing waits");
    const waiting = await waitingTransfers(db, group, 0n, 10);
    expect(waiting.map(({ seq }) => seq)).to.deep.equal([7n, 9n, 13n]);
    expect(await cancelTransfer(db, uetrOf(9), NOW_MS)).to.equal(true);
    expect(await cancelTransfer(db, uetrOf(1), NOW_MS), "in a batch").to.equal(false);
    expect(await failWaiting(db, [uetrOf(7), uetrOf(1), uetrOf(8)], "AB03", NOW_MS)).to.deep.equal([uetrOf(7)]);
    expect(await insertBatch(db, signed(4), [13n], NOW_MS)).to.equal(true);
    expect(await insertBatch(db, signed(5), [13n], NOW_MS), "twice").to.equal(false);
    expect((await findSent(db, uetrOf(13)))?.batch).to.equal(idOf(4));
    expect(await countWaiting(db)).to.equal(1);
  });

  it("has what is in a batch wait again when that is void, but for what has been in too many", async () => {
    await db.query("UPDATE transfers SET requeued = 3 WHERE seq = 4");
    const [first, second] = seqsOf(1).map(uetrOf);
    expect(await voidBatch(db, idOf(1), true, NOW_MS)).to.deep.equal({
      failed: [uetrOf(4)],
      requeued: [first, second],
    });
    expect((await transfersOfBatches(db, [idOf(1)])).get(idOf(1))?.map(({ uetr }) => uetr)).to.deep.equal([uetrOf(4)]);
    expect(await countWaiting(db)).to.equal(6);
    expect(await insertBatch(db, signed(4), [1n, 2n, 7n], NOW_MS)).to.equal(true);
    expect((await findSent(db, uetrOf(2)))?.batch).to.equal(idOf(4));
  });

  it("takes no transfer into two batches, whoever writes that", async () => {
    const put = "INSERT INTO batch_ranges (first_seq, last_seq, batch) VALUES ($1, $2, 'b')";
    for (const [from, to] of [
      [1n, 1n],
      [2n, 2n],
      [6n, 7n],
      [7n, 12n],
      [10n, 20n],
    ] as const) {
      const failure: unknown = await db.query(put, [from, to]).catch((thrown: unknown) => thrown);
      expect(failure, `${from} to ${to}`).to.be.instanceOf(Error);
    }
    await db.query(put, [7n, 11n]);
  });
});

/** As a relay before ranges has stored them. */
async function store(db: Database): Promise<void> {
  for (const number of [1, 2, 3]) {
    await db.query(
      `INSERT INTO batches (id, target, header, send_signature, quote_signature, signed_at, voided_at)
       VALUES ($1, $2, $3::jsonb, '{}', '{}', $4, $5)`,
      [bytes(number), TARGET, JSON.stringify(toJson(header())), NOW_MS, number === 3 ? NOW_MS : null],
    );
  }
  for (const [index, { batch, ended, target }] of STORED.entries()) {
    await db.query(
      `INSERT INTO transfers (uetr, content_mac, target, source_currency, target_currency, source_amount, target_amount,
         fee, sealed, details_hash, if_unfunded, accepted_at, expires_at, batch, ended, ended_at)
       VALUES ($1::uuid, '', $2, 'HKD', 'HKD', 100, 100, 1, 's', $3, 'wait', $4, $4, $5::bytea, $6::text,
         CASE WHEN $6::text IS NULL THEN NULL ELSE 0 END)`,
      [uetrOf(index + 1), target ?? TARGET, bytes(0), NOW_MS, batch === undefined ? null : bytes(batch), ended ?? null],
    );
  }
}

function bytes(number: number): Uint8Array {
  return fromHex(idOf(number), 32, "id");
}

function header(): BatchHeader {
  const transfer = { uetr: uetrOf(1), sourceAmount: 100n, targetAmount: 100n, detailsHash: idOf(0) };
  return buildBatch([transfer], HKD_TO_HKD, NO_QUOTE, 5n, 2_000_000_000).header;
}

function signed(number: number): SignedBatch {
  return { id: idOf(number), registry: undefined, header: header(), send: NO_AUTHORIZATION, quote: NO_AUTHORIZATION };
}
