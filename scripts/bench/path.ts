// What a transfer costs from end to end: taken in over HTTP, settled by the real contracts, credited by the wallet and
// confirmed, with relays, wallet and load as processes of their own on PostgreSQL. Linux only.
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePorts } from "../../deploy/bft/ports.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { showProgress } from "../lib/progress.ts";
import { createDatabase, issueFirstKey, onServer, writeRelayFiles } from "../lib/relay-files.ts";
import { measureFloor } from "./floor.ts";
import { measureNaive } from "./naive.ts";
import { SOURCE, TARGET, type Accepted, type LoadOptions, type LoadOrder, type WalletOptions } from "./path-parts.ts";
import { startPathLedger, type PathLedger } from "./path-ledger.ts";
import { answerOf, endOf, pidOf, startPart, withStops, type Stops } from "./processes.ts";
import { peakOf, timesFloorOf, type PathFigures } from "./report.ts";
import { costOf, requireDurable, usageOf, type Usage } from "./usage.ts";

const MAIN = "src/cli/main.ts";
const WARM_UP = 2_000;
/** Sent one after the other. */
const SLICE = 50_000;
/**
 * No more than so many wait in the relays: each is priced by a provider's quote when it is accepted, and has to be on the
 * ledger before that ends.
 */
const MOST_UNDER_WAY = 100_000;
/** The longest that one of them waits, on a slow machine. */
const VALIDITY_SECONDS = 3_600;
const MOST_ONE_BY_ONE = 2_000;
const POLL_MS = 100;
/** To tell its counts takes a relay milliseconds: asked more often, that would be a part of what is measured. */
const COUNT_POLL_MS = 500;
const START_TIMEOUT_MS = 120_000;
/** With no transfer confirmed for so long, something is wrong. */
const STALL_MS = 120_000;
const LEDGER_POLL_MS = 50;

export interface PathLoad {
  readonly databaseUrl: string;
  readonly transfers: number;
  readonly batchTransfers: number;
  /** Each transfer alone, over so many connections; undefined for streams. */
  readonly connections: number | undefined;
  /** A folder for the relays' processor profiles; none are made where it is left out. */
  readonly profiles: string | undefined;
  /** Whether some of the load goes the plain way as well. */
  readonly compare: boolean;
}

/** @throws InvalidInput for a database that loses what it has committed */
export async function benchPath(load: PathLoad): Promise<PathFigures> {
  const { databaseUrl, transfers, batchTransfers, compare } = load;
  await requireDurable(databaseUrl);
  return withStops(async (stops) => {
    const ledger = await showProgress("path: starting the ledger …", say, () => startPathLedger(stops));
    const measured = await withStops((own) => measurePath(ledger, load, own));
    const floor = await showProgress("path: the floor …", say, () => measureFloor(load));
    const few = Math.min(transfers, MOST_ONE_BY_ONE);
    const naive = compare
      ? await showProgress(`path: ${few} transfers one by one …`, say, () =>
          measureNaive({ databaseUrl, ...ledger, transfers: few }),
        )
      : undefined;
    const peak = peakOf(transfers, measured.confirmedSeconds);
    return {
      ...{ transfers, batchTransfers, ...measured, peak },
      ...{ floor, timesFloor: timesFloorOf(measured, floor), naive },
    };
  });
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

type Measured = Omit<PathFigures, "transfers" | "batchTransfers" | "peak" | "floor" | "timesFloor" | "naive">;

async function measurePath(ledger: PathLedger, load: PathLoad, stops: Stops): Promise<Measured> {
  const { transfers } = load;
  const path = await showProgress("path: starting relays and wallet, and warming up …", say, async () => {
    const started = await startPath(ledger, load, stops);
    await started.send({ transfers: WARM_UP, anew: true });
    await started.confirmed(WARM_UP);
    return started;
  });
  const before = await path.usage();
  const begun = performance.now();
  const sending = { acceptedMs: 0, latency: undefined as Accepted["latency"] };
  const work = async (): Promise<void> => {
    for (let sent = 0; sent < transfers; sent += SLICE) {
      const slice = Math.min(SLICE, transfers - sent);
      await path.confirmed(WARM_UP + sent + slice - MOST_UNDER_WAY);
      const sliceBegun = performance.now();
      sending.latency = (await path.send({ transfers: slice, anew: sent === 0 })).latency;
      sending.acceptedMs += performance.now() - sliceBegun;
    }
    await path.confirmed(WARM_UP + transfers);
  };
  const progress = async () => `${(await path.count()) - WARM_UP} of ${transfers} credited and confirmed`;
  await showProgress(`path: ${transfers} transfers …`, say, work, progress);
  const confirmedSeconds = (performance.now() - begun) / 1_000;
  const after = await path.usage();
  return {
    acceptedSeconds: sending.acceptedMs / 1_000,
    latency: sending.latency,
    confirmedSeconds,
    ...costOf(before, after, transfers),
  };
}

interface RunningPath {
  /** Resolves when all have been accepted. */
  send(order: LoadOrder): Promise<Accepted>;
  /** Resolves when so many have been confirmed since the start. */
  confirmed(transfers: number): Promise<void>;
  /** How many have been. */
  count(): Promise<number>;
  usage(): Promise<Usage>;
}

async function startPath(
  { sandbox, rpcUrl }: PathLedger,
  { databaseUrl: server, batchTransfers: maxTransfers, connections, profiles }: PathLoad,
  stops: Stops,
): Promise<RunningPath> {
  const folder = await mkdtemp(join(tmpdir(), "feiqian-bench-"));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  const walletOptions: WalletOptions = { partner: TARGET, secret, journal: join(folder, "wallet.ndjson") };
  const wallet = await startPart("wallet", walletOptions, stops);
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
        transfers: { validitySeconds: VALIDITY_SECONDS },
        clock: { maxSkewSeconds: 0 },
        registry: { trustedNetworks: ["127.0.0.0/8"] },
        ledger: { rpcUrls: [rpcUrl], pollIntervalMs: LEDGER_POLL_MS },
      },
    });
    relays.push({ partner, key, configPath, url: `http://127.0.0.1:${port}` });
  }
  // Both are in the registry before one looks for the other.
  const [source, target] = await Promise.all(relays.map((relay) => startRelay(relay, profiles, stops)));
  if (source === undefined || target === undefined) throw new Error("two relays");
  const loadOptions: LoadOptions = { url: source.url, key: source.key, connections };
  const load = await startPart("load", loadOptions, stops);
  const parts = {
    ...{ "source relay": source.pid, "target relay": target.pid, "the target's wallet": wallet.pid },
    ...{ "ledger and providers": process.pid, load: load.pid },
  };
  const transactions = async () => {
    const count = (partner: PartnerId) =>
      sandbox.ledger.provider.getTransactionCount(sandbox.keys.addressOf({ kind: "relay", partner }));
    return (await count(SOURCE)) + (await count(TARGET));
  };
  return {
    async send(order) {
      load.child.send(order);
      // The shape is what load-process.ts says.
      return (await answerOf(load.child)) as Accepted;
    },
    confirmed: (transfers) => untilConfirmed(source, transfers),
    count: () => countConfirmed(source),
    usage: () => usageOf(server, parts, transactions),
  };
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

async function untilConfirmed(source: Relay, transfers: number): Promise<void> {
  let last = { count: 0, atMs: performance.now() };
  for (;;) {
    const count = await countConfirmed(source);
    if (count >= transfers) return;
    const nowMs = performance.now();
    if (count > last.count) last = { count, atMs: nowMs };
    if (nowMs - last.atMs > STALL_MS) throw new Error(`stuck at ${count} of ${transfers} confirmed`);
    await delay(COUNT_POLL_MS);
  }
}

/** By the relay's own count: nothing is asked of its database. */
async function countConfirmed({ url }: Relay): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number.parseInt(/accepted_to_credited_seconds_count(?:\{[^}]*\})? (\d+)/.exec(text)?.[1] ?? "0", 10);
}
