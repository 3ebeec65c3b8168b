import { createPublicKey, type KeyObject } from "node:crypto";
import { fromHex } from "../../domain/bytes/hex.ts";
import type { PartnerId } from "../../domain/partner.ts";
import type { Ledger } from "../../ledger/contracts.ts";
import { latestHead } from "../../ledger/state.ts";
import { PARTNER_STATUSES } from "../../ledger/statuses.ts";
import { isPast, type Clock } from "../../kernel/clock/clock.ts";

/** A relay's own private keys for its messages to other relays; see keys.ts for how they are kept. */
export interface PeerKeys {
  /** Ed25519 (RFC 8032), for HTTP message signatures. */
  readonly signing: KeyObject;
  /** X25519 (RFC 7748), for JWE. */
  readonly encryption: KeyObject;
}

/** Another partner's relay, as that partner has registered it on the ledger. */
export interface Peer {
  /** Without a slash at its end. */
  readonly url: string;
  /** Ed25519. */
  readonly signingKey: KeyObject;
  /** X25519. */
  readonly encryptionKey: KeyObject;
  /** Whether the partner is neither suspended nor frozen. */
  readonly isActive: boolean;
}

export interface PeerDirectory {
  /**
   * Undefined where the partner has registered no relay, or one that cannot be reached or encrypted to.
   * @throws Error when the ledger does not answer
   */
  find(partner: PartnerId): Promise<Peer | undefined>;
}

/** How long a partner's old endpoint and keys are still used after it has changed them. */
const CACHE_MS = 15_000;

/** Looks relays up in the PartnerRegistry: a relay's keys are those that its partner's admin has put on the ledger. */
export function registryDirectory(ledger: Ledger, clock: Clock, cacheMs = CACHE_MS): PeerDirectory {
  const found = new Map<PartnerId, { readonly peer: Promise<Peer | undefined>; readonly atMs: number }>();
  return {
    find(partner) {
      const cached = found.get(partner);
      if (cached !== undefined && !isPast(clock, cached.atMs, cacheMs)) return cached.peer;
      const peer = readPeer(ledger, partner);
      const entry = { peer, atMs: clock.nowMs() };
      found.set(partner, entry);
      peer.catch(() => {
        if (found.get(partner) === entry) found.delete(partner);
      });
      return peer;
    },
  };
}

async function readPeer(ledger: Ledger, partner: PartnerId): Promise<Peer | undefined> {
  // Of a block that is named, which other endpoints can confirm: whose keys these are decides who reads payloads.
  const at = { blockTag: (await latestHead(ledger)).number };
  const [endpoint, { status }] = await Promise.all([
    ledger.partnerRegistry.endpointOf(partner, at),
    ledger.partnerRegistry.partnerOf(partner, at),
  ]);
  const url = parsePeerUrl(endpoint.url);
  const signingKey = publicKeyOf("Ed25519", endpoint.signingKey);
  const encryptionKey = publicKeyOf("X25519", endpoint.encryptionKey);
  if (url === undefined || signingKey === undefined || encryptionKey === undefined) return undefined;
  return { url, signingKey, encryptionKey, isActive: status === BigInt(PARTNER_STATUSES.active) };
}

/** A peer's URL comes from the ledger, where its partner can write anything: http(s) only, and nothing but a place. */
export function parsePeerUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlace = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!isPlace || (url.protocol !== "https:" && url.protocol !== "http:")) return undefined;
  return url.href.replace(/\/+$/, "");
}

/** @returns undefined for 32 zero bytes, which is how the registry has no key */
export function publicKeyOf(curve: "Ed25519" | "X25519", hex: string): KeyObject | undefined {
  const bytes = fromHex(hex, 32, "key");
  if (bytes.every((byte) => byte === 0)) return undefined;
  const x = Buffer.from(bytes).toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: curve, x }, format: "jwk" });
}
