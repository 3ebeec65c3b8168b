import type { ProblemCode } from "../schema/problems.ts";
import type { TransferStatusResponse } from "../schema/transfer-status.ts";
import type { ReasonCode } from "../domain/reason.ts";

/** Why something that was asked for is not done. An expected outcome, and told to whoever asked. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: ProblemCode;
  /** For people. Quotes nothing personal. */
  readonly detail: string;
  /** The member of the request that is wrong, by its path. */
  readonly field?: string;
  /** ISO 20022 reason, where it is another than the code's own. */
  readonly reason?: ReasonCode;
  /** The transfer that is stored under the UETR, and its status. */
  readonly stored?: TransferStatusResponse;
  /** For how long it is not worth asking again. */
  readonly retryAfterSeconds?: number;
  /** The cursor to go on from, where the one that was given is lost. */
  readonly goOn?: string;
  /** What is spoken instead of a version that is not. */
  readonly versions?: readonly number[];
}

export function refused(
  code: ProblemCode,
  detail: string,
  more: Pick<Refusal, "field" | "reason" | "retryAfterSeconds"> = {},
): Refusal {
  return { kind: "refused", code, detail, ...more };
}
