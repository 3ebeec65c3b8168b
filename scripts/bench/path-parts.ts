// What the processes of `path.ts` have in common.
import { once } from "node:events";
import type { Server } from "node:http";
import { money } from "../../src/domain/money.ts";
import { parsePartnerId, type PartnerId } from "../../src/domain/partner.ts";
import type { Uetr } from "../../src/domain/uetr.ts";
import type { SubmitRequest } from "../../src/schema/transfers.ts";
import { createRandom } from "../../src/kernel/random.ts";
import { requestOf } from "../../sandbox/wallet/wallet-app.ts";
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

/** What the load is asked for. */
export interface LoadOrder {
  readonly transfers: number;
  /** Whether what it has measured before is forgotten. */
  readonly anew: boolean;
}

/** What the load says of transfers that it has had accepted. */
export interface Accepted {
  /** From each request to its answer; none where lines share a stream. Milliseconds. */
  readonly latency: { readonly p50: number; readonly p99: number } | undefined;
}

export interface NaiveOptions {
  readonly databaseUrl: string;
  readonly rpcUrl: string;
  /** Of whoever has the tokens. */
  readonly privateKey: string;
  readonly token: `0x${string}`;
  readonly payee: `0x${string}`;
}

/** The same in every process. */
export function customersOf(partner: PartnerId): readonly Customer[] {
  return makeCustomers(walletOf(partner), CUSTOMERS, createRandom(`bench ${partner}`));
}

/** Makes the requests of the load, each by its number. */
export function createRequests(): (uetr: Uetr, index: number) => SubmitRequest {
  const [debtors, creditors] = [customersOf(SOURCE), customersOf(TARGET)];
  const currency = walletOf(SOURCE).currency.code;
  return (uetr, index) =>
    requestOf({
      uetr,
      source: SOURCE,
      target: TARGET,
      // From 1 to 1,000 dollars.
      sourceAmount: money(100n + ((BigInt(index) * 7_919n) % 99_901n), currency),
      debtor: pick(debtors, index),
      creditor: pick(creditors, 3 * index),
      purpose: "DEPD",
      remittance: `for ${index}`,
      atSecond: 0,
    });
}

function pick(customers: readonly Customer[], index: number): Customer {
  const customer = customers[index % customers.length];
  if (customer === undefined) throw new Error("a wallet has no customers");
  return customer;
}

/** What a process was started with, by whoever has the types of both ends. */
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

/** In a process of its own: tells who has started it where the server is, and serves until it is told to stop. */
export async function serveUntilStopped(server: Server): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  process.send?.(typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : undefined);
  await until("stop");
  server.closeAllConnections();
  server.close();
}
