import { createHash, sign as signBytes, verify as verifyBytes, type Hash, type KeyObject } from "node:crypto";
import { httpbis, type SigningKey, type VerifyingKey } from "http-message-signatures";
import { InvalidInput } from "../../domain/errors.ts";
import { parsePartnerId, type PartnerId } from "../../domain/partner.ts";

// HTTP message signatures (RFC 9421) between relays, in the one profile that the network uses: Ed25519 over the method,
// the address, the media type and the digest of the body, with a time of making and one of expiry, made for this network.
//
// A request that is recorded and sent again within its validity verifies again. That does no harm: every message between
// relays is idempotent. A payload or a confirmation is stored once, whatever comes again; a lookup's answer can be read
// by nobody but who asked.

const COMPONENTS = ["@method", "@target-uri", "content-type", "content-digest"] as const;
const PARAMETERS = ["created", "expires", "keyid", "tag"] as const;
const TAG = "feiqian-relay";
const ALGORITHM = "ed25519";
const KEY_ID = /^partner:([1-9][0-9]{0,4})$/;

/** For how long a signature is valid. */
const VALIDITY_SECONDS = 60;
/** The longest validity that is accepted of others. */
const MAX_VALIDITY_SECONDS = 300;
/** How far two relays' clocks may be apart. */
export const MAX_SKEW_SECONDS = 30;

/** A request without its body. Header names in lower case. */
export interface RequestHead {
  readonly method: string;
  /** Absolute, as the sender addressed it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Who has signed a request; or why nobody is known to have. */
export type Verification =
  { readonly kind: "verified"; readonly partner: PartnerId } | { readonly kind: "refused"; readonly why: string };

/**
 * Signs a request.
 * @param headers all that it is sent with; content-type must be among them
 * @returns the headers with content-digest, signature-input and signature
 */
export async function signRequest(
  {
    method,
    url,
    headers,
    body,
  }: Omit<RequestHead, "headers"> & {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Uint8Array;
  },
  { partner, key }: { readonly partner: PartnerId; readonly key: KeyObject },
  nowMs: number,
): Promise<Record<string, string>> {
  const createdSeconds = Math.floor(nowMs / 1_000);
  const signed = await httpbis.signMessage(
    {
      key: ed25519Signer(key),
      name: "feiqian",
      fields: [...COMPONENTS],
      params: [...PARAMETERS],
      paramValues: {
        created: new Date(createdSeconds * 1_000),
        expires: new Date((createdSeconds + VALIDITY_SECONDS) * 1_000),
        keyid: keyIdOf(partner),
        tag: TAG,
      },
    },
    { method, url, headers: { ...headers, "content-digest": contentDigest(body) } },
  );
  return signed.headers;
}

/**
 * Tells which partner signed a request, from its head alone: `hasDigest` then holds the body to it. Everything in the
 * profile is required, and nothing besides: one signature, each component whole.
 * @param keyOf a partner's Ed25519 key in the registry
 * @throws Error of `keyOf`
 */
export async function verifyRequest(
  head: RequestHead,
  keyOf: (partner: PartnerId) => Promise<KeyObject | undefined>,
  nowMs: number,
): Promise<Verification> {
  let partner: PartnerId | undefined;
  let signatures = 0;
  let lookupFailure: Error | undefined;
  const headers = Object.fromEntries(
    Object.entries(head.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === "string" ? value : value.join(", ")]],
    ),
  );
  try {
    const isVerified = await httpbis.verifyMessage(
      {
        all: true,
        requiredFields: [...COMPONENTS],
        requiredParams: [...PARAMETERS],
        // The library reads the system's clock; times are checked below, against the clock that was given.
        tolerance: Infinity,
        componentParser: (name, parameters) => {
          // A part of a component, as content-digest;key="sha-512", is not the component.
          if (parameters.size > 0) throw new Refused(`component ${name} with parameters`);
          return null;
        },
        keyLookup: async (parameters) => {
          if (++signatures > 1) throw new Refused("more than one signature");
          partner = requireParameters(parameters, nowMs);
          const key = await keyOf(partner).catch((failure: unknown) => {
            lookupFailure = new Error("the registry did not answer with the sender's key", { cause: failure });
            return undefined;
          });
          return key === undefined ? null : ed25519Verifier(key, parameters.keyid);
        },
      },
      { method: head.method, url: head.url, headers },
    );
    if (isVerified === true && partner !== undefined) return { kind: "verified", partner };
    return { kind: "refused", why: isVerified === null ? "no signature" : "the signature does not verify" };
  } catch (failure) {
    if (lookupFailure !== undefined) throw lookupFailure;
    // The library throws plain errors at whatever a sender got wrong.
    return { kind: "refused", why: failure instanceof Error ? failure.message : "unreadable signature" };
  }
}

/** Content-Digest (RFC 9530) as this network has it: SHA-256 alone. */
export function contentDigest(body: Uint8Array): string {
  return digestOf(createHash("sha256").update(body));
}

/** …of a body that went into SHA-256 as it came. */
export function digestOf(hash: Hash): string {
  return `sha-256=:${hash.digest("base64")}:`;
}

export function keyIdOf(partner: PartnerId): string {
  return `partner:${partner}`;
}

export function ed25519Signer(key: KeyObject): SigningKey {
  return { alg: ALGORITHM, sign: (data) => Promise.resolve(signBytes(null, data, key)) };
}

export function ed25519Verifier(key: KeyObject, id?: string): VerifyingKey {
  return {
    ...(id === undefined ? {} : { id }),
    algs: [ALGORITHM],
    verify: (data, signature) => Promise.resolve(verifyBytes(null, data, key, signature)),
  };
}

class Refused extends Error {}

/** @returns the partner whose key is to verify the signature */
function requireParameters(
  { created, expires, keyid, tag }: Readonly<Record<string, unknown>>,
  nowMs: number,
): PartnerId {
  if (tag !== TAG) throw new Refused(`tag: ${TAG}`);
  const createdSeconds = created instanceof Date ? created.getTime() / 1_000 : undefined;
  if (!Number.isSafeInteger(createdSeconds) || createdSeconds === undefined) throw new Refused("created: seconds");
  if (typeof expires !== "number" || !Number.isSafeInteger(expires)) throw new Refused("expires: seconds");
  const nowSeconds = Math.floor(nowMs / 1_000);
  if (createdSeconds > nowSeconds + MAX_SKEW_SECONDS) throw new Refused("created: not in the future");
  if (nowSeconds > expires + MAX_SKEW_SECONDS) throw new Refused("expired");
  if (expires - createdSeconds > MAX_VALIDITY_SECONDS) throw new Refused(`valid for ${MAX_VALIDITY_SECONDS} s at most`);
  const [, partner] = (typeof keyid === "string" ? KEY_ID.exec(keyid) : null) ?? [];
  try {
    return parsePartnerId(partner ?? "", "keyid");
  } catch (failure) {
    if (failure instanceof InvalidInput) throw new Refused("keyid: partner:<number>", { cause: failure });
    throw failure;
  }
}
