// A page's fenced blocks, as a reader goes through them.
//
// After `sh` the info string, which nobody sees who reads the page, tells what a reader does with a block:
//
//   until=CONDITION  its last command stays: the rest of the page goes on in another terminal once the condition holds.
//                    A file that exists, or a URL that answers 2xx
//   again            what it prints changes with time: run once more until it is what the page shows
//   ctrl-c           it is ended by Ctrl-C once it has printed something
//   no-run=WHAT      it cannot run here, for want of this
//
// `# ends with 9` on a line says that its command has this exit code; every other command has to end with 0.

export interface Shown {
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

export interface RunStep {
  readonly kind: "run";
  readonly line: number;
  readonly commands: string;
  /** Exit codes other than 0, in their order. */
  readonly endings: readonly number[];
  readonly until: string | undefined;
  readonly again: boolean;
  readonly ctrlC: boolean;
  /** What the page shows of its output. */
  readonly output: Shown | undefined;
}

export type Step = RunStep | { readonly kind: "marked"; readonly line: number; readonly reason: string };

interface Block extends Shown {
  readonly info: readonly string[];
  /** How many headings are above it. */
  readonly section: number;
}

const FENCE = /^( *)```(.*)$/;
const OUTPUTS = ["", "text", "json"];
const ENDS_WITH = /# ends with (\d+)/g;
const MARKS = /^(until=.+|again|ctrl-c|no-run=.+)$/;

/** @throws Error where a block is marked with what is no mark */
export function readSteps(markdown: string): readonly Step[] {
  const blocks = readBlocks(markdown);
  return blocks.flatMap((block, index): Step[] => {
    if (block.language !== "sh") return [];
    const unknown = block.info.find((word) => !MARKS.test(word));
    if (unknown !== undefined) throw new Error(`line ${block.line}: no mark of a block: ${unknown}`);
    const marked = (name: string) => block.info.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
    const reason = marked("no-run");
    if (reason !== undefined) return [{ kind: "marked", line: block.line, reason }];
    const next = blocks[index + 1];
    const output = next?.section === block.section && OUTPUTS.includes(next.language) ? next : undefined;
    const run: RunStep = {
      kind: "run",
      line: block.line,
      commands: block.text,
      endings: [...block.text.matchAll(ENDS_WITH)].map(([, code = ""]) => Number.parseInt(code, 10)).filter(Boolean),
      until: marked("until"),
      again: block.info.includes("again"),
      ctrlC: block.info.includes("ctrl-c"),
      output,
    };
    return [run];
  });
}

function readBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { block: Omit<Block, "text">; indent: number; lines: string[] } | undefined;
  let section = 0;
  for (const [index, line] of markdown.split("\n").entries()) {
    const [fence, indent = "", words = ""] = FENCE.exec(line) ?? [];
    if (open !== undefined) {
      if (fence === undefined || words !== "") open.lines.push(line.slice(open.indent));
      else {
        blocks.push({ ...open.block, text: open.lines.join("\n") });
        open = undefined;
      }
    } else if (fence !== undefined) {
      const [language = "", ...info] = words.trim().split(/ +/);
      open = { block: { line: index + 1, language, info, section }, indent: indent.length, lines: [] };
    } else if (line.startsWith("#")) section++;
  }
  return blocks;
}
