import { parseDay } from "../../domain/day.ts";
import { InvalidInput } from "../../domain/errors.ts";
import type { DayRange } from "./success-json.ts";

const DAYS = 7;
/** So that an answer stays short. */
const MOST_DAYS = 92;

/**
 * Which days are asked for.
 * @param ledgerDay the last one where none is given
 * @throws InvalidInput when they are none, or too many
 */
export function dayRange(
  given: { readonly from?: string | undefined; readonly to?: string | undefined },
  ledgerDay: number,
): DayRange {
  const to = given.to === undefined ? ledgerDay : parseDay(given.to, "to");
  const from = given.from === undefined ? to - (DAYS - 1) : parseDay(given.from, "from");
  if (from > to) throw new InvalidInput("from", "not after the last day", given.from);
  const rule = `at most ${MOST_DAYS} days up to the last one`;
  if (to - from >= MOST_DAYS) throw new InvalidInput("from", rule, given.from);
  return { from, to };
}
