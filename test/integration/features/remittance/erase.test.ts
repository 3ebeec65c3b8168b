import { expect } from "chai";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { parseUetr, type Uetr } from "../../../../src/domain/uetr.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import type { Erase, RelayContext } from "../../../../src/features/context.ts";
import { eraseByAge } from "../../../../src/features/operators/erasure.ts";
import { ranging } from "../../../../src/features/remittance/store/batch-ranges.ts";
import { eraseOlderThan, eraseTransfer } from "../../../../src/features/remittance/store/erase.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

type LedgerStatus = "open" | "settled" | "rejected" | "expired";

/** When the cut is made; rows are older by default. */
const BEFORE = 1_000;
const OLD = 999;
const NOW = 2_000;
const MANY = 12_000;
/** Ledger time as far as it was read; and when batches that were never opened could be opened until then. */
const LEDGER_TIME = 5_000;
const REGISTRY = `0x${"55".repeat(20)}` as const;
const PAST = LEDGER_TIME;
const TO_COME = LEDGER_TIME + 1;

const uetrOf = (number: number): Uetr => parseUetr(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`);
const idOf = (number: number): Uint8Array => new Uint8Array(32).fill(number);
const SEALED = Uint8Array.of(1, 2, 3);

describeOnBothDatabases("erasure", (open) => {
  let db: Database;

  beforeEach(async () => {
    db = await open();
  });

  async function insertTransfer(number: number, { batch = 0, ended = "", at = OLD } = {}): Promise<void> {
    await db.query(
      `INSERT INTO transfers (uetr, content_mac, target, source_currency, target_currency, source_amount, target_amount,
         fee, sealed, details_hash, if_unfunded, accepted_at, expires_at, ended, ended_at)
       VALUES ($1::uuid, '', 8, 'HKD', 'MYR', 100, 50, 1, $2, '', 'fail', $3, 0, $4::text,
         CASE WHEN $4::text IS NULL THEN NULL ELSE 0 END)`,
      [uetrOf(number), SEALED, at, ended === "" ? null : ended],
    );
    const last = "(SELECT seq FROM transfers ORDER BY seq DESC LIMIT 1) AS last";
    if (batch !== 0) await db.query(ranging(last), [idOf(batch)]);
  }

  async function insertBatch(number: number, voided = false): Promise<void> {
    await db.query(
      `INSERT INTO batches (id, target, header, send_signature, quote_signature, signed_at, voided_at)
       VALUES ($1, 8, '{}', '{}', '{}', 0, $2)`,
      [idOf(number), voided ? 1 : null],
    );
  }

  async function setLedger(number: number, status: LedgerStatus): Promise<void> {
    const final = status === "open" ? null : 1;
    await db.query(
      `INSERT INTO ledger_batches (id, source, target, header, expires_at_s, status, opened_block, opened_log,
         opened_time_s, opened_transaction, final_block, final_log, final_time_s, final_transaction)
       VALUES ($1, 7, 8, '{}', 0, $2, 0, 0, 0, '', $3::bigint, $3::bigint, $3::bigint, '')
       ON CONFLICT (id) DO UPDATE SET status = excluded.status, final_block = excluded.final_block`,
      [idOf(number), status, final],
    );
  }

  async function insertPayload(
    number: number,
    { at = OLD, expires = TO_COME }: { readonly at?: number; readonly expires?: number | null } = {},
  ): Promise<void> {
    await db.query(
      "INSERT INTO payloads (batch, source, sealed, received_at, expires_at_s) VALUES ($1, 7, $2, $3, $4)",
      [idOf(number), SEALED, at, expires],
    );
  }

  async function insertDecision(
    number: number,
    accepted: readonly number[],
    rejected: readonly number[],
  ): Promise<void> {
    await db.query("INSERT INTO decisions (batch, rejections, signature, decided_at) VALUES ($1, $2::jsonb, '{}', 0)", [
      idOf(number),
      JSON.stringify(rejected.map((each) => ({ uetr: uetrOf(each), reason: "AC03" }))),
    ]);
    for (const each of accepted) {
      await db.query(
        "INSERT INTO credits (uetr, source, batch, amount, currency) VALUES ($1::uuid, 7, $2, 50, 'MYR')",
        [uetrOf(each), idOf(number)],
      );
    }
  }

  const transfers: Erase = {
    older: async (_context, beforeMs) => ({
      ...(await eraseOlderThan(db, { beforeMs, ledgerTimes: [{ registry: REGISTRY, timeSeconds: LEDGER_TIME }] })),
    }),
    transfer: (_context, uetr) => eraseTransfer(db, uetr),
  };
  // Of the relay nothing else is asked.
  const relay = { clock: { nowMs: () => NOW }, erasers: [transfers] } as unknown as RelayContext;
  const erase = (beforeMs = BEFORE) => eraseByAge(relay, beforeMs);

  const confirm = (number: number): Promise<unknown> =>
    db.query("INSERT INTO confirmations SELECT seq, seq, 1 FROM transfers WHERE uetr = $1::uuid", [uetrOf(number)]);

  const reject = (number: number): Promise<unknown> =>
    db.query("INSERT INTO events (type, uetr, at, data) VALUES ('transfer.rejected', $1::uuid, 1, '{}')", [
      uetrOf(number),
    ]);

  const credit = (number: number): Promise<unknown> =>
    db.query("UPDATE credits SET credited_at = 1 WHERE uetr = $1::uuid", [uetrOf(number)]);

  /** The numbers of the transfers whose details are there. */
  async function keptTransfers(): Promise<readonly number[]> {
    const rows = await db.query<{ uetr: string }>("SELECT uetr FROM transfers WHERE sealed IS NOT NULL ORDER BY uetr");
    return rows.map(({ uetr }) => Number.parseInt(uetr.slice(-12), 10));
  }

  async function keptPayloads(): Promise<readonly (number | undefined)[]> {
    const rows = await db.query<{ batch: Uint8Array }>(
      "SELECT batch FROM payloads WHERE sealed IS NOT NULL ORDER BY 1",
    );
    return rows.map(({ batch }) => batch[0]);
  }

  describe("of what is old", () => {
    it("takes transfers that are finished, and leaves those in flight and those that are younger", async () => {
      for (const batch of [1, 2, 3, 4, 5, 6, 7]) await insertBatch(batch, batch >= 6);
      await setLedger(1, "open");
      await setLedger(2, "settled");
      await setLedger(3, "rejected");
      await setLedger(4, "expired");
      // Void here, and on the ledger all the same: the ledger has the last word.
      await setLedger(7, "open");
      await insertTransfer(10);
      for (const batch of [1, 2, 3, 4, 5, 6, 7]) await insertTransfer(10 + batch, { batch });
      await confirm(12);
      await insertTransfer(18, { ended: "failed" });
      await insertTransfer(19, { ended: "failed", at: BEFORE });
      await insertTransfer(20, { ended: "cancelled" });

      expect(await erase()).to.deep.equal({ transfers: 6, payloads: 0 });
      // Waiting for a batch, open, signed and not yet opened, void but open, and too young.
      expect(await keptTransfers()).to.deep.equal([10, 11, 15, 17, 19]);
      expect(await erase()).to.deep.equal({ transfers: 0, payloads: 0 });
    });

    it("leaves a transfer that has settled until its payee is known to be credited, or it is known to be refunded", async () => {
      await insertBatch(1);
      await setLedger(1, "settled");
      for (const number of [1, 2, 3]) await insertTransfer(number, { batch: 1 });
      await reject(2);
      expect(await erase(NOW)).to.deep.equal({ transfers: 1, payloads: 0 });
      expect(await keptTransfers()).to.deep.equal([1, 3]);
      expect(await eraseTransfer(db, uetrOf(1))).to.equal("in flight");
      await confirm(1);
      expect(await eraseTransfer(db, uetrOf(1))).to.equal("erased");
      expect(await keptTransfers()).to.deep.equal([3]);
    });

    it("leaves a payload whose batch can still be opened, and what is due by a batch that was settled unknown to it", async () => {
      await insertPayload(1, { expires: TO_COME });
      await insertPayload(2, { expires: PAST });
      await insertPayload(3, { expires: null });
      await insertPayload(4, { expires: PAST });
      await setLedger(4, "settled");
      expect(await erase(NOW)).to.deep.equal({ transfers: 0, payloads: 1 });
      expect(await keptPayloads()).to.deep.equal([1, 3, 4]);
    });

    it("refuses a time in the future, which is no limit, and one that is none", async () => {
      await insertPayload(2, { expires: PAST });
      for (const beforeMs of [NOW + 1, Number.MAX_SAFE_INTEGER, Number.NaN]) {
        const refusal: unknown = await erase(beforeMs).catch((failure: unknown) => failure);
        expect(refusal, String(beforeMs)).to.be.instanceOf(InvalidInput).and.include({ field: "acceptedBefore" });
      }
      expect(await keptPayloads()).to.deep.equal([2]);
    });

    it("takes payloads that nobody is to be credited by any more", async () => {
      for (const batch of [1, 2, 3, 4, 5]) await insertPayload(batch, { expires: PAST });
      await insertPayload(6, { at: BEFORE });
      await setLedger(1, "open");
      for (const batch of [2, 3, 6]) await setLedger(batch, "settled");
      await setLedger(4, "expired");
      await insertDecision(2, [20, 21], []);
      await insertDecision(3, [30], [31]);
      await insertDecision(4, [40], []);
      await credit(20);
      await credit(30);

      expect(await erase()).to.deep.equal({ transfers: 0, payloads: 3 });
      expect(await keptPayloads()).to.deep.equal([1, 2, 6]);
      await credit(21);
      expect(await erase()).to.deep.equal({ transfers: 0, payloads: 1 });
    });

    it("takes as many as there are", async function () {
      await db.query(
        `INSERT INTO transfers (uetr, content_mac, target, source_currency, target_currency, source_amount,
           target_amount, fee, sealed, details_hash, if_unfunded, accepted_at, expires_at, ended, ended_at)
         SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, '', 8, 'HKD', 'MYR', 100, 50, 1, '\\x01',
           '', 'fail', 0, 0, 'failed', 0 FROM generate_series(1, ${MANY}) AS n`,
      );
      expect(await erase()).to.deep.equal({ transfers: MANY, payloads: 0 });
      expect(await keptTransfers()).to.deep.equal([]);
    });
  });

  describe("of one transfer", () => {
    it("takes one that was sent when it is over, and no other", async () => {
      await insertBatch(1);
      await setLedger(1, "open");
      await insertTransfer(1, { batch: 1 });
      await insertTransfer(2, { batch: 1 });
      expect(await eraseTransfer(db, uetrOf(1))).to.equal("in flight");
      expect(await keptTransfers()).to.deep.equal([1, 2]);
      await setLedger(1, "expired");
      expect(await eraseTransfer(db, uetrOf(1))).to.equal("erased");
      expect(await eraseTransfer(db, uetrOf(1))).to.equal("erased");
      expect(await keptTransfers()).to.deep.equal([2]);
    });

    it("takes the payload of one that was received, accepted or rejected, when all in it are credited", async () => {
      for (const batch of [1, 2]) {
        await insertPayload(batch);
        await setLedger(batch, "settled");
      }
      await insertDecision(1, [10, 11], [12]);
      await insertDecision(2, [], [20]);
      await credit(10);
      for (const number of [10, 11, 12]) expect(await eraseTransfer(db, uetrOf(number))).to.equal("in flight");
      expect(await keptPayloads()).to.deep.equal([1, 2]);
      await credit(11);
      expect(await eraseTransfer(db, uetrOf(12))).to.equal("erased");
      expect(await keptPayloads()).to.deep.equal([2]);
      expect(await eraseTransfer(db, uetrOf(20))).to.equal("erased");
      expect(await keptPayloads()).to.deep.equal([]);
    });

    it("knows no other", async () => {
      await insertTransfer(1, { ended: "failed" });
      expect(await eraseTransfer(db, uetrOf(2))).to.equal("unknown");
      expect(await keptTransfers()).to.deep.equal([1]);
    });
  });
});
