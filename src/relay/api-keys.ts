import { createHash, timingSafeEqual } from "node:crypto";
import { SCOPES, type Scope } from "../contract/operator.ts";
import { expireApiKey, findApiKey, insertApiKey, type ApiKey, type ApiKeyWithHash } from "../store/api-keys.ts";
import type { Database, Queryable } from "../store/database.ts";

/** What keys are made with. */
export interface KeyMaker {
  readonly db: Database;
  readonly drawBytes: (length: number) => Uint8Array;
  readonly clock: { nowMs(): number };
}

export interface NewApiKey {
  readonly label: string;
  readonly scopes: readonly Scope[];
  /** Requests a minute. */
  readonly rateLimit: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
}

/** A key with its text, which is known this once: the store has a hash of it. */
export interface IssuedKey {
  readonly key: ApiKey;
  /** `fq_<id>_<secret>` */
  readonly text: string;
}

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const KEY_TEXT = /^fq_([0-9a-z]{1,32})_([A-Za-z0-9_-]{43})$/;

/** Makes a key to the API of 256 random bits, and keeps its hash. */
export async function issueApiKey({ db, drawBytes, clock }: KeyMaker, wanted: NewApiKey): Promise<IssuedKey> {
  return insert(db, drawBytes, clock.nowMs(), wanted);
}

/**
 * Makes a key that may do what another may, which then ends.
 * @param overlapSeconds for how long the other still works
 * @returns undefined where there is no such key, or it has been revoked or has expired
 */
export async function rotateApiKey(
  { db, drawBytes, clock }: KeyMaker,
  id: string,
  overlapSeconds: number,
): Promise<IssuedKey | undefined> {
  return db.transaction(async (tx) => {
    const nowMs = clock.nowMs();
    const old = await findApiKey(tx, id);
    if (old === undefined || !isUsable(old, nowMs)) return undefined;
    if (!(await expireApiKey(tx, id, nowMs + overlapSeconds * 1_000))) return undefined;
    const scopes = SCOPES.filter((scope) => old.scopes.includes(scope));
    return insert(tx, drawBytes, nowMs, { label: old.label, scopes, rateLimit: old.rateLimit });
  });
}

/** A key's id and what is compared with its hash, from its text; undefined where that is no key's. */
export function readKeyText(text: string): { readonly id: string; readonly secretHash: Uint8Array } | undefined {
  const match = KEY_TEXT.exec(text);
  const [, id, secret] = match ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secretHash: hashOf(secret) };
}

/** Whether a secret is the key's; takes as long whether it is or not. */
export function isSecretOf({ hash }: ApiKeyWithHash, secretHash: Uint8Array): boolean {
  return hash.length === secretHash.length && timingSafeEqual(hash, secretHash);
}

export function isUsable({ expiresAt, revokedAt }: ApiKey, nowMs: number): boolean {
  return revokedAt === undefined && (expiresAt === undefined || nowMs < expiresAt);
}

async function insert(
  db: Queryable,
  drawBytes: KeyMaker["drawBytes"],
  nowMs: number,
  { label, scopes, rateLimit, expiresAt }: NewApiKey,
): Promise<IssuedKey> {
  const id = Buffer.from(drawBytes(ID_BYTES)).toString("hex");
  const secret = Buffer.from(drawBytes(SECRET_BYTES)).toString("base64url");
  const key = { id, label, scopes, rateLimit, createdAt: nowMs, expiresAt, revokedAt: undefined };
  await insertApiKey(db, { ...key, hash: hashOf(secret) });
  return { key, text: `fq_${id}_${secret}` };
}

function hashOf(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}
