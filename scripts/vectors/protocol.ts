import { batchId, buildBatch, type Batch, type BatchHeader } from "../../src/domain/batch.ts";
import { toHex, type Hex } from "../../src/domain/bytes/hex.ts";
import { canonicalJson } from "../../src/domain/canonical-json.ts";
import { corridorId, type Corridor } from "../../src/domain/corridor.ts";
import { currencyOf, parseCurrency } from "../../src/domain/currency.ts";
import { commitDetails, detailsHashOf, type TransferDetails } from "../../src/domain/details.ts";
import { BatchStatus } from "../../src/domain/lifecycle.ts";
import { buildMerkleTree, merkleMultiproof, merkleProof, merkleRoot } from "../../src/domain/merkle.ts";
import { MAX_MINOR } from "../../src/domain/money.ts";
import { parsePartnerId } from "../../src/domain/partner.ts";
import { NO_QUOTE, quoteId, type Quote } from "../../src/domain/quote.ts";
import { reasonToBytes4, type ReasonCode } from "../../src/domain/reason.ts";
import {
  acceptanceDigest,
  proveRejections,
  settle,
  settlementDigest,
  type Rejection,
} from "../../src/domain/settlement.ts";
import { transferLeaf, type Transfer } from "../../src/domain/transfer.ts";
import {
  batchDomain,
  domainSeparator,
  quoteDomain,
  hashAcceptance,
  hashBatch,
  hashQuote,
  hashSettlement,
  type Chain,
} from "../../src/domain/typed-data.ts";
import { uetrFromRandom } from "../../src/domain/uetr.ts";
import { createRandom, type Random } from "../../src/kernel/random.ts";
import { arithmeticVectors } from "./arithmetic.ts";
import { domainFields, corridorFields, headerFields, packedFields, quoteFields, transferFields } from "./fields.ts";

const SEED = "feiqian protocol vectors, version 1";
const TREE_SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 33] as const;

const CHAINS: readonly Chain[] = [
  {
    chainId: 31_337n,
    transferRegistry: "0x5fbdb2315678afecb367f032d93f642f64180aa3",
    quoteBook: "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512",
  },
  {
    chainId: 1n,
    transferRegistry: "0x00000000000000000000000000000000000000ff",
    quoteBook: "0x00000000000000000000000000000000000000fe",
  },
];

const CORRIDORS: readonly Corridor[] = [
  corridor(1, "CNY", 4, "PHP"),
  corridor(5, "KRW", 6, "IDR"),
  corridor(7, "HKD", 4, "PHP"),
  corridor(8, "MYR", 9, "BDT"),
  corridor(7, "HKD", 1, "HKD"),
  corridor(65_535, "XPF", 1, "AFN"),
];

/** All vectors, as they stand in the file. */
export function protocolVectors() {
  const random = createRandom(SEED);
  const quotes = [NO_QUOTE, ...quoteCases(random.fork("quotes"))];
  const batches = batchCases(random.fork("batches"));
  return {
    description: "Feiqian protocol vectors; written by scripts/vectors.ts, not by hand",
    domains: CHAINS.flatMap((chain) =>
      [batchDomain(chain), quoteDomain(chain)].map((domain) => ({
        ...domainFields(domain),
        domainSeparator: domainSeparator(domain),
      })),
    ),
    corridors: CORRIDORS.map((entry) => ({ ...corridorFields(entry), corridorId: String(corridorId(entry)) })),
    details: detailsVectors(random.fork("details")),
    transfers: transferCases(random.fork("transfers")).map((transfer) => ({
      ...transferFields(transfer),
      leaf: toHex(transferLeaf(transfer)),
    })),
    quotes: CHAINS.flatMap((chain) => quotes.map((quote) => quoteVector(quote, chain))),
    batches: CHAINS.flatMap((chain) => batches.map(({ header }) => batchVector(header, chain))),
    settlements: settlementVectors(batches),
    acceptances: CHAINS.flatMap((chain) => batches.map(({ header }, index) => acceptanceVector(header, index, chain))),
    ...treeVectors(random.fork("trees")),
    ...arithmeticVectors(),
  };
}

/** The file's text. */
export function serializeVectors(): string {
  return `${JSON.stringify(protocolVectors(), null, 2)}\n`;
}

function corridor(source: number, sourceCurrency: string, target: number, targetCurrency: string): Corridor {
  return {
    source: parsePartnerId(source),
    sourceCurrency: parseCurrency(sourceCurrency).code,
    target: parsePartnerId(target),
    targetCurrency: parseCurrency(targetCurrency).code,
  };
}

function randomHash(random: Random): Hex {
  return toHex(random.bytes(32));
}

function transferCases(random: Random): readonly Transfer[] {
  const amounts = [
    [1n, 1n],
    [0n, 0n],
    [123_456_789n, 987_654_321n],
    [2n ** 64n, 2n ** 64n - 1n],
    [MAX_MINOR, MAX_MINOR],
  ] as const;
  return amounts.map(([sourceAmount, targetAmount]) => ({
    uetr: uetrFromRandom(random.bytes(16)),
    sourceAmount,
    targetAmount,
    detailsHash: randomHash(random),
  }));
}

function detailsVectors(random: Random) {
  const cases: readonly TransferDetails[] = [
    {
      debtor: { name: "陈小明", phone: "+85251234567" },
      creditor: { name: "María Ñoño-Santos", phone: "+639051234567" },
      remittance: { purpose: "FAMI", note: 'school fees "2nd term" \n€' },
    },
    {
      debtor: {},
      creditor: { z: [1, -1, true], a: { ü: "😀", "": "\u0000" } },
      remittance: { count: 9_007_199_254_740_991 },
    },
  ];
  return cases.map((details) => {
    const transferSalt = randomHash(random);
    const commitments = commitDetails(details, transferSalt);
    return {
      transferSalt,
      debtorJson: canonicalJson(details.debtor, "debtor"),
      creditorJson: canonicalJson(details.creditor, "creditor"),
      remittanceJson: canonicalJson(details.remittance, "remittance"),
      debtorCommitment: commitments.debtor,
      creditorCommitment: commitments.creditor,
      remittanceCommitment: commitments.remittance,
      detailsHash: detailsHashOf(commitments),
    };
  });
}

function quoteFor({ source, sourceCurrency, targetCurrency }: Corridor, random: Random): Quote {
  return {
    provider: parsePartnerId(11 + random.below(2)),
    taker: random.below(2) === 0 ? 0 : source,
    sourceCurrency: currencyOf(sourceCurrency).numeric,
    targetCurrency: currencyOf(targetCurrency).numeric,
    rateNumerator: BigInt(1 + random.uint32()),
    rateDenominator: BigInt(1 + random.uint32()),
    capacity: 10n ** 24n,
    validUntil: 1_780_000_000,
    maxHold: 3_600,
    nonce: BigInt(random.uint32()),
  };
}

function quoteCases(random: Random): readonly Quote[] {
  const largest: Quote = {
    provider: parsePartnerId(65_535),
    taker: parsePartnerId(65_535),
    sourceCurrency: 65_535,
    targetCurrency: 65_535,
    rateNumerator: MAX_MINOR,
    rateDenominator: MAX_MINOR,
    capacity: MAX_MINOR,
    validUntil: 2 ** 48 - 1,
    maxHold: 2 ** 32 - 1,
    nonce: 2n ** 64n - 1n,
  };
  return [...CORRIDORS.slice(0, 4).map((entry) => quoteFor(entry, random)), largest];
}

function batchCases(random: Random): readonly Batch[] {
  return CORRIDORS.map((entry, index) => {
    const quote = entry.sourceCurrency === entry.targetCurrency ? NO_QUOTE : quoteFor(entry, random);
    const transfers = Array.from({ length: TREE_SIZES[index] ?? 1 }, (): Transfer => {
      // Large enough to be worth at least one minor unit at any of the rates.
      const sourceAmount = 2n ** 33n + BigInt(random.uint32());
      const targetAmount =
        quote === NO_QUOTE ? sourceAmount : (sourceAmount * quote.rateNumerator) / quote.rateDenominator;
      return { uetr: uetrFromRandom(random.bytes(16)), sourceAmount, targetAmount, detailsHash: randomHash(random) };
    });
    return buildBatch(transfers, entry, quote, BigInt(25 * index), 1_790_000_000 + index);
  });
}

function quoteVector(quote: Quote, chain: Chain) {
  return {
    ...domainFields(quoteDomain(chain)),
    ...quoteFields(quote),
    structHash: hashQuote(quote),
    quoteId: quoteId(quote, chain),
  };
}

function batchVector(header: BatchHeader, chain: Chain) {
  return {
    ...domainFields(batchDomain(chain)),
    ...headerFields(header),
    packed: packedFields(header),
    structHash: hashBatch(header),
    batchId: batchId(header, chain),
  };
}

function acceptanceVector(header: BatchHeader, index: number, chain: Chain) {
  const acceptance = { batchId: batchId(header, chain), validUntil: index === 0 ? 0 : 2 ** (5 * index) - 1 };
  return {
    ...domainFields(batchDomain(chain)),
    batchId: acceptance.batchId,
    validUntil: String(acceptance.validUntil),
    structHash: hashAcceptance(acceptance),
    digest: acceptanceDigest(acceptance, chain),
  };
}

function settlementVectors(batches: readonly Batch[]) {
  const reasons: readonly ReasonCode[] = ["AC03", "AC06", "BE01", "RR04"];
  const rejectsNone = () => false;
  const rejectsSome = (position: number) => position % 2 === 0;
  const rejectsAll = () => true;
  return batches.flatMap((batch, index) =>
    [rejectsNone, rejectsSome, rejectsAll].flatMap((rejects) => {
      const chosen = batch.transfers.filter((_, position) => rejects(position));
      const proved = proveRejections(
        batch,
        new Map(chosen.map(({ uetr }, position) => [uetr, reasons[position % reasons.length] ?? "NARR"])),
      );
      const siblings = proved.multiproof?.proof.map(toHex) ?? [];
      const flags = proved.multiproof?.proofFlags ?? [];
      // One batch with an exchange and one of a same-currency corridor are enough to lie about.
      const lies = chosen.length > 0 && index % 3 === 1 ? lyingHeaders(batch.header) : [];
      const headers = [batch.header, ...lies];
      return headers.map((header) =>
        settlementVector(header, proved.rejections, siblings, flags, proved.rejectionsHash),
      );
    }),
  );
}

/** Headers whose totals are not those of their tree; a source partner can sign them. */
function lyingHeaders(header: BatchHeader): readonly BatchHeader[] {
  return [
    { ...header, sourceTotal: header.sourceTotal / BigInt(header.count + 1) },
    { ...header, targetTotal: header.targetTotal / BigInt(header.count + 1) },
    { ...header, targetTotal: header.targetTotal + 2n ** 40n },
    { ...header, count: header.count + 1 },
  ];
}

function settlementVector(
  header: BatchHeader,
  rejections: readonly Rejection[],
  siblings: readonly Hex[],
  flags: readonly boolean[],
  rejectionsHash: Hex,
) {
  const [chain = fail("no chain")] = CHAINS;
  const id = batchId(header, chain);
  const settlement = { batchId: id, rejectionsHash };
  const outcome = settle(header, rejections);
  const computed = outcome.kind === "computed" ? outcome : undefined;
  return {
    ...domainFields(batchDomain(chain)),
    header: headerFields(header),
    rejections: rejections.map(({ transfer, reason }) => ({
      ...transferFields(transfer),
      reason: reasonToBytes4(reason),
      leaf: toHex(transferLeaf(transfer)),
    })),
    siblings,
    flags,
    batchId: id,
    rejectionsHash,
    structHash: hashSettlement(settlement),
    digest: settlementDigest(settlement, chain),
    refusal: outcome.kind === "refused" ? outcome.refusal : "",
    status: String(computed?.status ?? BatchStatus.Open),
    settledSource: String(computed?.settledSource ?? 0n),
    settledTarget: String(computed?.settledTarget ?? 0n),
    feeCharged: String(computed?.feeCharged ?? 0n),
    sourceRefund: String(computed?.sourceRefund ?? 0n),
    providerRefund: String(computed?.providerRefund ?? 0n),
  };
}

function treeVectors(random: Random) {
  const grown = TREE_SIZES.map((size) => {
    const leaves = Array.from({ length: size }, () => random.bytes(32));
    return { leaves, tree: buildMerkleTree(leaves) };
  });
  const proofs = grown.flatMap(({ leaves, tree }) =>
    [...new Set([0, leaves.length >> 1, leaves.length - 1])].map((index) => ({
      root: toHex(merkleRoot(tree)),
      leaf: toHex(leaves[index] ?? fail("no such leaf")),
      proof: merkleProof(tree, index).map(toHex),
    })),
  );
  const multiproofs = grown.flatMap(({ leaves, tree }) => {
    const all = Array.from(leaves.keys());
    const subsets = [all.slice(0, 1), all.filter((index) => index % 3 === 0), all];
    return subsets.map((indices) => {
      const multiproof = merkleMultiproof(tree, indices);
      return {
        root: toHex(merkleRoot(tree)),
        leaves: multiproof.leaves.map(toHex),
        proof: multiproof.proof.map(toHex),
        proofFlags: multiproof.proofFlags,
      };
    });
  });
  const trees = grown.map(({ leaves, tree }) => ({ leaves: leaves.map(toHex), root: toHex(merkleRoot(tree)) }));
  return { trees, proofs, multiproofs };
}

function fail(what: string): never {
  throw new Error(`vectors: ${what}`);
}
