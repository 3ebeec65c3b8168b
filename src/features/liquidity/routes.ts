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
        async () => ({ balances: (await readFunds(relay.db)).map((funds) => balanceJson(relay, funds)) }),
      );
    });
}

function balanceJson(
  { settings }: Pick<RelayContext, "settings">,
  { currency, available, held, committed, block }: Funds,
): BalanceJson {
  const lowWater = settings.liquidity.lowWater[currency];
  return {
    available: moneyJson(available, currency),
    held: moneyJson(held, currency),
    committed: moneyJson(committed, currency),
    spendable: moneyJson(available > committed ? available - committed : 0n, currency),
    ...(lowWater === undefined ? {} : { lowWater: moneyJson(lowWater, currency) }),
    block,
  };
}
