import { dayOf } from "../../domain/day.ts";
import { successQuerySchema, successSchema, type SuccessJson } from "../../schema/statistics.ts";
import type { RoutesOf } from "../../kernel/http/context.ts";
import { Problem } from "../../kernel/http/problem.ts";
import { responses, routes } from "../../kernel/http/route.ts";
import type { RelayContext } from "../context.ts";
import { readCursor } from "../remittance/store/ledger-projection.ts";
import { knownRegistries, unreadRegistries } from "../remittance/store/registries.ts";
import { dayRange } from "./day-range.ts";
import { readSuccessSums } from "./store.ts";
import { successJson } from "./success-json.ts";

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
        async ({ query }) => readSuccess(relay, query),
      );
    });
}

/** @throws Problem while there are batches on the ledger that this relay has not read of */
async function readSuccess({ db, ledger }: RelayContext, asked: Parameters<typeof dayRange>[0]): Promise<SuccessJson> {
  const cursor = await readCursor(db);
  const range = dayRange(asked, dayOf(cursor?.timeSeconds ?? 0));
  const counted = await readSuccessSums(db, range);
  if (counted === undefined) throw new Problem("unavailable", "the ledger has not been read yet");
  if (unreadRegistries(ledger, await knownRegistries(db)).length > 0) {
    throw new Problem("unavailable", "a registry that is new to this relay has not been read yet");
  }
  return successJson(counted, range);
}
