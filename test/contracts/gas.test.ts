import { expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import { readFile, writeFile } from "node:fs/promises";
import type { Batch } from "../../src/domain/batch.ts";
import type { Corridor } from "../../src/domain/corridor.ts";
import type { Quote } from "../../src/domain/quote.ts";
import {
  LIFETIME,
  acceptedBatch,
  expireBatch,
  makeBatch,
  makeQuote,
  openAndSettleBatch,
  openArgs,
  openBatch,
  settleArgs,
  settleBatch,
} from "./support/batches.ts";
import type { Refusals } from "../support/transfers.ts";
import { MEASURES_COVERAGE, load } from "./support/chain.ts";
import { nextBlockAt } from "./support/clock.ts";
import { BEAT_INTERVAL, CORRIDORS, deployNetworkAfter, fail, type Network } from "./support/network.ts";

const SNAPSHOT = new URL("gas-snapshot.json", import.meta.url);
const UPDATES = process.env["UPDATE_GAS"] === "1";

/** UTC seconds. Everything that calldata holds is fixed, since its bytes cost gas by their values. */
const DEPLOYED_AT = 1_780_000_000;
/** After the rest of the deployment. Ledger time stood still at the grace until then. */
const START = DEPLOYED_AT + 86_400;
const LAST_BEAT = START + 100;
/** Ledger time. */
const EXPIRES_AT = DEPLOYED_AT + LIFETIME;
const QUOTE: Partial<Quote> = { validUntil: LAST_BEAT + 50_000, maxHold: 40_000 };

/** By how much two batches' calldata can differ: their root, totals and signatures have other bytes, at 12 gas a zero. */
const SIGNATURE_BYTES = 500;

interface Gas {
  readonly transfers: number;
  readonly open: number;
  readonly settle: number;
}

/**
 * A ledger in its steady state, where every slot but a batch's own was written before. Its TransferRegistry is deployed
 * at a fixed time, so that its clock and all deadlines are the same in every run.
 */
async function deploySteady(): Promise<Network> {
  const network = await deployNetworkAfter(() => nextBlockAt(DEPLOYED_AT));
  const { transfers } = network;
  await nextBlockAt(START);
  await transfers.beat();
  for (const corridor of [CORRIDORS.hkdToPhp, CORRIDORS.hkdToHkd]) {
    const batch = await planned(network, "before", 2, corridor);
    await openBatch(network, batch);
    await settleBatch(network, batch, { 1: "AC03" });
  }
  await nextBlockAt(LAST_BEAT);
  await transfers.beat();
  return network;
}

async function planned(network: Network, seed: string, count: number, corridor: Corridor = CORRIDORS.hkdToPhp) {
  const exchanges = corridor.sourceCurrency !== corridor.targetCurrency;
  const quote = exchanges ? { quote: await makeQuote(corridor, QUOTE) } : {};
  return makeBatch(network, { seed, count, corridor, expiresAt: EXPIRES_AT, ...quote });
}

async function gasOf(sent: Promise<ContractTransactionResponse>): Promise<number> {
  const receipt = await (await sent).wait();
  // Gas of a transaction is far below 2^53.
  return Number.parseInt((receipt?.gasUsed ?? 0n).toString(), 10);
}

/** Opens and settles within an interval of the last beat: neither call writes one. */
async function measure(network: Network, batch: Batch, refusals: Refusals = {}): Promise<Gas> {
  await nextBlockAt(LAST_BEAT + 2);
  const open = await gasOf(openBatch(network, batch));
  await nextBlockAt(LAST_BEAT + 3);
  const settle = await gasOf(settleBatch(network, batch, refusals));
  return { transfers: batch.header.count, open, settle };
}

async function measureMulticall(network: Network, batches: readonly Batch[]): Promise<Gas> {
  const { interface: abi } = network.transfers;
  const opens = await Promise.all(batches.map((batch) => openArgs(network, batch)));
  const settles = await Promise.all(batches.map((batch) => settleArgs(network, batch)));
  const asCourier = network.transfers.connect(network.cast.courier);
  await nextBlockAt(LAST_BEAT + 2);
  const open = await gasOf(asCourier.multicall(opens.map((args) => abi.encodeFunctionData("open", args))));
  await nextBlockAt(LAST_BEAT + 3);
  const settle = await gasOf(asCourier.multicall(settles.map((args) => abi.encodeFunctionData("settle", args))));
  return { transfers: batches.length, open, settle };
}

/** All that a batch takes, in one call. */
async function measureOneStep(network: Network, batch: Batch): Promise<Gas> {
  await nextBlockAt(LAST_BEAT + 2);
  const open = await gasOf(openAndSettleBatch(network, batch, { acceptedUntil: LAST_BEAT + 60 }));
  return { transfers: batch.header.count, open, settle: 0 };
}

async function measureOneStepEach(network: Network, batches: readonly Batch[]): Promise<Gas> {
  const { interface: abi } = network.transfers;
  const accepted = await Promise.all(
    batches.map((batch) => acceptedBatch(network, batch, { acceptedUntil: LAST_BEAT + 60 })),
  );
  await nextBlockAt(LAST_BEAT + 2);
  const calls = accepted.map((each) => abi.encodeFunctionData("openAndSettle", [each]));
  const open = await gasOf(network.transfers.connect(network.cast.courier).callEach(calls));
  return { transfers: batches.length, open, settle: 0 };
}

async function measureBeats(network: Network, batch: Batch): Promise<Gas> {
  await nextBlockAt(LAST_BEAT + BEAT_INTERVAL);
  const open = await gasOf(openBatch(network, batch));
  await nextBlockAt(LAST_BEAT + 2 * BEAT_INTERVAL);
  return { transfers: batch.header.count, open, settle: await gasOf(settleBatch(network, batch)) };
}

async function measureExpiry(network: Network, batch: Batch): Promise<Gas> {
  await nextBlockAt(LAST_BEAT + 2);
  const open = await gasOf(openBatch(network, batch));
  return { transfers: batch.header.count, open, settle: await gasOf(expireBatch(network, batch)) };
}

function refuseFirst(count: number): Refusals {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [index, "AC03" as const]));
}

const SCENARIOS: readonly [title: string, run: (network: Network) => Promise<Gas>][] = [
  ["1 transfer", async (network) => measure(network, await planned(network, "1", 1))],
  ["10 transfers", async (network) => measure(network, await planned(network, "10", 10))],
  ["1,000 transfers", async (network) => measure(network, await planned(network, "1000", 1_000))],
  [
    "1,000 transfers, 1 rejected",
    async (network) => measure(network, await planned(network, "1000", 1_000), refuseFirst(1)),
  ],
  [
    "1,000 transfers, 50 rejected",
    async (network) => measure(network, await planned(network, "1000", 1_000), refuseFirst(50)),
  ],
  [
    "10 transfers, all rejected",
    async (network) => measure(network, await planned(network, "10", 10), refuseFirst(10)),
  ],
  ["1 transfer, one currency", async (network) => measure(network, await planned(network, "1", 1, CORRIDORS.hkdToHkd))],
  [
    "1,000 transfers, one currency",
    async (network) => measure(network, await planned(network, "1000", 1_000, CORRIDORS.hkdToHkd)),
  ],
  [
    "10 batches of 1, opened in one transaction and settled in one",
    async (network) => {
      const seeds = Array.from({ length: 10 }, (_, index) => `multicall ${index}`);
      return measureMulticall(network, await Promise.all(seeds.map((seed) => planned(network, seed, 1))));
    },
  ],
  ["1 transfer, in one step", async (network) => measureOneStep(network, await planned(network, "1", 1))],
  [
    "1 transfer, one currency, in one step",
    async (network) => measureOneStep(network, await planned(network, "1", 1, CORRIDORS.hkdToHkd)),
  ],
  ["1,000 transfers, in one step", async (network) => measureOneStep(network, await planned(network, "1000", 1_000))],
  [
    "10 batches of 1, each in one step, in one transaction",
    async (network) => {
      const seeds = Array.from({ length: 10 }, (_, index) => `multicall ${index}`);
      return measureOneStepEach(network, await Promise.all(seeds.map((seed) => planned(network, seed, 1))));
    },
  ],
  ["1 transfer, both calls write a beat", async (network) => measureBeats(network, await planned(network, "1", 1))],
  ["1 transfer, expired instead", async (network) => measureExpiry(network, await planned(network, "1", 1))],
];

describe("Gas", () => {
  const measured = new Map<string, Gas>();

  before(function () {
    // Instrumented contracts use more gas.
    if (MEASURES_COVERAGE) this.skip();
  });

  for (const [title, run] of SCENARIOS) {
    it(title, async () => {
      const gas = await run(await load(deploySteady));
      measured.set(title, gas);
      if (UPDATES) return;
      const snapshot: unknown = JSON.parse(await readFile(SNAPSHOT, "utf8"));
      expect(snapshot, "UPDATE_GAS=1 writes the snapshot anew").to.have.property(title).that.deep.equals(gas);
    });
  }

  it("is the same for a batch of any size, but for what its bytes cost", () => {
    const totals = ["1 transfer", "10 transfers", "1,000 transfers"].map((title) => {
      const { open, settle } = measured.get(title) ?? fail(`${title} was not measured`);
      return open + settle;
    });
    expect(Math.max(...totals) - Math.min(...totals)).to.be.at.most(SIGNATURE_BYTES);
  });

  after(async () => {
    if (measured.size === 0) return;
    console.log(tableOf(measured));
    if (!UPDATES) return;
    await writeFile(SNAPSHOT, `${JSON.stringify(Object.fromEntries(measured), null, 2)}\n`);
  });
});

function tableOf(measured: ReadonlyMap<string, Gas>): string {
  const rows = [...measured].map(([title, { transfers, open, settle }]) => {
    const each = (BigInt(open + settle) + BigInt(transfers) / 2n) / BigInt(transfers);
    return [title, ...[open, settle, open + settle].map(String), String(each)];
  });
  const table = [["gas", "open", "settle", "both", "a transfer"], ...rows];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)));
  return table.map((row) => `    ${line(row).join("  ")}`).join("\n");
}
