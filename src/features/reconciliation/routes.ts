import { reconciliationSchema, type ReconciliationJson } from "../../schema/operator.ts";
import type { RoutesOf } from "../../kernel/http/context.ts";
import { responses, routes } from "../../kernel/http/route.ts";
import type { RelayContext } from "../context.ts";
import { reconcile, type ReconciliationReport } from "./reconciler.ts";

export function reconciliationRoutes(relay: RelayContext): RoutesOf {
  return () =>
    routes((app) => {
      app.post(
        "/v1/reconciliations",
        {
          config: { scope: "operate", action: "reconciliations.run" },
          schema: {
            operationId: "reconcile",
            "x-idempotent": true,
            summary: "Compare the store with the ledger",
            tags: ["operator"],
            ...responses({ 200: reconciliationSchema }),
          },
        },
        async () => reportJson(await reconcile(relay)),
      );
    });
}

function reportJson({ block, balances, checked, differences, ...rest }: ReconciliationReport): ReconciliationJson {
  const money = ({ available, held }: Record<"available" | "held", bigint>) => ({
    available: String(available),
    held: String(held),
  });
  return {
    ...rest,
    ...(block === undefined ? {} : { block }),
    balances: balances.map(({ treasury, currency, expected, found }) => ({
      treasury,
      currency,
      expected: money(expected),
      found: money(found),
    })),
    checked: { ...checked },
    differences: [...differences],
  };
}
