// How fast batches settle on a chain in this process, by their size.
import { randomBytes } from "node:crypto";
import hre from "hardhat";
import { deployLedger } from "../../ignition/deploy.ts";
import { batchId } from "../../src/domain/batch.ts";
import { corridorId } from "../../src/domain/corridor.ts";
import { currencyOf } from "../../src/domain/currency.ts";
import { parsePartnerId } from "../../src/domain/partner.ts";
import { proveRejections } from "../../src/domain/settlement.ts";
import { openCall, settleCall } from "../../src/ledger/calls.ts";
import { signBatch, signSettlement } from "../../src/ledger/signing.ts";
import { percentile } from "../../src/kernel/percentile.ts";
import { createRandom } from "../../src/kernel/random.ts";
import { renderTable } from "../../src/kernel/table.ts";
import { makeDay } from "../../sandbox/day/day.ts";
import { fundDay } from "../../sandbox/funding.ts";
import { createLiquidityProvider } from "../../sandbox/provider/liquidity-provider.ts";
import { corridorBetween, PROVIDERS, sandboxConfig, sandboxKeys } from "../../sandbox/network.ts";
import type { Order } from "../../sandbox/orders/order.ts";
import { prepareBatch } from "../../sandbox/payload.ts";
import { loadRateBook } from "../../sandbox/provider/rates.ts";
import { openSandbox, type Sandbox } from "../../sandbox/sandbox.ts";

const SIZES = [1, 10, 100, 1_000, 4_000];
const HOLD_SECONDS = 300;

/** One batch's time, in milliseconds, by what it went into. */
interface Timing {
  /** Details hashed, Merkle tree built. */
  readonly prepareMs: number;
  /** Header and settlement signed. */
  readonly signMs: number;
  readonly openMs: number;
  readonly settleMs: number;
  readonly gasUsed: bigint;
}

/** Medians over the batches of one size. */
export interface Row {
  readonly size: number;
  readonly prepareMs: number;
  readonly signMs: number;
  readonly openMs: number;
  readonly settleMs: number;
  readonly totalMs: number;
  readonly transfersPerSecond: number;
  readonly gasPerTransfer: number;
}

/** @param rounds batches of each size that are measured, after one that is not */
export async function benchLedger(rounds: number): Promise<readonly Row[]> {
  const bench = await prepareBench(rounds);
  const rows: Row[] = [];
  for (const size of SIZES) {
    process.stderr.write(`ledger: batches of ${size} …\n`);
    await measure(bench, size);
    const timings: Timing[] = [];
    for (let round = 0; round < rounds; round++) timings.push(await measure(bench, size));
    rows.push(rowOf(size, timings));
  }
  return rows;
}

interface Bench {
  readonly sandbox: Sandbox;
  readonly orders: readonly Order[];
  readonly provider: ReturnType<typeof createLiquidityProvider>;
}

const SOURCE = parsePartnerId(7);
const TARGET = parsePartnerId(1);

/** A ledger, and the orders of its busiest corridor: AlipayHK to Alipay. */
async function prepareBench(rounds: number): Promise<Bench> {
  const override = { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true };
  const connection = await hre.network.create({ override });
  const config = sandboxConfig(sandboxKeys());
  const sandbox = await openSandbox(connection.ethers.provider, await deployLedger(connection, config), config);
  const rates = (await loadRateBook()).on();
  const day = makeDay({ transfers: 20_000, seed: "bench", rates, unknownBeneficiaryBps: 0 });
  const orders = day.orders.filter(({ source, target }) => source === SOURCE && target === TARGET);
  await fundDay(sandbox, Array.from({ length: rounds + 1 }, () => orders).flat(), rates);
  const [{ id }] = PROVIDERS;
  const provider = createLiquidityProvider({
    id,
    signer: sandbox.keys.walletOf({ kind: "operator", partner: id }),
    ledger: sandbox.ledger,
    rates,
    random: createRandom("bench"),
  });
  return { sandbox, orders, provider };
}

async function measure({ sandbox, orders, provider }: Bench, size: number): Promise<Timing> {
  const { ledger, keys, submitterOf } = sandbox;
  const chosen = orders.slice(0, size);
  const corridor = corridorBetween(SOURCE, TARGET);
  const exchange = {
    source: SOURCE,
    sourceCurrency: currencyOf(corridor.sourceCurrency).numeric,
    targetCurrency: currencyOf(corridor.targetCurrency).numeric,
  };
  const sourceTotal = chosen.reduce((sum, { sourceAmount }) => sum + sourceAmount.minor, 0n);
  const now = (await ledger.provider.getBlock("latest"))?.timestamp ?? 0;
  const { quote, authorization } = await provider.offer(exchange, sourceTotal, now);
  const { feeBps } = await ledger.corridorBook.termsOf(corridorId(corridor));
  const expiresAt = Number.parseInt((await ledger.transferRegistry.time()).toString(), 10) + HOLD_SECONDS;
  const source = await submitterOf({ kind: "operator", partner: SOURCE });
  const target = await submitterOf({ kind: "operator", partner: TARGET });

  const watch = stopwatch();
  const { batch } = prepareBatch(chosen, corridor, { quote, feeBps, expiresAt }, randomBytes);
  const prepareMs = watch();
  const send = await signBatch(keys.walletOf({ kind: "operator", partner: SOURCE }), ledger.chain, batch.header);
  const none = proveRejections(batch, new Map());
  const settlement = { batchId: batchId(batch.header, ledger.chain), rejectionsHash: none.rejectionsHash };
  const accept = await signSettlement(keys.walletOf({ kind: "operator", partner: TARGET }), ledger.chain, settlement);
  const signMs = watch();
  const opened = await source.submit(openCall(ledger, batch.header, send, authorization));
  const openMs = watch();
  const settled = await target.submit(settleCall(ledger, batch.header, none, accept));
  const settleMs = watch();
  return { prepareMs, signMs, openMs, settleMs, gasUsed: opened.gasUsed + settled.gasUsed };
}

/** Milliseconds since it was last asked. */
function stopwatch(): () => number {
  let since = performance.now();
  return () => {
    const now = performance.now();
    const passed = now - since;
    since = now;
    return passed;
  };
}

function rowOf(size: number, timings: readonly Timing[]): Row {
  const median = (part: (timing: Timing) => number) => percentile(timings.map(part), 50) ?? 0;
  const totalMs = median(({ prepareMs, signMs, openMs, settleMs }) => prepareMs + signMs + openMs + settleMs);
  return {
    size,
    prepareMs: median(({ prepareMs }) => prepareMs),
    signMs: median(({ signMs }) => signMs),
    openMs: median(({ openMs }) => openMs),
    settleMs: median(({ settleMs }) => settleMs),
    totalMs,
    transfersPerSecond: Math.round((size * 1_000) / totalMs),
    gasPerTransfer: Math.round(median(({ gasUsed }) => Number.parseInt(gasUsed.toString(), 10)) / size),
  };
}

/** The rows as people read them. */
export function describeLedger(rows: readonly Row[]): string {
  const right = (title: string, value: (row: Row) => number, digits = 1) => ({
    title,
    value: (row: Row) => value(row).toFixed(digits),
    align: "right" as const,
  });
  const columns = [
    right("transfers in a batch", ({ size }) => size, 0),
    right("prepare ms", ({ prepareMs }) => prepareMs),
    right("sign ms", ({ signMs }) => signMs),
    right("open ms", ({ openMs }) => openMs),
    right("settle ms", ({ settleMs }) => settleMs),
    right("taken to settled ms", ({ totalMs }) => totalMs),
    right("transfers/s", ({ transfersPerSecond }) => transfersPerSecond, 0),
    right("gas a transfer", ({ gasPerTransfer }) => gasPerTransfer, 0),
  ];
  return renderTable(columns, rows);
}
