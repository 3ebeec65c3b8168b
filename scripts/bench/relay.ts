// How fast transfers go through relays: taken in over HTTP, settled on a chain in this process, credited at the wallet.
import { setTimeout as delay } from "node:timers/promises";
import { money } from "../../src/domain/money.ts";
import { parsePartnerId } from "../../src/domain/partner.ts";
import { parseUetr, uetrFromRandom, type Uetr } from "../../src/domain/uetr.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { percentile } from "../../src/platform/percentile.ts";
import { createRandom } from "../../src/platform/random.ts";
import { renderTable } from "../../src/platform/table.ts";
import { drawSecurely } from "../../src/platform/secure-random.ts";
import { startNetwork, type RunningNetwork, type RunningPartner } from "../../src/sandbox/network-up.ts";
import type { Order, Party } from "../../src/sandbox/order.ts";
import { playCustomers, playDeposits } from "../../src/sandbox/play.ts";
import { loadRateBook } from "../../src/sandbox/rates.ts";
import { requestOf } from "../../src/sandbox/wallet-app.ts";
import { walletOf } from "../../src/sandbox/wallets.ts";
import { deploySandbox } from "../lib/sandbox-ledger.ts";

/** One load of a given rate. */
export interface LatencyRow {
  readonly transfersPerSecond: number;
  readonly transfers: number;
  /** From the relay's acceptance to the wallet's credit. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** As many transfers as go through. */
export interface ThroughputRow {
  readonly how: "single submissions" | "stream";
  readonly transfers: number;
  readonly acceptedPerSecond: number;
  /** From the first submission to the last credit. */
  readonly creditedPerSecond: number;
}

export interface MemoryRow {
  readonly transfers: number;
  /** Of the whole process: two relays, their database, the chain and the load itself. */
  readonly residentMb: number;
  readonly heapMb: number;
}

export interface RelayFigures {
  readonly latency: readonly LatencyRow[];
  readonly throughput: readonly ThroughputRow[];
  readonly memory: readonly MemoryRow[];
}

const RATES = [1, 10, 100];
const AT_A_TIME = 64;
const STREAM = 20_000;
const SECONDS_AN_HOUR = 3_600;
const MEMORY_SAMPLES = 10;
const AMOUNT_MINOR = 10_000n;
const PATIENCE_MS = 120_000;
const POLL_MS = 10;
const LEDGER_POLL_MS = 50;
const MEGABYTE = 1_048_576;

/** AlipayHK to Alipay: the busiest corridor of the sandbox, and one with an exchange. */
const [SOURCE, TARGET] = [parsePartnerId(7), parsePartnerId(1)];

export async function benchRelay(load: { readonly seconds: number; readonly hourAt: number }): Promise<RelayFigures> {
  const rates = (await loadRateBook()).on();
  const network = await startNetwork({
    ...(await deploySandbox()),
    holdersOf: playCustomers(rates, createRandom("bench")),
    deposits: playDeposits(rates).map((deposit) => ({ ...deposit, amountMinor: deposit.amountMinor * 1_000n })),
    rates,
    seed: "bench",
    drawBytes: drawSecurely,
    wallets: [SOURCE, TARGET].map(walletOf),
    relaySettings: { ledger: { pollIntervalMs: LEDGER_POLL_MS } },
    log: createLogger({ level: "error", destination: process.stderr }),
  });
  try {
    const ends = endsOf(network);
    process.stderr.write("relay: warming up …\n");
    await sendStream(ends, 500);
    const latency: LatencyRow[] = [];
    for (const rate of RATES) latency.push(await measureLatency(ends, rate, load.seconds));
    const throughput = [await measureSingles(ends, load.seconds), await sendStream(ends, STREAM)];
    return { latency, throughput, memory: await measureMemory(ends, load.hourAt * SECONDS_AN_HOUR) };
  } finally {
    await network.stop();
  }
}

interface Ends {
  readonly source: RunningPartner;
  readonly target: RunningPartner;
  readonly debtor: Party;
  readonly creditor: Party;
}

function endsOf({ partners }: RunningNetwork): Ends {
  const [source, target] = [partners.get(SOURCE), partners.get(TARGET)];
  const [debtor] = source?.server.books.accounts() ?? [];
  const [creditor] = target?.server.books.accounts() ?? [];
  if (source === undefined || target === undefined || debtor === undefined || creditor === undefined) {
    throw new Error("the network has no such wallets and customers");
  }
  return { source, target, debtor, creditor };
}

function nextOrder({ source, debtor, creditor }: Ends): Order {
  return {
    uetr: uetrFromRandom(drawSecurely(16)),
    source: SOURCE,
    target: TARGET,
    sourceAmount: money(AMOUNT_MINOR, source.wallet.currency.code),
    debtor,
    creditor,
    purpose: "DEPD",
    remittance: "",
    atSecond: 0,
  };
}

/** An open loop: what is slow does not hold up what comes after it. */
async function measureLatency(ends: Ends, perSecond: number, seconds: number): Promise<LatencyRow> {
  process.stderr.write(`relay: ${perSecond} transfers a second, for ${seconds} s …\n`);
  const count = perSecond * seconds;
  const begun = performance.now();
  const sent: Promise<readonly [Uetr, number]>[] = [];
  for (let index = 0; index < count; index++) {
    await delay(Math.max(0, begun + (index * 1_000) / perSecond - performance.now()));
    sent.push(submitOne(ends));
  }
  const accepted = await Promise.all(sent);
  const latencies: number[] = [];
  for (const [uetr, acceptedAtMs] of accepted) latencies.push((await creditOf(ends, uetr)) - acceptedAtMs);
  return {
    transfersPerSecond: perSecond,
    transfers: count,
    p50Ms: percentile(latencies, 50) ?? 0,
    p99Ms: percentile(latencies, 99) ?? 0,
  };
}

async function measureSingles(ends: Ends, seconds: number): Promise<ThroughputRow> {
  process.stderr.write(`relay: single submissions, ${AT_A_TIME} at a time, for ${seconds} s …\n`);
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  const uetrs: Uetr[] = [];
  const worker = async () => {
    while (performance.now() < until) uetrs.push((await submitOne(ends))[0]);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return throughputOf(ends, "single submissions", begun, uetrs);
}

async function sendStream(ends: Ends, count: number): Promise<ThroughputRow> {
  if (count === STREAM) process.stderr.write(`relay: one stream of ${count} transfers …\n`);
  const begun = performance.now();
  const uetrs: Uetr[] = [];
  const requests = Array.from({ length: count }, () => requestOf(nextOrder(ends)));
  for await (const { acceptance, problem } of ends.source.client.submitMany(requests)) {
    if (acceptance === undefined) throw new Error(`refused: ${problem?.detail ?? "without a reason"}`);
    uetrs.push(parseUetr(acceptance.uetr));
  }
  return throughputOf(ends, "stream", begun, uetrs);
}

async function throughputOf(
  ends: Ends,
  how: ThroughputRow["how"],
  begun: number,
  uetrs: readonly Uetr[],
): Promise<ThroughputRow> {
  const acceptedMs = performance.now() - begun;
  for (const uetr of uetrs) await creditOf(ends, uetr);
  const creditedMs = performance.now() - begun;
  return {
    how,
    transfers: uetrs.length,
    acceptedPerSecond: Math.round((uetrs.length * 1_000) / acceptedMs),
    creditedPerSecond: Math.round((uetrs.length * 1_000) / creditedMs),
  };
}

/** The same number of transfers as in an hour, but as fast as they go. */
async function measureMemory(ends: Ends, transfers: number): Promise<readonly MemoryRow[]> {
  process.stderr.write(`relay: memory over ${transfers} transfers …\n`);
  const rows = [memoryAfter(0)];
  const slice = Math.ceil(transfers / MEMORY_SAMPLES);
  for (let sent = slice; sent <= transfers; sent += slice) {
    await sendStream(ends, slice);
    rows.push(memoryAfter(sent));
  }
  return rows;
}

function memoryAfter(transfers: number): MemoryRow {
  // There with --expose-gc, as `npm run bench` has it.
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return { transfers, residentMb: Math.round(rss / MEGABYTE), heapMb: Math.round(heapUsed / MEGABYTE) };
}

async function submitOne(ends: Ends): Promise<readonly [Uetr, number]> {
  const order = nextOrder(ends);
  const { acceptance } = await ends.source.client.submit(requestOf(order));
  return [order.uetr, Date.parse(acceptance.acceptedAt)];
}

/** When the target wallet credited it. */
async function creditOf({ target }: Ends, uetr: Uetr): Promise<number> {
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until;) {
    const posting = target.server.books.postingOf("credit", uetr);
    if (posting !== undefined) return posting.atMs;
    await delay(POLL_MS);
  }
  throw new Error(`${uetr} was not credited within ${PATIENCE_MS / 1_000} s`);
}

/** The figures as people read them. */
export function describeRelay({ latency, throughput, memory }: RelayFigures): string {
  const right = <R>(title: string, value: (row: R) => number) => ({
    title,
    value: (row: R) => value(row).toFixed(0),
    align: "right" as const,
  });
  return [
    "accepted → credited, one process with two relays, their database, the wallets and the chain",
    renderTable<LatencyRow>(
      [
        right("transfers/s", (row) => row.transfersPerSecond),
        right("transfers", (row) => row.transfers),
        right("p50 ms", (row) => row.p50Ms),
        right("p99 ms", (row) => row.p99Ms),
      ],
      latency,
    ),
    "as fast as they go",
    renderTable<ThroughputRow>(
      [
        { title: "how", value: ({ how }) => how },
        right("transfers", (row) => row.transfers),
        right("accepted/s", (row) => row.acceptedPerSecond),
        right("credited/s", (row) => row.creditedPerSecond),
      ],
      throughput,
    ),
    "memory of the whole process over an hour's worth of transfers",
    renderTable<MemoryRow>(
      [
        right("transfers", (row) => row.transfers),
        right("resident MB", (row) => row.residentMb),
        right("heap MB", (row) => row.heapMb),
      ],
      memory,
    ),
  ].join("\n\n");
}
