import { toJson } from "../../../../src/domain/wire.ts";
import type { BatchHeader } from "../../../../src/domain/batch.ts";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { queueing } from "../../../../src/features/remittance/store/waiting-transfers.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { ALIPAY_HK, GCASH, PROVIDER } from "../../support/chain.ts";

/** What a relay's store has in it before the test begins. */
export interface History {
  /** Transfers that have gone the whole way, at the rate of one every eight seconds up to now. */
  readonly transfers: number;
  /** Of everything that can wait, so much waits besides: for money, for a wallet, for an endpoint that is away. */
  readonly waiting: number;
  /** How many transfers a batch has. */
  readonly perBatch: number;
}

/** Of the latest the personal data is there yet; of all before it was erased. */
const NOT_ERASED = 1_000;
const APART_MS = 8_000;
const PER_QUOTE = 100;
/** Events in a row: as many as the smallest batch has. */
const PER_RUN = 5;

const [hkd, php] = [parseCurrency("HKD"), parseCurrency("PHP")];
const HEADER = JSON.stringify(
  toJson({
    source: ALIPAY_HK,
    target: GCASH,
    sourceCurrency: hkd.numeric,
    targetCurrency: php.numeric,
    sourceTotal: 1_000_000n,
    targetTotal: 7_250_000n,
    fee: 500n,
    count: 5,
    root: `0x${"11".repeat(32)}`,
    expiresAt: 1_700_000_000,
    quote: {
      provider: PROVIDER,
      taker: ALIPAY_HK,
      sourceCurrency: hkd.code,
      targetCurrency: php.code,
      rateNumerator: 7_250n,
      rateDenominator: 1_000n,
      capacity: 10n ** 12n,
      validUntil: 1_700_000_000,
      maxHold: 900,
      nonce: 1n,
    },
  } satisfies Readonly<Record<keyof BatchHeader, unknown>>),
);
const SIGNATURE = `{"key": "0x${"22".repeat(20)}", "signature": "0x${"33".repeat(65)}"}`;

// In SQL, of a transfer's number i, from 1: ids that nothing else has.
const uuid = (of: string) => `overlay(overlay(md5(${of}) placing '4' from 13) placing 'a' from 17)::uuid`;
const UETR = uuid("'t' || i");
/** The numbers of one part of the transfers; see `bulk`. */
const numbers = (apart = 1) => `generate_series(:first, :last, ${apart})`;
const hash = (of: string) => `decode(md5(${of}) || md5('more ' || ${of}), 'hex')`;
const batchOf = ({ perBatch }: History) => hash(`'b' || ((i - 1) / ${perBatch})`);
const QUOTE = hash(`'q' || ((i - 1) / ${PER_QUOTE})`);

interface Moment extends History {
  readonly nowMs: number;
  /** Until when all that has failed is left alone. */
  readonly dueMs: number;
}

/** Fills the store of who has sent them. */
export async function loadSent(db: Database, history: Moment): Promise<void> {
  const { transfers, waiting, perBatch } = history;
  const batch = batchOf(history);
  const at = acceptedAt(history);
  await bulk(db, transfers, [
    `INSERT INTO provider_quotes (id, source_currency, target_currency, body, signature, capacity, reserved,
       valid_until_s, received_at)
     SELECT ${QUOTE}, 'HKD', 'PHP', ('${HEADER}'::jsonb)->'quote', '${SIGNATURE}', 1000000000000, 72500000,
       ${at} / 1000 + 120, ${at}
     FROM ${numbers(PER_QUOTE)} AS i`,
    `INSERT INTO quotes (id, target, source_currency, target_currency, source_amount, target_amount, fee, provider_quote,
       created_at, expires_at)
     SELECT ${uuid("'c' || i")}, ${GCASH}, 'HKD', 'PHP', 10000, 72500, 5, ${QUOTE}, ${at}, ${at} + 60000
     FROM ${numbers(10)} AS i`,
    `INSERT INTO batches (id, target, header, send_signature, quote_signature, signed_at, payload_delivered_at, on_ledger)
     SELECT ${batch}, ${GCASH}, '${HEADER}', '${SIGNATURE}', '${SIGNATURE}', ${at}, ${at}, true
     FROM ${numbers(perBatch)} AS i`,
    `INSERT INTO transfers (uetr, content_mac, target, source_currency, target_currency, source_amount, target_amount,
       fee, provider_quote, sealed, details_hash, if_unfunded, accepted_at, expires_at)
     SELECT ${UETR}, ${hash("'m' || i")}, ${GCASH}, 'HKD', 'PHP', 10000, 72500, 5, ${QUOTE},
       CASE WHEN i > ${transfers - NOT_ERASED} THEN '\\x01deadbeef'::bytea || ${hash("'s' || i")} END,
       ${hash("'d' || i")}, 'wait', ${at}, ${at} + 600000
     FROM ${numbers()} AS i`,
    // They are numbered as they are here.
    `INSERT INTO batch_ranges (first_seq, last_seq, batch)
     SELECT i, least(i + ${perBatch} - 1, ${transfers}), ${batch} FROM ${numbers(perBatch)} AS i`,
    ledgerBatches(history),
    `INSERT INTO confirmations (first_seq, last_seq, credited_at)
     SELECT i, least(i + ${perBatch} - 1, ${transfers}), ${at} + 2000 FROM ${numbers(perBatch)} AS i`,
    `INSERT INTO refusals (uetr, refusal, refused_at)
     SELECT ${uuid("'r' || i")}, '{}', ${at} FROM ${numbers(50)} AS i`,
    // As they were once, each in a row, and in runs.
    `INSERT INTO events (seq, type, uetr, batch, at, block, log_index, data)
     SELECT i, 'transfer.settled', ${UETR}, ${batch}, ${at}, 0, 0, '{}' FROM ${numbers()} AS i`,
    `INSERT INTO events (seq, type, uetrs, batch, at, data)
     SELECT ${transfers} + max(i), 'transfer.credited', array_agg(${UETR} ORDER BY i), ${batch}, max(${at}), '{}'
     FROM ${numbers()} AS i GROUP BY ${batch}, (i - 1) / ${PER_RUN}`,
    // One endpoint has had all that was settled, another is away.
    `INSERT INTO webhooks (id, url, sealed_secret, created_at, after_seq, planned_seq, disabled_at)
     SELECT ${uuid("'had'")}, 'https://127.0.0.1:9/', '\\x01deadbeef', 1, 0, max(seq), 1 FROM events`,
    `INSERT INTO deliveries (webhook, event, attempts, next_attempt_at, delivered_at)
     SELECT ${uuid("'had'")}, e.seq, 1, e.at, e.at FROM events e
     WHERE e.seq BETWEEN :first AND :last`,
    `INSERT INTO audit_log (at, actor, action, outcome)
     SELECT ${at}, 'k1', 'keys.create', 'done' FROM ${numbers(100)} AS i`,
    // In a corridor that is not open: nothing comes of them.
    `WITH stored AS (
       INSERT INTO transfers (uetr, content_mac, target, source_currency, target_currency, source_amount, target_amount,
         fee, sealed, details_hash, if_unfunded, accepted_at, expires_at)
       SELECT ${uuid("'wait' || i")}, ${hash("'m' || i")}, ${GCASH}, 'HKD', 'HKD', 10000, 10000, 5,
         '\\x01deadbeef'::bytea, ${hash("'d' || i")}, 'wait', ${history.nowMs}, ${history.nowMs} + 86400000
       FROM generate_series(1, ${waiting}) AS i RETURNING *
     ) ${queueing("stored")}`,
    `INSERT INTO webhooks (id, url, sealed_secret, created_at, after_seq, planned_seq, not_before, retry_not_before)
     SELECT ${uuid("'away'")}, 'https://127.0.0.1:9/', '\\x01deadbeef', 1, 0, max(seq), 1, ${history.dueMs} FROM events`,
    `INSERT INTO deliveries (webhook, event, attempts, next_attempt_at)
     SELECT ${uuid("'away'")}, e.seq, 3, ${history.dueMs} FROM events e ORDER BY e.seq DESC LIMIT ${waiting}`,
  ]);
}

/** Fills the store of who has had them credited. */
export async function loadReceived(db: Database, history: Moment): Promise<void> {
  const { transfers, waiting, perBatch } = history;
  const batch = batchOf(history);
  const at = acceptedAt(history);
  const isWaiting = `i > ${transfers - waiting}`;
  await bulk(db, transfers, [
    ledgerBatches(history),
    `INSERT INTO payloads (batch, source, sealed, received_at, expires_at_s, unopened)
     SELECT ${batch}, ${ALIPAY_HK}, CASE WHEN i > ${transfers - NOT_ERASED} THEN '\\x01deadbeef'::bytea END, ${at},
       ${at} / 1000 + 300, false
     FROM ${numbers(perBatch)} AS i`,
    `INSERT INTO decisions (batch, rejections, signature, decided_at, confirmed_at)
     SELECT ${batch}, '[]', '${SIGNATURE}', ${at}, CASE WHEN NOT ${isWaiting} THEN ${at} END
     FROM ${numbers(perBatch)} AS i`,
    `INSERT INTO credits (uetr, source, batch, amount, currency, attempts, next_attempt_at, credited_at, reference)
     SELECT ${UETR}, ${ALIPAY_HK}, ${batch}, 72500, 'PHP', CASE WHEN ${isWaiting} THEN 1 ELSE 0 END,
       CASE WHEN ${isWaiting} THEN ${history.dueMs} ELSE 0 END, CASE WHEN NOT ${isWaiting} THEN ${at} END, 'R'
     FROM ${numbers()} AS i`,
    `INSERT INTO events (seq, type, uetrs, batch, at, data)
     SELECT max(i), 'credit.posted', array_agg(${UETR} ORDER BY i), ${batch}, max(${at}), '{}'
     FROM ${numbers()} AS i WHERE NOT ${isWaiting} GROUP BY ${batch}, (i - 1) / ${PER_RUN}`,
    `INSERT INTO audit_log (at, actor, action, outcome)
     SELECT ${at}, 'k1', 'keys.create', 'done' FROM ${numbers(100)} AS i`,
  ]);
}

function ledgerBatches(history: Moment): string {
  const at = `${acceptedAt(history)} / 1000`;
  const batch = batchOf(history);
  return `INSERT INTO ledger_batches (id, source, target, header, expires_at_s, status, opened_block, opened_log,
      opened_time_s, opened_transaction, final_block, final_log, final_time_s, final_transaction)
    SELECT ${batch}, ${ALIPAY_HK}, ${GCASH}, '${HEADER}', ${at} + 300, 'settled', 0, 0, ${at} + 1, ${batch}, 0, 1,
      ${at} + 2, ${batch}
    FROM ${numbers(history.perBatch)} AS i`;
}

/** When the transfer with number i was accepted; milliseconds. */
function acceptedAt({ transfers, nowMs }: Moment): string {
  return `(${nowMs} - (${transfers + 1} - i) * ${APART_MS}::bigint)`;
}

/** A part takes seconds: no statement may take as long as half a minute. */
const PART = 50_000;

/** Without the indexes, which take a third of the time when they are made at the end. */
async function bulk(db: Database, transfers: number, statements: readonly string[]): Promise<void> {
  const made = await db.query<{ drop: string; make: string }>(INDEXES);
  for (const { drop } of made) await db.query(drop);
  for (const statement of statements) {
    const parts = statement.includes(":first") ? Math.ceil(transfers / PART) : 1;
    for (let part = 0; part < parts; part++) {
      const [first, last] = [part * PART + 1, Math.min((part + 1) * PART, transfers)];
      await db.query(statement.replaceAll(":first", String(first)).replaceAll(":last", String(last)));
    }
  }
  for (const { make } of made) await db.query(make);
  const tables = await db.query<{ name: string }>(
    "SELECT relname::text AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'",
  );
  for (const { name } of tables) await db.query(`ANALYZE ${name}`);
}

/** How to drop and to make each index; of those that are keys, as constraints, unless something refers to them. */
const INDEXES = `
  SELECT coalesce('ALTER TABLE ' || t.relname || ' DROP CONSTRAINT ' || c.conname, 'DROP INDEX ' || x.relname) AS drop,
    coalesce('ALTER TABLE ' || t.relname || ' ADD CONSTRAINT ' || c.conname || ' ' || pg_get_constraintdef(c.oid),
      pg_get_indexdef(x.oid)) AS make
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    LEFT JOIN pg_constraint c ON c.conindid = x.oid AND c.contype IN ('p', 'u')
  WHERE t.relnamespace = current_schema()::regnamespace
    AND t.relname IN ('transfers', 'confirmations', 'credits', 'events', 'deliveries', 'batches', 'ledger_batches')
    AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conindid = x.oid AND f.contype = 'f')`;
