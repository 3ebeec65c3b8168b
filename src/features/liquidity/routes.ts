import { moneyJson } from "../../schema/fields.ts";
import { balancesResponseSchema, type BalanceJson } from "../../schema/network.ts";
import { responses, routes } from "../../kernel/http/route.ts";
import type { RoutesOf } from "../../kernel/http/context.ts";
import type { RelayContext } from "../context.ts";
import { readFunds, type Funds } from "./store.ts";

/** What money there is to send with. */
export function balanceRoutes(relay: RelayContext): RoutesOf {
  return () =>
    routes((app) => {
      app.get(
        "/v1/balances",
        {
          config: { scope: "read" },
          schema: {
            operationId: "listBalances",
            summary: "This partner's money on the ledger, and what is promised of it",
            tags: ["network"],
            ...responses({ 200: balancesResponseSchema }),
          },
        },
        async () => {
          const funds = await readFunds(relay.db, relay.ledger.addresses.treasury);
          return { balances: funds.map((each) => balanceJson(relay, each)) };
        },
      );
    });
}

function balanceJson(
  { settings }: Pick<RelayContext, "settings">,
  { currency, available, held, committed, elsewhere, block }: Funds,
): BalanceJson {
  const lowWater = settings.liquidity.lowWater[currency];
  return {
    available: moneyJson(available, currency),
    held: moneyJson(held, currency),
    committed: moneyJson(committed, currency),
    spendable: moneyJson(available > committed ? available - committed : 0n, currency),
    ...(elsewhere.available + elsewhere.held === 0n
      ? {}
      : {
          elsewhere: {
            available: moneyJson(elsewhere.available, currency),
            held: moneyJson(elsewhere.held, currency),
          },
        }),
    ...(lowWater === undefined ? {} : { lowWater: moneyJson(lowWater, currency) }),
    block,
  };
}
