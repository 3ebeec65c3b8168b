// What a transfer costs from end to end: taken in over HTTP, settled by the real contracts, credited by the wallet and
// confirmed, with relays, wallet and load as processes of their own on PostgreSQL. Linux only.
import { fork, spawn, type ChildProcess } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { freePorts } from "../../deploy/bft/ports.ts";
import { toHex } from "../../src/domain/bytes/hex.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { createRandom } from "../../src/kernel/random.ts";
import { renderTable } from "../../src/kernel/table.ts";
import { fund } from "../../sandbox/funding.ts";
import { PROVIDERS } from "../../sandbox/network.ts";
import { createLiquidityProvider } from "../../sandbox/provider/liquidity-provider.ts";
import { startProviderServer } from "../../sandbox/provider/provider-server.ts";
import { loadRateBook } from "../../sandbox/provider/rates.ts";
import { createDatabase, issueFirstKey, onServer, writeRelayFiles } from "../lib/relay-files.ts";
import { nextBlockTime, reachChain } from "../../sandbox/sandbox-chain.ts";
import { openSandbox, registerEndpoint } from "../../sandbox/sandbox.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";
import { deploySandbox } from "../lib/sandbox-ledger.ts";
import { countColumn } from "./load.ts";
import {
  childrenOf,
  parentOf,
  processorMs,
  SOURCE,
  TARGET,
  type Accepted,
  type LoadOptions,
  type WalletOptions,
} from "./path-parts.ts";

const MAIN = "src/cli/main.ts";
const FUNDS_MINOR = 10n ** 15n;
const WARM_UP = 2_000;
const POLL_MS = 100;
const START_TIMEOUT_MS = 120_000;
/** With no transfer confirmed for so long, something is wrong. */
const STALL_MS = 120_000;
const LEDGER_POLL_MS = 50;
const BLOCK_INTERVAL_MS = 500;
const NO_KEY = `0x${"0".repeat(64)}` as const;

interface ProcessRow {
  readonly process: string;
  /** Processor time, user and system, of one transfer. */
  readonly microseconds: number;
}

export interface PathFigures {
  readonly transfers: number;
  readonly batchTransfers: number;
  readonly acceptedSeconds: number;
  /** Of a submission that is sent alone, to its answer. */
  readonly latency: Accepted["latency"];
  /** From the first line sent to the last credit confirmed at the source. */
  readonly confirmedSeconds: number;
  readonly processes: readonly ProcessRow[];
  /** Of one transfer, both databases. */
  readonly walBytes: number;
  /** Of PostgreSQL's log, for a thousand transfers. */
  readonly syncs: number;
}

export interface PathLoad {
  readonly databaseUrl: string;
  readonly transfers: number;
  readonly batchTransfers: number;
  /** Each transfer alone, over so many connections; undefined for streams. */
  readonly connections: number | undefined;
  /** A folder for the relays' processor profiles; none are made where it is left out. */
  readonly profiles: string | undefined;
}

type Stops = (() => Promise<unknown>)[];

export async function benchPath(load: PathLoad): Promise<PathFigures> {
  const stops: Stops = [];
  try {
    return await measure(load, stops);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function measure(load: PathLoad, stops: Stops): Promise<PathFigures> {
  process.stderr.write("path: starting and warming up …\n");
  const { transfers, batchTransfers } = load;
  const path = await start(load, stops);
  await path.send(WARM_UP);
  await path.confirmed(WARM_UP);
  process.stderr.write(`path: ${transfers} transfers …\n`);
  const before = await path.usage();
  const begun = performance.now();
  const { latency } = await path.send(transfers);
  const acceptedSeconds = (performance.now() - begun) / 1_000;
  await path.confirmed(WARM_UP + transfers);
  const confirmedSeconds = (performance.now() - begun) / 1_000;
  const after = await path.usage();
  return {
    ...{ transfers, batchTransfers, acceptedSeconds, latency, confirmedSeconds },
    processes: after.processes.map(({ process, ms }, index) => ({
      process,
      microseconds: ((ms - (before.processes[index]?.ms ?? 0)) * 1_000) / transfers,
    })),
    walBytes: (after.walBytes - before.walBytes) / transfers,
    syncs: ((after.syncs - before.syncs) * 1_000) / transfers,
  };
}

interface Usage {
  readonly processes: readonly { readonly process: string; readonly ms: number }[];
  readonly walBytes: number;
  readonly syncs: number;
}

interface RunningPath {
  /** Resolves when all have been accepted. */
  send(transfers: number): Promise<Accepted>;
  /** Resolves when so many have been confirmed since the start. */
  confirmed(transfers: number): Promise<void>;
  usage(): Promise<Usage>;
}

async function start(
  { databaseUrl: server, batchTransfers: maxTransfers, connections, profiles }: PathLoad,
  stops: Stops,
): Promise<RunningPath> {
  const folder = await mkdtemp(join(tmpdir(), "feiqian-bench-"));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const { sandbox, rpcUrls } = await startLedger(stops);
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  const wallet = await startPart("wallet", { partner: TARGET, secret, journal: join(folder, "wallet.ndjson") }, stops);
  const ports = await freePorts(2);
  const run = randomUUID().replaceAll("-", "").slice(0, 12);
  const relays = [];
  for (const [index, partner] of [SOURCE, TARGET].entries()) {
    const database = `bench_${run}_${partner}`;
    const databaseUrl = await createDatabase(server, database);
    stops.push(() => onServer(server, `DROP DATABASE ${database} WITH (FORCE)`));
    const key = await issueFirstKey(databaseUrl);
    const port = ports[index] ?? 0;
    const configPath = await writeRelayFiles({
      ...{ sandbox, partner, port, databaseUrl, folder: join(folder, `${partner}`) },
      // That of the source is asked nothing: nobody sends to it.
      wallet: { url: wallet.said, secret },
      settings: {
        batch: { maxTransfers },
        clock: { maxSkewSeconds: 0 },
        registry: { trustedNetworks: ["127.0.0.0/8"] },
        ledger: { rpcUrls, pollIntervalMs: LEDGER_POLL_MS },
      },
    });
    relays.push({ partner, key, configPath, url: `http://127.0.0.1:${port}` });
  }
  // Both are in the registry before one looks for the other.
  const [source, target] = await Promise.all(relays.map((relay) => startRelay(relay, profiles, stops)));
  if (source === undefined || target === undefined) throw new Error("two relays");
  const load = await startPart("load", { url: source.url, key: source.key, connections }, stops);
  const parts = { "source relay": source.pid, "target relay": target.pid, "the target's wallet": wallet.pid };
  return {
    async send(transfers) {
      load.child.send(transfers);
      // The shape is what load-process.ts says.
      return (await answerOf(load.child)) as Accepted;
    },
    confirmed: (transfers) => untilConfirmed(source, transfers),
    usage: () => usageOf(server, { ...parts, "ledger and providers": process.pid, load: load.pid }),
  };
}

async function startLedger(stops: Stops) {
  const { chain, provider, addresses, config } = await deploySandbox();
  const reached = await reachChain(chain);
  stops.push(() => reached.stop());
  const sandbox = await openSandbox(provider, addresses, config);
  const rates = (await loadRateBook()).on();
  await fund(sandbox, [
    { partner: SOURCE, currency: walletOf(SOURCE).currency.code, amountMinor: FUNDS_MINOR },
    ...PROVIDERS.map(({ id }) => ({
      partner: id,
      currency: walletOf(TARGET).currency.code,
      amountMinor: FUNDS_MINOR,
    })),
  ]);
  for (const { id } of PROVIDERS) {
    const signer = sandbox.keys.walletOf({ kind: "operator", partner: id });
    const { ledger } = sandbox;
    const drawNonce = (): bigint => BigInt(toHex(randomBytes(8)));
    const random = createRandom(`bench ${id}`);
    const desk = await startProviderServer({
      provider: createLiquidityProvider({ id, signer, ledger, rates, random, drawNonce }),
      blockTime: () => nextBlockTime(chain, provider),
    });
    stops.push(() => desk.stop());
    await registerEndpoint(sandbox, id, { url: desk.url, signingKey: NO_KEY, encryptionKey: NO_KEY });
  }
  if (chain.kind === "inProcess") {
    const mineEvery = (ms: number) => chain.chain.request({ method: "evm_setIntervalMining", params: [ms] });
    await mineEvery(BLOCK_INTERVAL_MS);
    stops.push(() => mineEvery(0));
  }
  return { sandbox, rpcUrls: reached.rpcUrls };
}

/** Starts one of the programs beside this one. */
async function startPart(name: "wallet" | "load", options: WalletOptions | LoadOptions, stops: Stops) {
  const child = fork(new URL(`./${name}-process.ts`, import.meta.url), [JSON.stringify(options)]);
  stops.push(() => endOf(child, () => child.send("stop")));
  const said = await answerOf(child);
  if (typeof said !== "string") throw new Error(`the ${name} does not start`);
  return { child, pid: pidOf(child), said };
}

interface Relay {
  readonly partner: PartnerId;
  readonly url: string;
  readonly key: string;
  readonly configPath: string;
}

async function startRelay(
  relay: Relay,
  profiles: string | undefined,
  stops: Stops,
): Promise<Relay & { readonly pid: number }> {
  const profiling = profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}/${relay.partner}`];
  const child = spawn(process.execPath, [...profiling, MAIN, "relay", "start", "--config", relay.configPath], {
    // Nothing of this process's own variables, which the relay would refuse to know.
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  stops.push(() => endOf(child, () => child.kill("SIGTERM")));
  for (const until = performance.now() + START_TIMEOUT_MS; performance.now() < until;) {
    const answer = await fetch(`${relay.url}/readyz`).catch(() => undefined);
    await answer?.text();
    if (answer?.ok === true) return { ...relay, pid: pidOf(child) };
    await delay(POLL_MS);
  }
  throw new Error(`the relay of partner ${relay.partner} is not ready after ${START_TIMEOUT_MS / 1_000} s`);
}

/** Resolves with what a process says next; rejects when it ends instead. */
async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`a process of the load ended with ${code}`);
  });
  const [message] = (await Promise.race([once(child, "message"), ended])) as unknown[];
  return message;
}

async function endOf(child: ChildProcess, ask: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  ask();
  await ended;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("a process could not be started");
  return pid;
}

/** Reads the relay's own count: nothing is asked of its database. */
async function untilConfirmed({ url }: Relay, transfers: number): Promise<void> {
  let last = { count: 0, atMs: performance.now() };
  for (;;) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const count = Number.parseInt(/accepted_to_credited_seconds_count(?:\{[^}]*\})? (\d+)/.exec(text)?.[1] ?? "0", 10);
    if (count >= transfers) return;
    const nowMs = performance.now();
    if (count > last.count) last = { count, atMs: nowMs };
    if (nowMs - last.atMs > STALL_MS) throw new Error(`stuck at ${count} of ${transfers} confirmed`);
    await delay(POLL_MS);
  }
}

async function usageOf(server: string, parts: Readonly<Record<string, number>>): Promise<Usage> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    // Both far below 2^53.
    const { rows } = await client.query<{ pid: number; wal: string; syncs: string }>(
      `SELECT pg_backend_pid() AS pid, (pg_current_wal_insert_lsn() - '0/0')::text AS wal,
         (SELECT wal_sync FROM pg_stat_wal)::text AS syncs`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error("PostgreSQL does not tell what it has written");
    const processes = [];
    for (const [name, each] of Object.entries(parts)) processes.push({ process: name, ms: await processorMs(each) });
    processes.push({ process: "PostgreSQL", ms: await serverMs(row.pid) });
    return { processes, walBytes: Number.parseInt(row.wal, 10), syncs: Number.parseInt(row.syncs, 10) };
  } finally {
    await client.end();
  }
}

/** Of the server that has this process, with all of its others. */
async function serverMs(backend: number): Promise<number> {
  const server = await parentOf(backend);
  let sum = await processorMs(server);
  for (const child of await childrenOf(server)) sum += await processorMs(child).catch(() => 0);
  return sum;
}

/** The figures as people read them. */
export function describePath(figures: PathFigures): string {
  const { transfers, batchTransfers, acceptedSeconds, latency, confirmedSeconds, processes, walBytes, syncs } = figures;
  const total = processes.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const perSecond = (seconds: number): string => (transfers / seconds).toFixed(0);
  return [
    `${transfers} transfers in batches of ${batchTransfers}, relays, wallet and load as processes of their own`,
    renderTable(
      [
        { title: "process", value: ({ process }: ProcessRow) => process },
        countColumn<ProcessRow>("CPU µs a transfer", ({ microseconds }) => microseconds),
      ],
      [...processes, { process: "all", microseconds: total }],
    ),
    `accepted in ${acceptedSeconds.toFixed(1)} s, ${perSecond(acceptedSeconds)}/s; credited and confirmed in ` +
      `${confirmedSeconds.toFixed(1)} s, ${perSecond(confirmedSeconds)}/s`,
    ...(latency === undefined
      ? []
      : [`each sent alone, answered after ${latency.p50.toFixed(1)} ms (p50), ${latency.p99.toFixed(1)} ms (p99)`]),
    `PostgreSQL's log: ${walBytes.toFixed(0)} bytes a transfer, ${syncs.toFixed(1)} fsyncs for 1,000`,
  ].join("\n\n");
}
