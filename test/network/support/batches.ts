import { toHex } from "../../../src/domain/bytes/hex.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";
import { makeBatch as makeBatchFor, type BatchPlan, type OpenableBatch } from "../../support/batches.ts";
import { HKD_TO_PHP } from "../../support/transfers.ts";
import type { Network } from "./network.ts";

/** A batch that the ledger takes, on a quote of its own; no two are alike. */
export function makeBatch({ sandbox }: Network, plan: BatchPlan = {}): Promise<OpenableBatch> {
  const { corridor = HKD_TO_PHP, holdSeconds = 600 } = plan;
  const quote = { taker: corridor.source, nonce: BigInt(toHex(drawSecurely(8))) };
  return makeBatchFor(sandbox, { seed: toHex(drawSecurely(16)), quote, holdSeconds, ...plan });
}
