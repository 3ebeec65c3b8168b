import { z } from "zod/v4";
import { parseAlias, parseCustomer, readAlias, type Alias } from "./alias.ts";
import { exceedsRate, type BatchHeader } from "./batch.ts";
import { toHex, type Hex } from "./bytes/hex.ts";
import type { CanonicalObject } from "./canonical-json.ts";
import { hashDetails, type TransferDetails } from "./details.ts";
import { InvalidInput } from "./errors.ts";
import { buildMerkleTree, merkleRoot } from "./merkle.ts";
import { cleanText, parseName, parseText } from "./text.ts";
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
  /** The registry that the header is signed for; earlier releases, which know one registry only, do not say it. */
  readonly registry?: Hex | undefined;
  readonly header: BatchHeader;
  readonly transfers: readonly PayloadTransfer[];
}

/** Most transfers that a batch's payload may have. */
export const MAX_PAYLOAD_TRANSFERS = 10_000;

const detailGroup = z.record(z.string(), z.unknown()).transform(
  // Whether it is canonical JSON is seen when it is hashed.
  (group) => group as CanonicalObject,
);

/** Members that are not known are ignored, but for the header's: that is the ledger's, and has what the ledger's has. */
export const payloadSchema: z.ZodType<BatchPayload> = z.object({
  registry: hexOf(20).optional(),
  header: headerSchema,
  transfers: z
    .array(
      z.object({
        uetr: uetrText,
        sourceAmount: minorUnits,
        targetAmount: minorUnits,
        detailsHash: hexOf(32),
        details: z.object({ debtor: detailGroup, creditor: detailGroup, remittance: detailGroup }),
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
  /** As the payer knows the payee; the wallet may compare it with its own records. */
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

/** The parties of a transfer as a customer or a wallet has given them. */
export interface GivenParties {
  readonly debtor: { readonly name: string; readonly nameLocal?: string | undefined; readonly alias: GivenAlias };
  readonly creditor: { readonly name?: string | undefined; readonly alias: GivenAlias };
  readonly purpose: string;
  readonly remittance?: string | undefined;
}
type GivenAlias = Parameters<typeof parseAlias>[0];

/**
 * Brings what was given to the one form that is committed to: the same people and words are the same bytes, however they
 * were written.
 * @throws InvalidInput naming the member as it was given, and its rule
 */
export function parseParties({ debtor, creditor, purpose, remittance }: GivenParties): TransferParties {
  const { nameLocal } = debtor;
  return {
    debtor: {
      name: parseName(debtor.name, "debtor.name"),
      ...(nameLocal === undefined ? {} : { nameLocal: parseName(nameLocal, "debtor.nameLocal") }),
      alias: parseCustomer(debtor.alias, "debtor.alias"),
    },
    creditor: {
      ...(creditor.name === undefined ? {} : { name: parseName(creditor.name, "creditor.name") }),
      alias: parseAlias(creditor.alias, "creditor.alias"),
    },
    remittance: {
      purpose,
      ...(remittance === undefined ? {} : { unstructured: parseText(remittance, "remittance") }),
    },
  };
}

/** The details that a source relay commits to. */
export function detailsOf({ debtor, creditor, remittance }: TransferParties): TransferDetails {
  // Interfaces of strings and aliases, without an undefined member: canonical JSON as they are.
  return {
    debtor: { ...debtor },
    creditor: { ...creditor },
    remittance: { ...remittance },
  } as unknown as TransferDetails;
}

/** What stands for a name that has nothing to read in it (ISO 20022 usage). */
const NO_NAME = "NOTPROVIDED";
const alias: z.ZodType<Alias> = parsedBy(z.object({ type: z.string(), value: z.string() }), (given) =>
  readAlias(given),
);
const PURPOSE = /^[A-Z0-9]{1,4}$/;
// The source relay has held them to its own rule, which may be older or newer: here nothing is refused for its form.
const partiesSchema = z.object({
  debtor: z.object({ name: z.string(), nameLocal: z.string().optional(), alias }),
  creditor: z.object({ name: z.string().optional(), alias }),
  remittance: z.object({ purpose: z.string().regex(PURPOSE), unstructured: z.string().optional() }),
});

/**
 * Reads the details that another partner committed to, as they go to the wallet; members it does not know are left alone.
 * @returns undefined when they do not say who pays whom: the transfer is to be rejected, FF01
 */
export function readParties(details: TransferDetails): TransferParties | undefined {
  return partiesBy(details, (given) => plainParties(given) ?? schemaParties(given));
}

/**
 * The same, by the schema alone.
 * @internal The rule, which tests hold `plainParties` to.
 */
export function readPartiesBySchema(details: TransferDetails): TransferParties | undefined {
  return partiesBy(details, schemaParties);
}

type SentParties = z.infer<typeof partiesSchema>;

function schemaParties(details: TransferDetails): SentParties {
  return parseWire(partiesSchema, details, "details");
}

/** What the schema makes of details, where every member is what it is to be; undefined where that is for the schema to say. */
function plainParties({ debtor, creditor, remittance }: TransferDetails): SentParties | undefined {
  if (!isGroup(debtor) || !isGroup(creditor) || !isGroup(remittance)) return undefined;
  const { name, nameLocal, alias: debtorAlias } = debtor;
  const { name: creditorName, alias: creditorAlias } = creditor;
  const { purpose, unstructured } = remittance;
  if (typeof name !== "string" || !isTextOrNone(nameLocal) || !isTextOrNone(creditorName)) return undefined;
  if (typeof purpose !== "string" || !PURPOSE.test(purpose) || !isTextOrNone(unstructured)) return undefined;
  if (!isGivenAlias(debtorAlias) || !isGivenAlias(creditorAlias)) return undefined;
  return {
    debtor: { name, nameLocal, alias: readAlias(debtorAlias) },
    creditor: { name: creditorName, alias: readAlias(creditorAlias) },
    remittance: { purpose, unstructured },
  };
}

function isGroup(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isGivenAlias(value: unknown): value is GivenAlias {
  if (!isGroup(value)) return false;
  return "type" in value && typeof value.type === "string" && "value" in value && typeof value.value === "string";
}

function partiesBy(
  details: TransferDetails,
  read: (details: TransferDetails) => SentParties,
): TransferParties | undefined {
  try {
    const { debtor, creditor, remittance } = read(details);
    if (debtor.alias.type === "REQUEST") return undefined;
    return {
      debtor: {
        name: cleanText(debtor.name) || NO_NAME,
        ...ifReadable("nameLocal", debtor.nameLocal),
        alias: debtor.alias,
      },
      creditor: { ...ifReadable("name", creditor.name), alias: creditor.alias },
      remittance: { purpose: remittance.purpose, ...ifReadable("unstructured", remittance.unstructured) },
    };
  } catch (failure) {
    if (failure instanceof InvalidInput) return undefined;
    throw failure;
  }
}

function ifReadable<Member extends string>(member: Member, text = ""): Readonly<Partial<Record<Member, string>>> {
  const clean = cleanText(text);
  // One member of that name, or none.
  return (clean === "" ? {} : { [member]: clean }) as Partial<Record<Member, string>>;
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
