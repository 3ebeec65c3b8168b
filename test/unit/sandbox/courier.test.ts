import { expect } from "chai";
import type { TransactionReceipt } from "ethers";
import { ABI } from "../../../src/ledger/abi.ts";
import { decodeRevert, type LedgerError } from "../../../src/ledger/errors.ts";
import type { Call, Submitter } from "../../../src/ledger/submitter.ts";
import { createCourier, eventOf } from "../../../src/sandbox/courier.ts";

const CALL: Call = { to: `0x${"1".repeat(40)}`, data: "0x00" };
/** Of which the courier reads the gas and the logs. */
const RECEIPT = { gasUsed: 123n, logs: [], hash: "0xabc" } as unknown as TransactionReceipt;

function submitter(submit: () => Promise<TransactionReceipt>): Submitter {
  return { address: `0x${"2".repeat(40)}`, submit };
}

function refusalWith(current: number): LedgerError {
  const args = [`0x${"5".repeat(64)}`, current, 0];
  const decoded = decodeRevert(ABI.transferRegistry.encodeErrorResult("TransferRegistry_IllegalStatus", args));
  if (decoded === undefined) throw new Error("test set-up: an error of the ledger");
  return decoded;
}

const accepting = submitter(() => Promise.resolve(RECEIPT));
const refusing = (failure: Error) => submitter(() => Promise.reject(failure));

describe("a courier", () => {
  it("delivers by the first account, and tells the gas", async () => {
    const courier = createCourier(accepting, refusing(new Error("not asked")));
    expect(await courier.deliver(CALL)).to.deep.equal({ receipt: RECEIPT, gasUsed: 123n });
    expect(courier.refusedRepeats).to.equal(0);
  });

  it("passes on what the ledger says to a first delivery", async () => {
    const refused = refusalWith(2);
    const courier = createCourier(refusing(refused), accepting);
    expect(await courier.deliver(CALL).catch((failure: unknown) => failure)).to.equal(refused);
  });

  it("counts the repeats that the ledger refuses as done", async () => {
    const courier = createCourier(accepting, refusing(refusalWith(2)));
    await courier.repeat(CALL);
    await courier.repeat(CALL);
    expect(courier.refusedRepeats).to.equal(2);
  });

  it("throws when a repeat has an effect", async () => {
    const courier = createCourier(accepting, accepting);
    const failure: unknown = await courier.repeat(CALL).catch((thrown: unknown) => thrown);
    expect(failure).to.be.instanceOf(Error).with.property("message").that.includes("had accepted before");
    expect(courier.refusedRepeats).to.equal(0);
  });

  it("passes on any other failure of a repeat", async () => {
    // A batch that is not there yet has not been delivered.
    for (const failure of [refusalWith(0), new Error("no connection")]) {
      const courier = createCourier(accepting, refusing(failure));
      expect(await courier.repeat(CALL).catch((thrown: unknown) => thrown)).to.equal(failure);
      expect(courier.refusedRepeats).to.equal(0);
    }
  });

  it("misses an event that a delivery does not have", () => {
    expect(() => eventOf({ receipt: RECEIPT, gasUsed: 1n }, "Opened")).to.throw(
      "transaction 0xabc has no event Opened",
    );
  });
});
