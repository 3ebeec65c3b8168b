import { ledgerTimesAt } from "../../ledger/state.ts";
import type { Erase } from "../context.ts";
import { eraseOlderThan, eraseTransfer } from "./store/erase.ts";
import { readCursor } from "./store/ledger-projection.ts";

/** Details of transfers that were sent, and payloads that were received. */
export const eraseTransfers: Erase = {
  async older({ db, ledger }, beforeMs) {
    const read = await readCursor(db);
    const ledgerTimes = read === undefined ? [] : await ledgerTimesAt(ledger, read.block);
    return { ...(await eraseOlderThan(db, { beforeMs, ledgerTimes })) };
  },
  transfer: ({ db }, uetr) => eraseTransfer(db, uetr),
};
