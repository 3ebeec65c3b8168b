import { InvalidInput } from "../../src/domain/errors.ts";

/** Tells people how far a script is. */
export type Say = (text: string) => void;

/** Exit status of a script that was called in a way that it does not understand. */
const USAGE_ERROR = 2;

/**
 * Runs a script to its exit status. What its caller got wrong is one line and status 2; anything else that fails is a
 * stack trace and status 1. With `--json`, either is one line of JSON.
 */
export function runScript(main: () => Promise<number>): void {
  // A reader that has seen enough, as `head` does, is no failure.
  process.stdout.on("error", (failure: NodeJS.ErrnoException) => {
    if (failure.code !== "EPIPE") throw failure;
    process.exit(0);
  });
  main().then(
    (status) => {
      process.exitCode = status;
    },
    (failure: unknown) => {
      process.exitCode = isUsage(failure) ? USAGE_ERROR : 1;
      process.stderr.write(`${process.argv.includes("--json") ? asJson(failure) : describe(failure)}\n`);
    },
  );
}

/** As the command line's: one object with what went wrong. */
function asJson(failure: unknown): string {
  const exit = isUsage(failure) ? "USAGE" : "INTERNAL";
  const told = failure instanceof Error ? failure.message : String(failure);
  // A rule that is broken says what is wanted.
  const message = isUsage(failure) && !(failure instanceof InvalidInput) ? `${told}; --help tells more` : told;
  const field = failure instanceof InvalidInput ? { field: failure.field, rule: failure.rule } : {};
  return JSON.stringify({ error: { exit, exitCode: process.exitCode, message, ...field } });
}

function isUsage(failure: unknown): failure is Error {
  if (failure instanceof InvalidInput) return true;
  // parseArgs' own, and a file that is not there.
  const codes = [
    "ERR_PARSE_ARGS_UNKNOWN_OPTION",
    "ERR_PARSE_ARGS_INVALID_OPTION_VALUE",
    "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL",
    "ENOENT",
    "EISDIR",
  ];
  return failure instanceof Error && "code" in failure && codes.includes(String(failure.code));
}

function describe(failure: unknown): string {
  if (isUsage(failure)) return `${failure.message}\nSee --help`;
  // Hardhat's own errors tell the next step.
  if (failure instanceof Error && failure.name === "HardhatError") return failure.message;
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
