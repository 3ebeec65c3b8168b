import { concat, uintWord, utf8 } from "./bytes/bytes.ts";
import { fromHex, toHex, type Hex } from "./bytes/hex.ts";
import { keccak256 } from "./bytes/keccak.ts";
import { InvalidInput } from "./errors.ts";

/** Where signatures are valid: one chain, and on it the contract that checks them. */
export interface SigningDomain {
  readonly chainId: bigint;
  readonly verifyingContract: Hex;
}

/** A chain, and on it the contracts that check what partners and providers sign. */
export interface Chain {
  readonly chainId: bigint;
  /** Checks batch headers, settlements and acceptances. */
  readonly transferRegistry: Hex;
  /** Checks quotes. */
  readonly quoteBook: Hex;
}

/** Where batch headers, settlements and acceptances are signed for. */
export function batchDomain({ chainId, transferRegistry }: Omit<Chain, "quoteBook">): SigningDomain {
  return { chainId, verifyingContract: transferRegistry };
}

/** Where quotes are signed for. */
export function quoteDomain({ chainId, quoteBook }: Omit<Chain, "transferRegistry">): SigningDomain {
  return { chainId, verifyingContract: quoteBook };
}

/** One member of an EIP-712 struct, in the shape ethers' `signTypedData` takes. */
export interface TypedField {
  readonly name: string;
  readonly type: string;
}

const DOMAIN_FIELDS = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
] as const;

const QUOTE_FIELDS = [
  { name: "provider", type: "uint16" },
  { name: "taker", type: "uint16" },
  { name: "sourceCurrency", type: "uint16" },
  { name: "targetCurrency", type: "uint16" },
  { name: "rateNumerator", type: "uint128" },
  { name: "rateDenominator", type: "uint128" },
  { name: "capacity", type: "uint128" },
  { name: "validUntil", type: "uint48" },
  { name: "maxHold", type: "uint32" },
  { name: "nonce", type: "uint64" },
] as const;

const BATCH_FIELDS = [
  { name: "source", type: "uint16" },
  { name: "target", type: "uint16" },
  { name: "sourceCurrency", type: "uint16" },
  { name: "targetCurrency", type: "uint16" },
  { name: "count", type: "uint32" },
  { name: "sourceTotal", type: "uint128" },
  { name: "targetTotal", type: "uint128" },
  { name: "fee", type: "uint128" },
  { name: "expiresAt", type: "uint48" },
  { name: "root", type: "bytes32" },
  { name: "quote", type: "Quote" },
] as const;

const SETTLEMENT_FIELDS = [
  { name: "batchId", type: "bytes32" },
  { name: "rejectionsHash", type: "bytes32" },
] as const;

const ACCEPTANCE_FIELDS = [
  { name: "batchId", type: "bytes32" },
  { name: "validUntil", type: "uint48" },
] as const;

const PAYMENT_REQUEST_FIELDS = [
  { name: "id", type: "string" },
  { name: "payee", type: "uint16" },
  { name: "name", type: "string" },
  { name: "currency", type: "uint16" },
  { name: "amount", type: "uint128" },
  { name: "single", type: "bool" },
  { name: "expiresAt", type: "uint48" },
  { name: "purpose", type: "string" },
  { name: "reference", type: "string" },
] as const;

const STRUCTS = {
  EIP712Domain: DOMAIN_FIELDS,
  Quote: QUOTE_FIELDS,
  Batch: BATCH_FIELDS,
  Settlement: SETTLEMENT_FIELDS,
  Acceptance: ACCEPTANCE_FIELDS,
  PaymentRequest: PAYMENT_REQUEST_FIELDS,
} as const;

/** What a provider signs, for `signTypedData(domain, QUOTE_TYPES, quote)`. */
export const QUOTE_TYPES: Record<"Quote", TypedField[]> = { Quote: [...QUOTE_FIELDS] };
/** What a source partner signs, for `signTypedData(domain, BATCH_TYPES, header)`. */
export const BATCH_TYPES: Record<"Batch" | "Quote", TypedField[]> = {
  Batch: [...BATCH_FIELDS],
  Quote: [...QUOTE_FIELDS],
};
/** What a target partner signs, for `signTypedData(domain, SETTLEMENT_TYPES, settlement)`. */
export const SETTLEMENT_TYPES: Record<"Settlement", TypedField[]> = { Settlement: [...SETTLEMENT_FIELDS] };

/** What a target partner signs before a batch is opened, for `signTypedData(domain, ACCEPTANCE_TYPES, acceptance)`. */
export const ACCEPTANCE_TYPES: Record<"Acceptance", TypedField[]> = { Acceptance: [...ACCEPTANCE_FIELDS] };

/**
 * What a payee's partner signs of a request that customers of others can pay, for
 * `signTypedData(domain, PAYMENT_REQUEST_TYPES, request)`.
 */
export const PAYMENT_REQUEST_TYPES: Record<"PaymentRequest", TypedField[]> = {
  PaymentRequest: [...PAYMENT_REQUEST_FIELDS],
};

type StructName = keyof typeof STRUCTS;
type Member<Type extends string> = Type extends `uint${string}`
  ? number | bigint
  : Type extends "bool"
    ? boolean
    : Type extends "bytes32" | "address"
      ? Hex
      : Type extends StructName
        ? StructOf<(typeof STRUCTS)[Type]>
        : string;
type StructOf<Fields extends readonly TypedField[]> = {
  readonly [Field in Fields[number] as Field["name"]]: Member<Field["type"]>;
};

export type QuoteStruct = StructOf<typeof QUOTE_FIELDS>;
export type BatchStruct = StructOf<typeof BATCH_FIELDS>;
export type SettlementStruct = StructOf<typeof SETTLEMENT_FIELDS>;
export type AcceptanceStruct = StructOf<typeof ACCEPTANCE_FIELDS>;
export type PaymentRequestStruct = StructOf<typeof PAYMENT_REQUEST_FIELDS>;
export type DomainStruct = StructOf<typeof DOMAIN_FIELDS>;

/** The EIP-712 domain, for `signTypedData` and for wallets that show it. */
export function typedDataDomain({ chainId, verifyingContract }: SigningDomain): DomainStruct {
  return { name: "Feiqian", version: "1", chainId, verifyingContract };
}

/** EIP-712 domain separator. Throws InvalidInput, as all below, when a value does not fit its type. */
export function domainSeparator(domain: SigningDomain): Hex {
  return toHex(hashStruct("EIP712Domain", typedDataDomain(domain), "domain"));
}

/** EIP-712 hashStruct of a quote; `typedDataDigest` turns it into the quote's id. */
export function hashQuote(quote: QuoteStruct): Hex {
  return toHex(hashStruct("Quote", quote, "quote"));
}

/** EIP-712 hashStruct of a batch header; `typedDataDigest` turns it into the batch's id. */
export function hashBatch(batch: BatchStruct): Hex {
  return toHex(hashStruct("Batch", batch, "batch"));
}

/** EIP-712 hashStruct of a settlement. */
export function hashSettlement(settlement: SettlementStruct): Hex {
  return toHex(hashStruct("Settlement", settlement, "settlement"));
}

/** EIP-712 hashStruct of an acceptance. */
export function hashAcceptance(acceptance: AcceptanceStruct): Hex {
  return toHex(hashStruct("Acceptance", acceptance, "acceptance"));
}

/** EIP-712 hashStruct of a payment request. */
export function hashPaymentRequest(request: PaymentRequestStruct): Hex {
  return toHex(hashStruct("PaymentRequest", request, "request"));
}

/** EIP-712 digest, the 32 bytes that are signed: keccak256(0x1901 ‖ domain separator ‖ hashStruct). */
export function typedDataDigest(domain: SigningDomain, structHash: Hex): Hex {
  const prefix = Uint8Array.of(0x19, 0x01);
  return toHex(keccak256(concat(prefix, fromHex(domainSeparator(domain), 32), fromHex(structHash, 32, "structHash"))));
}

function hashStruct(name: StructName, value: Readonly<Record<string, unknown>>, path: string): Uint8Array {
  const members = STRUCTS[name].map((field) => encodeMember(field.type, value[field.name], `${path}.${field.name}`));
  return keccak256(concat(keccak256(utf8(encodeType(name))), ...members));
}

function encodeType(name: StructName): string {
  const nested = STRUCTS[name].flatMap(({ type }) => (isStruct(type) ? [encodeType(type)] : []));
  return `${name}(${STRUCTS[name].map(({ name, type }) => `${type} ${name}`).join(",")})${nested.join("")}`;
}

function encodeMember(type: string, value: unknown, path: string): Uint8Array {
  if (isStruct(type) && isRecord(value)) return hashStruct(type, value, path);
  if (type.startsWith("uint") && (typeof value === "bigint" || typeof value === "number")) {
    return uintWord(value, Number.parseInt(type.slice("uint".length), 10), path);
  }
  if (type === "bool" && typeof value === "boolean") return uintWord(value ? 1 : 0, 8, path);
  if (type === "bytes32" && typeof value === "string") return fromHex(value, 32, path);
  if (type === "address" && typeof value === "string") return concat(new Uint8Array(12), fromHex(value, 20, path));
  if (type === "string" && typeof value === "string") return keccak256(utf8(value));
  throw new InvalidInput(path, `a ${type}`);
}

function isStruct(type: string): type is StructName {
  return Object.hasOwn(STRUCTS, type);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** A signature and the key that made it, as the ledger takes it. */
export interface Authorization {
  readonly key: Hex;
  readonly signature: Hex;
}

/** A target partner's signature under an acceptance. */
export interface SignedAcceptance extends Authorization {
  /** UTC seconds of block time, up to which it counts. */
  readonly validUntil: number;
}
