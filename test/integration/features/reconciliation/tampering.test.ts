import { expect } from "chai";
import { toHex, type Hex } from "../../../../src/domain/bytes/hex.ts";
import { transferLeaf } from "../../../../src/domain/transfer.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import { reconcile } from "../../../../src/features/reconciliation/reconciler.ts";
import { confirmerStep } from "../../../../src/features/remittance/steps/confirmer.ts";
import { crediterStep } from "../../../../src/features/remittance/steps/crediter.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../../src/features/remittance/steps/settler.ts";
import { leaveInBatch } from "../../../../src/features/remittance/store/batch-ranges.ts";
import { queueing } from "../../../../src/features/remittance/store/waiting-transfers.ts";
import type { SqlValue } from "../../../../src/kernel/store/database.ts";
import type { NewTransfer } from "../../../../src/features/remittance/store/transfers.ts";
import { describeOn } from "../../support/databases.ts";
import { openedBatch, readLedger, startPair, type Pair } from "../../support/peers.ts";
import { acceptTransfers, run, type TestRelay } from "../../support/relay-context.ts";
import { HKD_TO_HKD } from "../../support/chain.ts";

describeOn("PostgreSQL", "rows that were tampered with", (open) => {
  let pair: Pair;
  let batch: { readonly id: Hex; readonly transfers: readonly NewTransfer[] };
  let first: NewTransfer;
  let second: NewTransfer;

  /** One batch that has gone all the way, and a transfer that waits. */
  beforeEach(async () => {
    pair = await startPair(open);
    const { source, target } = pair;
    batch = await openedBatch(pair, 3);
    await run(target, responderStep);
    await run(target, settlerStep);
    await readLedger(target);
    await run(target, crediterStep);
    await readLedger(source);
    target.clock.advance(5_000);
    await run(target, confirmerStep);
    await acceptTransfers(source, 1, { corridor: HKD_TO_HKD });
    const [one, two] = batch.transfers;
    if (one === undefined || two === undefined) throw new Error("test set-up: transfers");
    [first, second] = [one, two];
    expect(await found(source)).to.deep.equal([]);
    expect(await found(target)).to.deep.equal([]);
  });
  afterEach(() => pair.close());

  const found = async (relay: TestRelay) =>
    (await reconcile(relay, { slackMs: 600_000 })).differences.map(
      ({ kind, subject, sentence }) => `${kind} ${subject}: ${sentence}`,
    );
  /** What a reconciliation finds after a statement on a relay's rows. */
  const after = async (relay: TestRelay, sql: string, values: readonly SqlValue[] = []) => {
    await relay.db.query(sql, values);
    return found(relay);
  };
  const idBytes = () => Buffer.from(batch.id.slice(2), "hex");
  const ROOT =
    "Its transfers are not those that its root on the ledger was made of: a UETR, an amount or a details hash differs.";
  const about = (kind: string, subject: string, sentence: string) => `${kind} ${subject}: ${sentence}`;

  it("are seen by the amounts of a settled transfer", async () => {
    const { source } = pair;
    const total = batch.transfers.reduce((sum, { sourceAmount }) => sum + sourceAmount, 0n);
    expect(
      await after(source, "UPDATE transfers SET source_amount = source_amount + 100 WHERE uetr = $1::uuid", [
        first.uetr,
      ]),
    ).to.deep.equal([
      about(
        "batch",
        batch.id,
        `Its transfers come to ${total + 100n} source minor units; on the ledger it has ${total}.`,
      ),
      about("batch", batch.id, ROOT),
    ]);
    await source.db.query("UPDATE transfers SET source_amount = source_amount - 100 WHERE uetr = $1::uuid", [
      first.uetr,
    ]);
    const received = batch.transfers.reduce((sum, { targetAmount }) => sum + targetAmount, 0n);
    const tenfold = received + 9n * first.targetAmount;
    expect(
      await after(source, "UPDATE transfers SET target_amount = target_amount * 10 WHERE uetr = $1::uuid", [
        first.uetr,
      ]),
    ).to.include(
      about(
        "batch",
        batch.id,
        `Its transfers come to ${tenfold} target minor units; on the ledger it has ${received}.`,
      ),
    );
  });

  it("are seen by amounts that were swapped, so that the totals stay", async () => {
    const swap = (relay: TestRelay, table: string, column: string) =>
      after(
        relay,
        `UPDATE ${table} SET ${column} = CASE WHEN uetr = $1::uuid THEN $3::numeric ELSE $4::numeric END
         WHERE uetr IN ($1::uuid, $2::uuid)`,
        [first.uetr, second.uetr, second.targetAmount, first.targetAmount],
      );
    expect(await swap(pair.source, "transfers", "target_amount")).to.deep.equal([about("batch", batch.id, ROOT)]);
    const credited = (uetr: Uetr, here: bigint, there: bigint) =>
      about("credit", uetr, `The customer is to be credited with ${here} minor units; the ledger settled ${there}.`);
    expect(await swap(pair.target, "credits", "amount")).to.have.members([
      credited(first.uetr, second.targetAmount, first.targetAmount),
      credited(second.uetr, first.targetAmount, second.targetAmount),
    ]);
  });

  it("are seen by a details hash, and by a transfer that was moved to another corridor", async () => {
    expect(
      await after(pair.source, "UPDATE transfers SET details_hash = $2 WHERE uetr = $1::uuid", [
        first.uetr,
        new Uint8Array(32),
      ]),
    ).to.have.members([
      about("batch", batch.id, ROOT),
      about("transfer", first.uetr, "Its details hash is not that of its details."),
    ]);
    expect(await after(pair.source, "UPDATE transfers SET target = 9 WHERE uetr = $1::uuid", [second.uetr])).to.include(
      about("transfer", second.uetr, "It is for another corridor than its batch."),
    );
  });

  it("are seen by an end that a settled transfer did not have", async () => {
    expect(
      await after(
        pair.source,
        "UPDATE transfers SET ended = 'failed', ended_at = 1, ended_reason = 'AB03' WHERE uetr = $1::uuid",
        [first.uetr],
      ),
    ).to.deep.equal([
      about("transfer", first.uetr, "It is told as failed, and it is in a batch, whose end alone is its own."),
    ]);
  });

  it("are seen by a transfer that was taken out of its batch, and could be sent again", async () => {
    const { db } = pair.source;
    const [seq = 0n, ...others] = (
      await db.query<{ seq: bigint }>("SELECT seq FROM transfers ORDER BY seq LIMIT 3")
    ).map((row) => row.seq);
    const [{ uetr } = first] = batch.transfers.toSorted((left, right) => (left.uetr < right.uetr ? -1 : 1));
    await leaveInBatch(db, batch.id, others);
    const taken = [
      about("batch", batch.id, "Its transfers come to 2 transfers; on the ledger it has 3."),
      about("transfer", uetr, "It was told as settled, which it is not."),
      about("transfer", uetr, "It is reported as credited, and the ledger has not settled it."),
    ];
    expect(await found(pair.source)).to.include.members([
      ...taken,
      about("transfer", uetr, "It has not ended, is in no batch, and does not wait for one: nothing becomes of it."),
    ]);
    const wait = `WITH again AS (SELECT * FROM transfers WHERE seq = $1) ${queueing("again")}`;
    expect(await after(pair.source, wait, [seq])).to.include.members(taken);
    await leaveInBatch(db, batch.id, [seq, ...others]);
    expect(await found(pair.source)).to.deep.equal([
      about("transfer", uetr, "It waits for a batch, and is in one: it may be sent again."),
    ]);
  });

  it("are seen by ranges that are gone, or have another batch", async () => {
    const { source } = pair;
    const none = about("batch", batch.id, "Its transfers come to 0 transfers; on the ledger it has 3.");
    const missing = (uetr: Uetr) =>
      about("transfer", uetr, "It has not ended, is in no batch, and does not wait for one: nothing becomes of it.");
    const ranges = await source.db.query<{ first_seq: bigint; last_seq: bigint }>(
      "SELECT first_seq, last_seq FROM batch_ranges",
    );
    expect(ranges).to.have.length(1);
    expect(await after(source, "UPDATE batch_ranges SET batch = $1", [new Uint8Array(32)])).to.include(none);
    expect(await after(source, "DELETE FROM batch_ranges")).to.include.members([
      none,
      ...batch.transfers.map(({ uetr }) => missing(uetr)),
    ]);
    const [range = { first_seq: 0n, last_seq: 0n }] = ranges;
    const put = "INSERT INTO batch_ranges (first_seq, last_seq, batch) VALUES ($1, $2, $3)";
    expect(await after(source, put, [range.first_seq, range.last_seq + 1n, idBytes()])).to.include(
      about("batch", batch.id, "Its transfers come to 4 transfers; on the ledger it has 3."),
    );
  });

  it("are seen by what waits under another corridor, quote or amount, or no longer", async () => {
    const { source } = pair;
    const [waiting] = await source.db.query<{ uetr: Uetr }>(
      "SELECT t.uetr FROM waiting w JOIN transfers t ON t.seq = w.seq",
    );
    const { uetr = first.uetr } = waiting ?? {};
    const astray = about(
      "transfer",
      uetr,
      "It waits with another corridor, quote or amounts than it was accepted with.",
    );
    const changes = ["target = 9", "source_minor = source_minor + 1", "provider_quote = 'q'"];
    for (const change of changes) expect(await after(source, `UPDATE waiting SET ${change}`)).to.deep.equal([astray]);
    expect(await after(source, "DELETE FROM waiting")).to.deep.equal([
      about("transfer", uetr, "It has not ended, is in no batch, and does not wait for one: nothing becomes of it."),
    ]);
  });

  it("are seen by events that were deleted, or forged", async () => {
    const { source, target } = pair;
    // They are one row.
    expect(await after(source, "DELETE FROM events WHERE type = 'transfer.settled'")).to.have.members(
      batch.transfers.map(({ uetr }) => about("transfer", uetr, "It is settled, which was told 0 times.")),
    );
    const nobody = "0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10";
    const replace = "UPDATE events SET uetrs = array_replace(uetrs, $1::uuid, $2::uuid) WHERE type = 'transfer.held'";
    const replaced = await after(source, replace, [first.uetr, nobody]);
    expect(replaced).to.include(about("transfer", first.uetr, "It is held, which was told 0 times."));
    expect(replaced.at(-1)).to.match(/^event \d+: It tells of transfer.held, and this relay has no such transfer.$/);
    const forge = "INSERT INTO events (type, uetr, at, data) VALUES ($1, $2::uuid, 1, '{}')";
    expect(await after(source, forge, ["transfer.credited", second.uetr])).to.include(
      about("transfer", second.uetr, "It is credited, which was told 2 times."),
    );
    expect(await after(source, forge, ["transfer.expired", second.uetr])).to.include(
      about("transfer", second.uetr, "It was told as expired, which it is not."),
    );
    const [waiting] = await source.db.query<{ uetr: Uetr }>(
      "SELECT t.uetr FROM waiting w JOIN transfers t ON t.seq = w.seq",
    );
    expect(await after(source, forge, ["transfer.settled", waiting?.uetr ?? ""])).to.include(
      about("transfer", waiting?.uetr ?? "", "It was told as settled, which it is not."),
    );
    const strays = await after(source, forge, ["transfer.settled", nobody]);
    expect(strays.at(-1)).to.match(/^event \d+: It tells of transfer.settled, and this relay has no such transfer.$/);
    expect((await after(target, forge, ["credit.posted", nobody])).at(-1)).to.match(
      /^event \d+: It tells of credit.posted, and this relay has no such credit.$/,
    );
  });

  it("are seen by a credit that is gone, or stands as not posted", async () => {
    const { target } = pair;
    expect(
      await after(
        target,
        "UPDATE credits SET credited_at = NULL, next_attempt_at = 9223372036854775807 WHERE uetr = $1::uuid",
        [first.uetr],
      ),
    ).to.deep.equal([
      about(
        "credit",
        first.uetr,
        "It was told as posted, and stands as not posted: the wallet may be asked for it again.",
      ),
    ]);
    expect(await after(target, "DELETE FROM credits WHERE uetr = $1::uuid", [first.uetr])).to.include(
      about("credit", first.uetr, "The ledger settled it, and nobody is to be credited."),
    );
  });

  it("are seen by a rejection that the ledger did not publish, or that was not decided", async () => {
    const { target } = pair;
    const rejected = JSON.stringify([{ leaf: toHex(transferLeaf(first)), code: "0x41433033" }]);
    expect(
      await after(target, "UPDATE ledger_batches SET rejected = $2::jsonb WHERE id = $1", [idBytes(), rejected]),
    ).to.deep.equal([about("batch", batch.id, "The store has other rejections of it than the ledger has published.")]);
    const decided = JSON.stringify([{ uetr: first.uetr, reason: "AC03" }]);
    expect(await after(target, "UPDATE decisions SET rejections = $1::jsonb", [decided])).to.include(
      about("credit", first.uetr, "It was settled on the ledger, and decided otherwise here."),
    );
  });

  it("are seen by any member of a header, as it was read and as it was signed", async () => {
    const header = (table: string) =>
      `UPDATE ${table} SET header = jsonb_set(header, '{targetTotal}', '"1"') WHERE id = $1`;
    const read = about("batch", batch.id, "The store has another targetTotal of it than its header on the ledger.");
    expect(await after(pair.target, header("ledger_batches"), [idBytes()])).to.deep.equal([read]);
    expect(await after(pair.source, header("batches"), [idBytes()])).to.deep.equal([
      about("batch", batch.id, "The store has another targetTotal of what was signed than its header on the ledger."),
    ]);
    expect(
      await after(pair.target, "UPDATE ledger_batches SET header = '[]', source = 9 WHERE id = $1", [idBytes()]),
    ).to.include(about("batch", batch.id, "The store has another source of it than its header on the ledger."));
  });

  it("are seen after the details have been erased, as far as the ledger tells", async () => {
    const { source, target } = pair;
    expect(await after(source, "UPDATE transfers SET sealed = NULL")).to.deep.equal([]);
    expect(await after(target, "UPDATE payloads SET sealed = NULL")).to.deep.equal([]);
    expect(
      await after(target, "UPDATE decisions SET rejections = $1::jsonb", [
        JSON.stringify([{ uetr: first.uetr, reason: "AC03" }]),
      ]),
    ).to.deep.equal([
      about(
        "credit",
        batch.id,
        "Of its 3 transfers the ledger refunded 0; here 1 are rejected, and 3 are to be credited.",
      ),
    ]);
  });

  it("are named up to a limit, and counted beyond it", async () => {
    const { source } = pair;
    await source.db.query(
      `INSERT INTO events (type, uetr, at, data)
       SELECT 'transfer.settled', gen_random_uuid(), 1, '{}' FROM generate_series(1, 1005)`,
    );
    const report = await reconcile(source, { slackMs: 600_000 });
    expect([report.differences.length, report.omitted]).to.deep.equal([1_000, 5]);
    expect((await source.metrics.reconciliationDifferences.get()).values[0]?.value).to.equal(1_005);
  });
});
