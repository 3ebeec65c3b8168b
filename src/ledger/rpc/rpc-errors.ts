// Why there is no answer of the ledger that can be relied on. All of them pass: the same again may work.

/** None of the endpoints gave an answer. Whether one of them has acted on the request is not known. */
export class LedgerUnreachable extends Error {
  readonly code = "LEDGER_UNREACHABLE";

  constructor(reasons: readonly string[]) {
    super(`no endpoint of the ledger answers: ${reasons.join("; ")}`);
    this.name = "LedgerUnreachable";
  }
}

/** Endpoints contradict each other, and there is no majority: none of them is believed. */
export class LedgerDisputed extends Error {
  readonly code = "LEDGER_DISPUTED";

  constructor(about: string, sides: readonly (readonly string[])[]) {
    super(
      `endpoints contradict each other on ${about}: ${sides.map((names) => names.join(" and ")).join(" against ")}`,
    );
    this.name = "LedgerDisputed";
  }
}

/** Too few endpoints confirm an answer. Nobody need have lied: the others may be behind, or away. */
export class LedgerUnconfirmed extends Error {
  readonly code = "LEDGER_UNCONFIRMED";

  constructor(about: string, reasons: readonly string[]) {
    super(`too few endpoints confirm ${about}: ${reasons.join("; ")}`);
    this.name = "LedgerUnconfirmed";
  }
}
