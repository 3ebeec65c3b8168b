import type { Queryable } from "../../../../src/kernel/store/database.ts";

export async function insertGreeting(db: Queryable, text: string): Promise<void> {
  await db.query("INSERT INTO greetings (text) VALUES ($1)", [text]);
}

export async function allGreetings(db: Queryable): Promise<readonly { text: string; isSent: boolean }[]> {
  const rows = await db.query<{ text: string; sent: boolean }>(
    "SELECT text, sent_at IS NOT NULL AS sent FROM greetings ORDER BY id",
  );
  return rows.map(({ text, sent }) => ({ text, isSent: sent }));
}

/** Marks what is to be sent as sent. @returns the texts */
export async function takeUnsent(tx: Queryable, at: number): Promise<readonly string[]> {
  const rows = await tx.query<{ text: string }>(
    "UPDATE greetings SET sent_at = $1 WHERE sent_at IS NULL RETURNING text",
    [at],
  );
  return rows.map(({ text }) => text);
}

export async function untoldGreetings(db: Queryable): Promise<readonly string[]> {
  const rows = await db.query<{ text: string }>(
    `SELECT text FROM greetings WHERE sent_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM events WHERE type = 'greeting.sent' AND data->>'text' = text) ORDER BY id`,
  );
  return rows.map(({ text }) => text);
}

/** @returns how many were sent before, and are gone */
export async function forgetGreetings(db: Queryable, beforeMs: number): Promise<number> {
  return (await db.query("DELETE FROM greetings WHERE sent_at < $1 RETURNING 1", [beforeMs])).length;
}
