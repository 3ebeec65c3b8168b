import { expect } from "chai";
import * as fc from "fast-check";
import { batchId, buildBatch, exceedsRate } from "../../../src/domain/batch.ts";
import { toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { networkFeeUp } from "../../../src/domain/corridor.ts";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { merkleProof, verifyProof } from "../../../src/domain/merkle.ts";
import { MAX_MINOR } from "../../../src/domain/money.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { NO_QUOTE, type Quote } from "../../../src/domain/quote.ts";
import { transferLeaf, type Transfer } from "../../../src/domain/transfer.ts";
import { transferOf as transfer } from "../../support/transfers.ts";
import { anyBatch, anyChain, CNY_PHP_QUOTE, CNY_TO_PHP, HKD_TO_HKD } from "./arbitraries.ts";

const HASH: Hex = `0x${"ab".repeat(32)}`;
const EXPIRES_AT = 1_900_000_000;

const TWO = [transfer(1, 10_000n, 78_100n), transfer(2, 101n, 788n)];

describe("batch", () => {
  it("adds up its transfers and asks the corridor's fee on top", () => {
    const { header } = buildBatch(TWO, CNY_TO_PHP, CNY_PHP_QUOTE, 30n, EXPIRES_AT);
    expect(header).to.deep.include({
      source: 1,
      target: 4,
      sourceCurrency: 156,
      targetCurrency: 608,
      count: 2,
      sourceTotal: 10_101n,
      targetTotal: 78_888n,
      fee: 31n,
      expiresAt: EXPIRES_AT,
      quote: CNY_PHP_QUOTE,
    });
  });

  it("of one is its leaf", () => {
    const [only = expect.fail()] = TWO;
    const { header } = buildBatch([only], CNY_TO_PHP, CNY_PHP_QUOTE, 0n, EXPIRES_AT);
    expect(header.root).to.equal(toHex(transferLeaf(only)));
  });

  it("keeps every promise of a header", () => {
    fc.assert(
      fc.property(anyBatch, ({ header, transfers, tree }) => {
        expect(header.count).to.equal(transfers.length);
        expect(header.sourceTotal).to.equal(transfers.reduce((sum, { sourceAmount }) => sum + sourceAmount, 0n));
        expect(header.targetTotal).to.equal(transfers.reduce((sum, { targetAmount }) => sum + targetAmount, 0n));
        expect(exceedsRate(header, header.sourceTotal, header.targetTotal)).to.equal(false);
        for (const [index, each] of transfers.entries()) {
          const root = tree.nodes.slice(0, 32);
          expect(toHex(root)).to.equal(header.root);
          expect(verifyProof(root, transferLeaf(each), merkleProof(tree, index))).to.equal(true);
        }
      }),
    );
  });

  it("has an id of its own on every chain and contract, and for every change of the header", () => {
    fc.assert(
      fc.property(anyBatch, anyChain, ({ header }, chain) => {
        const ids = [
          batchId(header, chain),
          batchId(header, { ...chain, chainId: chain.chainId ^ 1n }),
          batchId(header, { ...chain, transferRegistry: HASH.slice(0, 42) as Hex }),
          batchId({ ...header, fee: header.fee + 1n }, chain),
          batchId({ ...header, expiresAt: header.expiresAt + 1 }, chain),
          batchId({ ...header, quote: { ...header.quote, nonce: header.quote.nonce + 1n } }, chain),
        ];
        expect(new Set(ids).size).to.equal(ids.length);
      }),
    );
  });

  it("of one currency needs no quote", () => {
    const { header } = buildBatch([transfer(1, 5n, 5n)], HKD_TO_HKD, NO_QUOTE, 0n, EXPIRES_AT);
    expect([header.sourceTotal, header.targetTotal, header.quote]).to.deep.equal([5n, 5n, NO_QUOTE]);
  });

  it("reaches the type's limit and stops there", () => {
    const most = buildBatch([transfer(1, MAX_MINOR, 1n)], CNY_TO_PHP, CNY_PHP_QUOTE, 0n, EXPIRES_AT);
    expect(most.header.sourceTotal).to.equal(MAX_MINOR);
    const beyond = [
      { transfers: [transfer(1, MAX_MINOR, 1n), transfer(2, 1n, 1n)], feeBps: 0n, field: "sourceTotal" },
      { transfers: [transfer(1, MAX_MINOR, 1n)], feeBps: 1n, field: "sourceTotal + fee" },
      {
        transfers: [transfer(1, MAX_MINOR / 2n, MAX_MINOR), transfer(2, MAX_MINOR / 2n, 1n)],
        feeBps: 0n,
        field: "targetTotal",
      },
    ];
    for (const { transfers, feeBps, field } of beyond) {
      expect(() => buildBatch(transfers, CNY_TO_PHP, CNY_PHP_QUOTE, feeBps, EXPIRES_AT))
        .to.throw(InvalidInput)
        .with.property("field", field);
    }
  });

  const faults: readonly [what: string, transfers: readonly Transfer[], quote: Quote, field: string][] = [
    ["no transfers", [], CNY_PHP_QUOTE, "transfers"],
    ["no source amount", [transfer(1, 0n, 1n)], CNY_PHP_QUOTE, "transfers[0].sourceAmount"],
    ["a negative source amount", [transfer(1, -1n, 1n)], CNY_PHP_QUOTE, "transfers[0].sourceAmount"],
    ["no target amount", [...TWO, transfer(3, 1n, 0n)], CNY_PHP_QUOTE, "transfers[2].targetAmount"],
    ["one unit above the rate's floor", [transfer(1, 101n, 789n)], CNY_PHP_QUOTE, "transfers[0].targetAmount"],
    ["a UETR twice", [...TWO, transfer(1, 7n, 7n)], CNY_PHP_QUOTE, "transfers[2].uetr"],
    ["no quote", TWO, NO_QUOTE, "quote.provider"],
    ["another's quote", TWO, { ...CNY_PHP_QUOTE, taker: parsePartnerId(2) }, "quote.taker"],
    ["a quote for another source", TWO, { ...CNY_PHP_QUOTE, sourceCurrency: 344 }, "quote.sourceCurrency"],
    ["a quote for another target", TWO, { ...CNY_PHP_QUOTE, targetCurrency: 344 }, "quote.targetCurrency"],
    ["a quote without a rate", TWO, { ...CNY_PHP_QUOTE, rateNumerator: 0n }, "quote.rate"],
    ["a rate over zero", TWO, { ...CNY_PHP_QUOTE, rateDenominator: 0n }, "quote.rateDenominator"],
    ["a quote too small", TWO, { ...CNY_PHP_QUOTE, capacity: 78_887n }, "targetTotal"],
  ];
  for (const [what, transfers, quote, field] of faults) {
    it(`is not built with ${what}`, () => {
      expect(() => buildBatch(transfers, CNY_TO_PHP, quote, 30n, EXPIRES_AT))
        .to.throw(InvalidInput)
        .with.property("field", field);
    });
  }

  it("is not built for the partner itself, with a quote it does not need, or for a time that is none", () => {
    const same = [transfer(1, 5n, 5n)];
    const build = (corridor: typeof HKD_TO_HKD, quote: Quote, expiresAt: number, transfers = same) =>
      expect(() => buildBatch(transfers, corridor, quote, 0n, expiresAt)).to.throw(InvalidInput);
    build({ ...HKD_TO_HKD, target: HKD_TO_HKD.source }, NO_QUOTE, EXPIRES_AT).with.property("field", "corridor.target");
    build(HKD_TO_HKD, { ...NO_QUOTE, nonce: 1n }, EXPIRES_AT).with.property("field", "quote.provider");
    build(HKD_TO_HKD, NO_QUOTE, EXPIRES_AT, [transfer(1, 5n, 4n)]).with.property("field", "transfers[0].targetAmount");
    for (const expiresAt of [0, -1, 1.5, 2 ** 48]) {
      build(HKD_TO_HKD, NO_QUOTE, expiresAt).with.property("field", "expiresAt");
    }
  });

  it("is not built with a fee that is none", () => {
    expect(() => buildBatch(TWO, CNY_TO_PHP, CNY_PHP_QUOTE, 10_001n, EXPIRES_AT))
      .to.throw(InvalidInput)
      .with.property("field", "feeBps");
    expect(networkFeeUp(10_101n, 30n)).to.equal(31n);
  });

  it("fits a quote used to the last unit", () => {
    const quote = { ...CNY_PHP_QUOTE, capacity: 78_888n };
    expect(buildBatch(TWO, CNY_TO_PHP, quote, 30n, EXPIRES_AT).header.targetTotal).to.equal(quote.capacity);
  });

  it("needs both currencies to be the same, not only their digits", () => {
    const target = parseCurrency("CNY").code;
    const corridor = { ...CNY_TO_PHP, targetCurrency: target };
    expect(() => buildBatch(TWO, corridor, CNY_PHP_QUOTE, 0n, EXPIRES_AT)).to.throw(InvalidInput, "no quote where");
  });
});
