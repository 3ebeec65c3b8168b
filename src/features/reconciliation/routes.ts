import { toJson } from "../../domain/wire.ts";
import { reconciliationSchema } from "../../schema/operator.ts";
import type { RoutesOf } from "../../kernel/http/context.ts";
import { responses, routes } from "../../kernel/http/route.ts";
import type { RelayContext } from "../context.ts";
import { reconcile } from "./reconciler.ts";

export function reconciliationRoutes(relay: RelayContext): RoutesOf {
  return () =>
    routes((app) => {
      app.post(
        "/v1/reconciliations",
        {
          config: { scope: "operate", action: "reconciliations.run" },
          schema: {
            operationId: "reconcile",
            summary: "Compare the store with the ledger",
            tags: ["operator"],
            ...responses({ 200: reconciliationSchema }),
          },
        },
        async () => ({ ...toJson(await reconcile(relay)) }),
      );
    });
}
