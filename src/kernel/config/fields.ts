import { isIP } from "node:net";
import { z } from "zod/v4";

// What values of the configuration are made of. A rule says what is wanted, in words that a refusal can end with.

export const DAY_MS = 86_400_000;
export const DAY_SECONDS = 86_400;

export function integer(min: number, max: number): z.ZodNumber {
  const rule = `an integer from ${min} to ${max}`;
  return z.number({ error: rule }).int(rule).min(min, rule).max(max, rule);
}

export const text = (rule: string): z.ZodString => z.string({ error: rule }).min(1, rule);

export function isNetwork(given: string): boolean {
  const [address = "", bits = "", ...rest] = given.split("/");
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && /^[0-9]{1,3}$/.test(bits) && Number.parseInt(bits, 10) <= longest;
}
