import { InvalidInput } from "./errors.ts";

// Times that others tell. Every number is a time to a computer, also one that no calendar has, and what is stored once
// is told forever: so each is limited where it enters.

/** 2020: before there was a network. */
export const EARLIEST_MS = Date.UTC(2020, 0, 1);
/** The end of 2099: later than anything that is agreed on now. */
export const LATEST_MS = Date.UTC(2100, 0, 1) - 1;
/** How far two machines' clocks may be apart before the other's is not believed. */
export const MAX_SKEW_MS = 300_000;

const ISO_8601 = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;
const DAY_LENGTH = 10;

const INSTANT_RULE = "a date, or a time with its zone (ISO 8601), from 2020 to 2099";

/** Whether a time, in milliseconds since the epoch, can have been meant. */
function isInstant(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= EARLIEST_MS && ms <= LATEST_MS;
}

/** @returns milliseconds since the epoch; undefined for what is no time, or none that can have been meant */
export function readInstant(text: string): number | undefined {
  if (!ISO_8601.test(text)) return undefined;
  const ms = Math.trunc(Date.parse(text));
  if (!isInstant(ms)) return undefined;
  // Date.parse takes 30 February for 1 March.
  const day = text.slice(0, DAY_LENGTH);
  return new Date(Date.parse(day)).toISOString().startsWith(day) ? ms : undefined;
}

/**
 * Reads a time.
 * @returns milliseconds since the epoch
 * @throws InvalidInput unless it is ISO 8601 and from 2020 to 2099
 */
export function parseInstant(text: string, field: string): number {
  const ms = readInstant(text);
  if (ms === undefined) throw new InvalidInput(field, INSTANT_RULE, text);
  return ms;
}

/**
 * When something happened, as somebody else tells it who cannot be asked to tell it better: within the clocks' skew
 * from the earliest time that it can have happened to now. Otherwise it is now, when it was told.
 * @param toldMs milliseconds since the epoch; undefined where what was told is no time
 */
export function believedInstant(toldMs: number | undefined, earliestMs: number, nowMs: number): number {
  if (toldMs === undefined || !isInstant(toldMs)) return nowMs;
  return toldMs >= earliestMs - MAX_SKEW_MS && toldMs <= nowMs + MAX_SKEW_MS ? toldMs : nowMs;
}

/** ISO 8601 has years of four digits. */
const LAST_WRITTEN_MS = Date.UTC(10_000, 0, 1) - 1;

/** ISO 8601 in UTC, with milliseconds. Never throws: what cannot be written so is told as the nearest that can. */
export function formatInstant(ms: number): string {
  return new Date(Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), LAST_WRITTEN_MS)).toISOString();
}
