import { createHmac, createSecretKey } from "node:crypto";

/** Signs what is sent to somebody who shares a secret with this relay: the `webhook-signature` of a request. */
export type WebhookSigner = (id: string, sentAtSeconds: number, body: string) => string;

const PREFIX = "whsec_";

/**
 * Standard Webhooks' symmetric signature, by Node's own HMAC: the published package's is in JavaScript and takes five
 * times as long. A test holds it to that package.
 * @param secret `whsec_` and base64, or base64 alone
 */
export function webhookSigner(secret: string): WebhookSigner {
  const base64 = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  const key = createSecretKey(base64, "base64");
  return (id, sentAtSeconds, body) =>
    `v1,${createHmac("sha256", key).update(`${id}.${sentAtSeconds}.`).update(body).digest("base64")}`;
}
