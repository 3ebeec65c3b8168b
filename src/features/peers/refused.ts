import { retryAfterSeconds } from "../../kernel/quota.ts";
import type { PeerProblem } from "./messages.ts";

/** What is answered with a problem document instead of what was asked for. */
export class Refused extends Error {
  readonly problem: PeerProblem;
  /** When it is worth asking again. */
  readonly retryAfterSeconds: number | undefined;

  /** @param detail nothing of what was sent: it may be personal data */
  constructor(problem: PeerProblem, detail: string, waitMs?: number) {
    super(detail);
    this.problem = problem;
    this.retryAfterSeconds = waitMs === undefined ? undefined : retryAfterSeconds(waitMs);
  }
}

export function tooMuch(what: string, waitMs: number): Refused {
  return new Refused("rate-limited", `${what}: to be sent again later`, waitMs);
}
