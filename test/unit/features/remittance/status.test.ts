import { expect } from "chai";
import { toHex, type Hex } from "../../../../src/domain/bytes/hex.ts";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { reasonToBytes4 } from "../../../../src/domain/reason.ts";
import { transferLeaf } from "../../../../src/domain/transfer.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import { statusOf } from "../../../../src/features/remittance/status.ts";
import type { LedgerPart, TransferRecord } from "../../../../src/features/remittance/store/transfers.ts";

const hash = (digit: string): Hex => `0x${digit.repeat(64)}`;

const received: TransferRecord = {
  uetr: parseUetr("eb6305c9-1f7f-49de-aed0-16487c27b42d"),
  target: parsePartnerId(4),
  sourceCurrency: parseCurrency("HKD").code,
  targetCurrency: parseCurrency("PHP").code,
  sourceAmount: 150_000n,
  targetAmount: 1_092_150n,
  fee: 75n,
  acceptedAt: 1_000,
  expiresAt: 601_000,
  detailsHash: hash("d"),
  ended: undefined,
  batch: undefined,
  ledger: undefined,
  creditedAt: undefined,
  queued: 150_075n,
  free: 150_075n,
};
const batched: TransferRecord = { ...received, batch: { id: hash("b"), signedAt: 2_000, voidedAt: undefined } };
const opened = { timeSeconds: 3, block: 10, transaction: hash("1") };
const final = { timeSeconds: 4, block: 11, transaction: hash("2") };
const ledger = (status: LedgerPart["status"], rejected: LedgerPart["rejected"] = []): LedgerPart => ({
  status,
  rejected,
  opened,
  final: status === "open" ? undefined : final,
});
const leaf = toHex(transferLeaf(received));
const another = { leaf: hash("a"), code: reasonToBytes4("AC03") };

describe("status of a transfer", () => {
  const cases: [
    what: string,
    record: TransferRecord,
    status: string,
    pacs002: string,
    reason: string | undefined,
    steps: string,
  ][] = [
    ["accepted", received, "received", "RCVD", undefined, "received"],
    ["without money", { ...received, free: 150_074n }, "waiting", "PDNG", undefined, "received"],
    ["whose ledger has not been read", { ...received, free: undefined }, "received", "RCVD", undefined, "received"],
    ["signed", batched, "batched", "ACTC", undefined, "received batched"],
    ["held", { ...batched, ledger: ledger("open") }, "held", "ACSP", undefined, "received batched held"],
    [
      "settled",
      { ...batched, ledger: ledger("settled") },
      "settled",
      "ACSC",
      undefined,
      "received batched held settled",
    ],
    [
      "settled beside a rejected one",
      { ...batched, ledger: ledger("settled", [another]) },
      ...(["settled", "ACSC", undefined, "received batched held settled"] as const),
    ],
    [
      "credited",
      { ...batched, ledger: ledger("settled"), creditedAt: 5_000 },
      ...(["credited", "ACCC", undefined, "received batched held settled credited"] as const),
    ],
    [
      "rejected among others",
      { ...batched, ledger: ledger("settled", [another, { leaf, code: reasonToBytes4("AC06") }]) },
      ...(["rejected", "RJCT", "AC06", "received batched held rejected"] as const),
    ],
    [
      "rejected for a reason that the network does not know",
      { ...batched, ledger: ledger("rejected", [{ leaf, code: "0x00000000" }]) },
      ...(["rejected", "RJCT", "NARR", "received batched held rejected"] as const),
    ],
    ["expired", { ...batched, ledger: ledger("expired") }, "expired", "RJCT", "AB03", "received batched held expired"],
    [
      "in a batch that can never be opened",
      { ...batched, batch: { id: hash("b"), signedAt: 2_000, voidedAt: 9_000 } },
      ...(["failed", "RJCT", "AB03", "received batched failed"] as const),
    ],
    [
      "that failed before",
      { ...received, ended: { how: "failed", reason: "AM04", at: 2_000 } },
      ...(["failed", "RJCT", "AM04", "received failed"] as const),
    ],
    [
      "cancelled",
      { ...received, ended: { how: "cancelled", reason: undefined, at: 2_000 } },
      ...(["cancelled", "CANC", undefined, "received cancelled"] as const),
    ],
  ];

  for (const [what, record, status, pacs002, reason, steps] of cases) {
    it(`tells of one ${what}`, () => {
      const told = statusOf(record);
      expect({ status: told.status, pacs002: told.pacs002, reason: told.reason }).to.deep.equal({
        status,
        pacs002,
        reason,
      });
      expect(told.steps.map((step) => step.status).join(" ")).to.equal(steps);
      expect(told.isFinal).to.equal(!["received", "waiting", "batched", "held"].includes(status));
    });
  }

  it("tells when, and where on the ledger", () => {
    const { steps, batch, total } = statusOf({ ...batched, ledger: ledger("settled") });
    expect(batch).to.equal(hash("b"));
    expect(total).to.deep.equal({ currency: "HKD", minor: "150075" });
    expect(steps.at(-1)).to.deep.equal({
      status: "settled",
      at: "1970-01-01T00:00:04.000Z",
      block: 11,
      transaction: hash("2"),
    });
  });
});
