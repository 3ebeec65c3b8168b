import { hexOf } from "../../kernel/store/values.ts";
import {
  replaceSealed,
  resealed,
  rowsSealedUnder,
  SEALED_TABLES,
  type SealedRow,
  type SealedTable,
} from "../../kernel/store/sealed-rows.ts";
import { SealBroken } from "../../kernel/store/sealer.ts";
import type { RelayContext, Step } from "../context.ts";

/** Rows that are read at once. */
const PAGE = 100;
/** Rows that one pass seals anew. */
const PER_PASS = 1_000;

/**
 * Seals what is sealed under a key before the current one anew, so that the old key can be taken away: see
 * docs/relay-operator.md. What it has done is in the rows, so that it goes on wherever it was stopped. What is erased
 * meanwhile stays erased.
 */
export const resealerStep: Step = async (context) => {
  const { sealer, metrics, log } = context;
  let left = PER_PASS;
  for (const table of SEALED_TABLES) {
    for (const key of sealer.previousKeys) {
      const { done, broken } = await resealTable(context, table, key, left);
      left -= done;
      metrics.resealed.inc({ table }, done);
      metrics.sealBroken.set({ table }, broken);
      if (done > 0) log.info({ table, rows: done, key: hexOf(key).slice(2) }, "sealed anew under the current data key");
      if (left <= 0) return true;
    }
  }
  return false;
};

async function resealTable(
  context: RelayContext,
  table: SealedTable,
  key: Uint8Array,
  atMost: number,
): Promise<{ readonly done: number; readonly broken: number }> {
  let [done, broken] = [0, 0];
  for (let after: string | undefined; done < atMost;) {
    const page = await rowsSealedUnder(context.db, table, key, after, Math.min(PAGE, atMost - done));
    for (const row of page) {
      if (await reseal(context, table, row)) done += 1;
      else broken += 1;
    }
    after = page.at(-1)?.id;
    if (after === undefined) break;
  }
  return { done, broken };
}

/** @returns false for what cannot be opened: it is told, and holds up no other */
async function reseal(
  { db, sealer, log, checkpoint }: Pick<RelayContext, "db" | "sealer" | "log" | "checkpoint">,
  table: SealedTable,
  row: SealedRow,
): Promise<boolean> {
  try {
    await replaceSealed(db, table, row, resealed(sealer, table, row));
    checkpoint("resealer.replaced");
    return true;
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    log.error({ table, row: row.id, error }, "sealed data cannot be opened, and stays under its old key");
    return false;
  }
}
