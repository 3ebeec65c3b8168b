import type { Queryable } from "./database.ts";
import { numberOf } from "./values.ts";

/** A key to the API, without its secret, of which only the SHA-256 is kept. Times in milliseconds since the epoch. */
export interface ApiKey {
  readonly id: string;
  readonly label: string;
  readonly scopes: readonly string[];
  /** Requests a minute. */
  readonly rateLimit: number;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
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
}

export async function insertApiKey(db: Queryable, key: ApiKeyWithHash): Promise<void> {
  await db.query(
    `INSERT INTO api_keys (id, hash, label, scopes, rate_limit, created_at, expires_at)
     VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7)`,
    [key.id, key.hash, key.label, JSON.stringify(key.scopes), key.rateLimit, key.createdAt, key.expiresAt ?? null],
  );
}

export async function findApiKey(db: Queryable, id: string): Promise<ApiKeyWithHash | undefined> {
  const [row] = await db.query<KeyRow>("SELECT * FROM api_keys WHERE id = $1", [id]);
  return row === undefined ? undefined : { ...keyOf(row), hash: row.hash };
}

/** All that can be used at a time. */
export async function usableApiKeys(db: Queryable, nowMs: number): Promise<readonly ApiKeyWithHash[]> {
  const rows = await db.query<KeyRow>(
    "SELECT * FROM api_keys WHERE revoked_at IS NULL AND coalesce(expires_at > $1, true)",
    [nowMs],
  );
  return rows.map((row) => ({ ...keyOf(row), hash: row.hash }));
}

export async function listApiKeys(db: Queryable): Promise<readonly ApiKey[]> {
  const rows = await db.query<KeyRow>("SELECT * FROM api_keys ORDER BY created_at, id");
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
    "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING *",
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
  };
}

function timeOf(value: bigint | null): number | undefined {
  return value === null ? undefined : numberOf(value);
}
