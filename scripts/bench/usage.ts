// What a measurement takes of processor, memory and disk.
import pg from "pg";
import { InvalidInput } from "../../src/domain/errors.ts";
import { peakMb, processorMs, serverMs } from "./processes.ts";

/** Up to a moment. */
export interface Usage {
  readonly processes: readonly ProcessUsage[];
  /** Of PostgreSQL's log, all databases. */
  readonly walBytes: number;
  /** Of that log. */
  readonly syncs: number;
  /** That the ledger has taken. */
  readonly transactions: number;
}

interface ProcessUsage {
  readonly process: string;
  readonly ms: number;
  /** The most memory at a time; undefined for those of PostgreSQL, which share theirs. */
  readonly peakMb: number | undefined;
}

/** What one transfer costs. */
export interface Cost {
  readonly processes: readonly ProcessCost[];
  readonly walBytes: number;
  /** For a thousand transfers. */
  readonly syncs: number;
  /** For a thousand transfers. */
  readonly transactions: number;
}

export interface ProcessCost {
  readonly process: string;
  /** Processor time, user and system. */
  readonly microseconds: number;
  readonly peakMb: number | undefined;
}

const WRITTEN = `SELECT pg_backend_pid() AS pid, (pg_current_wal_insert_lsn() - '0/0')::text AS wal,
  (SELECT wal_sync FROM pg_stat_wal)::text AS syncs`;

/** @param parts ids of processes, by what they are told as */
export async function usageOf(
  server: string,
  parts: Readonly<Record<string, number>>,
  transactions: () => Promise<number>,
): Promise<Usage> {
  return withClient(server, async (client) => {
    const { rows } = await client.query<{ pid: number; wal: string; syncs: string }>(WRITTEN);
    const [row] = rows;
    if (row === undefined) throw new Error("PostgreSQL does not tell what it has written");
    const processes: ProcessUsage[] = [];
    for (const [process, each] of Object.entries(parts)) {
      processes.push({ process, ms: await processorMs(each), peakMb: await peakMb(each) });
    }
    processes.push({ process: "PostgreSQL", ms: await serverMs(row.pid), peakMb: undefined });
    // Both far below 2^53.
    const [walBytes, syncs] = [Number.parseInt(row.wal, 10), Number.parseInt(row.syncs, 10)];
    return { processes, walBytes, syncs, transactions: await transactions() };
  });
}

/** What each of so many transfers took, between two moments. */
export function costOf(before: Usage, after: Usage, transfers: number): Cost {
  const ofAThousand = (part: "syncs" | "transactions") => ((after[part] - before[part]) * 1_000) / transfers;
  return {
    processes: after.processes.map(({ process, ms, peakMb }, index) => ({
      process,
      microseconds: ((ms - (before.processes[index]?.ms ?? 0)) * 1_000) / transfers,
      peakMb,
    })),
    walBytes: (after.walBytes - before.walBytes) / transfers,
    syncs: ofAThousand("syncs"),
    transactions: ofAThousand("transactions"),
  };
}

export function microsecondsOf({ processes }: Pick<Cost, "processes">): number {
  return processes.reduce((sum, { microseconds }) => sum + microseconds, 0);
}

/** @throws InvalidInput for a server whose commits may be lost: it would be measured doing something else */
export async function requireDurable(server: string): Promise<void> {
  await withClient(server, async (client) => {
    for (const setting of ["fsync", "synchronous_commit"]) {
      const { rows } = await client.query<Record<string, string>>(`SHOW ${setting}`);
      const value = rows[0]?.[setting];
      if (value !== "on") throw new InvalidInput("--database", `a PostgreSQL with ${setting} = on`, value);
    }
  });
}

export async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
