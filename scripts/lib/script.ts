import { InvalidInput } from "../../src/domain/errors.ts";

/** Exit status of a script that was called in a way that it does not understand. */
const USAGE_ERROR = 2;

/**
 * Runs a script to its exit status. What its caller got wrong is one line and status 2; anything else that fails is a
 * stack trace and status 1.
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
      process.stderr.write(`${isUsage(failure) ? `${failure.message}\nSee --help\n` : describe(failure)}\n`);
      process.exitCode = isUsage(failure) ? USAGE_ERROR : 1;
    },
  );
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
  // Hardhat's own errors tell the next step.
  if (failure instanceof Error && failure.name === "HardhatError") return failure.message;
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
