import { expect } from "chai";
import type { Contract } from "ethers";
import type { BatchHeader } from "../../../src/domain/batch.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { corridorId, networkFeeUp } from "../../../src/domain/corridor.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { buildMerkleTree, merkleRoot } from "../../../src/domain/merkle.ts";
import { transferLeaf } from "../../../src/domain/transfer.ts";
import { attest } from "../support/attestations.ts";
import { expectChanges, expectConserved } from "../support/balances.ts";
import { expireBatch, idOf, makeBatch, openBatch, settleBatch, withHeader } from "../support/batches.ts";
import { refuseAll } from "../../support/transfers.ts";
import { ethers } from "../support/chain.ts";
import { dayOf, latestTimestamp } from "../support/clock.ts";
import { expectPanic, expectRevert } from "../support/expect-revert.ts";
import { setTerms } from "../support/governance.ts";
import {
  CORRIDORS,
  FUNDS,
  HKD,
  HUB,
  PHP,
  freshNetwork,
  fundPartner,
  keysOf,
  tokenOf,
  type Network,
} from "../support/network.ts";

const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_UINT128 = 2n ** 128n - 1n;
const ARITHMETIC = 0x11;
const CORRIDOR = corridorId(CORRIDORS.hkdToPhp);

/** Terms at the limits of their types: a fee of a tenth. */
const WIDEST = { open: true, feeBps: 1_000n, maxPerBatch: MAX_UINT64, maxPerDay: MAX_UINT64 };

/** A network with so much money in it that the largest batch there can be is covered. */
async function richNetwork(): Promise<Network> {
  const network = await freshNetwork();
  for (const currency of [HKD, PHP]) {
    await attest(tokenOf(network, currency), network.cast.attestor, { reserve: MAX_UINT128 });
  }
  await fundPartner(network, 7, HKD, MAX_UINT128 - FUNDS);
  await fundPartner(network, 11, PHP, MAX_UINT128 - 3n * FUNDS);
  await setTerms(network, CORRIDOR, WIDEST);
  return network;
}

/** A batch of two transfers that carries the most there can be. */
async function largest(network: Network, changes: Partial<BatchHeader> = {}) {
  const good = await makeBatch(network, { count: 2 });
  const targetTotal = MAX_UINT128 - 2n * FUNDS;
  const transfers = good.transfers.map((transfer, index) => ({
    ...transfer,
    sourceAmount: index === 0 ? MAX_UINT64 - 1n : 1n,
    targetAmount: index === 0 ? targetTotal - 1n : 1n,
  }));
  const tree = buildMerkleTree(transfers.map(transferLeaf));
  const header = {
    ...good.header,
    sourceTotal: MAX_UINT64,
    targetTotal,
    fee: networkFeeUp(MAX_UINT64, 1_000n),
    root: toHex(merkleRoot(tree)),
    quote: { ...good.header.quote, rateNumerator: MAX_UINT128, rateDenominator: 1n, capacity: MAX_UINT128 },
    ...changes,
  };
  return { header, transfers, tree };
}

describe("Attack: amounts at their types' limits", () => {
  it("the largest batch opens, settles with a rejection, and everything adds up", async () => {
    const network = await richNetwork();
    const batch = await largest(network);
    const { sourceTotal, targetTotal, fee } = batch.header;
    await expectChanges(network, () => openBatch(network, batch), [
      { partner: 7, currency: HKD, available: -(sourceTotal + fee), held: sourceTotal + fee },
      { partner: 11, currency: PHP, available: -targetTotal, held: targetTotal },
    ]);
    const charged = (fee * (sourceTotal - 1n) + sourceTotal - 1n) / sourceTotal;
    await expectChanges(network, () => settleBatch(network, batch, { 1: "AC03" }), [
      { partner: 7, currency: HKD, held: -(sourceTotal + fee), available: 1n + fee - charged },
      { partner: 11, currency: HKD, available: sourceTotal - 1n },
      { partner: HUB, currency: HKD, available: charged },
      { partner: 11, currency: PHP, held: -targetTotal, available: 1n },
      { partner: 4, currency: PHP, available: targetTotal - 1n },
    ]);
  });

  it("the largest batch expires", async () => {
    const network = await richNetwork();
    const batch = await largest(network);
    await openBatch(network, batch);
    await expireBatch(network, batch);
    expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Expired);
    await expectConserved(network);
  });

  it("a source total above the corridor's widest limit is refused, up to the type's end", async () => {
    const network = await richNetwork();
    for (const sourceTotal of [MAX_UINT64 + 1n, MAX_UINT128]) {
      const batch = await largest(network, { sourceTotal });
      const args = [CORRIDOR, sourceTotal, MAX_UINT64];
      await expectRevert(openBatch(network, batch), "CorridorBook_BatchLimitExceeded", args);
    }
  });

  it("a fee at the type's end is refused as another than the corridor's", async () => {
    const network = await richNetwork();
    const batch = await largest(network, { fee: MAX_UINT128 });
    const args = [MAX_UINT128, networkFeeUp(MAX_UINT64, 1_000n)];
    await expectRevert(openBatch(network, batch), "TransferRegistry_FeeMismatch", args);
  });

  it("a second largest batch on one day is refused without overflow", async () => {
    const network = await richNetwork();
    await openBatch(network, await largest(network));
    const second = await largest(network, { expiresAt: (await makeBatch(network)).header.expiresAt + 1 });
    const args = [CORRIDOR, MAX_UINT64, MAX_UINT64, MAX_UINT64];
    await expectRevert(openBatch(network, second), "CorridorBook_DayLimitExceeded", args);
  });

  it("a target total at the type's end is refused by the provider's balance", async () => {
    const network = await richNetwork();
    const batch = await largest(network, { targetTotal: MAX_UINT128 });
    const args = [11, PHP, MAX_UINT128 - 2n * FUNDS, MAX_UINT128];
    await expectRevert(openBatch(network, batch), "Treasury_InsufficientAvailable", args);
  });

  it("rejections whose amounts sum beyond the type are refused without overflow", async () => {
    const network = await freshNetwork();
    const good = await makeBatch(network, { count: 3 });
    const huge = good.transfers.map((transfer) => ({
      ...transfer,
      sourceAmount: MAX_UINT128,
      targetAmount: MAX_UINT128,
    }));
    const tree = buildMerkleTree(huge.map(transferLeaf));
    const batch = { header: { ...good.header, root: toHex(merkleRoot(tree)) }, transfers: huge, tree };
    await openBatch(network, batch);
    const call = settleBatch(network, batch, { 0: "AC03", 2: "AC03" });
    await expectRevert(call, "TransferRegistry_TotalsMismatch", [2, 0, 0]);
  });

  it("what is left after rejecting all of two small transfers is refused without overflow, however much it is", async () => {
    const network = await richNetwork();
    const big = await largest(network);
    const small = big.transfers.map((transfer) => ({ ...transfer, sourceAmount: 1n, targetAmount: 1n }));
    const tree = buildMerkleTree(small.map(transferLeaf));
    const batch = { header: { ...big.header, root: toHex(merkleRoot(tree)) }, transfers: small, tree };
    await openBatch(network, batch);
    const { sourceTotal, targetTotal } = batch.header;
    expect(sourceTotal + targetTotal > MAX_UINT128).to.equal(true);
    const args = [2, sourceTotal - 2n, targetTotal - 2n];
    const call = settleBatch(network, batch, refuseAll(batch));
    await expectRevert(call, "TransferRegistry_TotalsMismatch", args);
  });

  it("a count at the type's end needs a minor unit for each", async () => {
    const network = await freshNetwork();
    const good = await makeBatch(network);
    const count = 2 ** 32 - 1;
    const few = withHeader(good, { count });
    const { sourceTotal, targetTotal } = good.header;
    const args = [count, sourceTotal, targetTotal];
    await expectRevert(openBatch(network, few), "TransferRegistry_EmptyBatch", args);
    const rich = await richNetwork();
    const batch = await largest(rich, { count });
    await openBatch(rich, batch);
    await settleBatch(rich, batch);
    expect(await rich.transfers.statusOf(idOf(rich, batch))).to.equal(BatchStatus.Settled);
  });

  it("an expiry at the type's end is too long a hold", async () => {
    const network = await freshNetwork();
    const batch = withHeader(await makeBatch(network), { expiresAt: 2 ** 48 - 1 });
    const call = openBatch(network, batch);
    await expectRevert(call, "TransferRegistry_HoldTooLong", [(hold: bigint) => hold > 2n ** 47n, 86_400]);
  });

  it("a header that is unknown refunds nothing, however large its totals", async () => {
    const network = await freshNetwork();
    const batch = withHeader(await makeBatch(network), { sourceTotal: MAX_UINT128, fee: MAX_UINT128 });
    const args = [idOf(network, batch), BatchStatus.None, BatchStatus.Open];
    await expectRevert(expireBatch(network, batch), "TransferRegistry_IllegalStatus", args);
  });

  it("a deposit cannot take a balance beyond its type: the reserve bounds all tokens there are", async () => {
    const network = await richNetwork();
    const token = tokenOf(network, HKD);
    expect(await token.totalSupply()).to.equal(MAX_UINT128);
    const call = token.connect(network.cast.bank).mint(network.cast.stranger, 1);
    await expectRevert(call, "SettlementToken_ReserveExceeded", [MAX_UINT128, 0, 1, MAX_UINT128]);
  });

  it("a day's sum of uint64 totals stays inside its slot", async () => {
    const network = await richNetwork();
    await openBatch(network, await largest(network));
    expect(await network.corridors.drawnOn(CORRIDOR, dayOf(await latestTimestamp()))).to.equal(MAX_UINT64);
  });

  it("a token that mints beyond uint128 overflows a balance with a panic, and nothing is credited", async () => {
    const network = await freshNetwork();
    const { treasury, cast } = network;
    const token: Contract = await ethers.deployContract("FalseToken", [702, treasury]);
    await treasury.connect(cast.council).registerToken(token);
    const { fund } = keysOf(network, 7);
    await token.getFunction("mint").send(fund, MAX_UINT128 + 1n);
    await fund.sendTransaction({
      to: token,
      data: token.interface.encodeFunctionData("approve", [await treasury.getAddress(), MAX_UINT128 + 1n]),
    });
    await treasury.connect(fund).deposit(7, 702, MAX_UINT128);
    await expectPanic(treasury.connect(fund).deposit(7, 702, 1), ARITHMETIC);
  });
});
