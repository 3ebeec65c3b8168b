import { readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { wipe, type ArtifactResolver } from "@nomicfoundation/ignition-core";

/**
 * Makes the journal of a deployment that was killed fit to be resumed. Ignition refuses two things that a kill leaves
 * behind: a last line that was not written whole, and a step that was begun of which nothing had been sent. Neither has
 * had any effect on the ledger, so both are forgotten, and done again.
 * @param folder the deployment's, under ignition/deployments
 * @returns the steps that were forgotten
 */
export async function mendJournal(folder: string): Promise<readonly string[]> {
  const path = join(folder, "journal.jsonl");
  const text = await readFile(path, "utf8").catch((failure: unknown) => {
    if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return "";
    throw failure;
  });
  const lines = text.split("\n");
  const last = lines.at(-1) ?? "";
  const isTorn = last !== "" && parseMessage(last) === undefined;
  if (isTorn) await truncate(path, Buffer.byteLength(lines.slice(0, -1).join("\n")));

  const messages = lines.map(parseMessage).filter((message) => message !== undefined);
  const begun = messages.filter(({ type }) => type.endsWith("_EXECUTION_STATE_INITIALIZE"));
  const followed = new Set(messages.filter((message) => !begun.includes(message)).map(({ futureId }) => futureId));
  const forgotten = begun.map(({ futureId }) => futureId).filter((futureId) => !followed.has(futureId));
  // Backwards, for a step cannot be forgotten before those that depend on it. Ignition reads a resolver of artifacts
  // only for deployments that are in memory.
  for (const futureId of forgotten.toReversed()) await wipe(folder, {} as ArtifactResolver, futureId);
  return forgotten;
}

interface Message {
  readonly type: string;
  readonly futureId: string;
}

function parseMessage(line: string): Message | undefined {
  try {
    const { type = "", futureId = "" } = JSON.parse(line) as Partial<Message>; // checked by its use: strings or absent
    return { type, futureId };
  } catch {
    return undefined;
  }
}
