import { ledgerTimeAt } from "../../ledger/state.ts";
import { eraseOlderThan, type Erased } from "../remittance/store/erase.ts";
import { readCursor } from "../remittance/store/ledger-projection.ts";
import type { RelayContext } from "../context.ts";

/**
 * Erases the personal data of what is finished and older than a time.
 * @param beforeMs milliseconds since the epoch
 * @throws InvalidInput for a time in the future
 */
export async function eraseByAge({ db, ledger, clock }: RelayContext, beforeMs: number): Promise<Erased> {
  const read = await readCursor(db);
  const ledgerTimeSeconds = read === undefined ? 0 : await ledgerTimeAt(ledger, read.block);
  return eraseOlderThan(db, { beforeMs, nowMs: clock.nowMs(), ledgerTimeSeconds });
}
