// The figures of `path.ts`, for people, and what follows from them.
import { renderTable } from "../../src/kernel/table.ts";
import type { FloorRow } from "./floor.ts";
import { countColumn } from "./load.ts";
import type { NaiveFigures } from "./naive.ts";
import type { Accepted } from "./path-parts.ts";
import { microsecondsOf, type Cost, type ProcessCost } from "./usage.ts";

/** Alipay's published peak: so many payments in a minute. */
const PEAK = { transfers: 2_850_000, seconds: 60 };

export interface PathFigures extends Cost {
  readonly transfers: number;
  readonly batchTransfers: number;
  readonly acceptedSeconds: number;
  /** Of a submission that is sent alone, to its answer. */
  readonly latency: Accepted["latency"];
  /** From the first line sent to the last credit confirmed at the source. */
  readonly confirmedSeconds: number;
  readonly peak: PeakFigures;
  readonly floor: readonly FloorRow[];
  /** Processor time of a transfer, as a multiple of the floor's. */
  readonly timesFloor: number;
  /** Undefined where it was not asked for. */
  readonly naive: NaiveFigures | undefined;
}

/** The same for 2.85 million transfers, which are meant to take a minute. */
export interface PeakFigures {
  readonly transfers: number;
  readonly meantSeconds: number;
  readonly seconds: number;
  /** Whether it is reckoned from fewer transfers. */
  readonly isProjected: boolean;
}

export function peakOf(transfers: number, confirmedSeconds: number): PeakFigures {
  return {
    transfers: PEAK.transfers,
    meantSeconds: PEAK.seconds,
    seconds: (confirmedSeconds * PEAK.transfers) / transfers,
    isProjected: transfers < PEAK.transfers,
  };
}

export function timesFloorOf(cost: Pick<Cost, "processes">, floor: readonly FloorRow[]): number {
  return microsecondsOf(cost) / floorMicroseconds(floor);
}

function floorMicroseconds(floor: readonly FloorRow[]): number {
  return floor.reduce((sum, { microseconds }) => sum + microseconds, 0);
}

export function describePath(figures: PathFigures): string {
  const { transfers, batchTransfers, acceptedSeconds, latency, confirmedSeconds, walBytes, syncs } = figures;
  const rate = (seconds: number): string => `${(transfers / seconds).toFixed(0)}/s`;
  return [
    `${transfers} transfers in batches of ${batchTransfers}, relays, wallet and load as processes of their own`,
    processTable(figures),
    `accepted in ${acceptedSeconds.toFixed(1)} s, ${rate(acceptedSeconds)}; credited and confirmed in ` +
      `${confirmedSeconds.toFixed(1)} s, ${rate(confirmedSeconds)}`,
    describePeak(figures.peak),
    ...(latency === undefined
      ? []
      : [`each sent alone, answered after ${latency.p50.toFixed(1)} ms (p50), ${latency.p99.toFixed(1)} ms (p99)`]),
    `PostgreSQL's log: ${walBytes.toFixed(0)} bytes a transfer, ${syncs.toFixed(1)} fsyncs for 1,000; the ledger: ` +
      `${figures.transactions.toFixed(2)} transactions for 1,000`,
    "the floor: what every transfer needs, done alone, in the same run",
    floorTable(figures),
    `a transfer takes ${figures.timesFloor.toFixed(1)} times the processor time of the floor`,
    ...(figures.naive === undefined ? [] : describeNaive(figures, figures.naive)),
  ].join("\n\n");
}

function describePeak({ transfers, meantSeconds, seconds, isProjected }: PeakFigures): string {
  const taken = `${seconds.toFixed(0)} s${isProjected ? " at this rate (projected)" : ""}`;
  return `2.85 million are meant to take ${meantSeconds} s (${(transfers / meantSeconds).toFixed(0)}/s): they take ${taken}, ${(
    seconds / meantSeconds
  ).toFixed(1)} times as long`;
}

function processTable(figures: Pick<Cost, "processes">): string {
  const total = { process: "all", microseconds: microsecondsOf(figures), peakMb: undefined };
  return renderTable<ProcessCost>(
    [
      { title: "process", value: ({ process }) => process },
      countColumn<ProcessCost>("CPU µs a transfer", ({ microseconds }) => microseconds),
      { title: "most MB", value: ({ peakMb }) => peakMb?.toFixed(0) ?? "", align: "right" },
    ],
    [...figures.processes, total],
  );
}

function floorTable({ floor, transfers }: Pick<PathFigures, "floor" | "transfers">): string {
  const seconds = floor.reduce((sum, row) => sum + row.seconds, 0);
  return renderTable<FloorRow>(
    [
      { title: "what", value: ({ what }) => what },
      { title: "CPU µs a transfer", value: ({ microseconds }) => microseconds.toFixed(1), align: "right" },
      countColumn<FloorRow>("transfers/s", (row) => transfers / row.seconds),
    ],
    [...floor, { what: "one after the other", microseconds: floorMicroseconds(floor), seconds }],
  );
}

interface Comparison {
  readonly what: string;
  readonly batched: number;
  readonly naive: number;
}

function describeNaive(figures: PathFigures, naive: NaiveFigures): readonly string[] {
  const rows: readonly Comparison[] = [
    {
      what: "transfers/s",
      batched: figures.transfers / figures.confirmedSeconds,
      naive: naive.transfers / naive.seconds,
    },
    { what: "CPU µs a transfer", batched: microsecondsOf(figures), naive: microsecondsOf(naive) },
    { what: "PostgreSQL's log, bytes a transfer", batched: figures.walBytes, naive: naive.walBytes },
    { what: "its fsyncs for 1,000", batched: figures.syncs, naive: naive.syncs },
    { what: "ledger transactions for 1,000", batched: figures.transactions, naive: naive.transactions },
  ];
  return [
    `one by one: ${naive.transfers} transfers, each with commits and a transaction of the ledger of its own`,
    renderTable<Comparison>(
      [
        { title: "what", value: ({ what }) => what },
        { title: "in batches", value: ({ batched }) => rounded(batched), align: "right" },
        { title: "one by one", value: (row) => rounded(row.naive), align: "right" },
      ],
      rows,
    ),
  ];
}

/** With a decimal or two where there is little else. */
function rounded(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}
