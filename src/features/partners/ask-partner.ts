import type { PartnerId } from "../../domain/partner.ts";
import { retryAfterSeconds } from "../../kernel/quota.ts";
import { refused, type Refusal } from "../../kernel/refusal.ts";
import type { RelayContext } from "../context.ts";
import { PeerError, peerClient, type PeerClient } from "../peers/client.ts";
import { activeWallet, judgeByRegistry } from "./corridors.ts";
import { mayLookUp } from "./lookups.ts";

/** Whatever the other relay says: its limits are by the day. */
const LONGEST_WAIT_SECONDS = 86_400;

export interface AskedPartner {
  /** Who is counted, as `key:<id>`. */
  readonly asker: string;
  readonly target: PartnerId;
  /** The member of the request that names the partner, where one does. */
  readonly field?: string;
}

/**
 * Asks a partner about its customers: its relay over the network, or this one's own wallet and store. All that is asked so
 * is counted together.
 */
export async function askPartner<Answer extends object>(
  context: RelayContext,
  { asker, target, field }: AskedPartner,
  ask: { readonly own: () => Promise<Answer>; readonly peer: (client: PeerClient) => Promise<Answer> },
): Promise<Answer | Refusal> {
  const partner = await judgeByRegistry(context.registry, (view) => activeWallet(view, target));
  if (partner.kind === "refused") return partner;
  const waitMs = await mayLookUp(context, asker);
  if (waitMs > 0) return limited("the API key has looked up as much as it may", retryAfterSeconds(waitMs));
  try {
    return await (target === context.partner ? ask.own() : ask.peer(peerClient(context)));
  } catch (error) {
    context.log.warn({ target, error }, "a partner did not answer about its customers");
    if (error instanceof PeerError && error.status === 429) {
      const seconds = Math.min(Math.max(error.retryAfterSeconds ?? 1, 1), LONGEST_WAIT_SECONDS);
      return limited(`partner ${target} accepts no more look-ups for now`, seconds);
    }
    return refused(
      "partner-unavailable",
      `partner ${target} does not answer now`,
      field === undefined ? {} : { field },
    );
  }
}

function limited(detail: string, seconds: number): Refusal {
  return refused("rate-limited", `${detail}: try again in ${seconds} s`, { retryAfterSeconds: seconds });
}
