import type { RelayContext } from "../features/context.ts";
import { balanceRoutes } from "../features/liquidity/routes.ts";
import { eventRoutes } from "../features/notifications/routes.ts";
import { webhookRoutes } from "../features/notifications/webhook-routes.ts";
import { operatorRoutes } from "../features/operators/routes.ts";
import { networkRoutes } from "../features/partners/routes.ts";
import { reconciliationRoutes } from "../features/reconciliation/routes.ts";
import { transferRoutes } from "../features/remittance/routes.ts";
import type { PeerMessage } from "../features/peers/routes.ts";
import { partnerMessages } from "../features/partners/peer-messages.ts";
import { remittanceMessages } from "../features/remittance/peer-messages.ts";
import type { RoutesOf } from "../kernel/http/context.ts";

/** What each feature serves to callers with an API key, in the order of the API's document. */
export function relayRoutes(relay: RelayContext): readonly RoutesOf[] {
  return [
    networkRoutes,
    balanceRoutes,
    transferRoutes,
    eventRoutes,
    webhookRoutes,
    operatorRoutes,
    reconciliationRoutes,
  ].map((of) => of(relay));
}

/** What each feature answers to other partners' relays. */
export function relayMessages(relay: RelayContext): readonly PeerMessage[] {
  return [...remittanceMessages(relay), ...partnerMessages(relay)];
}
