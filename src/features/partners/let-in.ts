import type { PartnerId } from "../../domain/partner.ts";
import type { RelayContext } from "../context.ts";
import { Refused, tooMuch } from "../peers/refused.ts";
import { mayLookUp } from "./lookups.ts";

/**
 * Lets a partner's relay ask about customers here, and counts that: who cannot send has no business with the names of
 * those who could be sent to.
 * @param what it looks up, in the plural
 * @throws Refused
 */
export async function letIn(context: RelayContext, from: PartnerId, what: string): Promise<void> {
  if ((await context.peers.find(from))?.isActive !== true) {
    throw new Refused("sender-not-active", `no ${what} are looked up`);
  }
  const waitMs = await mayLookUp(context, askerOf(from));
  if (waitMs === 0) return;
  context.metrics.lookups.inc({ direction: "received", outcome: "rate-limited" });
  throw tooMuch(`more ${what} are looked up than one partner may`, waitMs);
}

/** As who a partner is counted, and written down. */
export function askerOf(partner: PartnerId): string {
  return `partner:${partner}`;
}
