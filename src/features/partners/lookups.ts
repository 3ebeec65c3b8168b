import type { Alias } from "../../domain/alias.ts";
import { utf8 } from "../../domain/bytes/bytes.ts";
import { toHex } from "../../domain/bytes/hex.ts";
import { countLookup } from "./lookup-usage.ts";
import type { RelayContext } from "../context.ts";

// Whoever looks payees up learns who is a customer, and the masked name. So everybody who does is counted and written
// down, at the relay that asks and at the one that is asked: who, when, and whom, by a name that tells nobody who that is.

/** What the audit log calls it. */
export const LOOKUP_ACTION = "payees.lookup";

/** @returns 0 when it may go on; otherwise after how many milliseconds it may */
export function mayLookUp(
  { db, clock, settings }: Pick<RelayContext, "db" | "clock" | "settings">,
  asker: string,
): Promise<number> {
  return countLookup(db, asker, settings.lookups, clock.nowMs());
}

/** Whom somebody asked for, as the audit log has it: the same person has the same, and nobody can guess at it. */
export function pseudonymOf({ sealer }: Pick<RelayContext, "sealer">, { type, value }: Alias): string {
  return toHex(sealer.mac(utf8(JSON.stringify(["payee", type, value]))));
}
