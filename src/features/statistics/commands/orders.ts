import { LEAST_ENDED } from "../../../domain/success.ts";
import type { Session } from "../../../command/session.ts";
import { renderTable, type Column } from "../../../kernel/table.ts";
import type { OrdersJson } from "../../../schema/statistics.ts";
import { classColumns } from "./class-columns.ts";

/** Shows how many orders were paid. */
export async function orders(session: Session): Promise<void> {
  const query = { from: session.text("from"), to: session.text("to") };
  session.print(await (await session.client()).ask("GET /v1/stats/orders", { query }), showOrders);
}

type Row = OrdersJson["total"] & Partial<OrdersJson["days"][number]>;

function showOrders({ days, total, block, at }: OrdersJson): string {
  const columns: readonly Column<Row>[] = [
    { title: "day", value: ({ day = "all" }) => day },
    { title: "to", value: ({ day, target }) => (day === undefined ? "" : String(target ?? "refused")), align: "right" },
    { title: "orders", value: ({ orders: count }) => String(count), align: "right" },
    { title: "credited", value: ({ credited }) => String(credited), align: "right" },
    { title: "uncredited", value: ({ uncredited }) => (uncredited === 0 ? "" : String(uncredited)), align: "right" },
    ...classColumns(total),
    { title: "retried", value: ({ retried }) => (retried === 0 ? "" : String(retried)), align: "right" },
    { title: "open", value: ({ open }) => (open === 0 ? "" : String(open)), align: "right" },
    { title: "rate", value: rateOf, align: "right" },
    {
      title: "first try",
      value: ({ firstTryRate }) => (firstTryRate === undefined ? "" : `${firstTryRate} %`),
      align: "right",
    },
    { title: "", value: ({ isProvisional }) => (isProvisional === true ? "provisional" : "") },
  ];
  const asOf = `As of block ${block}, ${at}.`;
  if (days.length === 0) return `No orders on these days. ${asOf}`;
  return [renderTable(columns, [...days, total]), asOf].join("\n\n");
}

function rateOf({ rate, orders: count }: Row): string {
  if (rate !== undefined) return `${rate} %`;
  return count === 0 ? "" : `under ${LEAST_ENDED}`;
}
