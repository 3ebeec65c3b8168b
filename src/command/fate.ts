import { TRANSFER_FATES, type ProblemJson, type TransferFate } from "../schema/problems.ts";
import { RelayProblem } from "../../sdk/http.ts";

/** What an answer to a submission means for the money, for people. */
export function fateOf({ transfer = "unknown", stored }: Partial<Pick<ProblemJson, "transfer" | "stored">>): string {
  const status = stored === undefined ? "" : ` (${stored.status}${stored.isFinal ? ", final" : ""})`;
  return `${TRANSFER_FATES[transfer]}${status}`;
}

/** A submission that was not accepted: with what it was about, so that it can be repeated or asked about. */
export class SubmissionFailure extends Error {
  readonly uetr: string;
  readonly transfer: TransferFate;
  readonly stored: ProblemJson["stored"];
  override readonly cause: Error;

  constructor(uetr: string, cause: Error) {
    const known: Partial<RelayProblem> = cause instanceof RelayProblem ? cause : {};
    super(`${cause.message}; UETR ${uetr}: ${fateOf(known)}`);
    this.name = "SubmissionFailure";
    this.uetr = uetr;
    this.transfer = known.transfer ?? "unknown";
    this.stored = known.stored;
    this.cause = cause;
  }
}
