import { formatInstant } from "../../domain/instant.ts";
import { SCOPES, type ApiKeyJson, type NewKeyJson } from "../../schema/operator.ts";
import { issueApiKey, rotateApiKey, type IssuedKey, type NewApiKey } from "../../kernel/access/api-keys.ts";
import { openOwnStore } from "../../app/parts.ts";
import { listApiKeys, revokeApiKey, type ApiKey } from "../../kernel/access/store.ts";
import { insertAudit } from "../../kernel/access/audit-store.ts";
import type { Database } from "../../kernel/store/database.ts";
import { configOf } from "../config.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import type { Session } from "../../command/session.ts";

// API keys without an API: how the first one of a relay is made. All of it is in the audit log, as by the operating
// system's user.

export function createKey(session: Session, wanted: NewApiKey): Promise<NewKeyJson> {
  return onStore(session, "keys.create", async (db) => {
    const issued = await issueApiKey(makerOf(session, db), wanted);
    return { value: newKeyJson(issued), subject: issued.key.id };
  });
}

export function listKeys(session: Session): Promise<readonly ApiKeyJson[]> {
  return onStore(session, undefined, async (db) => ({ value: (await listApiKeys(db)).map(keyJson) }));
}

export function rotateKey(session: Session, id: string, overlapSeconds: number): Promise<NewKeyJson> {
  return onStore(session, "keys.rotate", async (db) => {
    const rotation = await rotateApiKey(makerOf(session, db), id, overlapSeconds);
    if (rotation.kind === "rotated") return { value: newKeyJson(rotation.issued), subject: id };
    throw rotation.kind === "unknown"
      ? new CommandFailure("NOT_FOUND", "no usable API key has this id")
      : new CommandFailure("NEGATIVE", `its successor is ${rotation.successor}: rotate that one`);
  });
}

export function revokeKey(session: Session, id: string): Promise<ApiKeyJson> {
  return onStore(session, "keys.revoke", async (db) => {
    const key = await revokeApiKey(db, id, session.io.clock.nowMs());
    if (key === undefined) throw new CommandFailure("NOT_FOUND", "there is no API key with this id");
    return { value: keyJson(key), subject: id };
  });
}

/** Works on the store itself, and puts down who did. Undefined for what is only looked at. */
async function onStore<Value>(
  session: Session,
  action: string | undefined,
  work: (db: Database) => Promise<{ readonly value: Value; readonly subject?: string }>,
): Promise<Value> {
  const db = await openOwnStore(await configOf(session));
  try {
    const { value, subject } = await work(db);
    if (action !== undefined) {
      const at = session.io.clock.nowMs();
      await insertAudit(db, { at, actor: `os:${session.io.user}`, action, subject, outcome: "done", data: {} });
    }
    return value;
  } finally {
    await db.close();
  }
}

function makerOf({ io }: Session, db: Database): Parameters<typeof issueApiKey>[0] {
  return { db, drawBytes: io.drawBytes, clock: io.clock };
}

function keyJson({ expiresAt, revokedAt, successor, createdAt, scopes, ...rest }: ApiKey): ApiKeyJson {
  return {
    ...rest,
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    createdAt: formatInstant(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: formatInstant(expiresAt) }),
    ...(revokedAt === undefined ? {} : { revokedAt: formatInstant(revokedAt) }),
    ...(successor === undefined ? {} : { successor }),
  };
}

function newKeyJson({ key, text }: IssuedKey): NewKeyJson {
  return { ...keyJson(key), key: text };
}
