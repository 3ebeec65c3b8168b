import { toHex, type Hex } from "../../domain/bytes/hex.ts";
import { discloseGroup, type DetailGroup } from "../../domain/details.ts";
import { buildMerkleTree, merkleProof } from "../../domain/merkle.ts";
import type { TransferOpening } from "../../domain/payload.ts";
import { outcomesIn } from "../../domain/lifecycle.ts";
import { RECEIPT_FORMAT, type Receipt } from "../../domain/receipt.ts";
import { transferLeaf, type Transfer } from "../../domain/transfer.ts";
import type { Uetr } from "../../domain/uetr.ts";
import { registryAt } from "../../ledger/contracts.ts";
import { transfersOfBatches } from "./store/batch-transfers.ts";
import { sealedPayloadOf } from "./store/payloads.ts";
import { findEnded, findReceivedBatch, findSent, type EndedBatch } from "./store/receipts.ts";
import type { RelayContext } from "../context.ts";
import { refused, type Refusal } from "../../kernel/refusal.ts";
import { openDetails } from "./sealed-details.ts";
import { openPayload } from "./sealed-payload.ts";

export type ReceiptOutcome = { readonly kind: "built"; readonly receipt: Receipt } | Refusal;

export interface ReceiptOptions {
  /** The groups of details that the receipt opens; it says nothing of the others. */
  readonly disclose: readonly DetailGroup[];
}

/** A transfer with all others of its batch, and what opens its details, where that has not been erased. */
interface Known {
  readonly kind: "known";
  readonly batch: Hex;
  readonly transfers: readonly Transfer[];
  readonly opening: TransferOpening | undefined;
}

/**
 * Makes the receipt of a transfer that this relay's partner has sent or been sent, once it has ended on the ledger.
 * @returns the receipt; or a refusal: not-found, receipt-not-ready, or erased, where details are to be disclosed that
 * have been erased, or the batch's payload has
 */
export async function buildReceipt(
  context: RelayContext,
  uetr: Uetr,
  { disclose }: ReceiptOptions,
): Promise<ReceiptOutcome> {
  const known = (await sent(context, uetr)) ?? (await received(context, uetr));
  if (known === undefined) return refused("not-found", "this relay has neither sent nor been sent such a transfer");
  if (known.kind === "refused") return known;
  const ended = await findEnded(context.db, known.batch);
  if (ended === undefined) return notReady();
  const { opening } = known;
  if (disclose.length > 0 && opening === undefined) {
    return refused("erased", "the details have been erased; ask for the receipt without them");
  }
  const groups = new Set(disclose);
  return {
    kind: "built",
    receipt: {
      ...receiptOf(context, uetr, known, ended),
      disclosed:
        opening === undefined ? [] : [...groups].map((group) => discloseGroup(opening.details, opening.salt, group)),
    },
  };
}

function receiptOf(
  { ledger }: Pick<RelayContext, "ledger">,
  uetr: Uetr,
  { batch, transfers }: Known,
  { registry, header, status, rejected, opened, final }: EndedBatch,
): Omit<Receipt, "disclosed"> {
  const index = transfers.findIndex((each) => each.uetr === uetr);
  const transfer = transfers[index];
  if (transfer === undefined) throw new Error(`batch ${batch}: the transfer ${uetr} is not among its own`);
  const leaves = transfers.map(transferLeaf);
  const tree = buildMerkleTree(leaves);
  return {
    format: RECEIPT_FORMAT,
    chainId: ledger.chain.chainId,
    registry: lowerCase(registryAt(ledger, registry).chain.transferRegistry),
    batchId: batch,
    header,
    transfer: {
      uetr,
      sourceAmount: transfer.sourceAmount,
      targetAmount: transfer.targetAmount,
      detailsHash: transfer.detailsHash,
    },
    proof: merkleProof(tree, index).map(toHex),
    status: outcomesIn({ status, rejected })(transfer).status,
    rejected,
    transactions: { opened, final },
  };
}

async function sent(
  { db, sealer }: Pick<RelayContext, "db" | "sealer">,
  uetr: Uetr,
): Promise<Known | Refusal | undefined> {
  const found = await findSent(db, uetr);
  if (found === undefined) return undefined;
  const { batch, sealed } = found;
  if (batch === undefined) return notReady();
  const transfers = (await transfersOfBatches(db, [batch])).get(batch) ?? [];
  return { kind: "known", batch, transfers, opening: sealed && openDetails(sealer, uetr, sealed) };
}

async function received(
  { db, sealer }: Pick<RelayContext, "db" | "sealer">,
  uetr: Uetr,
): Promise<Known | Refusal | undefined> {
  const batch = await findReceivedBatch(db, uetr);
  if (batch === undefined) return undefined;
  const sealed = await sealedPayloadOf(db, batch);
  if (sealed === undefined || sealed === null) {
    return refused("erased", "the batch's payload has been erased, and with it the proof");
  }
  const { transfers } = openPayload(sealer, batch, sealed);
  return { kind: "known", batch, transfers, opening: transfers.find((each) => each.uetr === uetr) };
}

function notReady(): Refusal {
  return refused("receipt-not-ready", "the transfer has not ended on the ledger");
}

function lowerCase(address: Hex): Hex {
  // Lower case of hexadecimal is hexadecimal.
  return address.toLowerCase() as Hex;
}
