import { LEAST_ENDED } from "../../domain/success.ts";
import { renderTable, type Column } from "../../kernel/table.ts";
import type { SuccessJson } from "../../schema/statistics.ts";
import { classColumns } from "./commands/class-columns.ts";

type Row = SuccessJson["total"] & Partial<SuccessJson["corridors"][number]>;

/** The figures for people: a line for each day and corridor, and one for all. */
export function successTable({ corridors, total, block, at }: SuccessJson): string {
  const columns: readonly Column<Row>[] = [
    { title: "day", value: ({ day = "all" }) => day },
    { title: "from → to", value: corridorOf },
    { title: "opened", value: ({ opened }) => String(opened), align: "right" },
    { title: "settled", value: ({ settled }) => String(settled), align: "right" },
    ...classColumns(total),
    { title: "open", value: ({ open }) => blankZero(open), align: "right" },
    { title: "rate", value: rateOf, align: "right" },
    { title: "", value: ({ isProvisional }) => (isProvisional === true ? "provisional" : "") },
  ];
  const asOf = `As of block ${block}, ${at}.`;
  if (corridors.length === 0) return `No transfers came onto the ledger on these days. ${asOf}`;
  return [renderTable(columns, [...corridors, total]), asOf].join("\n\n");
}

function corridorOf({ source, target, sourceCurrency = "", targetCurrency = "" }: Row): string {
  return source === undefined ? "" : `${source} → ${String(target)}, ${sourceCurrency} → ${targetCurrency}`;
}

function rateOf({ rate, settled, rejected, expired }: Row): string {
  if (rate !== undefined) return `${rate} %`;
  return settled + rejected + expired === 0 ? "" : `under ${LEAST_ENDED}`;
}

function blankZero(count: number): string {
  return count === 0 ? "" : String(count);
}
