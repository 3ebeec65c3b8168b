import { backoffMs } from "../../kernel/retry.ts";
import { appendEvents } from "../../kernel/store/events.ts";
import {
  deliveriesDue,
  disableWebhook,
  endpointsDue,
  planDeliveries,
  putOff,
  recordEndpointFault,
  recordAttempts,
  type Attempt,
  type DueDelivery,
  type Endpoint,
} from "./store.ts";
import type { RelayContext, Step } from "../context.ts";
import { describeFault } from "../../kernel/steps/faults.ts";
import { webhookBody } from "./webhook-body.ts";
import { workOff } from "../../kernel/steps/pool.ts";
import { postWebhook, type SendResult } from "./webhook-sender.ts";
import type { WebhookSigner } from "../../kernel/outside/standard-webhooks.ts";
import { signerOf, webhookReach } from "./webhooks.ts";

/** Endpoints that are delivered to at the same time. */
const MAX_ENDPOINTS = 16;
/** Deliveries under way to one endpoint. They are begun in the order of the events. */
const MAX_UNDER_WAY = 16;
const MAX_PLANNED = 1_000;
const GONE = 410;

/**
 * Delivers events to the webhooks that want them: each at least once, in their order as far as endpoints answer, until
 * `maxAttempts` have failed. An endpoint that does not answer holds up no other.
 */
export const notifierStep: Step = async (context) => {
  const { db, clock, settings } = context;
  return workOff({
    context,
    step: "notifier",
    limit: MAX_ENDPOINTS,
    async find(atMost, isOver) {
      for (;;) {
        const more = await planDeliveries(db, clock.nowMs(), MAX_PLANNED);
        if (!more || isOver()) break;
      }
      return endpointsDue(db, clock.nowMs(), atMost);
    },
    keyOf: ({ id }) => id,
    work: (endpoint, isOver) => deliver(context, endpoint, isOver),
    recordFault: ({ id, faultAttempts }, fault) =>
      recordEndpointFault(db, id, clock.nowMs() + backoffMs(faultAttempts + 1, settings.retry), fault),
  });
};

/** Works off what is due for one endpoint, until it fails. */
async function deliver(context: RelayContext, endpoint: Endpoint, isOver: () => boolean): Promise<void> {
  const { db, clock } = context;
  const sign = signerOf(context, endpoint);
  while (!isOver()) {
    const due = await deliveriesDue(db, endpoint.id, clock.nowMs(), MAX_UNDER_WAY);
    if (due.length === 0) return;
    const results = await Promise.all(
      due.map(async (one) => ({ ...one, result: await send(context, endpoint, sign, one) })),
    );
    context.checkpoint("notifier.sent");
    if (!(await record(context, endpoint, results))) return;
  }
}

async function send(
  context: RelayContext,
  endpoint: Endpoint,
  sign: WebhookSigner,
  { event }: DueDelivery,
): Promise<SendResult> {
  const { clock, settings, tracer } = context;
  const policy = { reach: webhookReach(context), timeoutMs: settings.webhooks.timeoutMs };
  const { id } = event;
  const sentAtSeconds = Math.floor(clock.nowMs() / 1_000);
  return tracer.span("webhook", event.uetr === undefined ? {} : { uetr: event.uetr }, async () => {
    try {
      const body = JSON.stringify(webhookBody(event));
      const headers = tracer.inject({
        "content-type": "application/json",
        "user-agent": "feiqian-relay",
        "webhook-id": id,
        "webhook-timestamp": String(sentAtSeconds),
        "webhook-signature": sign(id, sentAtSeconds, body),
      });
      return await postWebhook(endpoint.url, headers, body, policy);
    } catch (failure) {
      // An event that cannot be told.
      return { kind: "failed", error: describeFault(failure) };
    }
  });
}

interface Sent extends DueDelivery {
  readonly result: SendResult;
}

/**
 * Writes down what became of attempts.
 * @returns whether the endpoint may be tried with more at once
 */
async function record(context: RelayContext, endpoint: Endpoint, sent: readonly Sent[]): Promise<boolean> {
  const { db, clock, settings, log, metrics } = context;
  const nowMs = clock.nowMs();
  const isGone = sent.some(({ result }) => result.kind === "answered" && result.status === GONE);
  const attempts = sent.map((one) => attemptOf(context, one, nowMs));
  const failed = sent.filter((_, index) => attempts[index]?.kind !== "delivered");
  const dead = sent.filter((_, index) => attempts[index]?.kind === "dead");

  await db.transaction(async (tx) => {
    await recordAttempts(tx, endpoint.id, attempts, nowMs);
    if (failed.length > 0) {
      // Where nothing got through, the endpoint may be down: what failed there is tried as rarely as what failed least
      // often. What is new is not held up by it, for it may be those events that the endpoint cannot take.
      const isDown = failed.length === sent.length;
      const attempt = isDown ? Math.min(...failed.map(({ attempts }) => attempts)) + 1 : 1;
      const pauseMs = (attempts: number) => backoffMs(attempts, settings.retry, () => fraction(context));
      await putOff(tx, endpoint.id, { newUntilMs: nowMs + pauseMs(1), failedUntilMs: nowMs + pauseMs(attempt) });
    }
    const isDisabled = isGone && (await disableWebhook(tx, endpoint.id, nowMs));
    await appendEvents(tx, [
      ...dead.map(({ event, attempts }) => ({
        type: "webhook.dead" as const,
        at: nowMs,
        data: { webhook: endpoint.id, event: event.id, type: event.type, attempts: attempts + 1 },
      })),
      ...(isDisabled ? [{ type: "webhook.disabled" as const, at: nowMs, data: { webhook: endpoint.id } }] : []),
    ]);
  });

  for (const { kind } of attempts) metrics.webhooks.inc({ outcome: kind });
  if (isGone) log.warn({ webhook: endpoint.id }, "webhook disabled: its endpoint answered 410");
  for (const { event, result } of dead) {
    log.error({ webhook: endpoint.id, event: event.id, error: errorOf(result) }, "webhook delivery given up");
  }
  return failed.length === 0;
}

function attemptOf(context: RelayContext, { event, attempts, result }: Sent, nowMs: number): Attempt {
  const error = errorOf(result);
  if (error === undefined) return { kind: "delivered", event: event.seq };
  if (attempts + 1 >= context.settings.webhooks.maxAttempts) return { kind: "dead", event: event.seq, error };
  const nextAttemptAt = nowMs + backoffMs(attempts + 1, context.settings.retry, () => fraction(context));
  return { kind: "failed", event: event.seq, error, nextAttemptAt };
}

/** Undefined for 2xx, which alone is delivered: a redirect is a failure. */
function errorOf(result: SendResult): string | undefined {
  if (result.kind === "failed") return result.error;
  return result.status >= 200 && result.status < 300 ? undefined : `HTTP ${result.status}`;
}

function fraction({ drawBytes }: Pick<RelayContext, "drawBytes">): number {
  return Buffer.from(drawBytes(4)).readUInt32BE() / 2 ** 32;
}
