// Who sends transfers, in a process of its own: `path.ts` starts it. Lines of NDJSON, or each alone, over plain HTTP.
import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { money } from "../../src/domain/money.ts";
import { uetrFromRandom } from "../../src/domain/uetr.ts";
import { percentile } from "../../src/kernel/percentile.ts";
import { requestOf } from "../../sandbox/wallet/wallet-app.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";
import type { Customer } from "../../sandbox/wallet/customers.ts";
import { customersOf, optionsOf, SOURCE, TARGET, until, type Accepted, type LoadOptions } from "./path-parts.ts";

/** A stream of a wallet's; the next begins when it has its answers. */
const LINES_PER_STREAM = 50_000;
const LINES_PER_WRITE = 100;

const { url, key, connections } = optionsOf() as LoadOptions;
const [debtors, creditors] = [customersOf(SOURCE), customersOf(TARGET)];
const currency = walletOf(SOURCE).currency.code;
process.send?.("ready");
for (;;) {
  const asked = await until();
  if (typeof asked !== "number") break;
  let latency: Accepted["latency"];
  if (connections === undefined) await sendStreams(asked);
  else latency = await sendSingly(asked, connections);
  process.send?.({ latency } satisfies Accepted);
}
process.disconnect();

async function sendStreams(count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += LINES_PER_STREAM) {
    await sendStream(sent, Math.min(LINES_PER_STREAM, count - sent));
  }
}

/** Each connection sends the next one when it has its answer. */
async function sendSingly(count: number, atOnce: number): Promise<Accepted["latency"]> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const latencies: number[] = [];
  let next = 0;
  const sendNext = async (): Promise<void> => {
    while (next < count) {
      const begun = performance.now();
      await sendOne(lineOf(next++), agent);
      latencies.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendNext));
  agent.destroy();
  return { p50: percentile(latencies, 50) ?? 0, p99: percentile(latencies, 99) ?? 0 };
}

async function sendOne(body: string, agent: Agent): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const sending = request(`${url}/v1/transfers`, { method: "POST", agent, headers });
  sending.on("error", reject);
  sending.on("response", (answer) => {
    answer.resume();
    answer.on("error", reject);
    answer.on("end", () => {
      if (answer.statusCode === 202) resolve(undefined);
      else reject(new Error(`not accepted: ${answer.statusCode}`));
    });
  });
  sending.end(body);
  await promise;
}

async function sendStream(first: number, count: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sending = request(`${url}/v1/transfers`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/x-ndjson" },
  });
  sending.on("error", reject);
  sending.on("response", (answer) => {
    let accepted = 0;
    const lines = createInterface({ input: answer });
    lines.on("line", (line) => {
      if (line.includes('"status":202')) accepted++;
      else reject(new Error(`not accepted: ${line}`));
    });
    lines.on("close", () => resolve(accepted));
  });
  const [accepted] = await Promise.all([promise, pipeline(Readable.from(writes(first, count)), sending)]);
  if (accepted !== count) throw new Error(`${accepted} of ${count} were accepted`);
}

function* writes(first: number, count: number): Generator<Buffer> {
  for (let from = first; from < first + count; from += LINES_PER_WRITE) {
    const length = Math.min(LINES_PER_WRITE, first + count - from);
    yield Buffer.from(Array.from({ length }, (_, index) => lineOf(from + index)).join(""));
  }
}

function lineOf(index: number): string {
  const order = requestOf({
    uetr: uetrFromRandom(randomBytes(16)),
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
  return `${JSON.stringify(order)}\n`;
}

function pick(customers: readonly Customer[], index: number): Customer {
  const customer = customers[index % customers.length];
  if (customer === undefined) throw new Error("a wallet has no customers");
  return customer;
}
