import type { Queryable } from "../store/database.ts";
import { findPlace, FROM_THE_START, type Feed, type ReaderPlace } from "../store/feeds.ts";
import { Problem } from "./problem.ts";

/**
 * Where a reader goes on who gives a cursor.
 * @param field what the cursor was given as
 * @throws Problem `cursor-lost` when the database does not have what the cursor names, with where to go on
 */
export async function placeOf(
  db: Queryable,
  feed: Feed,
  cursor: string,
  field: string,
): Promise<Extract<ReaderPlace, { readonly kind: "here" }>> {
  const place = await findPlace(db, feed, cursor);
  if (place === undefined) throw new Problem("invalid-request", "an id that this relay has given, or 0", { field });
  if (place.kind === "here") return place;
  throw cursorLost(place.goOn, field);
}

/** @param goOn where to go on instead */
export function cursorLost(goOn: string, field: string): Problem {
  const where = goOn === FROM_THE_START ? "from the start (after=0)" : `after ${goOn}`;
  return new Problem(
    "cursor-lost",
    `the relay's database was restored to an earlier state, or is another one: read on ${where}; what comes there may be known under other ids`,
    { field, goOn },
  );
}
