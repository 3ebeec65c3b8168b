import { parseCurrency, type CurrencyCode } from "../../src/domain/currency.ts";
import type { SuccessJson } from "../../src/schema/statistics.ts";
import { formatMoney, money } from "../../src/domain/money.ts";
import { renderTable, type Column } from "../../src/kernel/table.ts";
import { PROVIDERS } from "../network.ts";
import type { CurrencyReconciliation, Reconciliation } from "./reconciliation.ts";
import type { CorridorSummary, Summary } from "./summary.ts";
import { walletOf } from "../wallet/wallets.ts";

const USD = parseCurrency("USD").code;

/** The table of corridors, for people. */
export function corridorTable({ corridors }: Summary): string {
  const columns: readonly Column<CorridorSummary>[] = [
    { title: "corridor", value: ({ source, target }) => `${walletOf(source).name} → ${walletOf(target).name}` },
    right("transfers", ({ transfers }) => String(transfers)),
    right("volume", ({ volume, currency }) => formatMoney(money(volume, currency))),
    right("settled", ({ settled }) => String(settled)),
    right("rejected", ({ rejected }) => blankZero(rejected)),
    right("expired", ({ expired }) => blankZero(expired)),
    right("failed", ({ failed }) => blankZero(failed)),
    right("customers paid", (corridor) => percentOf(corridor.paid, corridor.settledVolume)),
    right("World Bank price", ({ worldBank }) =>
      worldBank === undefined ? "none" : `${percentOf(worldBank.costBps, 10_000n)} (${worldBank.quarter})`,
    ),
    right("customers saved", ({ worldBankCost, paid, currency }) =>
      worldBankCost === undefined ? "" : amountOf(worldBankCost - paid, currency),
    ),
  ];
  return renderTable(columns, corridors);
}

/** The table of the reconciliation, for people: money in is money there and money out. */
export function reconciliationTable({ currencies }: Reconciliation): string {
  const amount = (title: string, part: (row: CurrencyReconciliation) => bigint) =>
    right<CurrencyReconciliation>(title, (row) => amountOf(part(row), row.currency));
  return renderTable(
    [
      { title: "currency", value: ({ currency }) => currency },
      amount("deposited", ({ deposited }) => deposited),
      amount("available", ({ available }) => available),
      amount("held", ({ held }) => held),
      amount("withdrawn", ({ withdrawn }) => withdrawn),
      amount("tokens there", ({ tokens }) => tokens),
      amount("difference", ({ difference }) => difference),
    ],
    currencies,
  );
}

/** The figures under the tables, for people. */
export function figures(summary: Summary): string {
  const { transfers, settled, rejected, expired, failed, unaccounted, batches, replays } = summary;
  const counted = (total: number, reasons: Readonly<Record<string, number>>) => {
    const each = Object.entries(reasons).map(([reason, count]) => `${count} ${reason}`);
    return each.length === 0 ? String(total) : `${total} (${each.join(", ")})`;
  };
  const ofOne = summary.gasPerTransferInBatchesOfOne;
  const usd = (cents: bigint) => formatMoney(money(cents, USD));
  return [
    ["transfers", `${transfers} in ${batches} batches, about ${usd(summary.settledUsdCents)} settled`],
    ["settled", String(settled)],
    ["rejected", counted(rejected, summary.rejections)],
    ["expired", `${expired}, refunded`],
    ["failed", `${counted(failed, summary.failures)}, refunded`],
    ["unaccounted", String(unaccounted)],
    ["repeats", `${replays}: every order was submitted twice, and got the same answer`],
    ["latency", `p50 ${ms(summary.p50Ms)}, p99 ${ms(summary.p99Ms)}, from being accepted to the customer's credit`],
    ["sent alone", `p50 ${ms(summary.aloneP50Ms)}: the last orders, one after the other, in no queue`],
    [
      "gas per transfer",
      `${summary.gasPerTransfer}; in batches of one ${ofOne === null ? "not measured" : String(ofOne)}`,
    ],
    [
      "customers paid",
      `${usd(summary.paidUsdCents)} where the World Bank has a price; at its price ${usd(summary.worldBankUsdCents)}`,
    ],
  ]
    .map(([name = "", value = ""]) => `${name.padEnd(16)}  ${value}`)
    .join("\n");
}

/** The summary as JSON carries it: amounts of money as text, for JSON's numbers are floats. */
export function summaryJson(summary: Summary, success: SuccessJson): string {
  return JSON.stringify({ ...summary, success }, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}

/** Who the liquidity providers are, for people. */
export const PROVIDER_NAMES = PROVIDERS.map(({ name }) => name).join(" and ");

function right<Row>(title: string, value: (row: Row) => string): Column<Row> {
  return { title, value, align: "right" };
}

function amountOf(minor: bigint, currency: CurrencyCode): string {
  const sign = minor < 0n ? "-" : "";
  return `${sign}${formatMoney(money(minor < 0n ? -minor : minor, currency))}`;
}

/** A share in percent with two decimals, rounded to the nearest. */
function percentOf(part: bigint, whole: bigint): string {
  if (whole === 0n) return "";
  const basisPoints = (part * 20_000n + whole) / (2n * whole);
  return `${basisPoints / 100n}.${String(basisPoints % 100n).padStart(2, "0")} %`;
}

function blankZero(count: number): string {
  return count === 0 ? "" : String(count);
}

function ms(value: number | null): string {
  return value === null ? "not measured" : `${value} ms`;
}
