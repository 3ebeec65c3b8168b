import type { Command } from "commander";
import { allNodes, commandTree, type CommandNode } from "./tree.ts";

/** How each shell is told of the commands. */
export const COMPLETIONS: Readonly<Record<string, (root: CommandNode) => string>> = { bash, zsh, fish };

/** A script that completes the program's commands in a shell; made of the commands themselves. */
export function completionScript(program: Command, shell: string): string {
  const render = COMPLETIONS[shell];
  if (render === undefined) throw new RangeError(`shell: one of ${Object.keys(COMPLETIONS).join(", ")}`);
  return render(commandTree(program));
}

/** What can come next after a command, options of the whole program included. */
function candidatesOf(node: CommandNode, root: CommandNode): readonly string[] {
  const words = [...node.subcommands.map(nameOf), ...(node.arguments[0]?.choices ?? [])];
  const options = (node === root ? node.options : [...node.options, ...root.options]).map(({ long }) => long);
  return [...words, ...options, "--help"];
}

function nameOf({ path }: CommandNode): string {
  return path.split(" ").at(-1) ?? path;
}

/** Options after which a value comes: their value is no command. */
function valueOptions(root: CommandNode): readonly string[] {
  const options = allNodes(root).flatMap((node) => node.options.filter(({ takesValue }) => takesValue));
  return [...new Set(options.map(({ long }) => long))];
}

/** The path of commands so far, as shell code that bash and zsh both take: `words` and `last` are given. */
function walk(root: CommandNode): string {
  const paths = allNodes(root)
    .filter((node) => node !== root)
    .map(({ path }) => `"${path}"`);
  return `  local at=${root.path} skip= word
  for word in "\${words[@]}"; do
    if [[ -n $skip ]]; then skip=; continue; fi
    case "$word" in
      ${valueOptions(root).join("|")}) skip=1; continue ;;
    esac
    case "$at $word" in
      ${paths.join("|")}) at="$at $word" ;;
    esac
  done
  if [[ -n $skip ]]; then at=; fi`;
}

function cases(root: CommandNode): string {
  return allNodes(root)
    .map((node) => `    "${node.path}") candidates="${candidatesOf(node, root).join(" ")}" ;;`)
    .join("\n");
}

function bash(root: CommandNode): string {
  return `# bash completion for ${root.path}: source it, or put it into ~/.local/share/bash-completion/completions/${root.path}
_${root.path}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" candidates=
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${walk(root)}
  case "$at" in
${cases(root)}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o default -F _${root.path} ${root.path}
`;
}

function zsh(root: CommandNode): string {
  return `#compdef ${root.path}
# zsh completion for ${root.path}: put it into a folder of $fpath as _${root.path}
_${root.path}() {
  local candidates= all=("\${(@)words}")
  local last=$((CURRENT - 1))
  local words=("\${(@)all[2,$last]}")
${walk(root)}
  case "$at" in
${cases(root)}
  esac
  compadd -- \${=candidates} || _files
}
compdef _${root.path} ${root.path}
`;
}

function fish(root: CommandNode): string {
  const lines = allNodes(root).flatMap((node) => {
    const when = `-n '__${root.path}_at "${node.path}"'`;
    const options = node === root ? [] : node.options;
    return [
      ...node.subcommands.map(
        (inner) => `complete -c ${root.path} -f ${when} -a ${nameOf(inner)} -d ${quote(inner.description)}`,
      ),
      ...(node.arguments[0]?.choices ?? []).map((choice) => `complete -c ${root.path} -f ${when} -a ${choice}`),
      ...options.map((option) => `complete -c ${root.path} ${when} ${fishOption(option)}`),
    ];
  });
  const everywhere = root.options.map((option) => `complete -c ${root.path} ${fishOption(option)}`);
  const paths = allNodes(root).map(({ path }) => `"${path}"`);
  return `# fish completion for ${root.path}: put it into ~/.config/fish/completions/${root.path}.fish
function __${root.path}_at
  set -l at ${root.path}
  set -l skip
  for word in (commandline -opc)[2..-1]
    if test -n "$skip"
      set skip
      continue
    end
    if contains -- $word ${valueOptions(root).join(" ")}
      set skip 1
    else if contains -- "$at $word" ${paths.join(" ")}
      set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${[...everywhere, ...lines].join("\n")}
`;
}

function fishOption({ long, takesValue, description }: CommandNode["options"][number]): string {
  return `-l ${long.replace(/^--/, "")}${takesValue ? " -r" : ""} -d ${quote(description)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
