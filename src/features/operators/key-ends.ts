import { nextKeyEndMs } from "../../kernel/access/store.ts";
import { keyEnd } from "../../ledger/registry.ts";
import type { Step } from "../context.ts";

const MS = 1_000;
const PURPOSES = ["send", "accept"] as const;

/** Tells when keys end, which no work of theirs would show before it is too late. */
export const keyEndsStep: Step = async ({ registry, partner, keys, clock, db, metrics }) => {
  const nowMs = clock.nowMs();
  const own = (await registry.read()).partners.get(partner);
  for (const purpose of PURPOSES) {
    const { address } = keys[purpose];
    const end = own === undefined ? undefined : keyEnd(own, address, purpose, Math.floor(nowMs / MS));
    metrics.keyEndsSeconds.set({ key: purpose }, end ?? 0);
  }
  const endMs = await nextKeyEndMs(db, nowMs);
  if (endMs === undefined) metrics.keyEndsSeconds.remove({ key: "api" });
  else metrics.keyEndsSeconds.set({ key: "api" }, Math.floor(endMs / MS));
  return false;
};
