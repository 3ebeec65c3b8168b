import { expect } from "chai";
import * as fc from "fast-check";
import { buildBatch, type Batch } from "../../../src/domain/batch.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { checkReceipt, parseReceipt, receiptToJson, type Receipt } from "../../../src/domain/receipt.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import type { Json } from "../../../src/domain/wire.ts";
import { anyBatch, CNY_PHP_QUOTE, CNY_TO_PHP } from "./arbitraries.ts";
import { anyForgery, DETAILS_HASH, leavesOf, receiptOf, replaced } from "./receipt-support.ts";

function withDetails(batch: Batch): Batch {
  const { header } = batch;
  const transfers = batch.transfers.map((transfer) => ({ ...transfer, detailsHash: DETAILS_HASH }));
  if (header.sourceCurrency === header.targetCurrency) return batch;
  return buildBatch(transfers, CNY_TO_PHP, header.quote, 0n, header.expiresAt);
}

/** Different currencies, so that every member of the header says something. */
const anyExchange = anyBatch.filter(({ header }) => header.sourceCurrency !== header.targetCurrency).map(withDetails);

const THREE = buildBatch(
  [1, 2, 3].map((index) => ({
    uetr: uetrFromRandom(new Uint8Array(16).fill(index)),
    sourceAmount: 10_000n * BigInt(index),
    targetAmount: 78_100n * BigInt(index),
    detailsHash: DETAILS_HASH,
  })),
  CNY_TO_PHP,
  CNY_PHP_QUOTE,
  5n,
  1_900_000_000,
);

/** What only the ledger can tell: see the verification of receipts. */
const LEDGERS_WORD = /^(?:transactions\.|rejected\.0\.|rejected\.[0-9]+\.code)/;

function judge(json: unknown): string {
  try {
    const check = checkReceipt(parseReceipt(json));
    return check.kind === "sound" ? "sound" : check.refusal;
  } catch (failure) {
    if (failure instanceof InvalidInput) return "MALFORMED";
    throw failure;
  }
}

describe("Receipts", () => {
  it("are sound for every transfer of every batch, and come back from JSON as they went", () => {
    fc.assert(
      fc.property(anyExchange, fc.nat(), (batch, drawn) => {
        const receipt = receiptOf(batch, drawn % batch.transfers.length);
        const text = JSON.stringify(receiptToJson(receipt));
        expect(parseReceipt(JSON.parse(text))).to.deep.equal(receipt);
        expect(checkReceipt(receipt)).to.include({ kind: "sound", reason: undefined });
      }),
    );
  });

  it("tell the reason of a rejection, and undefined for a code that the network does not know", () => {
    const receipt = receiptOf(THREE, 1, { 0: "AC03", 1: "AC04" });
    expect(checkReceipt(receipt)).to.include({ kind: "sound", reason: "AC04" });
    const odd = receipt.rejected.map((rejection) => ({ ...rejection, code: toHex(new Uint8Array(4).fill(90)) }));
    expect(checkReceipt({ ...receipt, rejected: odd })).to.include({ kind: "sound", reason: undefined });
  });

  it("are refused with any single member forged, but for what only the ledger knows", function () {
    const receipt = receiptToJson(receiptOf(THREE, 1, { 0: "AC03", 1: "AC04" }));
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyForgery(receipt), ({ path, document }) => {
        fc.pre(!LEDGERS_WORD.test(path));
        seen.add(path);
        expect(judge(document), path).not.to.equal("sound");
      }),
      { numRuns: 2_000 },
    );
    const all = leavesOf(receipt).map(({ path }) => path.join("."));
    expect([...seen]).to.have.members(all.filter((path) => !LEDGERS_WORD.test(path)));
  });

  it("are refused with a member missing, or one more", () => {
    const receipt = receiptToJson(receiptOf(THREE, 1));
    for (const name of Object.keys(receipt)) {
      const { [name]: _, ...rest } = receipt;
      expect(judge(rest), name).to.equal("MALFORMED");
    }
    expect(judge({ ...receipt, note: "paid" })).to.equal("MALFORMED");
    for (const nothing of [null, undefined, [], "receipt", 1]) expect(judge(nothing)).to.equal("MALFORMED");
  });

  const cases: readonly [string, string, (receipt: Receipt) => Receipt][] = [
    ["BATCH_ID", "a header that is worth more", (receipt) => ({ ...receipt, header: { ...receipt.header, count: 4 } })],
    ["BATCH_ID", "another chain", (receipt) => ({ ...receipt, chainId: 1n })],
    [
      "PROOF",
      "an amount that is worth more",
      (receipt) => ({
        ...receipt,
        transfer: { ...receipt.transfer, targetAmount: receipt.transfer.targetAmount + 1n },
      }),
    ],
    ["PROOF", "a proof that ends one short", (receipt) => ({ ...receipt, proof: receipt.proof.slice(1) })],
    ["STATUS", "settled, and rejected", (receipt) => ({ ...receipt, status: "settled" })],
    ["STATUS", "rejected, and not among those", (receipt) => ({ ...receipt, rejected: receipt.rejected.slice(0, 1) })],
    [
      "STATUS",
      "expired, with rejections",
      (receipt) => ({ ...receipt, status: "expired", rejected: receipt.rejected.slice(0, 1) }),
    ],
    [
      "DISCLOSURE",
      "another group's content",
      (receipt) => ({
        ...receipt,
        disclosed: receipt.disclosed.map((one) => ({ ...one, content: receipt.disclosed[0]?.content ?? {} })),
      }),
    ],
  ];
  for (const [refusal, what, forge] of cases) {
    it(`are refused as ${refusal}: ${what}`, () => {
      const receipt = receiptOf(THREE, 1, { 0: "AC03", 1: "AC04" });
      expect(checkReceipt(forge(receipt))).to.include({ kind: "refused", refusal });
    });
  }

  it("disclose each group at most once, as canonical JSON", () => {
    const json = receiptToJson(receiptOf(THREE, 0));
    const twice = (json["disclosed"] as readonly Json[]).slice(0, 1);
    expect(judge({ ...json, disclosed: [...twice, ...twice] })).to.equal("MALFORMED");
    expect(judge(replaced(json, ["disclosed", 0, "content", "name"], 1.5))).to.equal("MALFORMED");
    expect(judge({ ...json, disclosed: [] })).to.equal("sound");
  });

  it("never quote what is personal in an error", () => {
    const json = replaced(receiptToJson(receiptOf(THREE, 0)), ["disclosed", 0, "content", "name"], "\ud800 Secret");
    expect(() => parseReceipt(json))
      .to.throw(InvalidInput)
      .with.property("message")
      .that.does.not.include("Secret");
  });
});
