import type { BatchHeader } from "./batch.ts";
import { requireUint } from "./bytes/bytes.ts";
import type { Hex } from "./bytes/hex.ts";
import { parsePartnerId, type PartnerId } from "./partner.ts";

/** A batch header as the ledger's calldata and events carry it: see PackedHeader.sol. */
export interface PackedHeader {
  readonly terms: bigint;
  readonly totals: bigint;
  readonly root: Hex;
  readonly quoteTerms: bigint;
  readonly quoteRate: bigint;
  readonly limits: bigint;
}

/** Fields of a word from the lowest bits up, with how many bits each has. */
type Layout = readonly (readonly [name: string, value: number | bigint, bits: number])[];

/** @throws InvalidInput for a value that does not fit its type */
export function packHeader(header: BatchHeader): PackedHeader {
  const { quote } = header;
  return {
    terms: pack([
      ["batch.source", header.source, 16],
      ["batch.target", header.target, 16],
      ["batch.sourceCurrency", header.sourceCurrency, 16],
      ["batch.targetCurrency", header.targetCurrency, 16],
      ["batch.count", header.count, 32],
      ["batch.expiresAt", header.expiresAt, 48],
    ]),
    totals: pack([
      ["batch.sourceTotal", header.sourceTotal, 128],
      ["batch.targetTotal", header.targetTotal, 128],
    ]),
    root: header.root,
    quoteTerms: pack([
      ["batch.quote.provider", quote.provider, 16],
      ["batch.quote.taker", quote.taker, 16],
      ["batch.quote.sourceCurrency", quote.sourceCurrency, 16],
      ["batch.quote.targetCurrency", quote.targetCurrency, 16],
      ["batch.quote.validUntil", quote.validUntil, 48],
      ["batch.quote.maxHold", quote.maxHold, 32],
      ["batch.quote.nonce", quote.nonce, 64],
    ]),
    quoteRate: pack([
      ["batch.quote.rateNumerator", quote.rateNumerator, 128],
      ["batch.quote.rateDenominator", quote.rateDenominator, 128],
    ]),
    limits: pack([
      ["batch.fee", header.fee, 128],
      ["batch.quote.capacity", quote.capacity, 128],
    ]),
  };
}

/** @throws InvalidInput where a partner's id is none */
export function unpackHeader({ terms, totals, root, quoteTerms, quoteRate, limits }: PackedHeader): BatchHeader {
  return {
    source: parsePartnerId(field(terms, 0, 16)),
    target: parsePartnerId(field(terms, 16, 16)),
    sourceCurrency: integer(terms, 32, 16),
    targetCurrency: integer(terms, 48, 16),
    count: integer(terms, 64, 32),
    sourceTotal: field(totals, 0, 128),
    targetTotal: field(totals, 128, 128),
    fee: field(limits, 0, 128),
    expiresAt: integer(terms, 96, 48),
    root,
    quote: {
      provider: partnerOrNone(quoteTerms, 0),
      taker: partnerOrNone(quoteTerms, 16),
      sourceCurrency: integer(quoteTerms, 32, 16),
      targetCurrency: integer(quoteTerms, 48, 16),
      rateNumerator: field(quoteRate, 0, 128),
      rateDenominator: field(quoteRate, 128, 128),
      capacity: field(limits, 128, 128),
      validUntil: integer(quoteTerms, 64, 48),
      maxHold: integer(quoteTerms, 112, 32),
      nonce: field(quoteTerms, 144, 64),
    },
  };
}

function pack(layout: Layout): bigint {
  let [word, at] = [0n, 0n];
  for (const [name, value, bits] of layout) {
    word |= requireUint(value, bits, name) << at;
    at += BigInt(bits);
  }
  return word;
}

function field(word: bigint, at: number, bits: number): bigint {
  return BigInt.asUintN(bits, word >> BigInt(at));
}

/** Of at most 48 bits, which a number holds exactly. */
function integer(word: bigint, at: number, bits: number): number {
  return Number.parseInt(field(word, at, bits).toString(), 10);
}

function partnerOrNone(word: bigint, at: number): PartnerId | 0 {
  return field(word, at, 16) === 0n ? 0 : parsePartnerId(field(word, at, 16));
}
