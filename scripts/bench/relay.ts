// How fast transfers go through relays: taken in over HTTP, settled on a chain in this process, credited at the wallet.
import { randomUUID } from "node:crypto";
import type { NetworkOptions } from "../../sandbox/network-up.ts";
import type { Uetr } from "../../src/domain/uetr.ts";
import type { Database } from "../../src/kernel/store/database.ts";
import { openPostgres } from "../../src/kernel/store/postgres.ts";
import { renderTable } from "../../src/kernel/table.ts";
import { deploySandbox } from "../lib/sandbox-ledger.ts";
import {
  countColumn,
  latencyTable,
  measureLatency,
  sendStream,
  startTwoRelays,
  submitOne,
  throughputOf,
  type Ends,
  type LatencyRow,
  type ThroughputRow,
} from "./load.ts";

export interface MemoryRow {
  readonly transfers: number;
  /** Of the whole process: two relays, their database, the chain and the load itself. */
  readonly residentMb: number;
  readonly heapMb: number;
}

interface SubmissionRow extends ThroughputRow {
  readonly how: "single submissions" | "stream";
}

export interface RelayFigures {
  readonly latency: readonly LatencyRow[];
  readonly throughput: readonly SubmissionRow[];
  readonly memory: readonly MemoryRow[];
}

const RATES = [1, 10, 100];
const AT_A_TIME = 64;
const STREAM = 20_000;
const SECONDS_AN_HOUR = 3_600;
const MEMORY_SAMPLES = 10;
const MEGABYTE = 1_048_576;

export interface RelayLoad {
  readonly seconds: number;
  /** Transfers a second, of an hour. */
  readonly hourAt: number;
  /** Of a PostgreSQL; embedded databases in memory where it is left out. */
  readonly databaseUrl: string | undefined;
  readonly isOneStep: boolean;
}

export async function benchRelay(load: RelayLoad): Promise<RelayFigures> {
  process.stderr.write("relay: starting and warming up …\n");
  const databases = load.databaseUrl === undefined ? undefined : ownSchemas(load.databaseUrl);
  const { network, ends } = await startTwoRelays(
    { ...(await deploySandbox()), ...databases?.given },
    { oneStep: { enabled: load.isOneStep } },
  );
  try {
    const latency: LatencyRow[] = [];
    for (const rate of RATES) {
      process.stderr.write(`relay: ${rate} transfers a second, for ${load.seconds} s …\n`);
      latency.push(await measureLatency(ends, rate, load.seconds));
    }
    const singles = await measureSingles(ends, load.seconds);
    process.stderr.write(`relay: one stream of ${STREAM} transfers …\n`);
    const stream = { how: "stream" as const, ...(await sendStream(ends, STREAM)) };
    return {
      latency,
      throughput: [singles, stream],
      memory: await measureMemory(ends, load.hourAt * SECONDS_AN_HOUR),
    };
  } finally {
    await network.stop();
    await databases?.drop();
  }
}

/** Databases of partners as schemas of one PostgreSQL. */
function ownSchemas(url: string): { readonly given: Pick<NetworkOptions, "databaseOf">; drop(): Promise<void> } {
  const opened = new Map<string, Database>();
  return {
    given: {
      async databaseOf(partner) {
        const schema = `bench_${randomUUID().replaceAll("-", "")}_${partner}`;
        const database = await openPostgres(url, { schema });
        opened.set(schema, database);
        return database;
      },
    },
    async drop() {
      for (const [schema, database] of opened) {
        await database.query(`DROP SCHEMA ${schema} CASCADE`);
        await database.close();
      }
    },
  };
}

async function measureSingles(ends: Ends, seconds: number): Promise<SubmissionRow> {
  process.stderr.write(`relay: single submissions, ${AT_A_TIME} at a time, for ${seconds} s …\n`);
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  const uetrs: Uetr[] = [];
  const worker = async () => {
    while (performance.now() < until) uetrs.push((await submitOne(ends))[0]);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return { how: "single submissions", ...(await throughputOf(ends, begun, uetrs)) };
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

/** The figures as people read them. */
export function describeRelay({ latency, throughput, memory }: RelayFigures): string {
  return [
    "accepted → credited, one process with two relays, their database, the wallets and the chain",
    latencyTable(latency),
    "as fast as they go",
    renderTable(
      [
        { title: "how", value: ({ how }: SubmissionRow) => how },
        countColumn<SubmissionRow>("transfers", (row) => row.transfers),
        countColumn<SubmissionRow>("accepted/s", (row) => row.acceptedPerSecond),
        countColumn<SubmissionRow>("credited/s", (row) => row.creditedPerSecond),
      ],
      throughput,
    ),
    "memory of the whole process over an hour's worth of transfers",
    renderTable(
      [
        countColumn<MemoryRow>("transfers", (row) => row.transfers),
        countColumn<MemoryRow>("resident MB", (row) => row.residentMb),
        countColumn<MemoryRow>("heap MB", (row) => row.heapMb),
      ],
      memory,
    ),
  ].join("\n\n");
}
