import type { CurrencyCode } from "../../domain/currency.ts";
import type { Money } from "../../domain/money.ts";
import type { Database, Queryable } from "../../kernel/store/database.ts";
import {
  EVENT_COLUMNS,
  eventNumbered,
  eventOf,
  eventsFrom,
  rowNumbered,
  type EventRow,
  type StoredEvent,
} from "../../kernel/store/events.ts";
import { numberOf, recordset, turnOf } from "../../kernel/store/values.ts";

/** Where events are POSTed to. */
export interface Webhook {
  /** UUID. */
  readonly id: string;
  readonly url: string;
  /** Types of events that are delivered; empty: all. */
  readonly types: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Undefined while it is delivered to. */
  readonly disabledAt: number | undefined;
}

export interface NewWebhook extends Pick<Webhook, "id" | "url" | "types" | "createdAt"> {
  readonly sealedSecret: Uint8Array;
}

/** An event as it is delivered. */
export interface DeliveredEvent extends StoredEvent {
  /** Of this partner's own transfer that it is about. */
  readonly amounts: { readonly send: Money; readonly receive: Money } | undefined;
}

/** A delivery that is not made yet, or was given up. */
export interface Delivery {
  readonly webhook: string;
  readonly event: DeliveredEvent;
  readonly attempts: number;
  readonly lastError: string | undefined;
  readonly nextAttemptAt: number;
  /** Undefined while it is tried. */
  readonly deadAt: number | undefined;
}

/** Somewhere to deliver to, now. */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly sealedSecret: Uint8Array;
  /** How often nothing could be sent to it by a fault of this relay, one time after the other. */
  readonly faultAttempts: number;
}

/** An event on its way to one endpoint. */
export interface DueDelivery {
  readonly event: DeliveredEvent;
  /** How often it was tried. */
  readonly attempts: number;
}

/** What became of one attempt. */
export type Attempt =
  | { readonly kind: "delivered"; readonly event: bigint }
  | { readonly kind: "failed"; readonly event: bigint; readonly error: string; readonly nextAttemptAt: number }
  | { readonly kind: "dead"; readonly event: bigint; readonly error: string };

interface WebhookRow {
  readonly id: string;
  readonly url: string;
  readonly types: readonly string[];
  readonly created_at: bigint;
  readonly disabled_at: bigint | null;
}

interface DeliveredRow extends EventRow {
  readonly source_currency: CurrencyCode | null;
  readonly target_currency: CurrencyCode;
  readonly source_amount: bigint;
  readonly target_amount: bigint;
}

interface DeliveryRow extends DeliveredRow {
  readonly webhook: string;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly next_attempt_at: bigint;
  readonly dead_at: bigint | null;
}

const COLUMNS = `${EVENT_COLUMNS},
       t.source_currency, t.target_currency, t.source_amount, t.target_amount`;
/** Credits are of transfers that others have sent: an own one of the same UETR has nothing to do with them. */
const ITS_EVENT = `CROSS JOIN ${eventNumbered("d.event")}
  LEFT JOIN transfers t ON t.uetr = e.uetr AND e.type LIKE 'transfer.%'`;

/**
 * Events about webhooks are read as pages and as a stream, never delivered by one: two endpoints that are both down
 * would tell each other so forever.
 */
const NOT_DELIVERED = "webhook.%";

/** Delivers what happens from now on. */
export async function insertWebhook(
  tx: Queryable,
  { id, url, types, createdAt, sealedSecret }: NewWebhook,
): Promise<void> {
  await tx.query(
    `INSERT INTO webhooks (id, url, sealed_secret, types, created_at, after_seq, planned_seq)
     SELECT $1::uuid, $2::text, $3::bytea, $4::jsonb, $5::bigint, latest, latest
     FROM (SELECT coalesce(max(seq), 0) AS latest FROM events) AS so_far`,
    [id, url, sealedSecret, JSON.stringify(types), createdAt],
  );
}

export async function listWebhooks(db: Queryable): Promise<readonly Webhook[]> {
  const rows = await db.query<WebhookRow>(
    "SELECT id, url, types, created_at, disabled_at FROM webhooks ORDER BY created_at, id",
  );
  return rows.map((row) => ({
    id: row.id,
    url: row.url,
    types: row.types,
    createdAt: numberOf(row.created_at),
    disabledAt: row.disabled_at === null ? undefined : numberOf(row.disabled_at),
  }));
}

/**
 * Removes a webhook with its deliveries: those after it, so that what is being planned for it goes with them.
 * @param tx a transaction, not the database
 * @returns whether there was one
 */
export async function deleteWebhook(tx: Queryable, id: string): Promise<boolean> {
  const rows = await tx.query("DELETE FROM webhooks WHERE id = $1::uuid RETURNING id", [id]);
  await tx.query("DELETE FROM deliveries WHERE webhook = $1::uuid", [id]);
  return rows.length > 0;
}

/** No further attempts, until it is registered again. */
export async function disableWebhook(tx: Queryable, id: string, nowMs: number): Promise<boolean> {
  const rows = await tx.query(
    "UPDATE webhooks SET disabled_at = $2 WHERE id = $1::uuid AND disabled_at IS NULL RETURNING id",
    [id, nowMs],
  );
  return rows.length > 0;
}

/** Of deliveries that are to be made: those that were not tried yet, and those that have failed. */
export const IS_NEW = "d.delivered_at IS NULL AND d.dead_at IS NULL AND d.attempts = 0";
export const HAS_FAILED = "d.delivered_at IS NULL AND d.dead_at IS NULL AND d.attempts > 0";

const LATEST_DEAD =
  "SELECT * FROM deliveries d WHERE d.dead_at IS NOT NULL ORDER BY d.dead_at DESC, d.event DESC LIMIT $1";
/** Enough of each endpoint's, by the indexes that its work is found by. */
const LATEST_DUE = `SELECT d.* FROM webhooks w CROSS JOIN LATERAL (
    (SELECT * FROM deliveries d WHERE d.webhook = w.id AND ${IS_NEW} ORDER BY d.event DESC LIMIT $1)
    UNION ALL
    (SELECT * FROM deliveries d WHERE d.webhook = w.id AND ${HAS_FAILED} ORDER BY d.next_attempt_at DESC LIMIT $1)
  ) AS d`;

/** Deliveries that were given up, or are still tried; the latest first. */
export async function listDeliveries(
  db: Queryable,
  state: "dead" | "due",
  limit: number,
): Promise<readonly Delivery[]> {
  const rows = await db.query<DeliveryRow>(
    `SELECT d.webhook, d.attempts, d.last_error, d.next_attempt_at, d.dead_at, ${COLUMNS}
     FROM (${state === "dead" ? LATEST_DEAD : LATEST_DUE}) AS d ${ITS_EVENT}
     ORDER BY ${state === "dead" ? "d.dead_at" : "d.next_attempt_at"} DESC, d.event DESC LIMIT $1`,
    [limit],
  );
  return rows.map((row) => ({
    webhook: row.webhook,
    event: deliveredOf(row),
    attempts: row.attempts,
    lastError: row.last_error ?? undefined,
    nextAttemptAt: numberOf(row.next_attempt_at),
    deadAt: row.dead_at === null ? undefined : numberOf(row.dead_at),
  }));
}

/**
 * Has an event delivered again, with all attempts before it, whether it was given up, delivered, or never was for this
 * webhook. Returns false where there is no such event, or no such webhook that is delivered to.
 */
export async function redeliver(tx: Queryable, webhook: string, event: bigint, nowMs: number): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO deliveries (webhook, event, next_attempt_at)
     SELECT w.id, $2::bigint, $3::bigint FROM webhooks w
     WHERE w.id = $1::uuid AND w.disabled_at IS NULL
       AND (SELECT r.seq - r.size < $2 FROM ${rowNumbered("$2")} AS r) FOR KEY SHARE OF w
     ON CONFLICT (webhook, event) DO UPDATE
       SET attempts = 0, next_attempt_at = excluded.next_attempt_at, last_error = NULL, delivered_at = NULL, dead_at = NULL
     RETURNING event`,
    [webhook, event, nowMs],
  );
  return rows.length > 0;
}

/**
 * Makes out deliveries for events that came after those planned for, for each webhook at most `limit` events.
 * @returns whether there are more to plan for
 */
export async function planDeliveries(db: Database, nowMs: number, limit: number): Promise<boolean> {
  return db.transaction(async (tx) => {
    const behind = await tx.query<{ id: string }>(
      `SELECT id FROM webhooks
       WHERE disabled_at IS NULL AND planned_seq < (SELECT coalesce(max(seq), 0) FROM events)
       ORDER BY id FOR UPDATE`,
    );
    let more = false;
    for (const { id } of behind) {
      const [planned] = await tx.query<{ events: number }>(
        `WITH hook AS (SELECT id, types, planned_seq FROM webhooks WHERE id = $1::uuid),
              next AS (SELECT e.seq, e.type FROM ${eventsFrom("(SELECT planned_seq FROM hook)")}
                       ORDER BY r.seq, e.seq LIMIT $2::integer),
              made AS (INSERT INTO deliveries (webhook, event, next_attempt_at)
                       SELECT hook.id, next.seq, $3::bigint FROM hook, next
                       WHERE next.type NOT LIKE '${NOT_DELIVERED}'
                         AND (hook.types = '[]'::jsonb OR hook.types ? next.type)
                       ON CONFLICT DO NOTHING),
              moved AS (UPDATE webhooks SET planned_seq = greatest(planned_seq, (SELECT max(seq) FROM next))
                        WHERE id = $1::uuid)
         SELECT count(*)::integer AS events FROM next`,
        [id, limit, nowMs],
      );
      more ||= planned?.events === limit;
    }
    return more;
  });
}

/** The endpoints for which something is due: those that answer, in turns with those that have just failed. */
export async function endpointsDue(db: Queryable, nowMs: number, limit: number): Promise<readonly Endpoint[]> {
  return db.query<Endpoint>(
    `SELECT id, url, "sealedSecret", "faultAttempts" FROM (
       SELECT w.id, w.url, w.sealed_secret AS "sealedSecret", w.fault_attempts AS "faultAttempts", w.not_before,
         ${turnOf("w.not_before", "greatest(least(d.new_since, d.failed_since), w.not_before), w.id")}
       FROM webhooks w CROSS JOIN LATERAL (
         SELECT
           (SELECT d.next_attempt_at FROM deliveries d WHERE d.webhook = w.id AND ${IS_NEW}
            ORDER BY d.event LIMIT 1) AS new_since,
           (SELECT min(d.next_attempt_at) FROM deliveries d WHERE d.webhook = w.id AND ${HAS_FAILED}) AS failed_since
       ) AS d
       WHERE w.disabled_at IS NULL AND w.not_before <= $1
         AND (d.new_since IS NOT NULL OR (d.failed_since <= $1 AND w.retry_not_before <= $1))) AS due
     ORDER BY turn, not_before, id LIMIT $2`,
    [nowMs, limit],
  );
}

/** What is due for an endpoint, in the order of the events: new ones, the oldest first, in turns with what has failed. */
export async function deliveriesDue(
  db: Queryable,
  webhook: string,
  nowMs: number,
  limit: number,
): Promise<readonly DueDelivery[]> {
  const rows = await db.query<DeliveredRow & { readonly attempts: number }>(
    `WITH due AS (
       (SELECT d.event, d.attempts, row_number() OVER (ORDER BY d.event) AS turn
        FROM deliveries d WHERE d.webhook = $2::uuid AND ${IS_NEW}
        ORDER BY d.event LIMIT $3)
       UNION ALL
       (SELECT d.event, d.attempts, row_number() OVER (ORDER BY d.next_attempt_at) AS turn
        FROM deliveries d JOIN webhooks w ON w.id = d.webhook
        WHERE d.webhook = $2::uuid AND ${HAS_FAILED} AND d.next_attempt_at <= $1 AND w.retry_not_before <= $1
        ORDER BY d.next_attempt_at LIMIT $3)
     )
     SELECT d.attempts, ${COLUMNS} FROM (SELECT * FROM due ORDER BY turn, attempts LIMIT $3) AS d ${ITS_EVENT}
     ORDER BY d.event`,
    [nowMs, webhook, limit],
  );
  return rows.map((row) => ({ event: deliveredOf(row), attempts: row.attempts }));
}

/** Writes down what became of attempts at one endpoint; where one has failed, `putOff` comes after it. */
export async function recordAttempts(
  tx: Queryable,
  webhook: string,
  attempts: readonly Attempt[],
  nowMs: number,
): Promise<void> {
  const given = attempts.map((attempt) => ({
    event: String(attempt.event),
    error: attempt.kind === "delivered" ? null : attempt.error,
    next: attempt.kind === "failed" ? attempt.nextAttemptAt : nowMs,
    delivered: attempt.kind === "delivered" ? nowMs : null,
    dead: attempt.kind === "dead" ? nowMs : null,
  }));
  await tx.query(
    `UPDATE deliveries d
     SET attempts = d.attempts + 1, next_attempt_at = a.next, last_error = a.error, delivered_at = a.delivered,
         dead_at = a.dead
     FROM jsonb_to_recordset($2::jsonb) AS a(event bigint, error text, next bigint, delivered bigint, dead bigint)
     WHERE d.webhook = $1::uuid AND d.event = a.event`,
    [webhook, recordset(given)],
  );
  await tx.query(
    `UPDATE webhooks SET fault_attempts = 0, last_error = NULL, not_before = 0, retry_not_before = 0
     WHERE id = $1::uuid AND (fault_attempts > 0 OR not_before > 0)`,
    [webhook],
  );
}

/** Leaves an endpoint that has just failed alone for a while: with what is new, and with what has failed there. */
export async function putOff(
  tx: Queryable,
  webhook: string,
  { newUntilMs, failedUntilMs }: { readonly newUntilMs: number; readonly failedUntilMs: number },
): Promise<void> {
  await tx.query("UPDATE webhooks SET not_before = $2, retry_not_before = $3 WHERE id = $1::uuid", [
    webhook,
    newUntilMs,
    failedUntilMs,
  ]);
}

/** Nothing could be sent to an endpoint, by a fault of this relay. */
export async function recordEndpointFault(
  tx: Queryable,
  webhook: string,
  untilMs: number,
  error: string,
): Promise<void> {
  await tx.query(
    "UPDATE webhooks SET fault_attempts = fault_attempts + 1, not_before = $2, last_error = $3 WHERE id = $1::uuid",
    [webhook, untilMs, error],
  );
}

function deliveredOf(row: DeliveredRow): DeliveredEvent {
  const { source_currency: source } = row;
  const amounts =
    source === null
      ? undefined
      : {
          send: { minor: row.source_amount, currency: source },
          receive: { minor: row.target_amount, currency: row.target_currency },
        };
  return { ...eventOf(row), amounts };
}
