import type { PartnerId } from "../../domain/partner.ts";
import { hasOneStep } from "../../ledger/state.ts";
import type { RelayContext } from "../context.ts";
import type { PeerDirectory } from "../peers/directory.ts";

// Which batches are proposed to their target before they are signed, so that they open and settle in one step.

/** When each target may be asked again that did not answer; as this process has found. Milliseconds since the epoch. */
const silentUntil = new WeakMap<PeerDirectory, Map<PartnerId, number>>();
/** Whether the registry that new batches open in can do it: its code never changes. */
const able = new WeakMap<object, boolean>();

/** Whether batches to a partner are proposed to it now. */
export async function isProposed(
  { settings, ledger, peers, clock }: Pick<RelayContext, "settings" | "ledger" | "peers" | "clock">,
  target: PartnerId,
): Promise<boolean> {
  if (!settings.oneStep.enabled || clock.nowMs() < (silentUntil.get(peers)?.get(target) ?? 0)) return false;
  const known = able.get(ledger) ?? (await hasOneStep(ledger));
  able.set(ledger, known);
  return known;
}

/** One that was silent may be there again. */
const SILENT_MS = 10_000;

/** For a while, batches to a partner go in two steps without asking. */
export function doNotPropose(
  { peers, clock }: Pick<RelayContext, "peers" | "clock">,
  target: PartnerId,
  forMs = SILENT_MS,
): void {
  const all = silentUntil.get(peers) ?? new Map<PartnerId, number>();
  silentUntil.set(peers, all.set(target, clock.nowMs() + forMs));
}
