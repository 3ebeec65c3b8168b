import { packHeader } from "../../../src/domain/packed-header.ts";
import { expect } from "chai";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { merkleProof } from "../../../src/domain/merkle.ts";
import { reasonToBytes4 } from "../../../src/domain/reason.ts";
import { settle } from "../../../src/domain/settlement.ts";
import { transferLeaf } from "../../../src/domain/transfer.ts";
import { beatCall, encodeCall, expireCall, multicall, transferStruct } from "../../../src/ledger/calls.ts";
import { clockAt, latestHead, ledgerTimeAt, statusesAt } from "../../../src/ledger/state.ts";
import { fund } from "../../../sandbox/funding.ts";
import type { KeyHolder } from "../../../sandbox/network.ts";
import { ALIPAY_HK, GCASH, HUB } from "../support/accounts.ts";
import { makeBatch } from "../support/batches.ts";
import { makeSettlement, type OpenableBatch } from "../../support/batches.ts";
import { PROVIDER, type Refusals, proveRefusals } from "../../support/transfers.ts";
import { everywhere } from "../support/everywhere.ts";
import { HKD, HKD_TO_HKD, HKD_TO_PHP, PHP, useNetwork, type Network } from "../support/network.ts";
import { eventually } from "../support/pace.ts";
import { balanceAt, changeIn, eventsOf, refusalOf } from "../support/watching.ts";

const START_TIMEOUT_MS = 300_000;
const OPERATOR: KeyHolder = { kind: "operator", partner: ALIPAY_HK };

describe("every operation, with its events and state on every node:", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;

  before(async function () {
    network = await useNetwork(this);
  });

  const statusAt = async ({ id }: OpenableBatch, block: number) =>
    everywhere(
      network,
      block,
      `the status of batch ${id}`,
      async ({ ledger }) => (await statusesAt(ledger, [id], block))[0],
    );

  it("deposit, of money that its bank has attested and minted", async () => {
    const from = await network.first.provider.getBlockNumber();
    const before = await balanceAt(network, ALIPAY_HK, HKD.code, from);
    await fund(network.sandbox, [{ partner: ALIPAY_HK, currency: HKD.code, amountMinor: 12_345n }]);
    const to = await network.first.provider.getBlockNumber();
    const after = await balanceAt(network, ALIPAY_HK, HKD.code, to);
    expect(after).to.deep.equal({ available: before.available + 12_345n, held: before.held });
  });

  it("withdraw", async () => {
    const { submit, addresses, sandbox } = network;
    const to = sandbox.keys.addressOf(OPERATOR);
    const call = encodeCall("treasury", addresses.treasury, "withdraw", [ALIPAY_HK, HKD.numeric, 345n, to]);
    const receipt = await submit(call, OPERATOR);
    expect(
      (await eventsOf(network, receipt)).map(({ contract: _, cursor: __, transactionHash: ___, ...event }) => event),
    ).to.deep.equal([{ kind: "Withdrawn", partner: ALIPAY_HK, currency: HKD.code, amount: 345n, account: to }]);
    expect(await changeIn(network, ALIPAY_HK, HKD.code, receipt)).to.deep.equal({ available: -345n, held: 0n });
  });

  for (const [name, corridor] of Object.entries({ HKD_TO_PHP, HKD_TO_HKD })) {
    it(`open, ${name}`, async () => {
      const batch = await makeBatch(network, { corridor });
      const { header, id } = batch;
      const receipt = await network.submit(batch.open);
      const [opened, ...others] = await eventsOf(network, receipt);
      expect(others).to.deep.equal([]);
      expect(opened).to.deep.include({
        kind: "Opened",
        batchId: id,
        source: header.source,
        target: header.target,
        header,
      });
      expect(await statusAt(batch, receipt.blockNumber)).to.equal(BatchStatus.Open);
      const held = header.sourceTotal + header.fee;
      expect(await changeIn(network, header.source, HKD.code, receipt)).to.deep.equal({ available: -held, held });
      if (header.quote.provider === 0) return;
      const { targetTotal } = header;
      const sold = await changeIn(network, PROVIDER, PHP.code, receipt);
      expect(sold).to.deep.equal({ available: -targetTotal, held: targetTotal });
    });
  }

  const refusals: Readonly<Record<string, Refusals>> = {
    "nothing rejected": {},
    "some rejected": { 0: "AC03", 2: "BE23" },
    "all rejected": { 0: "AC03", 1: "AC03", 2: "AC04" },
  };
  for (const [name, refused] of Object.entries(refusals)) {
    it(`settle, ${name}`, async () => {
      const batch = await makeBatch(network, { count: 3 });
      await network.submit(batch.open);
      await settleAndCheck(network, batch, refused);
      // The receipt of a transfer is checked like this, by anybody.
      const rejected = proveRefusals(batch, refused).rejections.map(({ transfer, reason }) => ({
        leaf: toHex(transferLeaf(transfer)),
        reason: reasonToBytes4(reason),
      }));
      const latest = await network.first.provider.getBlockNumber();
      for (const [index, transfer] of batch.transfers.entries()) {
        const proof = merkleProof(batch.tree, index).map(toHex);
        const found = await everywhere(network, latest, `verify of transfer ${index}`, ({ ledger }) =>
          ledger.transferRegistry.verify(packHeader(batch.header), transferStruct(transfer), proof, rejected),
        );
        const reason = refused[index];
        expect(found[0]).to.equal(BigInt(reason === undefined ? BatchStatus.Settled : BatchStatus.Rejected));
        expect(found[1]).to.equal(reason === undefined ? "0x00000000" : reasonToBytes4(reason));
      }
    });
  }

  it("settle, a relay's largest batch with every other of its thousand transfers rejected", async () => {
    const count = 1_000;
    const batch = await makeBatch(network, { count });
    await network.submit(batch.open);
    const half = Array.from({ length: count / 2 }, (_, index) => [2 * index, "AC03"] as const);
    await settleAndCheck(network, batch, Object.fromEntries(half));
  });

  it("several calls in one transaction, all or none", async () => {
    const [one, two] = [await makeBatch(network), await makeBatch(network)];
    const receipt = await network.submit(multicall(network.first.ledger, [one.open, two.open]));
    expect((await eventsOf(network, receipt)).map(({ kind }) => kind)).to.deep.equal(["Opened", "Opened"]);
    const three = await makeBatch(network);
    const refused = await refusalOf(network.submit(multicall(network.first.ledger, [three.open, two.open])));
    expect(refused.code).to.equal("TransferRegistry_IllegalStatus");
    expect(await statusAt(three, await network.first.provider.getBlockNumber())).to.equal(BatchStatus.None);
  });

  it("beat, by which ledger time goes on", async () => {
    const { ledger } = network.first;
    const before = await ledgerTimeAt(ledger, "latest");
    const after = await eventually(network.pace, "ledger time goes on", async () => {
      const { blockNumber } = await network.submit(beatCall(ledger));
      const time = await everywhere(network, blockNumber, "ledger time", (node) =>
        ledgerTimeAt(node.ledger, blockNumber),
      );
      return time > before ? time : undefined;
    });
    const head = await latestHead(ledger);
    const { timeSeconds } = await clockAt(ledger, head);
    expect(timeSeconds).to.be.at.least(after);
    expect(timeSeconds, "ledger time is never ahead of block time").to.be.at.most(head.timeSeconds);
  });

  it("expire, of a batch that nobody has settled, and not before its time", async () => {
    const { first, config, submit } = network;
    const batch = await makeBatch(network, { holdSeconds: 2 * config.clock.beatIntervalSeconds });
    await submit(batch.open);
    const early = await refusalOf(submit(expireCall(first.ledger, batch.header)));
    expect([early.code, early.remedy]).to.deep.equal(["TransferRegistry_NotExpired", "retry"]);
    await eventually(network.pace, "ledger time passes the batch's expiry", async () => {
      const { blockNumber } = await submit(beatCall(first.ledger));
      return (await ledgerTimeAt(first.ledger, blockNumber)) >= batch.header.expiresAt ? true : undefined;
    });
    const late = await refusalOf(submit(await makeSettlement(network.sandbox, batch)));
    expect(late.code).to.equal("TransferRegistry_Expired");
    const receipt = await submit(expireCall(first.ledger, batch.header));
    expect((await eventsOf(network, receipt)).map(({ kind }) => kind)).to.deep.equal(["Expired"]);
    expect(await statusAt(batch, receipt.blockNumber)).to.equal(BatchStatus.Expired);
    const { sourceTotal, fee } = batch.header;
    const refund = sourceTotal + fee;
    const back = await changeIn(network, ALIPAY_HK, HKD.code, receipt);
    expect(back).to.deep.equal({ available: refund, held: -refund });
  });
});

async function settleAndCheck(network: Network, batch: OpenableBatch, refusals: Refusals): Promise<void> {
  const { header, id } = batch;
  const { rejections } = proveRefusals(batch, refusals);
  const receipt = await network.submit(await makeSettlement(network.sandbox, batch, refusals));
  const expected = settle(header, rejections);
  if (expected.kind === "refused") throw new Error(expected.refusal);
  const { settledSource, settledTarget, feeCharged: fee, sourceRefund, providerRefund, status } = expected;

  const [event, ...others] = await eventsOf(network, receipt);
  expect(others).to.deep.equal([]);
  const rejected = rejections.map(({ transfer, reason }) => ({
    leaf: toHex(transferLeaf(transfer)),
    code: reasonToBytes4(reason),
  }));
  const outcome =
    status === BatchStatus.Rejected ? { kind: "Rejected" } : { kind: "Settled", settledSource, settledTarget, fee };
  expect(event).to.deep.include({ batchId: id, ...outcome, rejected });

  const { blockNumber } = receipt;
  const read = async ({ ledger }: Network["first"]) => (await statusesAt(ledger, [id], blockNumber))[0];
  expect(await everywhere(network, blockNumber, `the status of batch ${id}`, read)).to.equal(status);
  const changes = [
    [ALIPAY_HK, HKD.code, { available: sourceRefund, held: -header.sourceTotal - header.fee }],
    [PROVIDER, PHP.code, { available: providerRefund, held: -header.targetTotal }],
    [PROVIDER, HKD.code, { available: settledSource, held: 0n }],
    [GCASH, PHP.code, { available: settledTarget, held: 0n }],
    [HUB, HKD.code, { available: fee, held: 0n }],
  ] as const;
  for (const [partner, currency, change] of changes) {
    expect(await changeIn(network, partner, currency, receipt), `${currency} of partner ${partner}`).to.deep.equal(
      change,
    );
  }
}
