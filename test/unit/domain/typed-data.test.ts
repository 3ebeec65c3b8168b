import { expect } from "chai";
import { TypedDataEncoder, verifyTypedData, Wallet } from "ethers";
import * as fc from "fast-check";
import { batchId, type BatchHeader } from "../../../src/domain/batch.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { NO_QUOTE, quoteId } from "../../../src/domain/quote.ts";
import { acceptanceDigest, settlementDigest } from "../../../src/domain/settlement.ts";
import {
  ACCEPTANCE_TYPES,
  BATCH_TYPES,
  batchDomain,
  domainSeparator,
  quoteDomain,
  hashBatch,
  hashQuote,
  hashAcceptance,
  hashSettlement,
  QUOTE_TYPES,
  SETTLEMENT_TYPES,
  typedDataDigest,
  typedDataDomain,
} from "../../../src/domain/typed-data.ts";
import { anyChain, anyHash, anyHeader, anyQuote } from "./arbitraries.ts";

describe("typed data (EIP-712)", () => {
  it("has ethers' domain separator", () => {
    fc.assert(
      fc.property(anyChain, (chain) => {
        for (const domain of [batchDomain(chain), quoteDomain(chain)]) {
          expect(domainSeparator(domain)).to.equal(TypedDataEncoder.hashDomain({ ...typedDataDomain(domain) }));
        }
      }),
    );
  });

  it("has ethers' hashes of quotes", () => {
    fc.assert(
      fc.property(anyQuote, anyChain, (quote, chain) => {
        expect(hashQuote(quote)).to.equal(TypedDataEncoder.hashStruct("Quote", QUOTE_TYPES, quote));
        expect(quoteId(quote, chain)).to.equal(
          TypedDataEncoder.hash({ ...typedDataDomain(quoteDomain(chain)) }, QUOTE_TYPES, quote),
        );
      }),
    );
  });

  it("has ethers' hashes of batches", () => {
    fc.assert(
      fc.property(anyHeader, anyChain, (header, chain) => {
        expect(hashBatch(header)).to.equal(TypedDataEncoder.hashStruct("Batch", BATCH_TYPES, header));
        expect(batchId(header, chain)).to.equal(
          TypedDataEncoder.hash({ ...typedDataDomain(batchDomain(chain)) }, BATCH_TYPES, header),
        );
      }),
    );
  });

  it("has ethers' hashes of settlements", () => {
    fc.assert(
      fc.property(anyHash, anyHash, anyChain, (id, rejectionsHash, chain) => {
        const settlement = { batchId: id, rejectionsHash };
        expect(hashSettlement(settlement)).to.equal(
          TypedDataEncoder.hashStruct("Settlement", SETTLEMENT_TYPES, settlement),
        );
        expect(settlementDigest(settlement, chain)).to.equal(
          TypedDataEncoder.hash({ ...typedDataDomain(batchDomain(chain)) }, SETTLEMENT_TYPES, settlement),
        );
      }),
    );
  });

  it("has ethers' hashes of acceptances", () => {
    fc.assert(
      fc.property(anyHash, fc.nat(), anyChain, (id, validUntil, chain) => {
        const acceptance = { batchId: id, validUntil };
        expect(hashAcceptance(acceptance)).to.equal(
          TypedDataEncoder.hashStruct("Acceptance", ACCEPTANCE_TYPES, acceptance),
        );
        expect(acceptanceDigest(acceptance, chain)).to.equal(
          TypedDataEncoder.hash({ ...typedDataDomain(batchDomain(chain)) }, ACCEPTANCE_TYPES, acceptance),
        );
      }),
    );
  });

  it("encodes the types that the protocol names", () => {
    const quote =
      "Quote(uint16 provider,uint16 taker,uint16 sourceCurrency,uint16 targetCurrency,uint128 rateNumerator," +
      "uint128 rateDenominator,uint128 capacity,uint48 validUntil,uint32 maxHold,uint64 nonce)";
    const batch =
      "Batch(uint16 source,uint16 target,uint16 sourceCurrency,uint16 targetCurrency,uint32 count,uint128 sourceTotal," +
      "uint128 targetTotal,uint128 fee,uint48 expiresAt,bytes32 root,Quote quote)";
    expect(TypedDataEncoder.from(QUOTE_TYPES).encodeType("Quote")).to.equal(quote);
    expect(TypedDataEncoder.from(BATCH_TYPES).encodeType("Batch")).to.equal(batch + quote);
    expect(TypedDataEncoder.from(SETTLEMENT_TYPES).encodeType("Settlement")).to.equal(
      "Settlement(bytes32 batchId,bytes32 rejectionsHash)",
    );
    expect(TypedDataEncoder.from(ACCEPTANCE_TYPES).encodeType("Acceptance")).to.equal(
      "Acceptance(bytes32 batchId,uint48 validUntil)",
    );
  });

  it("is what ethers' wallets sign", async () => {
    const wallet = new Wallet(toHex(new Uint8Array(32).fill(7)));
    const chain = { chainId: 31_337n, quoteBook: toHex(new Uint8Array(20).fill(9)) };
    const domain = typedDataDomain(quoteDomain(chain));
    const signature = await wallet.signTypedData(domain, QUOTE_TYPES, NO_QUOTE);
    expect(verifyTypedData(domain, QUOTE_TYPES, NO_QUOTE, signature)).to.equal(wallet.address);
    expect(wallet.signingKey.sign(quoteId(NO_QUOTE, chain)).serialized).to.equal(signature);
  });

  it("names the member that does not fit its type", () => {
    const domain = { chainId: 1n, verifyingContract: toHex(new Uint8Array(20)) };
    const header: BatchHeader = fc.sample(anyHeader, { numRuns: 1, seed: 1 })[0] ?? expect.fail();
    for (const [change, field] of [
      [{ count: 2 ** 32 }, "batch.count"],
      [{ expiresAt: 0.5 }, "batch.expiresAt"],
      [{ sourceTotal: 2n ** 128n }, "batch.sourceTotal"],
      [{ root: "0x00" }, "batch.root"],
      [{ quote: { ...NO_QUOTE, nonce: -1n } }, "batch.quote.nonce"],
    ] as const) {
      expect(() => hashBatch({ ...header, ...change }))
        .to.throw(InvalidInput)
        .with.property("field", field);
    }
    expect(() => domainSeparator({ ...domain, verifyingContract: "0x00" }))
      .to.throw(InvalidInput)
      .with.property("field", "domain.verifyingContract");
    expect(() => typedDataDigest(domain, "0x00"))
      .to.throw(InvalidInput)
      .with.property("field", "structHash");
    // A decoder's record that lacks a member must not hash as something else.
    const { nonce: _, ...incomplete } = NO_QUOTE;
    expect(() => hashQuote(incomplete as typeof NO_QUOTE)).to.throw(InvalidInput, "quote.nonce: a uint64");
  });
});
