import type { Command } from "commander";
import { EXIT_CODES } from "./exit-codes.ts";
import { allNodes, commandTree, type CommandNode } from "./tree.ts";

/** Every command with its arguments and options, and the exit codes, as Markdown: the body of docs/cli.md. */
export function cliReference(program: Command): string {
  const root = commandTree(program);
  const commands = allNodes(root).filter(({ subcommands }) => subcommands.length === 0);
  const codes = Object.entries(EXIT_CODES).map(([name, { code, meaning }]) => `| ${code} | ${name} | ${meaning} |`);
  return [
    "## Options of every command",
    optionTable(root.options),
    "## Commands",
    ...commands.map(section),
    "## Exit codes",
    ["| code | name | |", "| ---: | --- | --- |", ...codes].join("\n"),
  ].join("\n\n");
}

function section(node: CommandNode): string {
  const usage = `### \`${[node.path, node.usage].filter(Boolean).join(" ")}\``;
  const args = node.arguments.map(({ name, description, choices }) => {
    const among = choices.length === 0 ? "" : ` (${choices.join(", ")})`;
    return `| \`${name}\` | ${escape(description)}${among} | |`;
  });
  const rows = [...args, ...optionRows(node.options)];
  return [usage, node.description, ...(rows.length === 0 ? [] : [table(rows)])].join("\n\n");
}

function optionTable(options: CommandNode["options"]): string {
  return table(optionRows(options));
}

function optionRows(options: CommandNode["options"]): readonly string[] {
  return options.map(
    ({ flags, description, fallback }) =>
      `| \`${flags}\` | ${escape(description)} | ${fallback === undefined ? "" : `\`${fallback}\``} |`,
  );
}

function table(rows: readonly string[]): string {
  return ["| | | default |", "| --- | --- | --- |", ...rows].join("\n");
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
