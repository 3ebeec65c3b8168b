import { z } from "zod/v4";
import { InvalidInput } from "../domain/errors.ts";
import { instantSchema } from "./fields.ts";

// The clock of the sandbox, which its own server has, and no relay.

/** What `GET /clock` answers, and `POST /clock` once it is done. */
export const sandboxClockSchema = z.object({
  now: instantSchema,
  /** By how much it is ahead of the machine's. */
  advancedSeconds: z.number().int().min(0),
});

/** What `POST /clock` takes: by how much, as `parseAdvance` reads it. */
export const sandboxAdvanceSchema = z.strictObject({ advance: z.string().max(100) });

/** What it answers, with 400, to what it does not take. */
export const sandboxRefusalSchema = z.object({ field: z.string(), rule: z.string() });

const ADVANCE = /^\+(?=\d)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/;
const UNITS = [
  { letter: "d", seconds: 86_400 },
  { letter: "h", seconds: 3_600 },
  { letter: "m", seconds: 60 },
  { letter: "s", seconds: 1 },
] as const;
const MOST_SECONDS = 30 * 86_400;
const ADVANCE_RULE =
  '"+" and days, hours, minutes or seconds in this order, as +10d, +2d12h or +90s; from 1 second to 30 days';

/**
 * Reads by how much to advance: `+10d`, `+2d12h`, `+90s`.
 * @returns seconds
 * @throws InvalidInput that says the rule
 */
export function parseAdvance(text: string): number {
  const parts = ADVANCE.exec(text)?.slice(1) ?? [];
  const total = UNITS.reduce((sum, { seconds }, index) => sum + Number.parseInt(parts[index] ?? "0", 10) * seconds, 0);
  if (total < 1 || total > MOST_SECONDS) throw new InvalidInput("advance", ADVANCE_RULE, text);
  return total;
}

/** The same form without the "+": `2d12h`; `0s` for nothing. */
export function formatAdvance(totalSeconds: number): string {
  let left = totalSeconds;
  const parts = UNITS.map(({ letter, seconds }) => {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    return count === 0 ? "" : `${count}${letter}`;
  });
  return parts.join("") || "0s";
}
