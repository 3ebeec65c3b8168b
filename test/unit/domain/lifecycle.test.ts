import { expect } from "chai";
import * as fc from "fast-check";
import { InvalidInput } from "../../../src/domain/errors.ts";
import {
  BATCH_OPERATIONS,
  BatchStatus,
  parseBatchStatus,
  transferStatus,
  transition,
} from "../../../src/domain/lifecycle.ts";
import { REASONS, type ReasonCode } from "../../../src/domain/reason.ts";
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
    ["1 settle", BatchStatus.Settled],
    ["1 rejectAll", BatchStatus.Rejected],
    ["1 expire", BatchStatus.Expired],
  ]);
  for (const status of STATUSES) {
    for (const operation of BATCH_OPERATIONS) {
      const next = moves.get(`${status} ${operation}`);
      it(`${operation} in status ${status}: ${next === undefined ? "refused" : `to ${next}`}`, () => {
        const allowed = operation === "open" ? [BatchStatus.None] : [BatchStatus.Open];
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
        let moved = 0;
        for (const operation of operations) {
          const before = status;
          const result = transition(status, operation);
          if (result.kind === "moved") {
            status = result.status;
            moved++;
          }
          if (isFinal(before)) expect(status).to.equal(before);
        }
        expect(moved).to.be.at.most(2);
        expect(isFinal(status)).to.equal(moved === 2);
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
  it("follows from its batch", () => {
    expect(transferStatus(BatchStatus.None)).to.deep.equal({ kind: "received", pacs002: "RCVD" });
    expect(transferStatus(BatchStatus.Open)).to.deep.equal({ kind: "held", pacs002: "ACSP" });
    expect(transferStatus(BatchStatus.Settled)).to.deep.equal({ kind: "settled", pacs002: "ACSC" });
    expect(transferStatus(BatchStatus.Expired)).to.deep.equal({ kind: "expired", pacs002: "RJCT", reason: "AB03" });
    for (const batch of [BatchStatus.Settled, BatchStatus.Rejected]) {
      expect(transferStatus(batch, "AC03")).to.deep.equal({ kind: "rejected", pacs002: "RJCT", reason: "AC03" });
    }
  });

  it("is refused where batch and rejection contradict each other", () => {
    for (const batch of [BatchStatus.None, BatchStatus.Open, BatchStatus.Expired]) {
      expect(() => transferStatus(batch, "AC03"))
        .to.throw(InvalidInput)
        .with.property("field", "rejection");
    }
    expect(() => transferStatus(BatchStatus.Rejected))
      .to.throw(InvalidInput)
      .with.property("field", "rejection");
  });

  it("uses ISO 20022's transaction statuses", function () {
    const path = "iso20022/codesets/external_payment_transaction_status_code.json";
    const { codes } = JSON.parse(referenceText(this, path)) as { codes: Record<string, string> };
    const reasons: readonly (ReasonCode | undefined)[] = [undefined, "AC03"];
    const used = STATUSES.flatMap((status) =>
      reasons.flatMap((reason) => {
        const contradiction =
          reason === undefined
            ? status === BatchStatus.Rejected
            : status !== BatchStatus.Settled && status !== BatchStatus.Rejected;
        return contradiction ? [] : [transferStatus(status, reason)];
      }),
    );
    expect(used).to.have.length(6);
    for (const status of used) {
      expect(codes).to.have.property(status.pacs002);
      if ("reason" in status) expect(REASONS).to.have.property(status.reason);
    }
  });
});
