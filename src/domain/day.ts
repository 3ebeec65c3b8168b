import { EARLIEST_MS, LATEST_MS, readInstant } from "./instant.ts";
import { InvalidInput } from "./errors.ts";

// UTC days, as numbers: how many have passed since 1970-01-01.

const SECONDS_A_DAY = 86_400;
const MS_A_DAY = SECONDS_A_DAY * 1_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** @param timeSeconds UTC seconds */
export function dayOf(timeSeconds: number): number {
  return Math.floor(timeSeconds / SECONDS_A_DAY);
}

/** When a day begins, in UTC seconds. */
export function startOf(day: number): number {
  return day * SECONDS_A_DAY;
}

/**
 * Reads a day, YYYY-MM-DD.
 * @throws InvalidInput when it is none, or not from 2020 to 2099
 */
export function parseDay(text: string, field: string): number {
  const ms = DAY.test(text) ? readInstant(text) : undefined;
  if (ms === undefined) throw new InvalidInput(field, "a day, YYYY-MM-DD, from 2020 to 2099", text);
  return ms / MS_A_DAY;
}

/** The day as `parseDay` reads it. One before or after the days that it takes is told as the nearest of them. */
export function formatDay(day: number): string {
  return new Date(Math.min(Math.max(day * MS_A_DAY, EARLIEST_MS), LATEST_MS))
    .toISOString()
    .slice(0, "YYYY-MM-DD".length);
}
