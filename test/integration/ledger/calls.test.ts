import { packHeader } from "../../../src/domain/packed-header.ts";
import { expect } from "chai";
import { toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { merkleProof } from "../../../src/domain/merkle.ts";
import { quoteId } from "../../../src/domain/quote.ts";
import { reasonToBytes4 } from "../../../src/domain/reason.ts";
import { settle } from "../../../src/domain/settlement.ts";
import { transferLeaf } from "../../../src/domain/transfer.ts";
import {
  beatCall,
  cancelQuoteCall,
  encodeCall,
  expireCall,
  multicall,
  transferStruct,
} from "../../../src/ledger/calls.ts";
import type { Call } from "../../../src/ledger/submitter.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { makeBatch, makeSettlement, type OpenableBatch } from "../../support/batches.ts";
import { makeQuote, proveRefusals, type Refusals } from "../../support/transfers.ts";
import { runPastExpiry } from "../support/chain.ts";
import { CNY_TO_PHP, fundedLedger, FUNDS, HKD_TO_HKD, HKD_TO_PHP, PROVIDER } from "../support/chain.ts";
import { ledgerError } from "../support/submitting.ts";

const [HKD, PHP] = [344, 608];

describe("calls of the ledger", function () {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = await fundedLedger();
  });

  const submit = async (call: Call) => (await sandbox.submitterOf({ kind: "courier" })).submit(call);
  const statusOf = (batch: OpenableBatch) => sandbox.ledger.transferRegistry.statusOf(batch.id);
  const balanceOf = async (partner: number, currency: number) => {
    const { available, held } = await sandbox.ledger.treasury.balanceOf(partner, currency);
    return { available, held };
  };

  for (const [name, corridor] of Object.entries({ HKD_TO_PHP, CNY_TO_PHP, HKD_TO_HKD })) {
    it(`open holds what the header says, ${name}`, async () => {
      const batch = await makeBatch(sandbox, { corridor });
      const { header, id } = batch;
      await submit(batch.open);
      expect(await statusOf(batch)).to.equal(BigInt(BatchStatus.Open));
      expect(await sandbox.ledger.transferRegistry.batchIdOf(packHeader(header))).to.equal(id);
      const held = header.sourceTotal + header.fee;
      expect(await balanceOf(header.source, header.sourceCurrency)).to.deep.equal({ available: FUNDS - held, held });
      if (header.quote.provider === 0) return;
      expect(await balanceOf(PROVIDER, PHP)).to.deep.equal({
        available: FUNDS - header.targetTotal,
        held: header.targetTotal,
      });
      expect(await sandbox.ledger.quoteBook.drawnOf(quoteId(header.quote, sandbox.ledger.chain))).to.equal(
        header.targetTotal,
      );
    });
  }

  const refusals: Readonly<Record<string, Refusals>> = {
    "nothing rejected": {},
    "one rejected": { 1: "AC03" },
    "several rejected, for several reasons": { 0: "AC03", 2: "BE23", 4: "RR04" },
    "all rejected": { 0: "AC03", 1: "AC03", 2: "AC04", 3: "AC03", 4: "BE06" },
  };
  for (const [name, refused] of Object.entries(refusals)) {
    it(`settle pays out and refunds as the domain computes, and verify tells of each transfer, ${name}`, async () => {
      const { ledger } = sandbox;
      const batch = await makeBatch(sandbox, { count: 5 });
      const { header } = batch;
      await submit(batch.open);
      await submit(await makeSettlement(sandbox, batch, refused));

      const { rejections, rejectionsHash } = proveRefusals(batch, refused);
      const expected = settle(header, rejections);
      if (expected.kind === "refused") throw new Error(expected.refusal);
      expect(await statusOf(batch)).to.equal(BigInt(expected.status));
      expect(await ledger.transferRegistry.rejectionsHashOf(batch.id)).to.equal(rejectionsHash.slice(0, 2 + 62));
      expect(await balanceOf(header.source, HKD)).to.deep.equal({
        available: FUNDS - expected.settledSource - expected.feeCharged,
        held: 0n,
      });
      expect(await balanceOf(PROVIDER, PHP)).to.deep.equal({ available: FUNDS - expected.settledTarget, held: 0n });
      expect(await balanceOf(header.target, PHP)).to.deep.equal({ available: expected.settledTarget, held: 0n });

      const leaves = rejections.map(({ transfer, reason }) => ({
        leaf: toHex(transferLeaf(transfer)),
        reason: reasonToBytes4(reason),
      }));
      for (const [index, transfer] of batch.transfers.entries()) {
        const proof = merkleProof(batch.tree, index).map(toHex);
        const [status, code] = await ledger.transferRegistry.verify(
          packHeader(header),
          transferStruct(transfer),
          proof,
          leaves,
        );
        const reason = refused[index];
        expect(status).to.equal(BigInt(reason === undefined ? BatchStatus.Settled : BatchStatus.Rejected));
        expect(code).to.equal(reason === undefined ? "0x00000000" : reasonToBytes4(reason));
      }
      const [transfer] = batch.transfers;
      const other = transfer === undefined ? fail() : transferStruct({ ...transfer, sourceAmount: 1n });
      const proof = merkleProof(batch.tree, 0).map(toHex);
      expect(
        await ledger.transferRegistry.verify(packHeader(header), other, proof, leaves).catch(() => "not in the batch"),
      ).to.equal("not in the batch");
    });
  }

  it("expire gives everything back, and not before its time", async () => {
    const batch = await makeBatch(sandbox);
    await submit(batch.open);
    const early = await ledgerError(submit(expireCall(sandbox.ledger, batch.header)));
    expect([early.code, early.remedy]).to.deep.equal(["TransferRegistry_NotExpired", "retry"]);
    await runPastExpiry(sandbox, batch);
    await submit(expireCall(sandbox.ledger, batch.header));
    expect(await statusOf(batch)).to.equal(BigInt(BatchStatus.Expired));
    expect(await balanceOf(batch.header.source, HKD)).to.deep.equal({ available: FUNDS, held: 0n });
    expect(await balanceOf(PROVIDER, PHP)).to.deep.equal({ available: FUNDS, held: 0n });
  });

  it("beat moves ledger time", async () => {
    const { transferRegistry } = sandbox.ledger;
    const before = await transferRegistry.time();
    await submit(beatCall(sandbox.ledger));
    expect((await transferRegistry.time()) >= before).to.equal(true);
  });

  it("cancelQuote uses a quote up, by its provider only", async () => {
    const batch = await makeBatch(sandbox);
    const call = cancelQuoteCall(sandbox.ledger, batch.header.quote);
    expect((await ledgerError(submit(call))).code).to.equal("PartnerRegistry_KeyNotAuthorized");
    await (await sandbox.submitterOf({ kind: "operator", partner: PROVIDER })).submit(call);
    const refused = await ledgerError(submit(batch.open));
    expect(refused.code).to.equal("QuoteBook_UsedUp");
    expect(refused.values).to.deep.equal({
      quoteId: quoteId(batch.header.quote, sandbox.ledger.chain),
      drawn: 2n ** 128n - 1n,
      targetAmount: batch.header.targetTotal,
      capacity: makeQuote(HKD_TO_PHP, { validUntil: 0 }).capacity,
    });
  });

  it("multicall does all of its calls, or none", async () => {
    const { ledger } = sandbox;
    const [one, two] = [await makeBatch(sandbox, { seed: "1" }), await makeBatch(sandbox, { seed: "2" })];
    await submit(multicall(ledger, [one.open, await makeSettlement(sandbox, one), two.open]));
    expect([await statusOf(one), await statusOf(two)]).to.deep.equal([2n, 1n]);

    const three = await makeBatch(sandbox, { seed: "3" });
    const refused = await ledgerError(submit(multicall(ledger, [three.open, two.open])));
    expect(refused.values).to.deep.include({ batchId: two.id, current: 1n, needed: 0n });
    expect(await statusOf(three)).to.equal(0n);
  });

  it("multicall refuses a call of another contract, which it would send to the wrong one", () => {
    const { ledger } = sandbox;
    const elsewhere = encodeCall("treasury", ledger.addresses.treasury, "deposit", [7, HKD, 1n]);
    expect(() => multicall(ledger, [beatCall(ledger), elsewhere]))
      .to.throw(InvalidInput, "the transfer registry")
      .with.property("field", "calls[1].to");
  });

  it("a settlement before its batch is open is to be tried again", async () => {
    const batch = await makeBatch(sandbox);
    const early = await ledgerError(submit(await makeSettlement(sandbox, batch)));
    expect([early.code, early.remedy]).to.deep.equal(["TransferRegistry_IllegalStatus", "retry"]);
  });

  it("arguments that do not fit the ABI are never sent", () => {
    const to: Hex = sandbox.ledger.addresses.treasury;
    expect(() => encodeCall("treasury", to, "deposit", [70_000, HKD, 1n])).to.throw(/out-of-bounds/);
    expect(() => encodeCall("treasury", to, "deposit", [7, HKD])).to.throw(/types\/values length mismatch/);
    expect(() => encodeCall("treasury", to, "steal", [])).to.throw(/unknown function/);
  });
});

function fail(): never {
  throw new Error("test set-up: no transfer");
}
