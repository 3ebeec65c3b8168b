import { expect } from "chai";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { packHeader } from "../../../src/domain/packed-header.ts";
import { NO_QUOTE, quoteId } from "../../../src/domain/quote.ts";
import { acceptanceDigest, settlementDigest } from "../../../src/domain/settlement.ts";
import type { Chain } from "../../../src/domain/typed-data.ts";
import { expectChanges } from "../support/balances.ts";
import {
  NO_PROOF,
  acceptedBatch,
  bringTo,
  idOf,
  makeBatch,
  makeQuote,
  openArgs,
  openBatch,
  openedBatch,
  settleArgs,
  settleBatch,
  signAcceptance,
  signBatch,
  signQuote,
  signSettlement,
} from "../support/batches.ts";
import { NO_AUTHORIZATION } from "../../../src/ledger/signing.ts";
import { PROVIDER, proveRefusals, refuseAll } from "../../support/transfers.ts";
import { ethers } from "../support/chain.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { giveRights } from "../support/modules.ts";
import {
  CORRIDORS,
  ModuleStatus,
  addressOf,
  deployTransfers,
  freshNetwork,
  keysOf,
  type Network,
} from "../support/network.ts";

/** Where a signature is made instead of on this ledger. */
const ELSEWHERE: readonly [title: string, chain: (network: Network) => Promise<Chain>][] = [
  ["another chain", ({ chain }) => Promise.resolve({ ...chain, chainId: chain.chainId + 1n })],
  [
    "another contract",
    async ({ chain, registry }) => {
      const address = await addressOf(registry);
      return { ...chain, transferRegistry: address, quoteBook: address };
    },
  ],
  ["another ledger", async (network) => (await secondLedger(network)).chain],
];

/** A second TransferRegistry over the same partners and the same money. */
async function secondRegistry(network: Network): Promise<Network> {
  const transfers = await deployTransfers(network);
  return { ...network, transfers, chain: { ...network.chain, transferRegistry: await addressOf(transfers) } };
}

/** A second TransferRegistry that draws on a second QuoteBook. */
async function secondLedger(network: Network): Promise<Network> {
  const { registry, treasury } = network;
  const quotes = await ethers.deployContract("QuoteBook", [registry, treasury]);
  const second = await secondRegistry({ ...network, quotes });
  return { ...second, chain: { ...second.chain, quoteBook: await addressOf(quotes) } };
}

describe("Attack: a signature is replayed", () => {
  for (const [title, chainOf] of ELSEWHERE) {
    it(`a header signed for ${title} opens nothing here`, async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const [header, , quote] = await openArgs(network, batch);
      const send = await signBatch({ chain: await chainOf(network) }, batch.header, keysOf(network, 7).send);
      const call = network.transfers.open(header, send, quote);
      const args = [7, send.key, idOf(network, batch)];
      await expectRevert(call, "Module_InvalidSignature", args);
    });

    it(`a quote signed for ${title} backs nothing here`, async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { quote } = batch.header;
      const [header, send] = await openArgs(network, batch);
      const by = await signQuote({ chain: await chainOf(network) }, quote, keysOf(network, PROVIDER).quote);
      const call = network.transfers.open(header, send, by);
      await expectRevert(call, "QuoteBook_InvalidSignature", [PROVIDER, by.key, quoteId(quote, network.chain)]);
    });

    it(`a settlement signed for ${title} settles nothing here`, async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const settlement = { batchId: idOf(network, batch), rejectionsHash: proveRefusals(batch, {}).rejectionsHash };
      const chain = await chainOf(network);
      const accept = await signSettlement({ chain }, settlement, keysOf(network, 4).accept);
      const call = network.transfers.settle(packHeader(batch.header), [], NO_PROOF, accept);
      const args = [4, accept.key, settlementDigest(settlement, network.chain)];
      await expectRevert(call, "Module_InvalidSignature", args);
    });

    it(`an acceptance signed for ${title} settles nothing here`, async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const accepted = await acceptedBatch(network, batch);
      const acceptance = { batchId: idOf(network, batch), validUntil: accepted.acceptedUntil };
      const byTarget = await signAcceptance({ chain: await chainOf(network) }, acceptance, keysOf(network, 4).accept);
      const call = network.transfers.openAndSettle({ ...accepted, byTarget });
      const args = [4, byTarget.key, acceptanceDigest(acceptance, network.chain)];
      await expectRevert(call, "Module_InvalidSignature", args);
    });
  }

  it("a batch opened here is unknown to a second registry, which can neither settle nor expire it", async () => {
    const network = await freshNetwork();
    const second = await secondRegistry(network);
    await giveRights(network, second.transfers, ModuleStatus.Active);
    const batch = await openedBatch(network);
    const args = [idOf(second, batch), BatchStatus.None, BatchStatus.Open];
    const settle = second.transfers.settle(...(await settleArgs(network, batch)));
    await expectRevert(settle, "TransferRegistry_IllegalStatus", args);
    const expire = second.transfers.expire(packHeader(batch.header));
    await expectRevert(expire, "TransferRegistry_IllegalStatus", args);
  });

  it("the same header signed anew for a second registry is another batch", async () => {
    const network = await freshNetwork();
    const second = await secondRegistry(network);
    await giveRights(network, second.transfers, ModuleStatus.Active);
    await second.transfers.beat();
    const batch = await makeBatch(network);
    await openBatch(network, batch);
    await openBatch(second, batch);
    expect(idOf(network, batch)).not.to.equal(idOf(second, batch));
    await settleBatch(network, batch);
    expect(await second.transfers.statusOf(idOf(second, batch))).to.equal(BatchStatus.Open);
    await settleBatch(second, batch, refuseAll(batch));
    expect(await second.transfers.statusOf(idOf(second, batch))).to.equal(BatchStatus.Rejected);
  });

  it("a registry that governance did not make a module holds nothing", async () => {
    const network = await freshNetwork();
    const second = await secondRegistry(network);
    const call = openBatch(second, await makeBatch(second));
    const args = [await second.transfers.getAddress(), ModuleStatus.None];
    await expectRevert(call, "ForModules_NotActive", args);
  });

  it("the signature of one batch does not open another", async () => {
    const network = await freshNetwork();
    const first = await makeBatch(network, { seed: "first" });
    const second = await makeBatch(network, { seed: "second" });
    const [, send] = await openArgs(network, first);
    const [header, , quote] = await openArgs(network, second);
    const call = network.transfers.open(header, send, quote);
    const args = [7, send.key, idOf(network, second)];
    await expectRevert(call, "Module_InvalidSignature", args);
  });

  it("the settlement of one batch does not settle another", async () => {
    const network = await freshNetwork();
    const first = await openedBatch(network, { seed: "first" });
    const second = await openedBatch(network, { seed: "second" });
    const [, , , accept] = await settleArgs(network, first);
    const call = network.transfers.settle(packHeader(second.header), [], NO_PROOF, accept);
    const { rejectionsHash } = proveRefusals(second, {});
    const digest = settlementDigest({ batchId: idOf(network, second), rejectionsHash }, network.chain);
    await expectRevert(call, "Module_InvalidSignature", [4, accept.key, digest]);
  });

  it("two settlements that the target partner signed for one batch: the first counts, the second does nothing", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network);
    const second = await settleArgs(network, batch, { 0: "AC03" });
    await settleBatch(network, batch, { 1: "AC03" });
    const args = [idOf(network, batch), BatchStatus.Settled, BatchStatus.Open];
    const act = () => expectRevert(network.transfers.settle(...second), "TransferRegistry_IllegalStatus", args);
    await expectChanges(network, act, []);
  });

  for (const status of ["Open", "Settled", "Rejected", "Expired"] as const) {
    it(`a batch that is ${status} is not opened again with the signatures that opened it`, async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const open = await openArgs(network, batch);
      await bringTo(network, batch, status);
      const args = [idOf(network, batch), BatchStatus[status], BatchStatus.None];
      const act = () => expectRevert(network.transfers.open(...open), "TransferRegistry_IllegalStatus", args);
      await expectChanges(network, act, []);
    });
  }

  it("a provider's signature over a quote is no signature over a batch, nor the other way round", async () => {
    const network = await freshNetwork();
    const batch = await makeBatch(network);
    const { send: key } = keysOf(network, 7);
    const [header, send, quote] = await openArgs(network, batch);
    const overQuote = await signQuote(network, batch.header.quote, key);
    const asBatch = network.transfers.open(header, overQuote, quote);
    const batchArgs = [7, key.address, idOf(network, batch)];
    await expectRevert(asBatch, "Module_InvalidSignature", batchArgs);
    const overBatch = await signBatch(network, batch.header, keysOf(network, PROVIDER).quote);
    const asQuote = network.transfers.open(header, send, overBatch);
    const quoteArgs = [PROVIDER, overBatch.key, quoteId(batch.header.quote, network.chain)];
    await expectRevert(asQuote, "QuoteBook_InvalidSignature", quoteArgs);
  });

  it("a source partner's signature over its batch is no settlement of it", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network);
    const accept = await signBatch(network, batch.header, keysOf(network, 4).accept);
    const call = network.transfers.settle(packHeader(batch.header), [], NO_PROOF, accept);
    const { rejectionsHash } = proveRefusals(batch, {});
    const digest = settlementDigest({ batchId: idOf(network, batch), rejectionsHash }, network.chain);
    await expectRevert(call, "Module_InvalidSignature", [4, accept.key, digest]);
  });

  it("two batches that differ in their transfers alone have different ids", async () => {
    const network = await freshNetwork();
    const quote = await makeQuote(CORRIDORS.hkdToPhp);
    const first = await makeBatch(network, { quote, seed: "first" });
    const second = {
      ...first,
      header: { ...first.header, root: (await makeBatch(network, { seed: "x" })).header.root },
    };
    expect(idOf(network, first)).not.to.equal(idOf(network, second));
    expect(await network.transfers.batchIdOf(packHeader(second.header))).to.equal(idOf(network, second));
  });

  it("a same-currency batch cannot be opened as a batch with a quote of nothing", async () => {
    const network = await freshNetwork();
    const batch = await makeBatch(network);
    const header = { ...batch.header, quote: NO_QUOTE };
    const send = await signBatch(network, header, keysOf(network, 7).send);
    const call = network.transfers.open(packHeader(header), send, NO_AUTHORIZATION);
    await expectRevert(call, "QuoteBook_Mismatch", ["provider", 0, 0]);
  });
});
