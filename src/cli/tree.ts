import type { Command } from "commander";

/** One command with all that can be put behind it. */
export interface CommandNode {
  /** From the program's name on: `feiqian relay start`. */
  readonly path: string;
  readonly description: string;
  /** As in `<uetr>`. */
  readonly usage: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly description: string;
    readonly choices: readonly string[];
  }[];
  readonly options: readonly {
    readonly flags: string;
    readonly long: string;
    readonly takesValue: boolean;
    readonly description: string;
    readonly fallback: string | undefined;
  }[];
  readonly subcommands: readonly CommandNode[];
}

/** The command tree as data, for completion and documentation: both follow from the program itself. */
export function commandTree(command: Command, parent = ""): CommandNode {
  const path = `${parent} ${command.name()}`.trim();
  const args = command.registeredArguments.map((argument) => ({
    name: argument.name(),
    description: argument.description,
    choices: argument.argChoices ?? [],
  }));
  return {
    path,
    description: command.description(),
    usage: command.registeredArguments
      .map((argument) => {
        const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
        return argument.required ? `<${name}>` : `[${name}]`;
      })
      .join(" "),
    arguments: args,
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map((option) => ({
        flags: option.flags,
        long: option.long ?? option.flags,
        takesValue: option.required || option.optional,
        description: option.description,
        fallback: typeof option.defaultValue === "string" ? option.defaultValue : undefined,
      })),
    subcommands: command.commands.map((inner) => commandTree(inner, path)),
  };
}

/** A node and all below it, each before its own. */
export function allNodes(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.subcommands.flatMap(allNodes)];
}
