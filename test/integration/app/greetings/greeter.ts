import type { Step } from "../../../../src/features/context.ts";
import { appendEvents } from "../../../../src/kernel/store/events.ts";
import { takeUnsent } from "./store.ts";

export const greeterStep: Step = async ({ db, clock, metrics, wake }) => {
  const at = clock.nowMs();
  const sent = await db.transaction(async (tx) => {
    const texts = await takeUnsent(tx, at);
    await appendEvents(
      tx,
      texts.map((text) => ({ type: "greeting.sent", at, data: { text } })),
    );
    return texts.length;
  });
  metrics.greetingsSent.inc(sent);
  if (sent > 0) wake("notifier");
  return false;
};
