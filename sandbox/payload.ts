import { buildBatch, type Batch } from "../src/domain/batch.ts";
import { toHex, type Hex } from "../src/domain/bytes/hex.ts";
import type { Corridor } from "../src/domain/corridor.ts";
import { hashDetails, type TransferDetails } from "../src/domain/details.ts";
import type { PayloadTransfer } from "../src/domain/payload.ts";
import { quoteRate, type Quote } from "../src/domain/quote.ts";
import { convertDown, type Rate } from "../src/domain/rate.ts";
import type { Order, Party } from "./orders/order.ts";

/** A batch made for the ledger, with the payload for the target relay. */
export interface PreparedBatch {
  readonly batch: Batch;
  readonly payload: readonly PayloadTransfer[];
}

/** The source side: prices each order at the quote, rounded down, commits to its details, and builds the batch. */
export function prepareBatch(
  orders: readonly Order[],
  corridor: Corridor,
  terms: { readonly quote: Quote; readonly feeBps: bigint; readonly expiresAt: number },
  drawBytes: (length: number) => Uint8Array,
): PreparedBatch {
  const rate = quoteRate(terms.quote);
  const payload = orders.map((order) => commit(order, rate, toHex(drawBytes(32))));
  return { batch: buildBatch(payload, corridor, terms.quote, terms.feeBps, terms.expiresAt), payload };
}

function commit(order: Order, rate: Rate, salt: Hex): PayloadTransfer {
  const { uetr, sourceAmount, debtor, creditor, purpose, remittance } = order;
  const details: TransferDetails = {
    debtor: partyDetails(debtor),
    creditor: partyDetails(creditor),
    remittance: { purpose, unstructured: remittance },
  };
  return {
    uetr,
    sourceAmount: sourceAmount.minor,
    targetAmount: convertDown(sourceAmount.minor, rate),
    detailsHash: hashDetails(details, salt),
    details,
    salt,
  };
}

function partyDetails({ name, nameLocal, phone }: Party) {
  return { name, nameLocal, phone };
}
