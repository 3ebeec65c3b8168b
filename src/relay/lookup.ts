import type { LookupRequest, LookupResponse } from "../contract/network.ts";
import { maskName, parseAlias } from "../domain/alias.ts";
import { parsePartnerId } from "../domain/partner.ts";
import type { RelayContext } from "./context.ts";
import { activeWallet, judgeByRegistry } from "./corridors.ts";
import { peerClient } from "./peer/client.ts";
import { refused, type Refusal } from "./refusal.ts";
import type { PayeeLookup } from "./wallet/connector.ts";

export type Lookup = { readonly kind: "found"; readonly payee: LookupResponse } | Refusal;

/**
 * Asks the target partner for a payee: its relay over the network, or this one's own wallet. Nothing is kept of it.
 * @throws InvalidInput for an alias that breaks its type's rules
 */
export async function lookupPayee(context: RelayContext, request: LookupRequest): Promise<Lookup> {
  const alias = parseAlias(request.alias, "alias");
  const target = parsePartnerId(request.target, "target");
  const partner = await judgeByRegistry(context.registry, (view) => activeWallet(view, target));
  if (partner.kind === "refused") return partner;
  let found: PayeeLookup;
  try {
    found = await (target === context.partner
      ? context.wallet.lookup(alias)
      : peerClient(context).lookup(target, alias));
  } catch (error) {
    context.log.warn({ target, error }, "a partner did not answer a lookup");
    return refused("partner-unavailable", `partner ${target} does not answer now`, { field: "target" });
  }
  if (!found.found) {
    return refused("payee-not-found", "the partner knows no such customer", { field: "alias", reason: found.reason });
  }
  // Whoever it comes from, no more than this is told.
  return { kind: "found", payee: { target, alias, name: maskName(found.name) } };
}
