import type { PartnerId } from "../../domain/partner.ts";
import { isPast } from "../../kernel/clock/clock.ts";
import { createQuota, networkOf } from "../../kernel/quota.ts";
import type { RelayContext } from "../context.ts";
import { MAX_BODY_BYTES } from "./messages.ts";
import { tooMuch } from "./refused.ts";

// What is let in of what other relays, and those who pose as them, send: decided before anything of it is worked out.

export interface PeerLimits {
  /** Requests a minute from one address that are not signed by a partner. */
  readonly failuresPerMinute: number;
  /** Requests a minute of one partner. */
  readonly requestsPerMinute: number;
  /** Bytes of one partner's messages that are worked on at a time; one message is always taken. */
  readonly bytesOfPartner: number;
  /** …and of all partners'. */
  readonly bytesOverall: number;
  /** Requests of one partner that are worked on at a time. */
  readonly requestsOfPartner: number;
}

export const PEER_LIMITS: PeerLimits = {
  failuresPerMinute: 60,
  requestsPerMinute: 6_000,
  bytesOfPartner: MAX_BODY_BYTES.payload,
  bytesOverall: 4 * MAX_BODY_BYTES.payload,
  requestsOfPartner: 32,
};

export interface Admission {
  /**
   * Before a signature is looked at.
   * @param claimed whose it is said to be
   * @throws Refused where too many from this address were nobody's; not for a partner that has been heard from there
   */
  knock(address: string, claimed: PartnerId): void;
  /** It was not signed by a partner. */
  failed(address: string): void;
  /**
   * It was signed by a partner, and has so many bytes.
   * @returns what is to be called once it has been dealt with
   * @throws Refused when that is more than is taken
   */
  admit(address: string, partner: PartnerId, bytes: number): () => void;
}

const MINUTE_MS = 60_000;
/** For so long, an address is one at which a partner has been heard. */
const HEARD_MS = 3_600_000;
const MAX_HEARD = 10_000;
const BUSY_WAIT_MS = 1_000;

export function createAdmission({ clock }: Pick<RelayContext, "clock">, limits: PeerLimits = PEER_LIMITS): Admission {
  const failures = createQuota({ clock, windowMs: MINUTE_MS });
  const requests = createQuota({ clock, windowMs: MINUTE_MS });
  const heard = new Map<string, number>();
  const working = new Map<PartnerId, { requests: number; bytes: number }>();
  let bytesOverall = 0;
  const placeOf = (address: string, partner: PartnerId): string => `${networkOf(address)} ${partner}`;

  return {
    knock(address, claimed) {
      const waitMs = failures.waitMs(networkOf(address), limits.failuresPerMinute);
      const heardAtMs = heard.get(placeOf(address, claimed));
      if (waitMs === 0 || (heardAtMs !== undefined && !isPast(clock, heardAtMs, HEARD_MS))) return;
      throw tooMuch("too many requests from this address are not signed by a partner", waitMs);
    },
    failed(address) {
      failures.take(networkOf(address), limits.failuresPerMinute);
    },
    admit(address, partner, bytes) {
      if (heard.size >= MAX_HEARD) heard.clear();
      heard.set(placeOf(address, partner), clock.nowMs());
      const waitMs = requests.take(String(partner), limits.requestsPerMinute);
      if (waitMs > 0) throw tooMuch("more requests than one partner may send", waitMs);
      const own = working.get(partner) ?? { requests: 0, bytes: 0 };
      if (own.requests >= limits.requestsOfPartner || (own.requests > 0 && own.bytes + bytes > limits.bytesOfPartner)) {
        throw tooMuch("more at a time than one partner may send", BUSY_WAIT_MS);
      }
      if (bytesOverall > 0 && bytesOverall + bytes > limits.bytesOverall) {
        throw tooMuch("more at a time than all partners together may send", BUSY_WAIT_MS);
      }
      own.requests += 1;
      own.bytes += bytes;
      bytesOverall += bytes;
      working.set(partner, own);
      let isDone = false;
      return () => {
        if (isDone) return;
        isDone = true;
        own.requests -= 1;
        own.bytes -= bytes;
        bytesOverall -= bytes;
        if (own.requests === 0) working.delete(partner);
      };
    },
  };
}
