import { timingSafeEqual } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { z } from "zod/v4";
import { WEBHOOK_VERSION } from "../src/domain/versions.ts";
import { webhookBodySchema } from "../src/schema/webhooks.ts";
import type { WebhookBody } from "./types.ts";

export type WebhookRefusal =
  /** One of webhook-id, webhook-timestamp and webhook-signature is missing, twice there, or cannot be read. */
  | "HEADERS"
  /** Sent longer ago than is tolerated: a replay, or one of the two clocks is wrong. */
  | "TOO_OLD"
  /** Sent in the future. */
  | "TOO_NEW"
  /** Not signed with any of the secrets, or not this body. */
  | "SIGNATURE"
  /** Signed, and of a later version than this package reads. Answer no 2xx, upgrade, and have it delivered again. */
  | "VERSION"
  /** Signed, and not an event. */
  | "BODY";

export type WebhookVerification =
  | {
      readonly kind: "verified";
      /** The same in every delivery of one event: what has been dealt with under it is not dealt with again. */
      readonly id: string;
      /** UTC seconds at which this attempt was made. */
      readonly sentAt: number;
      readonly body: WebhookBody;
    }
  | { readonly kind: "refused"; readonly refusal: WebhookRefusal };

/** Headers as Node's http, a framework or fetch has them. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface WebhookOptions {
  /** How far the sender's clock may be from this one's; 300 seconds by default, as Standard Webhooks has it. */
  readonly toleranceSeconds?: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Read before the rest: nobody knows what a later version looks like. */
const versionSchema = z.object({ version: z.number() });
const DEFAULT_TOLERANCE_SECONDS = 300;

/**
 * Verifies a delivery (Standard Webhooks, symmetric signature).
 * @param rawBody the request's body as it came: what a framework has parsed and written again has another signature
 * @param secrets the webhook's, `whsec_…`; several while one replaces another
 */
export function verifyWebhook(
  headers: WebhookHeaders,
  rawBody: string | Uint8Array,
  secrets: string | readonly string[],
  options: WebhookOptions,
): WebhookVerification {
  const signed = verifySigned(headers, rawBody, secrets, options);
  if (signed.kind === "refused") return signed;
  const json = jsonOrNothing(signed.text);
  if ((versionSchema.safeParse(json).data?.version ?? 0) > WEBHOOK_VERSION) return refused("VERSION");
  const parsed = webhookBodySchema.safeParse(json);
  if (!parsed.success) return refused("BODY");
  return { kind: "verified", id: signed.id, sentAt: signed.sentAt, body: parsed.data };
}

type Refused = Extract<WebhookVerification, { readonly kind: "refused" }>;
interface Signed {
  readonly kind: "signed";
  readonly id: string;
  readonly sentAt: number;
  readonly text: string;
}

function refused(refusal: WebhookRefusal): Refused {
  return { kind: "refused", refusal };
}

/** Who has sent it and when, whatever it is: a relay asks its wallet with such a signature, too. */
export function verifySigned(
  headers: WebhookHeaders,
  rawBody: string | Uint8Array,
  secrets: string | readonly string[],
  { toleranceSeconds = DEFAULT_TOLERANCE_SECONDS, nowMs }: WebhookOptions,
): Signed | Refused {
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signatures = headerOf(headers, "webhook-signature");
  if (id === undefined || signatures === undefined || timestamp === undefined) return refused("HEADERS");
  if (!/^[0-9]{1,12}$/.test(timestamp)) return refused("HEADERS");

  const sentAt = Number.parseInt(timestamp, 10);
  const ageSeconds = Math.floor(nowMs / 1_000) - sentAt;
  if (ageSeconds > toleranceSeconds) return refused("TOO_OLD");
  if (ageSeconds < -toleranceSeconds) return refused("TOO_NEW");

  const text = typeof rawBody === "string" ? rawBody : Buffer.from(rawBody).toString("utf8");
  const given = signatures.split(" ");
  const isSigned = (typeof secrets === "string" ? [secrets] : secrets).some((secret) => {
    const expected = new Webhook(secret).sign(id, new Date(sentAt * 1_000), text);
    return given.some((signature) => isSame(signature, expected));
  });
  return isSigned ? { kind: "signed", id, sentAt, text } : refused("SIGNATURE");
}

function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const found = Object.entries(headers).filter(([given]) => given.toLowerCase() === name);
  const value = found.length === 1 ? found[0]?.[1] : undefined;
  if (typeof value === "string") return value;
  return value?.length === 1 ? value[0] : undefined;
}

function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
