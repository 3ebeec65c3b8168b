import { Command, CommanderError } from "commander";

/**
 * What is wrong with a command line, in one sentence that ends with what to do: of the command that was meant, which only
 * that command knows.
 */
export function misuseOf(command: Command, error: CommanderError): CommanderError {
  if (error.exitCode === 0) return error;
  const path = pathOf(command);
  const [first, asked] = command.args;
  if (error.code === "commander.help" && first === "help" && asked !== undefined) {
    return misuseOf(command, unknownCommand(command, asked));
  }
  const told =
    error.code === "commander.help"
      ? `a command is missing: ${path} --help lists them`
      : `${withMeaning(command, plain(error.message))}; usage: ${path} ${command.usage()}, and --help tells more`;
  return new CommanderError(error.exitCode, error.code, told);
}

/** As commander refuses a command that there is not: with those that are called alike. */
function unknownCommand(command: Command, asked: string): CommanderError {
  const alike = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  for (const each of command.commands) alike.command(each.name());
  try {
    alike.parse([asked], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error;
  }
  throw new RangeError(`${asked}: a command`);
}

/** Without what commander adds for a terminal. */
function plain(message: string): string {
  return message
    .replace(/^error: /, "")
    .replaceAll("\n", " ")
    .replace(/\.$/, "");
}

/** With what the argument or option that is missing would be: what was forgotten may be its name. */
function withMeaning(command: Command, message: string): string {
  const [, named] = /'([^']+)'/.exec(message) ?? [];
  const argument = command.registeredArguments.find((each) => each.name() === named);
  const option = lineage(command)
    .flatMap(({ options }) => options)
    .find(({ flags }) => flags === named);
  const meaning = argument?.description ?? option?.description ?? "";
  return meaning === "" || !message.includes("missing") ? message : `${message}: ${meaning}`;
}

function pathOf(command: Command): string {
  return lineage(command)
    .map((each) => each.name())
    .reverse()
    .join(" ");
}

/** A command and those that it is a part of, the program last. */
function lineage(command: Command): readonly Command[] {
  return [command, ...(command.parent === null ? [] : lineage(command.parent))];
}
