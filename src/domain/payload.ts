import { z } from "zod/v4";
import { parseAlias, type Alias } from "./alias.ts";
import { exceedsRate, type BatchHeader } from "./batch.ts";
import { toHex, type Hex } from "./bytes/hex.ts";
import type { CanonicalObject } from "./canonical-json.ts";
import { hashDetails, type TransferDetails } from "./details.ts";
import { InvalidInput } from "./errors.ts";
import { buildMerkleTree, merkleRoot } from "./merkle.ts";
import { transferLeaf, type Transfer } from "./transfer.ts";
import { parseUetr } from "./uetr.ts";
import { headerSchema, hexOf, minorUnits, parsedBy, parseWire, uetrText } from "./wire.ts";

/** What opens a transfer's details hash. Personal data. */
export interface TransferOpening {
  readonly details: TransferDetails;
  /** 32 random bytes, drawn for this transfer. */
  readonly salt: Hex;
}

/** One transfer as the source relay tells the target relay of it: what is on the ledger, and what opens it. */
export interface PayloadTransfer extends Transfer, TransferOpening {}

/** A batch as the source relay tells the target relay of it, before or while it is opened on the ledger. */
export interface BatchPayload {
  readonly header: BatchHeader;
  readonly transfers: readonly PayloadTransfer[];
}

/** Most transfers that a batch's payload may have. */
export const MAX_PAYLOAD_TRANSFERS = 10_000;

const detailGroup = z.record(z.string(), z.unknown()).transform(
  // Whether it is canonical JSON is seen when it is hashed.
  (group) => group as CanonicalObject,
);

export const payloadSchema: z.ZodType<BatchPayload> = z.strictObject({
  header: headerSchema,
  transfers: z
    .array(
      z.strictObject({
        uetr: uetrText,
        sourceAmount: minorUnits,
        targetAmount: minorUnits,
        detailsHash: hexOf(32),
        details: z.strictObject({ debtor: detailGroup, creditor: detailGroup, remittance: detailGroup }),
        salt: hexOf(32),
      }),
    )
    .min(1)
    .max(MAX_PAYLOAD_TRANSFERS),
});

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

/** Whether the details are what the transfer's details hash, which its leaf commits to, was made of. */
export function opensDetails({ details, salt, detailsHash }: PayloadTransfer): boolean {
  return isValid(() => hashDetails(details, salt) === detailsHash);
}

/**
 * Whether a transfer of a batch is one that can be paid out: both amounts are there, and the target amount is no more
 * than the source amount buys. Where each keeps to the rate, whatever is rejected, the ledger takes what is left.
 */
export function isPayable(header: BatchHeader, { sourceAmount, targetAmount }: Transfer): boolean {
  return sourceAmount > 0n && targetAmount > 0n && !exceedsRate(header, sourceAmount, targetAmount);
}

export interface Debtor {
  readonly name: string;
  readonly nameLocal?: string;
  readonly alias: Alias;
}

export interface Creditor {
  /** As the payer knows the payee; the wallet may hold it against its own records. */
  readonly name?: string;
  readonly alias: Alias;
}

export interface Remittance {
  /** ISO 20022 ExternalPurpose1Code. */
  readonly purpose: string;
  /** For the payee to read, at most 140 characters (Max140Text). */
  readonly unstructured?: string;
}

/** A transfer's details as relays and wallets understand them. Personal data. */
export interface TransferParties {
  readonly debtor: Debtor;
  readonly creditor: Creditor;
  readonly remittance: Remittance;
}

const MAX_TEXT_LENGTH = 140;
const MAX_ALIAS_LENGTH = 256;
const text = z.string().min(1).max(MAX_TEXT_LENGTH);
const alias: z.ZodType<Alias> = parsedBy(
  z.object({ type: z.string(), value: z.string().max(MAX_ALIAS_LENGTH) }),
  (given) => parseAlias(given),
);
const partiesSchema = z.object({
  debtor: z.object({ name: text, nameLocal: text.optional(), alias }),
  creditor: z.object({ name: text.optional(), alias }),
  remittance: z.object({ purpose: z.string().regex(/^[A-Z0-9]{1,4}$/), unstructured: text.optional() }),
});

/** The details that a source relay commits to. */
export function detailsOf({ debtor, creditor, remittance }: TransferParties): TransferDetails {
  // Interfaces of strings and aliases, without an undefined member: canonical JSON as they are.
  return {
    debtor: { ...debtor },
    creditor: { ...creditor },
    remittance: { ...remittance },
  } as unknown as TransferDetails;
}

/**
 * Reads the details that another partner committed to; members it does not know are left alone.
 * @returns undefined when they do not say who pays whom: the transfer is to be rejected, FF01
 */
export function readParties(details: TransferDetails): TransferParties | undefined {
  try {
    const { debtor, creditor, remittance } = parseWire(partiesSchema, details, "details");
    const { nameLocal, ...restOfDebtor } = debtor;
    const { name, ...restOfCreditor } = creditor;
    const { unstructured, ...restOfRemittance } = remittance;
    return {
      debtor: { ...restOfDebtor, ...(nameLocal === undefined ? {} : { nameLocal }) },
      creditor: { ...restOfCreditor, ...(name === undefined ? {} : { name }) },
      remittance: { ...restOfRemittance, ...(unstructured === undefined ? {} : { unstructured }) },
    };
  } catch (failure) {
    if (failure instanceof InvalidInput) return undefined;
    throw failure;
  }
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
