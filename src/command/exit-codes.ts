import { CommanderError } from "commander";
import type { TransferFate } from "../schema/problems.ts";
import { InvalidInput } from "../domain/errors.ts";
import { isAway } from "../kernel/away.ts";
import { ConfigError } from "../kernel/config-error.ts";
import { RelayProblem, RelayUnreachable } from "../../sdk/http.ts";
import { InvalidSubmission, OutboxConflict } from "../../sdk/outbox.ts";
import { SubmissionFailure } from "./fate.ts";

/** What the program ends with. Stable: what a code means does not change, and none is used for anything else. */
export const EXIT_CODES = {
  OK: { code: 0, meaning: "Done, with a good result." },
  INTERNAL: { code: 1, meaning: "A fault of the program, or of the machine." },
  USAGE: { code: 2, meaning: "The command line is wrong: an unknown command or option, or something is missing." },
  CONFIG: { code: 3, meaning: "The relay's configuration, or a network's plan; every key that is wrong is named." },
  INVALID: {
    code: 4,
    meaning: "A value breaks a rule, or the relay refused what the request contains. It says nothing about a transfer.",
  },
  UNAUTHORIZED: { code: 5, meaning: "The API key is missing, not valid, or lacks the scope (401, 403)." },
  NOT_FOUND: { code: 6, meaning: "There is no such thing (404, 410)." },
  CONFLICT: {
    code: 7,
    meaning:
      "It contradicts what is stored: too late to cancel, or another transfer has this UETR. The money follows the stored transfer.",
  },
  UNAVAILABLE: {
    code: 8,
    meaning: "The relay, the ledger or the database gave no answer, or is busy (429, 5xx). The same again may work.",
  },
  NEGATIVE: {
    code: 9,
    meaning: "Done, with a bad result: transfer not settled, receipt not valid, differences found.",
  },
  TIMEOUT: { code: 10, meaning: "Not finished within `--timeout`; the transfer goes on." },
  UNPROVED: {
    code: 11,
    meaning: "No contradiction was found, but nothing is proved: a receipt was checked without `--registry`.",
  },
  REFUSED: {
    code: 12,
    meaning:
      "The transfer is refused for good: nothing is stored under its UETR, and nothing ever will be. No other code says so.",
  },
  INTERRUPTED: { code: 130, meaning: "Stopped by Ctrl-C." },
} as const;
export type ExitName = keyof typeof EXIT_CODES;

/** An end that a command has decided on, with what to say of it. */
export class CommandFailure extends Error {
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string) {
    super(message);
    this.name = "CommandFailure";
    this.exit = exit;
  }
}

const EXIT_OF_STATUS: Readonly<Record<number, ExitName>> = {
  401: "UNAUTHORIZED",
  403: "UNAUTHORIZED",
  404: "NOT_FOUND",
  408: "UNAVAILABLE",
  409: "CONFLICT",
  410: "NOT_FOUND",
  425: "UNAVAILABLE",
  429: "UNAVAILABLE",
};
const SERVER_ERROR = 500;

const EXIT_OF_FATE: Readonly<Record<TransferFate, ExitName>> = {
  none: "REFUSED",
  stored: "CONFLICT",
  unknown: "UNAVAILABLE",
};

/** By what is proved of the transfer; the status of an answer that proves nothing may be anybody's. */
function exitOfSubmission({ transfer, cause }: SubmissionFailure): ExitName {
  const exit = exitOf(cause);
  return cause instanceof RelayProblem && exit !== "UNAUTHORIZED" ? EXIT_OF_FATE[transfer] : exit;
}

/** What an error ends the program with. */
export function exitOf(error: unknown): ExitName {
  if (error instanceof CommandFailure) return error.exit;
  if (error instanceof SubmissionFailure) return exitOfSubmission(error);
  // Help and version were asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? "OK" : "USAGE";
  if (error instanceof ConfigError) return "CONFIG";
  if (error instanceof InvalidInput || error instanceof InvalidSubmission) return "INVALID";
  if (error instanceof OutboxConflict) return "CONFLICT";
  if (error instanceof RelayUnreachable) return "UNAVAILABLE";
  if (error instanceof RelayProblem) return exitOfStatus(error.status);
  if (isAway(error)) return "UNAVAILABLE";
  return "INTERNAL";
}

function exitOfStatus(status: number): ExitName {
  return EXIT_OF_STATUS[status] ?? (status >= SERVER_ERROR ? "UNAVAILABLE" : "INVALID");
}
