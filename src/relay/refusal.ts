import type { ProblemCode } from "../contract/problems.ts";
import type { ReasonCode } from "../domain/reason.ts";

/** Why something that was asked for is not done. An expected outcome, and told to whoever asked. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: ProblemCode;
  /** For people. Quotes nothing personal. */
  readonly detail: string;
  /** The member of the request that is at fault, by its path. */
  readonly field?: string;
  /** ISO 20022 reason, where it is another than the code's own. */
  readonly reason?: ReasonCode;
  /** Where the transfer stands that cannot be changed. */
  readonly transferStatus?: string;
  /** For how long it is not worth asking again. */
  readonly retryAfterSeconds?: number;
}

export function refused(
  code: ProblemCode,
  detail: string,
  more: Pick<Refusal, "field" | "reason" | "retryAfterSeconds"> = {},
): Refusal {
  return { kind: "refused", code, detail, ...more };
}
