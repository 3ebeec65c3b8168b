import type { NodeUnderTest } from "./nodes.ts";
import { eventually, type Pace } from "./pace.ts";

/** What one node answered. */
export interface AnswerOf<Read> {
  readonly name: string;
  readonly value: Read;
}

/** Asks every node the same. */
export async function askEach<Node extends { readonly name: string }, Read>(
  nodes: readonly Node[],
  read: (node: Node) => Promise<Read>,
): Promise<readonly AnswerOf<Read>[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const value = await read(node).catch((cause: unknown) => {
        throw new Error(`${node.name} does not answer: ${String(cause)}`, { cause });
      });
      return { name: node.name, value };
    }),
  );
}

/**
 * The one answer of all nodes.
 * @throws Error that says which node answers what, and what to look at
 */
export function theSame<Read>(what: string, answers: readonly AnswerOf<Read>[], hint: string): Read {
  const [first] = answers;
  if (first === undefined) throw new Error("no node was asked");
  if (answers.every(({ value }) => textOf(value) === textOf(first.value))) return first.value;
  const each = answers.map(({ name, value }) => `${name}: ${textOf(value)}`).join("\n  ");
  throw new Error(`${what} is not the same on every node (${hint}):\n  ${each}`);
}

/** What every node says, once it has a block: all the same. */
export async function everywhere<Node extends NodeUnderTest, Read>(
  { nodes, pace }: { readonly nodes: readonly Node[]; readonly pace: Pace },
  block: number,
  what: string,
  read: (node: Node) => Promise<Read>,
): Promise<Read> {
  const answers = await askEach(nodes, async (node) => {
    await eventually(pace, `${node.name} has block ${block}`, async () =>
      (await node.provider.getBlockNumber()) >= block ? true : undefined,
    );
    return read(node);
  });
  return theSame(`${what}, as of block ${block},`, answers, "is one of them on another fork, or does it prune state?");
}

function textOf(value: unknown): string {
  if (value === undefined) return "nothing";
  return JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? member.toString() : member));
}
