import { hash as digest, timingSafeEqual } from "node:crypto";
import { SCOPES, type Scope } from "../../schema/operator.ts";
import { expireApiKey, findApiKey, insertApiKey, lockApiKey, type ApiKey, type ApiKeyWithHash } from "./store.ts";
import type { Database } from "../store/database.ts";

/** What keys are made with. */
export interface KeyMaker {
  readonly db: Database;
  readonly drawBytes: (length: number) => Uint8Array;
  readonly clock: { nowMs(): number };
}

export interface NewApiKey {
  readonly label: string;
  readonly scopes: readonly Scope[];
  /** Requests per minute; each transfer of a stream counts as one. */
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
  const issued = draw(drawBytes, clock.nowMs(), wanted);
  await insertApiKey(db, { ...issued.key, hash: issued.hash });
  return issued;
}

/** The result of rotating a key. */
export type Rotation =
  | { readonly kind: "rotated"; readonly issued: IssuedKey }
  /** There is no such key, or it has been revoked or has expired. */
  | { readonly kind: "unknown" }
  /** It has a successor, which is the one to rotate now. */
  | { readonly kind: "has successor"; readonly successor: string };

/**
 * Makes a key that may do what another may, for as long as that one might have, which then ends. Each key has one
 * successor at most, however many rotate it at the same moment.
 * @param overlapSeconds for how long the other still works
 */
export async function rotateApiKey(
  { db, drawBytes, clock }: KeyMaker,
  id: string,
  overlapSeconds: number,
): Promise<Rotation> {
  return db.transaction(async (tx) => {
    const nowMs = clock.nowMs();
    const old = await lockApiKey(tx, id);
    if (old === undefined || !isUsable(old, nowMs)) return { kind: "unknown" };
    const { label, rateLimit, expiresAt } = old;
    const scopes = SCOPES.filter((scope) => old.scopes.includes(scope));
    const issued = draw(drawBytes, nowMs, { label, scopes, rateLimit, expiresAt });
    if (!(await insertApiKey(tx, { ...issued.key, hash: issued.hash }, id))) {
      const successor = (await findApiKey(tx, id))?.successor;
      if (successor === undefined) throw new Error("api_keys: a successor that is none");
      return { kind: "has successor", successor };
    }
    await expireApiKey(tx, id, nowMs + overlapSeconds * 1_000);
    return { kind: "rotated", issued };
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

/**
 * Holds what one key is to hand out against what it has itself.
 * @returns what the new key would have beyond it; undefined where it has no more than its maker
 */
export function exceeds(
  maker: ApiKey,
  wanted: Pick<ApiKey, "scopes" | "rateLimit" | "expiresAt">,
): { readonly field: string; readonly rule: string } | undefined {
  const scope = wanted.scopes.find((one) => !maker.scopes.includes(one));
  if (scope !== undefined) {
    return { field: "scopes", rule: `without "${scope}", which the key that asks does not have itself` };
  }
  if (wanted.rateLimit > maker.rateLimit) {
    return { field: "rateLimit", rule: `at most ${maker.rateLimit}, as the key that asks has itself` };
  }
  if (maker.expiresAt !== undefined && (wanted.expiresAt ?? Infinity) > maker.expiresAt) {
    return { field: "expiresAt", rule: "not after the key that asks has expired itself" };
  }
  return undefined;
}

function draw(
  drawBytes: KeyMaker["drawBytes"],
  nowMs: number,
  { label, scopes, rateLimit, expiresAt }: NewApiKey,
): IssuedKey & { readonly hash: Uint8Array } {
  const id = Buffer.from(drawBytes(ID_BYTES)).toString("hex");
  const secret = Buffer.from(drawBytes(SECRET_BYTES)).toString("base64url");
  const ends = { expiresAt, revokedAt: undefined, successor: undefined };
  const key = { id, label, scopes, rateLimit, createdAt: nowMs, ...ends };
  return { key, text: `fq_${id}_${secret}`, hash: hashOf(secret) };
}

function hashOf(secret: string): Uint8Array {
  // At once: each request has its key's looked at, and the steps one by one take three times as long.
  return digest("sha256", secret, "buffer");
}
