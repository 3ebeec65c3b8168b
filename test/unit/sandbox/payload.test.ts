import { expect } from "chai";
import { buildBatch, type BatchHeader } from "../../../src/domain/batch.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { hashDetails } from "../../../src/domain/details.ts";
import { buildMerkleTree, merkleRoot } from "../../../src/domain/merkle.ts";
import { transferLeaf } from "../../../src/domain/transfer.ts";
import { parseUetr, type Uetr } from "../../../src/domain/uetr.ts";
import { openDirectory } from "../../../src/sandbox/customers.ts";
import { corridorBetween } from "../../../src/sandbox/network.ts";
import { commitsTo, judgePayload, type PayloadTransfer } from "../../../src/sandbox/payload.ts";
import { ALIPAY_HK, finishedDay, GCASH } from "./day-support.ts";

const { simulation } = finishedDay([
  {
    source: ALIPAY_HK,
    target: GCASH,
    amounts: [10_000n, 5_000n, 7_000n],
    rate: 7_200n,
    outcomes: ["settled", "settled", "settled"],
    gasUsed: 1n,
    latencyMs: 1,
  },
]);
const [record] = simulation.batches;
if (record === undefined) throw new Error("test set-up: a batch");
const { header, prepared } = record;
const { payload } = prepared;
const PHONE = "+85251234567";
const everybody = openDirectory([{ wallet: GCASH, name: "Chan Tai Man", nameLocal: "陳大文", phone: PHONE }]);
const SALT = `0x${"5a".repeat(32)}` as const;

/** The payload with its first transfer changed. */
function tampered(change: (first: PayloadTransfer) => PayloadTransfer): readonly PayloadTransfer[] {
  return payload.map((transfer, index) => (index === 0 ? change(transfer) : transfer));
}

describe("a batch's payload, at the target relay", () => {
  it("is accepted as the ledger has it, in whatever order it comes", () => {
    for (const given of [payload, payload.toReversed()]) {
      expect(commitsTo(header, given)).to.equal(true);
      expect([...(judgePayload(header, given, everybody) ?? [["not accepted"]])]).to.deep.equal([]);
    }
  });

  it("has those rejected who are no customers, with AC03", () => {
    const nobody = openDirectory([{ wallet: ALIPAY_HK, name: "Chan Tai Man", nameLocal: "陳大文", phone: PHONE }]);
    expect([...(judgePayload(header, payload, nobody) ?? [])]).to.deep.equal(payload.map(({ uetr }) => [uetr, "AC03"]));
  });

  describe("is refused as a whole with another", () => {
    const another = (field: "debtor" | "creditor" | "remittance", name: string, value: unknown) =>
      tampered((first) => ({
        ...first,
        // What another relay sends can be anything.
        details: {
          ...first.details,
          [field]: { ...first.details[field], [name]: value },
        },
      }));
    const tampering: Readonly<Record<string, readonly PayloadTransfer[]>> = {
      uetr: tampered((first) => ({ ...first, uetr: parseUetr("0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10") })),
      "uetr that is none": tampered((first) => ({ ...first, uetr: "not a uetr" as Uetr })), // as another relay may send it
      "source amount": tampered((first) => ({ ...first, sourceAmount: first.sourceAmount + 1n })),
      "target amount": tampered((first) => ({ ...first, targetAmount: first.targetAmount + 1n })),
      "amount below zero": payload.map((transfer, index) => {
        const shift = [-20_000n, 20_000n, 0n][index] ?? 0n;
        return { ...transfer, sourceAmount: transfer.sourceAmount + shift };
      }),
      "share of the totals": payload.map((transfer, index) => {
        const shift = [-1n, 1n, 0n][index] ?? 0n;
        return { ...transfer, targetAmount: transfer.targetAmount + shift };
      }),
      "details hash": tampered((first) => ({ ...first, detailsHash: SALT })),
      "salt, with its own details hash": tampered((first) => ({
        ...first,
        salt: SALT,
        detailsHash: hashDetails(first.details, SALT),
      })),
      salt: tampered((first) => ({ ...first, salt: SALT })),
      "salt that is too short": tampered((first) => ({ ...first, salt: "0x5a" })),
      "debtor name": another("debtor", "name", "Somebody Else"),
      "debtor phone": another("debtor", "phone", "+85261234567"),
      "creditor name": another("creditor", "nameLocal", "Somebody Else"),
      "creditor phone": another("creditor", "phone", "+639171234567"),
      purpose: another("remittance", "purpose", "GIFT"),
      remittance: another("remittance", "unstructured", "Something else"),
      "member of the details": another("creditor", "account", "1"),
      "value that is no canonical JSON": another("creditor", "age", 0.5),
      "transfer fewer": payload.slice(1),
      "transfer more": [
        ...payload,
        ...tampered((first) => ({ ...first, uetr: parseUetr("0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10") })).slice(0, 1),
      ],
      "transfer twice": [...payload.slice(0, 2), ...payload.slice(0, 1)],
      "payload: none": [],
    };
    for (const [what, given] of Object.entries(tampering)) {
      it(what, () => expect(judgePayload(header, given, everybody)).to.equal(undefined));
    }
  });

  it("is refused where one transfer is there twice, although the batch commits to both", () => {
    const [first = fail()] = payload;
    const detailsHash = hashDetails(first.details, SALT);
    const twice = [first, { ...first, salt: SALT, detailsHash }];
    const committing: BatchHeader = {
      ...header,
      count: 2,
      sourceTotal: 2n * first.sourceAmount,
      targetTotal: 2n * first.targetAmount,
      root: toHex(merkleRoot(buildMerkleTree(twice.map(transferLeaf)))),
    };
    expect(commitsTo(committing, twice)).to.equal(false);
    expect(judgePayload(committing, twice, everybody)).to.equal(undefined);
  });

  it("is refused against any other header", () => {
    const changes: readonly Partial<BatchHeader>[] = [
      { count: 2 },
      { sourceTotal: header.sourceTotal + 1n },
      { targetTotal: header.targetTotal - 1n },
      { root: SALT },
    ];
    for (const change of changes) {
      expect(judgePayload({ ...header, ...change }, payload, everybody), Object.keys(change).join()).to.equal(
        undefined,
      );
    }
  });

  it("hides no fault of our own", () => {
    const broken = Object.defineProperty({ ...payload[0] }, "uetr", {
      get: () => {
        throw new TypeError("a fault");
      },
    }) as PayloadTransfer; // in every other member
    expect(() => commitsTo(header, [broken, ...payload.slice(1)])).to.throw(TypeError, "a fault");
  });

  it("is made with amounts rounded down, and details that only the salt opens", () => {
    const rebuilt = buildBatch(payload, corridorBetween(ALIPAY_HK, GCASH), header.quote, 5n, header.expiresAt);
    expect(rebuilt.header).to.deep.equal(header);
    expect(payload.map(({ sourceAmount, targetAmount }) => [sourceAmount, targetAmount])).to.deep.equal([
      [10_000n, 72_000n],
      [5_000n, 36_000n],
      [7_000n, 50_400n],
    ]);
    expect(new Set(payload.map(({ salt }) => salt)).size).to.equal(3);
    expect(new Set(payload.map(({ detailsHash }) => detailsHash)).size).to.equal(3);
  });
});

function fail(): never {
  throw new Error("test set-up: a transfer");
}
