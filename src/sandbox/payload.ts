import { buildBatch, type Batch, type BatchHeader } from "../domain/batch.ts";
import { toHex, type Hex } from "../domain/bytes/hex.ts";
import { networkFeeUp, type Corridor } from "../domain/corridor.ts";
import { hashDetails, type TransferDetails } from "../domain/details.ts";
import { InvalidInput } from "../domain/errors.ts";
import { buildMerkleTree, merkleRoot } from "../domain/merkle.ts";
import { quoteRate, type Quote } from "../domain/quote.ts";
import { convertDown, type Rate } from "../domain/rate.ts";
import type { ReasonCode } from "../domain/reason.ts";
import { transferLeaf, type Transfer } from "../domain/transfer.ts";
import { parseUetr, type Uetr } from "../domain/uetr.ts";
import type { CustomerDirectory } from "./customers.ts";
import type { Order, Party } from "./order.ts";

/** One transfer as the source relay tells the target relay of it: what is on the ledger, and what opens it. */
export interface PayloadTransfer extends Transfer {
  readonly details: TransferDetails;
  readonly salt: Hex;
}

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

/** What a customer is charged on top of the amount, in source minor units: the network fee, rounded up. */
export function customerFee(order: Order, feeBps: bigint): bigint {
  return networkFeeUp(order.sourceAmount.minor, feeBps);
}

/**
 * The target side: checks the payload against the header on the ledger, and looks every beneficiary up.
 * @returns the transfers to reject, with their reasons; or undefined when the payload is not what was committed to, so
 * that nothing may be accepted
 */
export function judgePayload(
  header: BatchHeader,
  payload: readonly PayloadTransfer[],
  directory: CustomerDirectory,
): ReadonlyMap<Uetr, ReasonCode> | undefined {
  const opens = () => payload.every(({ details, salt, detailsHash }) => hashDetails(details, salt) === detailsHash);
  if (!commitsTo(header, payload) || !isValid(opens)) return undefined;

  const reasons = new Map<Uetr, ReasonCode>();
  for (const { uetr, details } of payload) {
    const phone = details.creditor["phone"];
    const known = typeof phone === "string" && directory.find(header.target, phone) !== undefined;
    if (!known) reasons.set(uetr, "AC03");
  }
  return reasons;
}

/**
 * Whether a header commits to exactly these transfers. A transfer that is there twice, under one UETR, is refused, too:
 * it would be settled twice and credited once.
 */
export function commitsTo(header: BatchHeader, transfers: readonly Transfer[]): boolean {
  const total = (amounts: readonly bigint[]) => amounts.reduce((sum, amount) => sum + amount, 0n);
  return isValid(
    () =>
      transfers.length === header.count &&
      new Set(transfers.map(({ uetr }) => parseUetr(uetr))).size === transfers.length &&
      total(transfers.map(({ sourceAmount }) => sourceAmount)) === header.sourceTotal &&
      total(transfers.map(({ targetAmount }) => targetAmount)) === header.targetTotal &&
      toHex(merkleRoot(buildMerkleTree(transfers.map(transferLeaf)))) === header.root,
  );
}

/** A payload comes from another relay: what breaks a rule of its field is refused like what is merely wrong. */
function isValid(check: () => boolean): boolean {
  try {
    return check();
  } catch (failure) {
    if (failure instanceof InvalidInput) return false;
    throw failure;
  }
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
