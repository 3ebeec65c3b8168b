import type { Command } from "commander";
import { EXIT_CODES } from "../../src/command/exit-codes.ts";
import { allNodes, commandTree, type CommandNode } from "../../src/cli/tree.ts";

/** Every command with its arguments and options, and the exit codes, as Markdown: the body of docs/cli.md. */
export function cliReference(program: Command): string {
  const root = commandTree(program);
  const commands = allNodes(root).filter(({ subcommands }) => subcommands.length === 0);
  const codes = Object.entries(EXIT_CODES).map(([name, { code, meaning }]) => `- \`${code}\` ${name}: ${meaning}`);
  return [
    "## Options of every command",
    list(root.options.map(option)),
    "## Commands",
    ...commands.map(section),
    "## Exit codes",
    list(codes),
  ].join("\n\n");
}

function section(node: CommandNode): string {
  const usage = `### \`${[node.path, node.usage].filter(Boolean).join(" ")}\``;
  const args = node.arguments.map(({ name, description, choices }) => {
    const among = choices.length === 0 ? "" : ` (${choices.join(", ")})`;
    return `- \`${name}\`: ${escape(description)}${among}`;
  });
  const items = [...args, ...node.options.map(option)];
  return [usage, node.description, ...(items.length === 0 ? [] : [list(items)])].join("\n\n");
}

function option({ flags, description, fallback }: CommandNode["options"][number]): string {
  return `- \`${flags}\`: ${escape(description)}${fallback === undefined ? "" : `; default \`${fallback}\``}`;
}

function list(items: readonly string[]): string {
  return items.join("\n");
}

function escape(text: string): string {
  return text.replaceAll("<", "&lt;");
}
