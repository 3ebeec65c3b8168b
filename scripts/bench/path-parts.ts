// What the processes of `path.ts` have in common.
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import { parsePartnerId, type PartnerId } from "../../src/domain/partner.ts";
import { createRandom } from "../../src/kernel/random.ts";
import { makeCustomers, type Customer } from "../../sandbox/wallet/customers.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";

/** AlipayHK to Alipay, the busiest corridor of the sandbox, with an exchange. */
export const [SOURCE, TARGET] = [parsePartnerId(7), parsePartnerId(1)];

const CUSTOMERS = 1_000;

export interface WalletOptions {
  readonly partner: PartnerId;
  readonly secret: string;
  /** Path of its file. */
  readonly journal: string;
}

export interface LoadOptions {
  readonly url: string;
  readonly key: string;
  /** Each transfer alone, over so many connections that are kept; undefined for streams of lines. */
  readonly connections: number | undefined;
}

/** What the load says of transfers that it has had accepted. */
export interface Accepted {
  /** From each request to its answer; none where lines share a stream. Milliseconds. */
  readonly latency: { readonly p50: number; readonly p99: number } | undefined;
}

/** The same in every process. */
export function customersOf(partner: PartnerId): readonly Customer[] {
  return makeCustomers(walletOf(partner), CUSTOMERS, createRandom(`bench ${partner}`));
}

/** What a process was started with, by `path.ts`, which has the types of both ends. */
export function optionsOf(): unknown {
  return JSON.parse(process.argv[2] ?? "");
}

/** The next message of whoever has started this process, or that one. */
export async function until(wanted?: string): Promise<unknown> {
  for (;;) {
    const [message] = (await once(process, "message")) as unknown[];
    if (wanted === undefined || message === wanted) return message;
  }
}

/** Ticks of `/proc/<pid>/stat`, which Linux counts a hundred a second of for every program. */
const TICK_MS = 10;

/** Milliseconds of processor, user and system, of a process and of those that it has had; Linux only. */
export async function processorMs(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return TICK_MS * [11, 12, 13, 14].reduce((sum, index) => sum + Number.parseInt(fields[index] ?? "0", 10), 0);
}

export async function parentOf(pid: number): Promise<number> {
  return Number.parseInt((await statOf(pid))[1] ?? "", 10);
}

/** As they are now. */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text
    .split(" ")
    .filter((child) => child !== "")
    .map((child) => Number.parseInt(child, 10));
}

/** From the process's state on: its name, in brackets, may have blanks in it. */
async function statOf(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
