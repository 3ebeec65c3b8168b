import { expect } from "chai";
import { Signature, type Contract } from "ethers";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { packHeader } from "../../../src/domain/packed-header.ts";
import { settlementDigest } from "../../../src/domain/settlement.ts";
import { expectChanges, expectConserved } from "../support/balances.ts";
import {
  NO_PROOF,
  idOf,
  makeBatch,
  openArgs,
  openBatch,
  openedBatch,
  settleArgs,
  settleBatch,
} from "../support/batches.ts";
import { PROVIDER, proveRefusals } from "../../support/transfers.ts";
import { inOneBlock } from "../support/blocks.ts";
import { ethers } from "../support/chain.ts";
import { latestTimestamp, ledgerTime, nextBlockAt, nextCallAt, runUntil } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { signPermit } from "../support/permits.ts";
import { BEAT_INTERVAL, HKD, PHP, freshNetwork, keysOf, mintTo, tokenOf, type Network } from "../support/network.ts";

async function statusOf(network: Network, batch: Parameters<typeof idOf>[1]): Promise<bigint> {
  return network.transfers.statusOf(idOf(network, batch));
}

describe("Attack: a courier", () => {
  it("that copies another's calldata and is first changes nothing but who paid for it", async () => {
    const network = await freshNetwork();
    const { transfers, cast } = network;
    const batch = await makeBatch(network);
    const args = await openArgs(network, batch);
    const { sourceTotal, fee, targetTotal } = batch.header;
    const act = async () => {
      const [thief, honest] = await inOneBlock(async ([dear = {}, cheap = {}]) => [
        await transfers.connect(cast.stranger).open(...args, dear),
        await transfers.connect(cast.courier).open(...args, cheap),
      ]);
      expect([thief, honest]).to.deep.equal([true, false]);
    };
    await expectChanges(network, act, [
      { partner: 7, currency: HKD, available: -(sourceTotal + fee), held: sourceTotal + fee },
      { partner: PROVIDER, currency: PHP, available: -targetTotal, held: targetTotal },
    ]);
    const values = [idOf(network, batch), BatchStatus.Open, BatchStatus.None];
    await expectRevert(transfers.open(...args), "TransferRegistry_IllegalStatus", values);
  });

  it("that submits everything twice is told that the work is done", async () => {
    const network = await freshNetwork();
    const { transfers } = network;
    const batch = await makeBatch(network);
    const [open, settle] = [await openArgs(network, batch), await settleArgs(network, batch, { 0: "AC03" })];
    await transfers.open(...open);
    await transfers.settle(...settle);
    const id = idOf(network, batch);
    const twice = async () => {
      const opened = [id, BatchStatus.Settled, BatchStatus.None];
      await expectRevert(transfers.open(...open), "TransferRegistry_IllegalStatus", opened);
      const settled = [id, BatchStatus.Settled, BatchStatus.Open];
      await expectRevert(transfers.settle(...settle), "TransferRegistry_IllegalStatus", settled);
    };
    await expectChanges(network, twice, []);
  });

  it("that brings the settlement before the batch is open is refused, and may bring it again", async () => {
    const network = await freshNetwork();
    const { transfers, cast } = network;
    const batch = await makeBatch(network);
    const [open, settle] = [await openArgs(network, batch), await settleArgs(network, batch)];
    const results = await inOneBlock(async ([dear = {}, cheap = {}]) => [
      await transfers.connect(cast.courier).settle(...settle, dear),
      await transfers.connect(cast.stranger).open(...open, cheap),
    ]);
    expect(results).to.deep.equal([false, true]);
    await transfers.connect(cast.courier).settle(...settle);
    expect(await statusOf(network, batch)).to.equal(BatchStatus.Settled);
  });

  it("that drops the rejections from a settlement is refused", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network);
    const [header, , , accept] = await settleArgs(network, batch, { 0: "AC03" });
    const { rejectionsHash } = proveRefusals(batch, {});
    const digest = settlementDigest({ batchId: idOf(network, batch), rejectionsHash }, network.chain);
    const call = network.transfers.settle(header, [], NO_PROOF, accept);
    await expectRevert(call, "Module_InvalidSignature", [4, accept.key, digest]);
  });

  it("that makes a batch of its own header is refused: it would need the source partner's signature", async () => {
    const network = await freshNetwork();
    const batch = await makeBatch(network);
    const [, send, quote] = await openArgs(network, batch);
    const later = packHeader({ ...batch.header, expiresAt: batch.header.expiresAt + 1 });
    const call = network.transfers.open(later, send, quote);
    await expect(call).to.be.revertedWithCustomError(network.transfers, "Module_InvalidSignature");
  });

  it("that expires in the second in which a settlement could not come any more has no race to win", async () => {
    const network = await freshNetwork();
    const { transfers, cast } = network;
    const [settled, late] = [await openedBatch(network, { seed: "first" }), await openedBatch(network)];
    const [inTime, tooLate] = [await settleArgs(network, settled), await settleArgs(network, late)];
    await nextCallAt(transfers, settled.header.expiresAt - 1);
    const before = await inOneBlock(async ([dear = {}, cheap = {}]) => [
      await transfers.connect(cast.stranger).expire(packHeader(settled.header), dear),
      await transfers.connect(cast.courier).settle(...inTime, cheap),
    ]);
    expect(before).to.deep.equal([false, true]);
    await nextCallAt(transfers, late.header.expiresAt);
    const after = await inOneBlock(async ([dear = {}, cheap = {}]) => [
      await transfers.connect(cast.courier).settle(...tooLate, dear),
      await transfers.connect(cast.stranger).expire(packHeader(late.header), cheap),
    ]);
    expect(after).to.deep.equal([false, true]);
    await expectConserved(network);
  });

  it("that is a contract carries as well as any other", async () => {
    const network = await freshNetwork();
    const { transfers } = network;
    const courier: Contract = await ethers.deployContract("Courier");
    const batch = await makeBatch(network);
    const calls = [
      transfers.interface.encodeFunctionData("open", await openArgs(network, batch)),
      transfers.interface.encodeFunctionData("settle", await settleArgs(network, batch)),
    ];
    await courier.getFunction("relayAll").send(transfers, calls);
    expect(await statusOf(network, batch)).to.equal(BatchStatus.Settled);
    const [open] = calls;
    const again = courier.getFunction("relay").send(transfers, open);
    const values = [idOf(network, batch), BatchStatus.Settled, BatchStatus.None];
    await expectRevert(again, "TransferRegistry_IllegalStatus", values);
  });

  it("that fails in the middle of a bundle leaves nothing half done", async () => {
    const network = await freshNetwork();
    const { transfers } = network;
    const courier: Contract = await ethers.deployContract("Courier");
    const [first, second] = [await makeBatch(network, { seed: "first" }), await makeBatch(network)];
    const calls = [
      transfers.interface.encodeFunctionData("open", await openArgs(network, first)),
      transfers.interface.encodeFunctionData("settle", await settleArgs(network, second)),
    ];
    const act = () =>
      expect(courier.getFunction("relayAll").send(transfers, calls)).to.be.revertedWithCustomError(
        transfers,
        "TransferRegistry_IllegalStatus",
      );
    await expectChanges(network, act, []);
    expect(await statusOf(network, first)).to.equal(BatchStatus.None);
  });
});

describe("Attack: the clock is manipulated", () => {
  it("beating as often as one likes does not make it run faster than the outside world", async () => {
    const network = await freshNetwork();
    const { transfers, cast } = network;
    const [time, wall] = [await ledgerTime(transfers), await latestTimestamp()];
    const beat = transfers.interface.encodeFunctionData("beat");
    for (let block = 1; block <= 20; block++) {
      await nextBlockAt(wall + block);
      await transfers.connect(cast.stranger).multicall([beat, beat, beat]);
    }
    expect(await ledgerTime(transfers)).to.equal(time + 20);
  });

  it("beating just before each interval is over does not stop it", async () => {
    const network = await freshNetwork();
    const { transfers, cast } = network;
    const [time, wall] = [await ledgerTime(transfers), await latestTimestamp()];
    for (let count = 1; count <= 10; count++) {
      await nextBlockAt(wall + count * (BEAT_INTERVAL - 1));
      await transfers.connect(cast.stranger).beat();
    }
    expect(await ledgerTime(transfers)).to.equal(time + 10 * (BEAT_INTERVAL - 1));
  });

  it("a call that fails writes no beat", async () => {
    const network = await freshNetwork();
    const { transfers } = network;
    const batch = await openedBatch(network);
    await runUntil(transfers, (await ledgerTime(transfers)) + BEAT_INTERVAL);
    const [time, wall] = [await ledgerTime(transfers), await latestTimestamp()];
    await nextBlockAt(wall + BEAT_INTERVAL);
    const call = transfers.expire(packHeader(batch.header));
    await expect(call).to.be.revertedWithCustomError(transfers, "TransferRegistry_NotExpired");
    expect(await ledgerTime(transfers)).to.equal(time + BEAT_INTERVAL);
  });

  it("not beating keeps a batch from expiring no longer than until somebody does", async () => {
    const network = await freshNetwork();
    const { transfers, cast } = network;
    const batch = await openedBatch(network);
    await nextBlockAt((await latestTimestamp()) + 100_000);
    await transfers.connect(cast.stranger).beat();
    await expect(transfers.expire(packHeader(batch.header))).to.be.revertedWithCustomError(
      transfers,
      "TransferRegistry_NotExpired",
    );
    await runUntil(transfers, batch.header.expiresAt);
    await transfers.connect(cast.stranger).expire(packHeader(batch.header));
    expect(await statusOf(network, batch)).to.equal(BatchStatus.Expired);
  });
});

describe("Attack: a permit is used before its deposit", () => {
  it("the deposit goes through all the same, once", async () => {
    const network = await freshNetwork();
    const { treasury, cast } = network;
    const { fund } = keysOf(network, 7);
    const token = tokenOf(network, HKD);
    await mintTo(network, HKD, fund.address, 500n);
    const deadline = (await latestTimestamp()) + 1_000;
    const spender = await treasury.getAddress();
    const signature = await signPermit(token, fund, { spender, value: 500n, deadline });
    const { v, r, s } = Signature.from(signature);
    await token.connect(cast.stranger).permit(fund, treasury, 500, deadline, v, r, s);
    const deposit = () => treasury.connect(fund).depositWithPermit(7, HKD, 500, deadline, v, r, s);
    await expectChanges(network, deposit, [{ partner: 7, currency: HKD, available: 500n }]);
    const args = [spender, 0, 500];
    await expectRevert(deposit(), "ERC20InsufficientAllowance", args);
  });

  it("nobody else can deposit with it, for themselves or for the partner", async () => {
    const network = await freshNetwork();
    const { treasury } = network;
    const { fund } = keysOf(network, 7);
    const { fund: thief } = keysOf(network, 8);
    const token = tokenOf(network, HKD);
    await mintTo(network, HKD, fund.address, 500n);
    const deadline = (await latestTimestamp()) + 1_000;
    const spender = await treasury.getAddress();
    const signature = await signPermit(token, fund, { spender, value: 500n, deadline });
    const { v, r, s } = Signature.from(signature);
    const forItself = treasury.connect(thief).depositWithPermit(8, HKD, 500, deadline, v, r, s);
    await expectRevert(forItself, "ERC20InsufficientAllowance", [spender, 0, 500]);
    const forPartner = treasury.connect(thief).depositWithPermit(7, HKD, 500, deadline, v, r, s);
    await expectRevert(forPartner, "PartnerRegistry_KeyNotAuthorized", [7, thief.address, 8]);
  });
});

describe("Attack: a batch is opened and settled in one block", () => {
  it("is no attack: it settles", async () => {
    const network = await freshNetwork();
    const { transfers, cast } = network;
    const batch = await makeBatch(network);
    const [open, settle] = [await openArgs(network, batch), await settleArgs(network, batch)];
    const results = await inOneBlock(async ([dear = {}, cheap = {}]) => [
      await transfers.connect(cast.courier).open(...open, dear),
      await transfers.connect(cast.stranger).settle(...settle, cheap),
    ]);
    expect(results).to.deep.equal([true, true]);
    await expectConserved(network);
  });

  it("two batches that race for the source partner's last money: one opens", async () => {
    const network = await freshNetwork();
    const { transfers, treasury, cast } = network;
    const [first, second] = [await makeBatch(network, { seed: "first" }), await makeBatch(network, { seed: "second" })];
    const { fund } = keysOf(network, 7);
    const { available } = await treasury.balanceOf(7, HKD);
    const left = first.header.sourceTotal + first.header.fee + second.header.sourceTotal + second.header.fee - 1n;
    await treasury.connect(fund).withdraw(7, HKD, available - left, fund);
    const [a, b] = [await openArgs(network, first), await openArgs(network, second)];
    const results = await inOneBlock(async ([dear = {}, cheap = {}]) => [
      await transfers.connect(cast.courier).open(...a, dear),
      await transfers.connect(cast.stranger).open(...b, cheap),
    ]);
    expect(results).to.deep.equal([true, false]);
    await settleBatch(network, first);
    await expect(openBatch(network, second)).to.be.revertedWithCustomError(treasury, "Treasury_InsufficientAvailable");
    await expectConserved(network);
  });
});
