import { Argument, Command, CommanderError } from "commander";
import { COMPLETIONS, completionScript } from "./completion.ts";
import { FEATURES } from "../app/features.ts";
import { addKeyCommands } from "./commands/keys.ts";
import { addNetworkCommands } from "./commands/network.ts";
import { addQrCommands } from "./commands/qr.ts";
import { addRelayCommands } from "./commands/relay.ts";
import { addSandboxCommands } from "./commands/sandbox.ts";
import { misuseOf } from "./misuse.ts";
import { EXIT_CODES, exitOf, type ExitName } from "../command/exit-codes.ts";
import { SubmissionFailure } from "../command/fate.ts";
import type { Io } from "../command/io.ts";

const VERSION = "0.1.0";

/**
 * Every command of `feiqian`. Building it does nothing; parsing runs one.
 * @param isJson whether help that nobody asked for is left out
 * @param features those whose commands there are, besides the program's own
 * @throws Error where two contribute a command of one name
 */
export function createProgram(io: Io, isJson = false, features = FEATURES): Command {
  const program = new Command("feiqian")
    .description("Cross-border remittances between mobile wallets: the relay, and what talks to it.")
    .version(VERSION)
    .option("--json", "print JSON: one document, or one line for each thing that happens")
    .option("--url <url>", "the relay's address; FEIQIAN_URL unless given")
    .option("--key-file <file>", "file with the API key; FEIQIAN_API_KEY unless given")
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      // What is wrong is told by whoever runs the command line, like everything else that goes wrong.
      outputError: () => undefined,
      writeErr: (text) => {
        if (!isJson) io.err.write(text);
      },
    });
  addRelayCommands(program, io);
  addNetworkCommands(program, io);
  addSandboxCommands(program, io);
  for (const { commands } of features) commands?.(program, io);
  addKeyCommands(program, io);
  addQrCommands(program, io);
  program
    .command("completion")
    .description("Prints a script that completes commands in a shell.")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(COMPLETIONS)))
    .action((shell: string) => void io.out.write(completionScript(program, shell)));
  throwMisuse(program);
  return program;
}

/** Has each command throw what is wrong with its own line, instead of ending the process. */
function throwMisuse(command: Command): void {
  command.exitOverride((error) => {
    throw misuseOf(command, error);
  });
  command.commands.forEach(throwMisuse);
}

/**
 * Runs one command line.
 * @param args without the program's own name
 * @returns what to end the process with; see EXIT_CODES
 */
export async function runCommand(args: readonly string[], io: Io, features = FEATURES): Promise<number> {
  const isJson = args.includes("--json");
  try {
    await createProgram(io, isJson, features).parseAsync(args, { from: "user" });
    return EXIT_CODES.OK.code;
  } catch (error) {
    const exit = exitOf(error);
    // commander has printed the help.
    const isTold = error instanceof CommanderError && (exit === "OK" || (error.code === "commander.help" && !isJson));
    if (!isTold) io.err.write(`${describe(error, exit, isJson)}\n`);
    return EXIT_CODES[exit].code;
  }
}

function describe(error: unknown, exit: ExitName, isJson: boolean): string {
  const message = error instanceof Error ? error.message : String(error);
  // What went wrong, and for a submission which one and what is known of it.
  const [cause, uetr, transfer, stored] =
    error instanceof SubmissionFailure ? [error.cause, error.uetr, error.transfer, error.stored] : [error];
  if (!isJson) return `feiqian: ${message}${aside(cause)}`;
  const members = memberTexts(cause, ["code", "field", "reason", "rule", "instance"]);
  const about = { message, ...members, uetr, transfer, stored };
  return JSON.stringify({ error: { exit, exitCode: EXIT_CODES[exit].code, ...about } });
}

/** What a person is told beyond the message. */
function aside(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { code, field, reason } = memberTexts(error, ["code", "field", "reason"]);
  const cause = error.cause instanceof Error && code === "UNREACHABLE" ? `: ${error.cause.message}` : "";
  return error.name === "RelayProblem" ? ` [${[code, field, reason].filter(Boolean).join(", ")}]` : cause;
}

function memberTexts(error: unknown, names: readonly string[]): Readonly<Record<string, string | undefined>> {
  if (typeof error !== "object" || error === null) return {};
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(error)) {
    if (names.includes(name) && typeof value === "string") texts.set(name, value);
  }
  return Object.fromEntries(texts);
}
