import type { LookupRequest, LookupResponse } from "../../schema/network.ts";
import { maskName, parseCustomer } from "../../domain/alias.ts";
import { parsePartnerId } from "../../domain/partner.ts";
import type { RelayContext } from "../context.ts";
import { activeWallet, judgeByRegistry } from "./corridors.ts";
import { retryAfterSeconds } from "../../kernel/quota.ts";
import { mayLookUp } from "./lookups.ts";
import { PeerError, peerClient } from "../peers/client.ts";
import { refused, type Refusal } from "../../kernel/refusal.ts";
import type { PayeeLookup } from "../wallet/connector.ts";

/** Whatever the other relay says: its limits are by the day. */
const LONGEST_WAIT_SECONDS = 86_400;

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
  const partner = await judgeByRegistry(context.registry, (view) => activeWallet(view, target));
  if (partner.kind === "refused") return partner;
  const waitMs = await mayLookUp(context, asker);
  if (waitMs > 0) return limited("the API key has looked up as many payees as it may", retryAfterSeconds(waitMs));
  let found: PayeeLookup;
  try {
    found = await (target === context.partner
      ? context.wallet.lookup(alias)
      : peerClient(context).lookup(target, alias));
  } catch (error) {
    context.log.warn({ target, error }, "a partner did not answer a lookup");
    if (error instanceof PeerError && error.status === 429) {
      const seconds = Math.min(Math.max(error.retryAfterSeconds ?? 1, 1), LONGEST_WAIT_SECONDS);
      return limited(`partner ${target} accepts no more look-ups for now`, seconds);
    }
    return refused("partner-unavailable", `partner ${target} does not answer now`, { field: "target" });
  }
  if (!found.found) {
    return refused("payee-not-found", "the partner knows no such customer", { field: "alias", reason: found.reason });
  }
  // Whoever it comes from, no more than this is told.
  return { kind: "found", payee: { target, alias, name: maskName(found.name) } };
}

function limited(detail: string, seconds: number): Refusal {
  return refused("rate-limited", `${detail}: try again in ${seconds} s`, { retryAfterSeconds: seconds });
}
