import type { NewWebhookJson, WebhookJson } from "../../schema/operator.ts";
import { utf8 } from "../../domain/bytes/bytes.ts";
import { uetrFromRandom } from "../../domain/uetr.ts";
import { insertWebhook, redeliver, type Endpoint, type Webhook } from "./store.ts";
import { findNamed } from "../../kernel/store/feeds.ts";
import { SEALED } from "../../kernel/store/sealed-rows.ts";
import type { RelayContext } from "../context.ts";
import { formatInstant as instant } from "../../domain/instant.ts";
import { webhookSigner, type WebhookSigner } from "../../kernel/outside/standard-webhooks.ts";
import { parseOutsideUrl, type Reach } from "../../kernel/outside/url-guard.ts";

/** As Standard Webhooks recommends: 24 to 64 bytes. */
const SECRET_BYTES = 32;

/**
 * Registers a webhook: what happens from now on is delivered to it.
 * @param types of events; empty for all
 * @returns the webhook with its secret, which is told this once and kept sealed
 * @throws InvalidInput when the URL is not one that is delivered to
 */
export async function registerWebhook(
  context: RelayContext,
  { url, types }: Pick<Webhook, "url" | "types">,
): Promise<NewWebhookJson> {
  const { db, sealer, clock, drawBytes } = context;
  const { href } = parseOutsideUrl(url, webhookReach(context));
  const id = uetrFromRandom(drawBytes(16));
  const secret = `whsec_${Buffer.from(drawBytes(SECRET_BYTES)).toString("base64")}`;
  const webhook = { id, url: href, types, createdAt: clock.nowMs() };
  await insertWebhook(db, { ...webhook, sealedSecret: sealer.seal(utf8(secret), SEALED.webhooks.bind(id)) });
  return { ...webhookJson({ ...webhook, disabledAt: undefined }), secret };
}

/**
 * Has an event delivered once more, or for the first time.
 * @param event its id
 * @returns false where there is no such webhook or event, or the webhook is disabled
 */
export async function replayDelivery(
  { db, clock, wake }: Pick<RelayContext, "db" | "clock" | "wake">,
  webhook: string,
  event: string,
): Promise<boolean> {
  const seq = await findNamed(db, "events", event);
  const isPlanned = seq !== undefined && (await redeliver(db, webhook, seq, clock.nowMs()));
  if (isPlanned) wake("notifier");
  return isPlanned;
}

export function webhookJson({ id, url, types, createdAt, disabledAt }: Webhook): WebhookJson {
  return {
    id,
    url,
    types: [...types],
    createdAt: instant(createdAt),
    ...(disabledAt === undefined ? {} : { disabledAt: instant(disabledAt) }),
  };
}

/** What signs for an endpoint. */
export function signerOf({ sealer }: Pick<RelayContext, "sealer">, { id, sealedSecret }: Endpoint): WebhookSigner {
  return webhookSigner(Buffer.from(sealer.open(sealedSecret, SEALED.webhooks.bind(id))).toString("utf8"));
}

export function webhookReach({ settings }: Pick<RelayContext, "settings">): Reach {
  return { from: "operator", allowUnsafeUrls: settings.webhooks.allowUnsafeUrls };
}
