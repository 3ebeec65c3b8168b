// Made by `npm run openapi` from docs/openapi.json: change the routes' schemas, not this.
import {
  balancesResponseSchema,
  corridorsResponseSchema,
  eventsResponseSchema,
  lookupResponseSchema,
  participantsResponseSchema,
} from "../src/schema/network.ts";
import {
  apiKeySchema,
  apiKeysResponseSchema,
  auditResponseSchema,
  deliveriesResponseSchema,
  erasureResponseSchema,
  newKeySchema,
  newWebhookSchema,
  reconciliationSchema,
  redeliverySchema,
  webhooksResponseSchema,
} from "../src/schema/operator.ts";
import { billersResponseSchema, paymentRequestSchema, resolvedRequestSchema } from "../src/schema/requests.ts";
import { ordersSchema, successSchema } from "../src/schema/statistics.ts";
import { transferStatusSchema } from "../src/schema/transfer-status.ts";
import { acceptanceSchema, quoteResponseSchema, receiptJsonSchema } from "../src/schema/transfers.ts";

/** What can be asked, whether to ask it twice changes nothing, and what its answer is. */
export const ROUTES = {
  "POST /v1/payees/lookup": { canRepeat: true, answer: lookupResponseSchema },
  "GET /v1/participants": { canRepeat: true, answer: participantsResponseSchema },
  "GET /v1/corridors": { canRepeat: true, answer: corridorsResponseSchema },
  "GET /v1/balances": { canRepeat: true, answer: balancesResponseSchema },
  "POST /v1/requests": { canRepeat: true, answer: paymentRequestSchema },
  "GET /v1/requests/{id}": { canRepeat: true, answer: paymentRequestSchema },
  "POST /v1/requests/{id}/cancel": { canRepeat: true, answer: paymentRequestSchema },
  "POST /v1/requests/resolve": { canRepeat: true, answer: resolvedRequestSchema },
  "GET /v1/billers/{partner}": { canRepeat: true, answer: billersResponseSchema },
  "POST /v1/bills/lookup": { canRepeat: true, answer: resolvedRequestSchema },
  "POST /v1/quotes": { canRepeat: true, answer: quoteResponseSchema },
  "GET /v1/quotes/{id}": { canRepeat: true, answer: quoteResponseSchema },
  "POST /v1/transfers": { canRepeat: true, answer: acceptanceSchema },
  "GET /v1/transfers/{uetr}": { canRepeat: true, answer: transferStatusSchema },
  "POST /v1/transfers/{uetr}/cancel": { canRepeat: true, answer: transferStatusSchema },
  "GET /v1/transfers/{uetr}/receipt": { canRepeat: true, answer: receiptJsonSchema },
  "GET /v1/stats/success": { canRepeat: true, answer: successSchema },
  "GET /v1/stats/orders": { canRepeat: true, answer: ordersSchema },
  "GET /v1/events": { canRepeat: true, answer: eventsResponseSchema },
  "GET /v1/webhooks": { canRepeat: true, answer: webhooksResponseSchema },
  "POST /v1/webhooks": { canRepeat: false, answer: newWebhookSchema },
  "DELETE /v1/webhooks/{id}": { canRepeat: false },
  "GET /v1/webhooks/deliveries": { canRepeat: true, answer: deliveriesResponseSchema },
  "POST /v1/webhooks/{id}/deliveries/{event}/replay": { canRepeat: true, answer: redeliverySchema },
  "GET /v1/keys": { canRepeat: true, answer: apiKeysResponseSchema },
  "POST /v1/keys": { canRepeat: false, answer: newKeySchema },
  "POST /v1/keys/{id}/rotate": { canRepeat: false, answer: newKeySchema },
  "DELETE /v1/keys/{id}": { canRepeat: false, answer: apiKeySchema },
  "GET /v1/audit": { canRepeat: true, answer: auditResponseSchema },
  "POST /v1/erasures": { canRepeat: true, answer: erasureResponseSchema },
  "POST /v1/reconciliations": { canRepeat: true, answer: reconciliationSchema },
} as const;
