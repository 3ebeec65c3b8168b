import { readFile } from "node:fs/promises";
import { expect } from "chai";
import * as fc from "fast-check";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import {
  BATCH_OPERATIONS,
  BatchStatus,
  parseBatchStatus,
  outcomesIn,
  TRANSFER_STATUSES,
  transition,
} from "../../../src/domain/lifecycle.ts";
import { reasonToBytes4 } from "../../../src/domain/reason.ts";
import { isAmong, transferLeaf, type Transfer } from "../../../src/domain/transfer.ts";
import { parseUetr } from "../../../src/domain/uetr.ts";
import { referenceText } from "./reference-data.ts";

const STATUSES = Object.values(BatchStatus);

function isFinal(status: BatchStatus): boolean {
  return status !== BatchStatus.None && BATCH_OPERATIONS.every((each) => transition(status, each).kind === "refused");
}

describe("life cycle of a batch", () => {
  it("has the ledger's numbers", () => {
    expect(BatchStatus).to.deep.equal({ None: 0, Open: 1, Settled: 2, Rejected: 3, Expired: 4 });
  });

  const moves = new Map([
    ["0 open", BatchStatus.Open],
    ["0 openAndSettle", BatchStatus.Settled],
    ["1 settle", BatchStatus.Settled],
    ["1 rejectAll", BatchStatus.Rejected],
    ["1 expire", BatchStatus.Expired],
  ]);
  for (const status of STATUSES) {
    for (const operation of BATCH_OPERATIONS) {
      const next = moves.get(`${status} ${operation}`);
      it(`${operation} in status ${status}: ${next === undefined ? "refused" : `to ${next}`}`, () => {
        const allowed = operation.startsWith("open") ? [BatchStatus.None] : [BatchStatus.Open];
        expect(transition(status, operation)).to.deep.equal(
          next === undefined
            ? { kind: "refused", operation, current: status, allowed }
            : { kind: "moved", status: next },
        );
      });
    }
  }

  it("ends, whatever is tried: opened once, closed once, final is final", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...BATCH_OPERATIONS), { maxLength: 20 }), (operations) => {
        let status: BatchStatus = BatchStatus.None;
        let ended = 0;
        for (const operation of operations) {
          const before = status;
          const result = transition(status, operation);
          if (result.kind === "moved") {
            status = result.status;
            if (status !== BatchStatus.Open) ended++;
          }
          if (isFinal(before)) expect(status).to.equal(before);
        }
        expect(ended).to.be.at.most(1);
        expect(isFinal(status)).to.equal(ended === 1);
      }),
    );
  });

  it("is read from the ledger's numbers only", () => {
    for (const status of STATUSES) {
      expect(parseBatchStatus(status)).to.equal(status);
      expect(parseBatchStatus(BigInt(status))).to.equal(status);
    }
    for (const value of [-1, 5, 5n, 1.5, Number.NaN]) {
      expect(() => parseBatchStatus(value))
        .to.throw(InvalidInput)
        .with.property("field", "status");
    }
  });
});

describe("status of a transfer", () => {
  const transfer: Transfer = {
    uetr: parseUetr("eb6305c9-1f7f-49de-aed0-16487c27b42d"),
    sourceAmount: 100n,
    targetAmount: 725n,
    detailsHash: `0x${"11".repeat(32)}`,
  };
  const other: Transfer = { ...transfer, targetAmount: 726n };
  const leafOf = (one: Transfer) => toHex(transferLeaf(one));
  const rejected = [{ leaf: leafOf(transfer), code: reasonToBytes4("AC03") }];

  it("follows from its batch's end", () => {
    expect(outcomesIn({ status: "expired", rejected: [] })(transfer)).to.deep.equal({
      status: "expired",
      reason: "AB03",
    });
    expect(outcomesIn({ status: "settled", rejected: [] })(transfer)).to.deep.equal({ status: "settled" });
    for (const status of ["settled", "rejected"] as const) {
      expect(outcomesIn({ status, rejected })(transfer)).to.deep.equal({
        status: "rejected",
        reason: "AC03",
        code: reasonToBytes4("AC03"),
      });
    }
    expect(outcomesIn({ status: "settled", rejected })(other)).to.deep.equal({ status: "settled" });
  });

  it("is rejected in a batch that was rejected as a whole, whatever was published", () => {
    for (const published of [[], rejected]) {
      const outcome = outcomesIn({ status: "rejected", rejected: published })(other);
      expect(outcome).to.deep.equal({ status: "rejected", reason: "NARR" });
    }
  });

  it("has a reason where the ledger has four bytes that the network does not know", () => {
    const code = "0x00ff00ff";
    const outcome = outcomesIn({ status: "settled", rejected: [{ leaf: leafOf(transfer), code }] })(transfer);
    expect(outcome).to.deep.equal({ status: "rejected", reason: "NARR", code });
  });

  it("uses ISO 20022's transaction statuses", function () {
    const path = "iso20022/codesets/external_payment_transaction_status_code.json";
    const { codes } = JSON.parse(referenceText(this, path)) as { codes: Record<string, string> };
    for (const { pacs002 } of Object.values(TRANSFER_STATUSES)) expect(codes).to.have.property(pacs002);
  });

  it("hashes no transfer where nothing was rejected", () => {
    let reads = 0;
    const transfer: Transfer = {
      uetr: parseUetr("eb6305c9-1f7f-49de-aed0-16487c27b42d"),
      sourceAmount: 1n,
      targetAmount: 1n,
      get detailsHash() {
        reads += 1;
        return toHex(new Uint8Array(32));
      },
    };
    expect(isAmong(new Set(), transfer)).to.equal(false);
    expect(reads).to.equal(0);
    expect(isAmong(new Set([toHex(transferLeaf(transfer))]), transfer)).to.equal(true);
    expect(isAmong(new Set([toHex(new Uint8Array(32))]), transfer)).to.equal(false);
  });

  it("is told in the documents as it is here", async () => {
    const protocol = await readFile(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
    const told = [...protocol.matchAll(/^\| `(\w+)` +\| (\w{4}) +\| (yes|no) +\|/gm)].map(
      ([, name, pacs002, isFinal]) => [name, { pacs002, isFinal: isFinal === "yes" }],
    );
    expect(Object.fromEntries(told)).to.deep.equal(TRANSFER_STATUSES);
  });
});
