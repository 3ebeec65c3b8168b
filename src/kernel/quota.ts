import { isIPv4, isIPv6 } from "node:net";
import type { Clock } from "./clock/clock.ts";

/**
 * How much somebody may have within a time: a bucket each, full at first, that fills again evenly. So a caller that keeps
 * to its limit is never refused, and one that was refused is told to the millisecond when to go on.
 */
export interface Quota {
  /**
   * Takes `count`, or nothing.
   * @returns 0 once it is taken; otherwise after how many milliseconds it could be
   */
  take(who: string, limit: number, count?: number): number;
  /** Takes as many as there are, `atMost`. */
  takeUpTo(who: string, limit: number, atMost: number): number;
  /** After how many milliseconds `count` could be taken: 0 for now. Takes nothing. */
  waitMs(who: string, limit: number, count?: number): number;
}

export interface QuotaOptions {
  readonly clock: Pick<Clock, "nowMs">;
  /** The limit is for so long. */
  readonly windowMs: number;
  /** Of more callers than this, those that have been away longest are forgotten. */
  readonly maxCallers?: number;
}

const MAX_CALLERS = 20_000;

interface Bucket {
  left: number;
  atMs: number;
}

export function createQuota({ clock, windowMs, maxCallers = MAX_CALLERS }: QuotaOptions): Quota {
  // In the order in which they were last asked about.
  const buckets = new Map<string, Bucket>();

  const bucketOf = (who: string, limit: number): Bucket => {
    const nowMs = clock.nowMs();
    const before = buckets.get(who) ?? { left: limit, atMs: nowMs };
    // A clock that was set back fills nothing.
    const passedMs = Math.max(0, nowMs - before.atMs);
    const bucket = { left: Math.min(limit, before.left + (passedMs * limit) / windowMs), atMs: nowMs };
    buckets.delete(who);
    buckets.set(who, bucket);
    const [oldest = who] = buckets.size > maxCallers ? buckets.keys() : [];
    if (oldest !== who) buckets.delete(oldest);
    return bucket;
  };
  const missingMs = ({ left }: Bucket, limit: number, count: number): number =>
    left >= count ? 0 : Math.ceil(((count - left) * windowMs) / limit);

  return {
    take(who, limit, count = 1) {
      const bucket = bucketOf(who, limit);
      const waitMs = missingMs(bucket, limit, count);
      if (waitMs === 0) bucket.left -= count;
      return waitMs;
    },
    takeUpTo(who, limit, atMost) {
      const bucket = bucketOf(who, limit);
      const taken = Math.min(Math.floor(bucket.left), atMost);
      bucket.left -= taken;
      return taken;
    },
    waitMs: (who, limit, count = 1) => missingMs(bucketOf(who, limit), limit, count),
  };
}

/** Seconds as the header `retry-after` has them. */
export function retryAfterSeconds(waitMs: number): number {
  return Math.max(1, Math.ceil(waitMs / 1_000));
}

const IPV6_GROUPS = 8;
const GROUPS_OF_A_NETWORK = 4;

/** Whom an address is counted as: whoever has one IPv6 address has the whole /64, and an IPv4 one may be written as IPv6. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = address.replace(/%.*$/, "").toLowerCase().split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [front, back] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: Math.max(0, IPV6_GROUPS - front.length - back.length) }, () => "0");
  const all = [...front, ...zeros, ...back].slice(0, GROUPS_OF_A_NETWORK);
  return `${all.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
