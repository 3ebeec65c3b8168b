import type { Queryable } from "../store/database.ts";
import { numberOf } from "../store/values.ts";

/** A key to the API, without its secret, of which only the SHA-256 is kept. Times in milliseconds since the epoch. */
export interface ApiKey {
  readonly id: string;
  readonly label: string;
  readonly scopes: readonly string[];
  /** Requests per minute; each transfer of a stream counts as one. */
  readonly rateLimit: number;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
  /** The key that was made in its place. */
  readonly successor: string | undefined;
}

export type ApiKeyWithHash = ApiKey & { readonly hash: Uint8Array };

interface KeyRow {
  readonly id: string;
  readonly hash: Uint8Array;
  readonly label: string;
  readonly scopes: readonly string[];
  readonly rate_limit: number;
  readonly created_at: bigint;
  readonly expires_at: bigint | null;
  readonly revoked_at: bigint | null;
  readonly successor: string | null;
}

const COLUMNS = `k.id, k.hash, k.label, k.scopes, k.rate_limit, k.created_at, k.expires_at, k.revoked_at,
  (SELECT s.id FROM api_keys s WHERE s.rotated_from = k.id) AS successor`;

/**
 * @param rotatedFrom the key whose place it takes
 * @returns false where that key has a successor already: nothing is written then
 */
export async function insertApiKey(db: Queryable, key: ApiKeyWithHash, rotatedFrom?: string): Promise<boolean> {
  const { id, hash, label, scopes, rateLimit, createdAt, expiresAt = null } = key;
  const inserted = await db.query(
    `INSERT INTO api_keys (id, hash, label, scopes, rate_limit, created_at, expires_at, rotated_from)
     VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7, $8)
     ON CONFLICT (rotated_from) DO NOTHING RETURNING id`,
    [id, hash, label, JSON.stringify(scopes), rateLimit, createdAt, expiresAt, rotatedFrom ?? null],
  );
  return inserted.length > 0;
}

export async function findApiKey(db: Queryable, id: string): Promise<ApiKeyWithHash | undefined> {
  const [key] = await findApiKeys(db, [id]);
  return key;
}

/** Holds up who else would change it, until the transaction ends. Its successor may be newer than what is returned. */
export async function lockApiKey(tx: Queryable, id: string): Promise<ApiKey | undefined> {
  const [row] = await tx.query<KeyRow>(`SELECT ${COLUMNS} FROM api_keys k WHERE k.id = $1 FOR UPDATE OF k`, [id]);
  return row === undefined ? undefined : keyOf(row);
}

export async function findApiKeys(db: Queryable, ids: readonly string[]): Promise<readonly ApiKeyWithHash[]> {
  const rows = await db.query<KeyRow>(`SELECT ${COLUMNS} FROM api_keys k WHERE k.id = ANY ($1::text[])`, [ids]);
  return rows.map((row) => ({ ...keyOf(row), hash: row.hash }));
}

/** All that can be used at a time. */
export async function usableApiKeys(db: Queryable, nowMs: number): Promise<readonly ApiKeyWithHash[]> {
  const rows = await db.query<KeyRow>(
    `SELECT ${COLUMNS} FROM api_keys k WHERE k.revoked_at IS NULL AND coalesce(k.expires_at > $1, true)`,
    [nowMs],
  );
  return rows.map((row) => ({ ...keyOf(row), hash: row.hash }));
}

/** When the next of the usable keys ends that no other has taken the place of; undefined where none does. */
export async function nextKeyEndMs(db: Queryable, nowMs: number): Promise<number | undefined> {
  const [row] = await db.query<{ readonly end: bigint | null }>(
    `SELECT min(k.expires_at) AS end FROM api_keys k WHERE k.revoked_at IS NULL AND k.expires_at > $1
       AND NOT EXISTS (SELECT 1 FROM api_keys s WHERE s.rotated_from = k.id AND s.revoked_at IS NULL)`,
    [nowMs],
  );
  return timeOf(row?.end ?? null);
}

export async function listApiKeys(db: Queryable): Promise<readonly ApiKey[]> {
  const rows = await db.query<KeyRow>(`SELECT ${COLUMNS} FROM api_keys k ORDER BY k.created_at, k.id`);
  return rows.map(keyOf);
}

/** Ends a key at a time, unless it ends before. Returns whether there is such a key that has not been revoked. */
export async function expireApiKey(db: Queryable, id: string, atMs: number): Promise<boolean> {
  const rows = await db.query(
    "UPDATE api_keys SET expires_at = least(expires_at, $2) WHERE id = $1 AND revoked_at IS NULL RETURNING id",
    [id, atMs],
  );
  return rows.length > 0;
}

/** Returns the key, now revoked; undefined where there is none. Once revoked, always revoked since then. */
export async function revokeApiKey(db: Queryable, id: string, nowMs: number): Promise<ApiKey | undefined> {
  const [row] = await db.query<KeyRow>(
    `UPDATE api_keys k SET revoked_at = coalesce(k.revoked_at, $2) WHERE k.id = $1 RETURNING ${COLUMNS}`,
    [id, nowMs],
  );
  return row === undefined ? undefined : keyOf(row);
}

function keyOf(row: KeyRow): ApiKey {
  return {
    id: row.id,
    label: row.label,
    scopes: row.scopes,
    rateLimit: row.rate_limit,
    createdAt: timeOf(row.created_at) ?? 0,
    expiresAt: timeOf(row.expires_at),
    revokedAt: timeOf(row.revoked_at),
    successor: row.successor ?? undefined,
  };
}

function timeOf(value: bigint | null): number | undefined {
  return value === null ? undefined : numberOf(value);
}
