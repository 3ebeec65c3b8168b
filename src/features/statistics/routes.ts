import { dayOf } from "../../domain/day.ts";
import { ordersSchema, successQuerySchema, successSchema, type OrdersJson } from "../../schema/statistics.ts";
import type { RoutesOf } from "../../kernel/http/context.ts";
import { Problem } from "../../kernel/http/problem.ts";
import { responses, routes } from "../../kernel/http/route.ts";
import type { RelayContext } from "../context.ts";
import { readCursor } from "../remittance/store/ledger-projection.ts";
import { knownRegistries, unreadRegistries } from "../remittance/store/registries.ts";
import { dayRange } from "./day-range.ts";
import { ordersJson } from "./orders-json.ts";
import { readOrderSums, readSuccessSums } from "./store.ts";
import { successJson, type CountedSuccess, type DayRange } from "./success-json.ts";

/** What can be counted of the network. */
export function statisticsRoutes(relay: RelayContext): RoutesOf {
  return () =>
    routes((app) => {
      app.get(
        "/v1/stats/success",
        {
          config: { scope: "read" },
          schema: {
            operationId: "getSuccess",
            summary: "How many transfers were paid, and why the others were not",
            description:
              "Of every partner's transfers, by corridor and day, as the ledger tells it: anyone who reads the ledger counts " +
              "the same (`feiqian stats success --ledger`).",
            tags: ["network"],
            querystring: successQuerySchema,
            ...responses({ 200: successSchema }),
          },
        },
        async ({ query }) => {
          const range = await askedRange(relay, query);
          return successJson(await readSuccess(relay, range), range);
        },
      );
      app.get(
        "/v1/stats/orders",
        {
          config: { scope: "read" },
          schema: {
            operationId: "getOrders",
            summary: "How many of the own customers' orders were paid, and why the others were not",
            description:
              "With what never came onto the ledger, which this relay alone knows. A submission and its retries (`retryOf`) " +
              "are one order.",
            tags: ["network"],
            querystring: successQuerySchema,
            ...responses({ 200: ordersSchema }),
          },
        },
        async ({ query }) => readOrders(relay, await askedRange(relay, query)),
      );
    });
}

/** @throws InvalidInput when they are no days, or too many */
async function askedRange({ db }: RelayContext, asked: Parameters<typeof dayRange>[0]): Promise<DayRange> {
  return dayRange(asked, dayOf((await readCursor(db))?.timeSeconds ?? 0));
}

/** @throws Problem while there are batches on the ledger that this relay has not read of */
async function readSuccess({ db, ledger }: RelayContext, range: DayRange): Promise<CountedSuccess> {
  const counted = await readSuccessSums(db, range);
  if (counted === undefined) throw new Problem("unavailable", "the ledger has not been read yet");
  if (unreadRegistries(ledger, await knownRegistries(db)).length > 0) {
    throw new Problem("unavailable", "a registry that is new to this relay has not been read yet");
  }
  return counted;
}

async function readOrders(relay: RelayContext, range: DayRange): Promise<OrdersJson> {
  const { db, partner, problems } = relay;
  // First what is credited, then what has settled, which is at least as much.
  const orders = await readOrderSums(db, range);
  const { counts, ...counted } = await readSuccess(relay, range);
  const own = counts.filter(({ source }) => source === partner);
  return ordersJson(orders, { ...counted, counts: own }, range, problems);
}
