import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { submitRequestSchema, type SubmitRequest } from "../contract/transfers.ts";
import type { RelayClient, Submitted } from "./client.ts";
import { NOT_THE_RELAY, RelayProblem, RelayUnreachable } from "./http.ts";

/** How a submission ended. */
export type SubmissionOutcome =
  | ({ readonly kind: "accepted"; readonly request: SubmitRequest } & Submitted)
  /** Nothing of it was stored by the relay, and the same request would be refused again: the UETR is free to forget. */
  | { readonly kind: "refused"; readonly request: SubmitRequest; readonly problem: RelayProblem };

export interface OutboxOptions {
  readonly client: Pick<RelayClient, "submit">;
  /** A folder of its own, made where it is missing. It holds personal data for as long as a submission is under way. */
  readonly folder: string;
  /**
   * Stores an outcome for good, where the caller keeps its transfers. Only then is the request forgotten here; after a
   * crash in between it is told again, and the outcome is the same.
   */
  readonly onOutcome: (outcome: SubmissionOutcome) => Promise<void>;
}

export interface Outbox {
  /**
   * Writes the request down, sends it, and has the outcome stored. Returns only then.
   * @throws RelayUnreachable, or RelayProblem for what may pass (the key, the rate limit, the relay's own failures): the
   * request stays, and `resume` sends it again
   * @throws OutboxConflict when a request with this UETR and other content is under way
   */
  submit(request: SubmitRequest): Promise<SubmissionOutcome>;
  /**
   * Sends what was left: to be called when the program starts, and again for as long as something stays.
   * @returns how many it sent, and how many are left because the relay gives no answer
   */
  resume(): Promise<{ readonly sent: number; readonly left: number }>;
}

/** The caller uses one UETR for two transfers. */
export class OutboxConflict extends Error {
  readonly code = "OUTBOX_CONFLICT";
  readonly uetr: string;

  constructor(uetr: string) {
    super(`another transfer is under way with the UETR ${uetr}`);
    this.name = "OutboxConflict";
    this.uetr = uetr;
  }
}

/** Refusals of the request itself: nothing was stored, and nothing but another request changes the answer. */
const FINAL = new Set([400, 409, 410, 413, 415, 422]);

/**
 * An outbox makes submission survive the caller's crash at any moment: each request is on the disk before the relay hears
 * of it, and leaves it after its outcome is stored. As the UETR is the key, sending twice moves money once. Several
 * processes may share a folder.
 */
export async function openOutbox({ client, folder, onOutcome }: OutboxOptions): Promise<Outbox> {
  await mkdir(folder, { recursive: true, mode: 0o700 });

  const send = async (path: string, request: SubmitRequest): Promise<SubmissionOutcome> => {
    const outcome = await outcomeOf(client, request);
    await onOutcome(outcome);
    await remove(path);
    return outcome;
  };

  return {
    async submit(request) {
      // Checked before it is written: what cannot be sent is not kept.
      const parsed = submitRequestSchema.safeParse(request);
      if (!parsed.success) throw invalid(parsed.error.issues[0]);
      const path = join(folder, `${request.uetr}.json`);
      const text = `${JSON.stringify(request)}\n`;
      const earlier = await readIfThere(path);
      if (earlier !== undefined && earlier !== text) throw new OutboxConflict(request.uetr);
      if (earlier === undefined) await writeDurably(folder, path, text);
      return send(path, request);
    },
    async resume() {
      const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
      let sent = 0;
      for (const name of names) {
        const path = join(folder, name);
        const text = await readIfThere(path);
        if (text === undefined) continue;
        // What `submit` wrote here.
        const request = JSON.parse(text) as SubmitRequest;
        try {
          await send(path, request);
          sent++;
        } catch (failure) {
          if (failure instanceof RelayUnreachable || failure instanceof RelayProblem) {
            return { sent, left: names.length - sent };
          }
          throw failure;
        }
      }
      return { sent, left: 0 };
    },
  };
}

async function outcomeOf(client: Pick<RelayClient, "submit">, request: SubmitRequest): Promise<SubmissionOutcome> {
  try {
    return { kind: "accepted", request, ...(await client.submit(request)) };
  } catch (failure) {
    const isFinal = failure instanceof RelayProblem && FINAL.has(failure.status) && failure.code !== NOT_THE_RELAY;
    if (!isFinal) throw failure;
    return { kind: "refused", request, problem: failure };
  }
}

/** What the relay would answer, without asking it. */
function invalid(issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined): RelayProblem {
  const field = (issue?.path ?? []).map(String).join(".");
  return new RelayProblem(`${field}: ${issue?.message ?? "as documented"}`, {
    code: "invalid-request",
    status: 400,
    field,
    reason: "FF01",
    transferStatus: undefined,
    instance: undefined,
    retryAfterSeconds: undefined,
  });
}

/** There in full or not at all, whenever the machine stops. */
async function writeDurably(folder: string, path: string, text: string, drawBytes = randomBytes): Promise<void> {
  const draft = `${path}.${drawBytes(8).toString("hex")}.tmp`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (failure) {
    if (isMissing(failure)) return undefined;
    throw failure;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (failure) {
    // Another process was faster.
    if (!isMissing(failure)) throw failure;
  }
}

function isMissing(failure: unknown): boolean {
  return failure instanceof Error && "code" in failure && failure.code === "ENOENT";
}
