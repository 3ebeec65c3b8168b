// How fast transfers go through relays whose ledger is one of four validators, on this machine.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import hre from "hardhat";
import { startBftLedger, type BftLedger } from "../../deploy/bft/ledger.ts";
import { normalizeHex } from "../../src/domain/bytes/hex.ts";
import { renderTable } from "../../src/kernel/table.ts";
import { deploySandbox } from "../lib/sandbox-ledger.ts";
import {
  countColumn,
  latencyTable,
  measureLatency,
  sendStream,
  startTwoRelays,
  type Ends,
  type LatencyRow,
  type ThroughputRow,
} from "./load.ts";

/** As many transfers as go through in batches of a size. */
interface BatchRow extends ThroughputRow {
  readonly batchSize: number;
}

export interface ValidatorFigures {
  /** Of a block, when there is nothing to put into it. */
  readonly blockMs: number;
  readonly latency: readonly LatencyRow[];
  readonly throughput: readonly BatchRow[];
}

const RATES = [1, 10, 100];
/** Transfers that are sent in one stream, by the most that go into a batch. */
const STREAMS = [
  { batchSize: 1, transfers: 200 },
  { batchSize: 10, transfers: 2_000 },
  { batchSize: 100, transfers: 10_000 },
  { batchSize: 1_000, transfers: 20_000 },
  { batchSize: 4_000, transfers: 40_000 },
] as const;
/** Transfers that go through before each measurement, and in how many batches at most. */
const WARM_UP = 500;
const WARM_UP_BATCHES = 20;
const BLOCKS_TIMED = 20;
/** A few times in a block: each look costs every endpoint that is asked. */
const LEDGER = { ledger: { pollIntervalMs: 150 } };
/** Long enough for a batch to fill up. */
const MAX_DELAY_MS = 500;

/** @param seconds how long each steady load lasts */
export async function benchValidators({
  seconds,
  isOneStep,
}: {
  readonly seconds: number;
  readonly isOneStep: boolean;
}): Promise<ValidatorFigures> {
  const common = { ...LEDGER, oneStep: { enabled: isOneStep } };
  const folder = await mkdtemp(join(tmpdir(), "feiqian-bench-"));
  const say = (text: string) => void process.stderr.write(`validators: ${text} …\n`);
  const [deployer] = await (await hre.network.create("bft")).ethers.getSigners();
  if (deployer === undefined) throw new Error("network bft has no account to deploy with");
  const ledger = await startBftLedger({ folder, funded: [normalizeHex(deployer.address, 20)], onProgress: say });
  try {
    const blockMs = await timeBlocks(ledger);
    say("deploying, starting two relays, warming up");
    const latency = await withRelays(ledger, common, async (ends) => {
      const rows: LatencyRow[] = [];
      for (const rate of RATES) {
        say(`${rate} transfers a second, for ${seconds} s`);
        rows.push(await measureLatency(ends, rate, seconds));
      }
      return rows;
    });
    const throughput: BatchRow[] = [];
    for (const { batchSize, transfers } of STREAMS) {
      say(`${transfers} transfers in batches of ${batchSize}`);
      const settings = { ...common, batch: { maxTransfers: batchSize, maxDelayMs: MAX_DELAY_MS } };
      const row = await withRelays(
        ledger,
        settings,
        (ends) => sendStream(ends, transfers),
        Math.min(WARM_UP, WARM_UP_BATCHES * batchSize),
      );
      throughput.push({ batchSize, ...row });
    }
    return { blockMs, latency, throughput };
  } finally {
    await ledger.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each on contracts of its own, so that none has another's money or history. */
async function withRelays<Result>(
  { rpcUrls }: BftLedger,
  settings: Parameters<typeof startTwoRelays>[1],
  work: (ends: Ends) => Promise<Result>,
  warmUp?: number,
): Promise<Result> {
  const { network, ends } = await startTwoRelays(await deploySandbox({ network: "bft", rpcUrls }), settings, warmUp);
  try {
    return await work(ends);
  } finally {
    await network.stop();
  }
}

async function timeBlocks({ validators }: BftLedger): Promise<number> {
  const [validator] = validators;
  const heightAfter = async (height: number): Promise<number> => {
    for (;;) {
      const now = (await validator?.blockNumber()) ?? 0;
      if (now > height) return now;
    }
  };
  const first = await heightAfter(0);
  const begun = performance.now();
  const last = await heightAfter(first + BLOCKS_TIMED - 1);
  return (performance.now() - begun) / (last - first);
}

/** The figures as people read them. */
export function describeValidators({ blockMs, latency, throughput }: ValidatorFigures): string {
  return [
    `accepted → credited on four validators, a block every ${blockMs.toFixed(0)} ms; everything on this machine`,
    latencyTable(latency),
    "as fast as they go, in one stream, by the most in a batch",
    renderTable(
      [
        countColumn<BatchRow>("batch", (row) => row.batchSize),
        countColumn<BatchRow>("transfers", (row) => row.transfers),
        countColumn<BatchRow>("accepted/s", (row) => row.acceptedPerSecond),
        countColumn<BatchRow>("credited/s", (row) => row.creditedPerSecond),
      ],
      throughput,
    ),
  ].join("\n\n");
}
