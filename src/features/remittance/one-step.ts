import type { BatchHeader } from "../../domain/batch.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { leftMs } from "../../kernel/clock/clock.ts";
import type { Ledger } from "../../ledger/contracts.ts";
import { hasOneStep } from "../../ledger/state.ts";
import type { RelayContext } from "../context.ts";
import type { PeerDirectory } from "../peers/directory.ts";
import { recentHead } from "./watched.ts";

// Which batches are proposed to their target before they are signed, so that they open and settle in one step. All that is
// remembered is as this process has found it; milliseconds since the epoch.

interface Pause {
  readonly sinceMs: number;
  readonly forMs: number;
}

/** Targets that did not answer, and are not asked meanwhile. */
const silent = new WeakMap<PeerDirectory, Map<PartnerId, Pause>>();
/** Ledgers whose registry for new batches can do it: its code never changes. */
const able = new WeakSet<Ledger>();
/** When the registry of another one was looked at: its node may only have been behind. */
const lookedAtMs = new WeakMap<Ledger, number>();

/** Whether a batch is proposed to its target now. */
export async function isProposed(
  context: Pick<RelayContext, "settings" | "ledger" | "peers" | "clock" | "watched">,
  { target, count }: Pick<BatchHeader, "target" | "count">,
): Promise<boolean> {
  const { settings, peers, clock } = context;
  const { enabled, unpaidPerMinute } = settings.oneStep;
  // Relays are set up alike: more than this one checks unpaid, the target most likely does not either.
  if (!enabled || count > unpaidPerMinute) return false;
  const pause = silent.get(peers)?.get(target);
  if (pause !== undefined && leftMs(clock, pause.sinceMs, pause.forMs) > 0) return false;
  return isAble(context);
}

/** A registry that was not seen to do it is looked at again. */
const LOOK_AGAIN_MS = 10_000;

async function isAble(context: Pick<RelayContext, "ledger" | "clock" | "watched">): Promise<boolean> {
  const { ledger, clock } = context;
  if (able.has(ledger)) return true;
  const atMs = lookedAtMs.get(ledger);
  if (atMs !== undefined && leftMs(clock, atMs, LOOK_AGAIN_MS) > 0) return false;
  const found = await hasOneStep(ledger, (await recentHead(context)).number);
  if (found) able.add(ledger);
  else lookedAtMs.set(ledger, clock.nowMs());
  return found;
}

/** One that was silent may be there again. */
const SILENT_MS = 10_000;

/** For a while, batches to a partner go in two steps without asking. */
export function doNotPropose(
  { peers, clock }: Pick<RelayContext, "peers" | "clock">,
  target: PartnerId,
  forMs = SILENT_MS,
): void {
  const all = silent.get(peers) ?? new Map<PartnerId, Pause>();
  silent.set(peers, all.set(target, { sinceMs: clock.nowMs(), forMs }));
}
