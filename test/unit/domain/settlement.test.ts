import { expect } from "chai";
import { AbiCoder, keccak256 } from "ethers";
import * as fc from "fast-check";
import { buildBatch, exceedsRate, type Batch } from "../../../src/domain/batch.ts";
import { compareBytes } from "../../../src/domain/bytes/bytes.ts";
import { fromHex, toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { verifyMultiproof } from "../../../src/domain/merkle.ts";
import { isNoQuote, NO_QUOTE } from "../../../src/domain/quote.ts";
import { REASONS, reasonToBytes4, type ReasonCode } from "../../../src/domain/reason.ts";
import {
  proveRejections,
  rejectionsHash,
  settle,
  type Rejection,
  type Settlement,
} from "../../../src/domain/settlement.ts";
import { transferLeaf, type Transfer } from "../../../src/domain/transfer.ts";
import { transferOf as transfer } from "../../support/transfers.ts";
import { anyBatch, CNY_PHP_QUOTE, CNY_TO_PHP, HKD_TO_HKD } from "./arbitraries.ts";

const ZERO: Hex = `0x${"00".repeat(32)}`;
const REASON_CODES = Object.keys(REASONS) as ReasonCode[];

/** A valid batch and rejections of some of its transfers, in any order. */
const anyRejected: fc.Arbitrary<{ batch: Batch; rejections: Rejection[] }> = anyBatch.chain((batch) =>
  fc
    .shuffledSubarray([...batch.transfers])
    .chain((transfers) =>
      fc.tuple(
        ...transfers.map((transfer) =>
          fc.record({ transfer: fc.constant(transfer), reason: fc.constantFrom(...REASON_CODES) }),
        ),
      ),
    )
    .map((rejections) => ({ batch, rejections })),
);

function expectComputed(outcome: ReturnType<typeof settle>): Settlement {
  if (outcome.kind !== "computed") return expect.fail(`refused: ${outcome.refusal}`);
  return outcome;
}

const rejected = (each: Transfer): Rejection => ({ transfer: each, reason: "AC03" });

describe("rejections", () => {
  it("hash to zero when there are none", () => {
    expect(rejectionsHash([])).to.equal(ZERO);
  });

  it("hash as a chain over ascending leaves, whatever order they come in", () => {
    fc.assert(
      fc.property(anyRejected, ({ rejections }) => {
        const expected = rejections
          .map(({ transfer: each, reason }) => ({ leaf: transferLeaf(each), reason: reasonToBytes4(reason) }))
          .sort((left, right) => compareBytes(left.leaf, right.leaf))
          .reduce<string>(
            (hash, { leaf, reason }) =>
              keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32", "bytes4"], [hash, leaf, reason])),
            ZERO,
          );
        expect(rejectionsHash(rejections)).to.equal(expected);
      }),
    );
  });

  it("are proved in the ledger's order", () => {
    fc.assert(
      fc.property(anyRejected, ({ batch, rejections }) => {
        const proved = proveRejections(
          batch,
          new Map(rejections.map(({ transfer: { uetr }, reason }) => [uetr, reason])),
        );
        expect(proved.rejectionsHash).to.equal(rejectionsHash(rejections));
        expect(proved.rejections).to.have.deep.members(rejections);
        if (rejections.length === 0) {
          expect(proved.multiproof).to.equal(undefined);
          return;
        }
        const { multiproof = expect.fail() } = proved;
        expect(multiproof.leaves).to.deep.equal(proved.rejections.map(({ transfer: each }) => transferLeaf(each)));
        expect(verifyMultiproof(fromHex(batch.header.root), multiproof)).to.equal(true);
      }),
    );
  });

  it("cannot name a transfer twice, or one of another batch", () => {
    const [first, second] = [transfer(1, 10n, 78n), transfer(2, 10n, 78n)];
    const batch = buildBatch([first], CNY_TO_PHP, CNY_PHP_QUOTE, 0n, 1_900_000_000);
    expect(() => rejectionsHash([rejected(first), rejected(first)])).to.throw(InvalidInput, `(given "${first.uetr}")`);
    expect(() => proveRejections(batch, new Map([[second.uetr, "AC03" as const]])))
      .to.throw(InvalidInput, `only transfers of the batch (given "${second.uetr}")`)
      .with.property("field", "reasons");
  });
});

describe("settlement", () => {
  it("conserves money: what is settled, charged and refunded is what was held, on both sides", () => {
    fc.assert(
      fc.property(anyRejected, ({ batch: { header, transfers }, rejections }) => {
        const outcome = expectComputed(settle(header, rejections));
        const held = header.sourceTotal + header.fee;
        expect(outcome.settledSource + outcome.feeCharged + outcome.sourceRefund).to.equal(held);
        expect(outcome.settledTarget + outcome.providerRefund).to.equal(
          isNoQuote(header.quote) ? outcome.settledSource : header.targetTotal,
        );
        for (const part of [outcome.settledSource, outcome.feeCharged, outcome.sourceRefund, outcome.providerRefund]) {
          expect(part >= 0n).to.equal(true);
        }
        const refused = new Set(rejections.map(({ transfer: { uetr } }) => uetr));
        const rest = transfers.filter(({ uetr }) => !refused.has(uetr));
        expect(outcome.settledCount).to.equal(rest.length);
        expect(outcome.settledSource).to.equal(rest.reduce((sum, { sourceAmount }) => sum + sourceAmount, 0n));
        expect(outcome.settledTarget).to.equal(rest.reduce((sum, { targetAmount }) => sum + targetAmount, 0n));
      }),
    );
  });

  it("charges no less than the fee's share and less than a unit more, all of it only for all", () => {
    fc.assert(
      fc.property(anyRejected, ({ batch: { header }, rejections }) => {
        const { feeCharged, settledSource } = expectComputed(settle(header, rejections));
        expect(feeCharged * header.sourceTotal >= header.fee * settledSource).to.equal(true);
        expect((feeCharged - 1n) * header.sourceTotal < header.fee * settledSource).to.equal(true);
        if (rejections.length === 0) expect(feeCharged).to.equal(header.fee);
        if (rejections.length === header.count) expect(feeCharged).to.equal(0n);
      }),
    );
  });

  it("never gives more than the rate, whatever is rejected", () => {
    fc.assert(
      fc.property(anyRejected, ({ batch: { header }, rejections }) => {
        const { settledSource, settledTarget } = expectComputed(settle(header, rejections));
        expect(exceedsRate(header, settledSource, settledTarget)).to.equal(false);
      }),
    );
  });

  it("is Rejected exactly when every transfer is", () => {
    fc.assert(
      fc.property(anyRejected, ({ batch: { header }, rejections }) => {
        const all = rejections.length === header.count;
        const { status } = expectComputed(settle(header, rejections));
        expect(status).to.equal(all ? BatchStatus.Rejected : BatchStatus.Settled);
      }),
    );
  });

  it("does not depend on the order of rejections", () => {
    fc.assert(
      fc.property(anyRejected, ({ batch: { header }, rejections }) => {
        expect(settle(header, rejections)).to.deep.equal(settle(header, rejections.toReversed()));
      }),
    );
  });

  it("computes an example by hand", () => {
    const transfers = [transfer(1, 10_000n, 78_100n), transfer(2, 5_000n, 39_050n), transfer(3, 100n, 781n)];
    const { header } = buildBatch(transfers, CNY_TO_PHP, CNY_PHP_QUOTE, 30n, 1_900_000_000);
    expect(header.fee).to.equal(46n);
    expect(settle(header, transfers.slice(0, 1).map(rejected))).to.deep.equal({
      kind: "computed",
      status: BatchStatus.Settled,
      settledCount: 2,
      settledSource: 5_100n,
      settledTarget: 39_831n,
      feeCharged: 16n,
      sourceRefund: 10_030n,
      providerRefund: 78_100n,
    });
  });

  it("has nothing to give back to a provider where there is none", () => {
    const transfers = [transfer(1, 7n, 7n), transfer(2, 5n, 5n)];
    const { header } = buildBatch(transfers, HKD_TO_HKD, NO_QUOTE, 0n, 1_900_000_000);
    expect(settle(header, transfers.slice(0, 1).map(rejected))).to.deep.include({
      sourceRefund: 7n,
      providerRefund: 0n,
    });
  });

  describe("of a header that lies about its transfers", () => {
    const transfers = [transfer(1, 1_000n, 7_810n), transfer(2, 1_000n, 7_810n), transfer(3, 1_000n, 7_000n)];
    const { header } = buildBatch(transfers, CNY_TO_PHP, CNY_PHP_QUOTE, 0n, 1_900_000_000);
    const [first, , last] = transfers;
    const rejectFirst = [rejected(first ?? expect.fail())];
    const rejectAll = transfers.map(rejected);
    const cases = [
      ["counts more rejected than sent", { count: 2 }, rejectAll, "TOTALS_MISMATCH"],
      ["has a source total below what is rejected", { sourceTotal: 999n }, rejectFirst, "TOTALS_MISMATCH"],
      ["has a target total below what is rejected", { targetTotal: 7_809n }, rejectFirst, "TOTALS_MISMATCH"],
      ["leaves less than a unit for each of the rest", { sourceTotal: 1_001n }, rejectFirst, "TOTALS_MISMATCH"],
      ["leaves less than a target unit for each", { targetTotal: 7_811n }, rejectFirst, "TOTALS_MISMATCH"],
      ["leaves something when all are rejected", { sourceTotal: 3_001n }, rejectAll, "TOTALS_MISMATCH"],
      ["leaves a target amount when all are rejected", { targetTotal: 22_621n }, rejectAll, "TOTALS_MISMATCH"],
      [
        "leaves more than the rate",
        { targetTotal: 22_620n + 811n },
        [rejected(last ?? expect.fail()), ...rejectFirst],
        "RATE_EXCEEDED",
      ],
      ["has no transfers", { count: 0, sourceTotal: 0n, targetTotal: 0n }, [], "TOTALS_MISMATCH"],
    ] as const;
    for (const [what, lie, rejections, refusal] of cases) {
      it(`is refused when it ${what}`, () => {
        expect(settle({ ...header, ...lie }, rejections)).to.deep.equal({ kind: "refused", refusal });
      });
    }
  });

  it("is refused when a transfer is rejected twice", () => {
    const transfers = [transfer(1, 1_000n, 7_000n), transfer(2, 1_000n, 7_000n)];
    const { header } = buildBatch(transfers, CNY_TO_PHP, CNY_PHP_QUOTE, 0n, 1_900_000_000);
    const [first = expect.fail()] = transfers;
    expect(settle(header, [rejected(first), { transfer: first, reason: "AC04" }])).to.deep.equal({
      kind: "refused",
      refusal: "REJECTED_TWICE",
    });
  });

  it("tells equal amounts apart by their leaves", () => {
    const transfers = [transfer(1, 5n, 5n), transfer(2, 5n, 5n)];
    expect(new Set(transfers.map((each) => toHex(transferLeaf(each)))).size).to.equal(2);
  });
});
