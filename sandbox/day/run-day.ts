import type { PartnerId } from "../../src/domain/partner.ts";
import { countSuccess } from "../../src/features/statistics/count-success.ts";
import type { SuccessJson } from "../../src/schema/statistics.ts";
import type { Clock } from "../../src/kernel/clock/clock.ts";
import { closeDay, type Movement } from "../funding.ts";
import type { RunningNetwork, RunningPartner } from "../network-up.ts";
import type { Order } from "../orders/order.ts";
import { reconcile, type Reconciliation, type SentDay } from "./reconciliation.ts";
import { sendDay } from "./send-day.ts";
import { measureGas, readSentBatches } from "./sent-batches.ts";
import type { Measured } from "./summary.ts";

export interface RunDayOptions {
  readonly orders: readonly Order[];
  /** What the partners had deposited before. */
  readonly deposits: readonly Movement[];
  readonly clock: Clock;
  readonly mostUnderWay: number;
  readonly patienceMs: number;
  readonly onProgress: (transfersDone: number) => void;
}

/** A day that is over, on the ledger as in all books. */
export interface DayRun {
  readonly day: SentDay;
  readonly measured: Measured;
  /** By the sandbox, from the ledger's events and the wallets' books. */
  readonly reconciliation: Reconciliation;
  /** Differences that the relays themselves find between their stores and the ledger, as they tell them. */
  readonly relayDifferences: readonly RelayDifference[];
  /** How many transfers were paid, by the ledger, as `feiqian stats success` tells it. */
  readonly success: SuccessJson;
  /** What was deposited and withdrawn. */
  readonly movements: readonly Movement[];
}

export interface RelayDifference {
  readonly partner: PartnerId;
  readonly difference: unknown;
}

/** Sends a day's orders through a network, has the wallets take out what they have credited, and reconciles. */
export async function runDay(network: RunningNetwork, options: RunDayOptions): Promise<DayRun> {
  const { sandbox, partners } = network;
  const { replays, latenciesMs, aloneMs } = await sendDay({
    ...options,
    wallets: partners,
    passTime: () => network.passTime(),
  });
  const day = await rememberDay(network, options.orders);
  const movements = [...options.deposits, ...(await closeDay(sandbox, day.books))];
  const reconciliation = await reconcile(sandbox, day, movements);
  return {
    day,
    measured: {
      replays,
      latenciesMs,
      aloneMs,
      failures: failuresOf(network, day, reconciliation),
      gasUsed: await measureGas(sandbox.ledger, reconciliation.batches),
    },
    reconciliation,
    relayDifferences: (await Promise.all([...partners.values()].map(askRelay))).flat(),
    success: await countSuccess(sandbox.ledger),
    movements,
  };
}

/** Of the orders that never got onto the ledger, by what their wallets refunded them for. */
function failuresOf(
  { partners }: RunningNetwork,
  { orders }: SentDay,
  { outcomes }: Reconciliation,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { uetr, source } of orders.filter((order) => outcomes.get(order.uetr) === "failed")) {
    const told = partners.get(source)?.server.books.postingOf("refund", uetr)?.text ?? "";
    const why = told.replace(/^failed /, "");
    counts[why] = (counts[why] ?? 0) + 1;
  }
  return counts;
}

/** What relays and wallets have of the orders: all but what is on the ledger. */
export async function rememberDay({ partners }: RunningNetwork, orders: readonly Order[]): Promise<SentDay> {
  const batches = await Promise.all([...partners.values()].map(({ database }) => readSentBatches(database)));
  return {
    orders,
    batches: batches.flat(),
    books: new Map([...partners].map(([id, { server }]) => [id, server.books])),
  };
}

/** A relay's own reconciliation, which compares its store with its ledger. */
async function askRelay({ wallet, client }: RunningPartner): Promise<readonly RelayDifference[]> {
  const { differences } = await client.ask("POST /v1/reconciliations", { timeoutMs: RECONCILIATION_TIMEOUT_MS });
  return differences.map((difference) => ({ partner: wallet.id, difference }));
}

/** It goes through all that there is, and the others' at the same time. */
const RECONCILIATION_TIMEOUT_MS = 120_000;
