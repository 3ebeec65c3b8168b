// Load for two relays, and what becomes of it: AlipayHK to Alipay, the busiest corridor of the sandbox, with an exchange.
import { setTimeout as delay } from "node:timers/promises";
import { money } from "../../src/domain/money.ts";
import { parsePartnerId } from "../../src/domain/partner.ts";
import { parseUetr, uetrFromRandom, type Uetr } from "../../src/domain/uetr.ts";
import { createLogger } from "../../src/kernel/telemetry/logger.ts";
import { percentile } from "../../src/kernel/percentile.ts";
import { createRandom } from "../../src/kernel/random.ts";
import { renderTable } from "../../src/kernel/table.ts";
import { drawSecurely } from "../../src/kernel/secure-random.ts";
import {
  startNetwork,
  type NetworkOptions,
  type RunningNetwork,
  type RunningPartner,
} from "../../sandbox/network-up.ts";
import type { Order, Party } from "../../sandbox/orders/order.ts";
import { playCustomers, playDeposits } from "../../sandbox/day/play.ts";
import { loadRateBook } from "../../sandbox/provider/rates.ts";
import { requestOf } from "../../sandbox/wallet/wallet-app.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";
import type { SandboxLedger } from "../lib/sandbox-ledger.ts";

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
  readonly transfers: number;
  readonly acceptedPerSecond: number;
  /** From the first submission to the last credit. */
  readonly creditedPerSecond: number;
}

const AMOUNT_MINOR = 10_000n;
const PATIENCE_MS = 120_000;
const POLL_MS = 10;
const WARM_UP = 500;
const LEDGER_POLL_MS = 50;
const FUNDS_FACTOR = 1_000n;
const [SOURCE, TARGET] = [parsePartnerId(7), parsePartnerId(1)];

/**
 * Two relays that have been warmed up, and everybody around them.
 * @param warmUp transfers that go through before anything is measured
 */
export async function startTwoRelays(
  ledger: SandboxLedger & Pick<NetworkOptions, "databaseOf">,
  settings: NonNullable<NetworkOptions["relaySettings"]> = {},
  warmUp = WARM_UP,
): Promise<{ readonly network: RunningNetwork; readonly ends: Ends }> {
  const rates = (await loadRateBook()).on();
  const network = await startNetwork({
    ...ledger,
    holdersOf: playCustomers(rates, createRandom("bench")),
    deposits: playDeposits(rates).map((deposit) => ({ ...deposit, amountMinor: deposit.amountMinor * FUNDS_FACTOR })),
    rates,
    seed: "bench",
    drawBytes: drawSecurely,
    wallets: [SOURCE, TARGET].map(walletOf),
    relaySettings: { ledger: { pollIntervalMs: LEDGER_POLL_MS }, ...settings },
    log: createLogger({ level: "error", destination: process.stderr }),
  });
  try {
    const ends = endsOf(network);
    await sendStream(ends, warmUp);
    return { network, ends };
  } catch (failure) {
    await network.stop();
    throw failure;
  }
}

/** Who sends to whom. */
export interface Ends {
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
export async function measureLatency(ends: Ends, perSecond: number, seconds: number): Promise<LatencyRow> {
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

/** One stream of submissions. */
export async function sendStream(ends: Ends, count: number): Promise<ThroughputRow> {
  const begun = performance.now();
  const uetrs: Uetr[] = [];
  const requests = Array.from({ length: count }, () => requestOf(nextOrder(ends)));
  for await (const { acceptance, problem } of ends.source.client.submitMany(requests)) {
    if (acceptance === undefined) throw new Error(`refused: ${problem?.detail ?? "without a reason"}`);
    uetrs.push(parseUetr(acceptance.uetr));
  }
  return throughputOf(ends, begun, uetrs);
}

/** @param begun by `performance.now()`, when the first was sent */
export async function throughputOf(ends: Ends, begun: number, uetrs: readonly Uetr[]): Promise<ThroughputRow> {
  const acceptedMs = performance.now() - begun;
  for (const uetr of uetrs) await creditOf(ends, uetr);
  const creditedMs = performance.now() - begun;
  return {
    transfers: uetrs.length,
    acceptedPerSecond: Math.round((uetrs.length * 1_000) / acceptedMs),
    creditedPerSecond: Math.round((uetrs.length * 1_000) / creditedMs),
  };
}

/** @returns its UETR, and when it was accepted */
export async function submitOne(ends: Ends): Promise<readonly [Uetr, number]> {
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

/** The figures of loads, as people read them. */
export function latencyTable(rows: readonly LatencyRow[]): string {
  return renderTable(
    [
      countColumn<LatencyRow>("transfers/s", (row) => row.transfersPerSecond),
      countColumn<LatencyRow>("transfers", (row) => row.transfers),
      countColumn<LatencyRow>("p50 ms", (row) => row.p50Ms),
      countColumn<LatencyRow>("p99 ms", (row) => row.p99Ms),
    ],
    rows,
  );
}

export function countColumn<Row>(title: string, value: (row: Row) => number) {
  return { title, value: (row: Row) => value(row).toFixed(0), align: "right" as const };
}
