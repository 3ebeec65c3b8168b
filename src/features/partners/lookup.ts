import type { LookupRequest, LookupResponse } from "../../schema/network.ts";
import { maskName, parseCustomer } from "../../domain/alias.ts";
import { parsePartnerId } from "../../domain/partner.ts";
import type { RelayContext } from "../context.ts";
import { askPartner } from "./ask-partner.ts";
import { refused, type Refusal } from "../../kernel/refusal.ts";
import type { PayeeLookup } from "../wallet/connector.ts";

export type Lookup = { readonly kind: "found"; readonly payee: LookupResponse } | Refusal;

/**
 * Asks the target partner for a payee: its relay over the network, or this one's own wallet.
 * @param asker who is counted, as `key:<id>`
 * @throws InvalidInput for an alias that breaks its type's rules
 */
export async function lookupPayee(context: RelayContext, asker: string, request: LookupRequest): Promise<Lookup> {
  const outcome = await lookUp(context, asker, request);
  context.metrics.lookups.inc({ direction: "sent", outcome: outcome.kind === "found" ? "found" : outcome.code });
  return outcome;
}

async function lookUp(context: RelayContext, asker: string, request: LookupRequest): Promise<Lookup> {
  const alias = parseCustomer(request.alias, "alias");
  const target = parsePartnerId(request.target, "target");
  const found = await askPartner<PayeeLookup>(
    context,
    { asker, target, field: "target" },
    { own: () => context.wallet.lookup(alias), peer: (client) => client.lookup(target, alias) },
  );
  if ("code" in found) return found;
  if (!found.found) {
    return refused("payee-not-found", "the partner knows no such customer", { field: "alias", reason: found.reason });
  }
  // Whoever it comes from, no more than this is told.
  return { kind: "found", payee: { target, alias, name: maskName(found.name) } };
}
