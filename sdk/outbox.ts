import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { uetrSchema } from "../src/schema/fields.ts";
import { submitRequestSchema, type ParsedSubmitRequest } from "../src/schema/transfers.ts";
import { canonicalJson, type CanonicalObject } from "../src/domain/canonical-json.ts";
import { firstFault } from "../src/domain/wire.ts";
import { detailsOf, parseParties } from "../src/domain/payload.ts";
import type { RelayClient, Submitted } from "./client.ts";
import { RelayProblem, RelayUnreachable } from "./http.ts";
import type { SubmitRequest, TransferStatusResponse } from "./types.ts";

/** How a submission ended. Only after "refused" the customer can have the money back. */
export type SubmissionOutcome =
  | ({ readonly kind: "accepted"; readonly request: SubmitRequest } & Submitted)
  /** Nothing is stored under the UETR, and nothing ever will be, whatever is sent. */
  | { readonly kind: "refused"; readonly request: SubmitRequest; readonly problem: RelayProblem }
  /**
   * A transfer is stored under the UETR, with other content or with content that cannot be compared: the same payment in
   * other words, or one UETR used for two. Either way the money follows the stored transfer, as if it
   * had been accepted now: use its amounts, and the end that events and webhooks tell.
   */
  | {
      readonly kind: "conflict";
      readonly request: SubmitRequest;
      readonly problem: RelayProblem;
      readonly stored: TransferStatusResponse;
    };

export interface OutboxOptions {
  readonly client: Pick<RelayClient, "submit" | "transfer">;
  /** A folder of its own, made where it is missing. It holds personal data for as long as a submission is under way. */
  readonly folder: string;
  /**
   * Stores an outcome for good, where the caller keeps its transfers. Only then is the request forgotten here; after a
   * crash in between it is told again, and the outcome is the same.
   */
  readonly onOutcome: (outcome: SubmissionOutcome) => Promise<void>;
  /** Milliseconds since the epoch; the system's clock by default. */
  readonly nowMs?: () => number;
}

export interface Outbox {
  /**
   * Writes the request down, sends it, and has the outcome stored. Returns only then. One that is under way already, in
   * whatever spelling, is sent as it was written down. Whatever is thrown says nothing of the money.
   * @throws RelayUnreachable, or RelayProblem for what may pass (the key, the rate limit, the relay's own failures): the
   * request stays, and `resume` sends it again
   * @throws InvalidSubmission when no relay would take it: it is neither kept nor sent
   * @throws OutboxConflict when a request with this UETR and other content is under way, and stays so
   */
  submit(request: SubmitRequest): Promise<SubmissionOutcome>;
  /**
   * Sends what was left: to be called when the program starts, and again for as long as something stays. One that is not
   * answered holds up none of the others.
   * @returns how many it sent, and how many are left because the relay gives no answer
   * @throws what storing an outcome has failed with, after the others have been sent
   */
  resume(): Promise<{ readonly sent: number; readonly left: number }>;
}

/** A request breaks a rule of its form, and was not sent. Whether an earlier one under its UETR is stored is not known. */
export class InvalidSubmission extends Error {
  readonly code = "INVALID_SUBMISSION";
  /** The member at fault, by its path. */
  readonly field: string;

  constructor(field: string, rule: string) {
    super(`${field}: ${rule}`);
    this.name = "InvalidSubmission";
    this.field = field;
  }
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

/** So many in a row without an answer, and the relay is taken to be away. */
const MOST_SILENT = 3;
/** A draft is a request by far sooner, or its program has died. */
const DRAFT_MS = 3_600_000;

/**
 * An outbox makes submission survive the caller's crash at any moment: each request is on the disk before the relay hears
 * of it, and leaves it after its outcome is stored. As the UETR is the key, sending twice moves money once. Several
 * processes may share a folder.
 */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const { client, folder, onOutcome, nowMs = Date.now } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  /** Where the last round has stopped: the next begins after it, so that a few can never block the others. */
  let last = "";

  /** As it was written down: the relay tells the content by it. */
  const send = async (path: string, text: string): Promise<SubmissionOutcome> => {
    // What `submit` wrote here.
    const outcome = await outcomeOf(client, JSON.parse(text) as SubmitRequest);
    await onOutcome(outcome);
    await remove(path);
    return outcome;
  };

  return {
    async submit(request) {
      // It becomes the name of a file.
      if (!uetrSchema.safeParse(request.uetr).success) throw invalid(request);
      const path = join(folder, `${request.uetr}.json`);
      const text = `${JSON.stringify(request)}\n`;
      const earlier = await readIfThere(path);
      if (earlier !== undefined) {
        if (!isSame(earlier, text)) throw new OutboxConflict(request.uetr);
        return send(path, earlier);
      }
      // What cannot be sent is not kept.
      if (!submitRequestSchema.safeParse(request).success) throw invalid(request);
      await writeDurably(folder, path, text);
      return send(path, text);
    },
    async resume() {
      const found = await readdir(folder);
      await removeDrafts(folder, found, nowMs() - DRAFT_MS);
      const names = found.filter((name) => name.endsWith(".json")).sort();
      const inTurn = [...names.filter((name) => name > last), ...names.filter((name) => name <= last)];
      const storing: unknown[] = [];
      let [sent, silent, done] = [0, 0, 0];
      for (const name of inTurn) {
        if (silent === MOST_SILENT) break;
        last = name;
        const path = join(folder, name);
        const text = await readIfThere(path);
        try {
          if (text !== undefined) await send(path, text);
          if (text !== undefined) sent++;
          done++;
          silent = 0;
        } catch (failure) {
          silent = failure instanceof RelayUnreachable ? silent + 1 : 0;
          if (!(failure instanceof RelayUnreachable || failure instanceof RelayProblem)) storing.push(failure);
        }
      }
      if (storing.length > 0) throw storing[0];
      return { sent, left: names.length - done };
    },
  };
}

async function outcomeOf(client: OutboxOptions["client"], request: SubmitRequest): Promise<SubmissionOutcome> {
  try {
    return { kind: "accepted", request, ...(await client.submit(request)) };
  } catch (failure) {
    if (!(failure instanceof RelayProblem) || failure.transfer === "unknown") throw failure;
    if (failure.transfer === "none") return { kind: "refused", request, problem: failure };
    const stored = failure.stored ?? (await client.transfer(request.uetr));
    return { kind: "conflict", request, problem: failure, stored };
  }
}

/** Whether two requests say the same, however they are spelled. */
function isSame(one: string, other: string): boolean {
  if (one === other) return true;
  const [left, right] = [one, other].map((text) => submitRequestSchema.safeParse(JSON.parse(text)).data);
  return left !== undefined && right !== undefined && formOf(left) === formOf(right);
}

function formOf(request: ParsedSubmitRequest): string {
  const { uetr, target, ifUnfunded, retryOf } = request;
  // Strings only, and what was left out is not there.
  const amount = request.amount as CanonicalObject;
  const terms = { uetr, target, amount, ifUnfunded, ...(retryOf === undefined ? {} : { retryOf }) };
  return canonicalJson({ ...terms, ...detailsOf(parseParties(request)) }, "request");
}

function invalid(request: SubmitRequest): InvalidSubmission {
  const { error } = submitRequestSchema.safeParse(request);
  const { path, message } = error === undefined ? { path: [], message: "as documented" } : firstFault(error);
  return new InvalidSubmission(path.map(String).join("."), message);
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

/** What a program that was killed has left of a request that it had not written down yet, and so not sent. */
async function removeDrafts(folder: string, names: readonly string[], beforeMs: number): Promise<void> {
  for (const name of names.filter((each) => each.endsWith(".tmp"))) {
    const path = join(folder, name);
    const found = await stat(path).catch(ifMissing);
    if (found !== undefined && found.mtimeMs < beforeMs) await remove(path);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(ifMissing);
}

/** Another process may be faster. */
async function remove(path: string): Promise<void> {
  await unlink(path).catch(ifMissing);
}

function ifMissing(failure: unknown): undefined {
  if (!(failure instanceof Error && "code" in failure && failure.code === "ENOENT")) throw failure;
}
