import { expect } from "chai";
import fc from "fast-check";
import type { Batch } from "../../../src/domain/batch.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { networkFeeUp } from "../../../src/domain/corridor.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { buildMerkleTree, merkleRoot } from "../../../src/domain/merkle.ts";
import type { Transfer } from "../../../src/domain/transfer.ts";
import { transferLeaf } from "../../../src/domain/transfer.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { balanceKey, expectChanges, expectConserved, readBalances, type Balances } from "../support/balances.ts";
import { idOf, makeBatch, openBatch, openedBatch, settleBatch } from "../support/batches.ts";
import { PROVIDER, refuseAll, type Refusals } from "../../support/transfers.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { CORRIDORS, HKD, HUB, PHP, TERMS, freshNetwork, type Network } from "../support/network.ts";

const RUNS = Number.parseInt(process.env["FEIQIAN_RUNS"] ?? "40", 10);
const SEED = Number.parseInt(process.env["FEIQIAN_SEED"] ?? "20260303", 10);

/** So many trees have some that do not open, some that do not settle as asked, and some that do. */
const ENOUGH_RUNS = 40;

/** Transfers of these amounts, which need not keep to any rate. */
function transfersOf(amounts: readonly (readonly [source: bigint, target: bigint])[]): Transfer[] {
  const random = createRandom("collusion");
  return amounts.map(([sourceAmount, targetAmount]) => ({
    uetr: uetrFromRandom(random.bytes(16)),
    sourceAmount,
    targetAmount,
    detailsHash: toHex(random.bytes(32)),
  }));
}

/** A batch of any transfers, with honest totals at least: what a source partner without scruples signs. */
async function batchOf(network: Network, transfers: readonly Transfer[]): Promise<Batch> {
  const good = await makeBatch(network);
  const tree = buildMerkleTree(transfers.map(transferLeaf));
  const sourceTotal = transfers.reduce((sum, { sourceAmount }) => sum + sourceAmount, 0n);
  const targetTotal = transfers.reduce((sum, { targetAmount }) => sum + targetAmount, 0n);
  const header = {
    ...good.header,
    count: transfers.length,
    sourceTotal,
    targetTotal,
    fee: networkFeeUp(sourceTotal, TERMS.feeBps),
    root: toHex(merkleRoot(tree)),
  };
  return { header, transfers, tree };
}

describe("Attack: source and target partner collude against the provider", () => {
  it("a rejection that refunds the source money and not the target money breaks the rate", async () => {
    const network = await freshNetwork();
    // Together at the rate, 7.1234; apart, one carries nearly all source money and the other nearly all target money.
    const batch = await batchOf(
      network,
      transfersOf([
        [99_999n, 1n],
        [1n, 712_339n],
      ]),
    );
    await openBatch(network, batch);
    const call = settleBatch(network, batch, { 0: "AC03" });
    await expectRevert(call, "TransferRegistry_RateExceeded", [1, 712_339]);
    await settleBatch(network, batch);
    await expectConserved(network);
  });

  it("the other rejection is at the source partner's own cost", async () => {
    const network = await freshNetwork();
    const batch = await batchOf(
      network,
      transfersOf([
        [99_999n, 1n],
        [1n, 712_339n],
      ]),
    );
    await openBatch(network, batch);
    const { fee } = batch.header;
    const charged = (fee * 99_999n + 99_999n) / 100_000n;
    await expectChanges(network, () => settleBatch(network, batch, { 1: "AC03" }), [
      { partner: 7, currency: HKD, held: -(100_000n + fee), available: 1n + fee - charged },
      { partner: PROVIDER, currency: HKD, available: 99_999n },
      { partner: HUB, currency: HKD, available: charged },
      { partner: PROVIDER, currency: PHP, held: -712_340n, available: 712_339n },
      { partner: 4, currency: PHP, available: 1n },
    ]);
  });

  it("one minor unit too much is too much", async () => {
    const network = await freshNetwork();
    // floor(10,000 × 7.1234) = 71,234: the second transfer has a unit more, the first a unit less.
    const batch = await batchOf(
      network,
      transfersOf([
        [10_000n, 71_233n],
        [10_000n, 71_235n],
      ]),
    );
    await openBatch(network, batch);
    const call = settleBatch(network, batch, { 0: "AC03" });
    await expectRevert(call, "TransferRegistry_RateExceeded", [10_000, 71_235]);
    await settleBatch(network, batch, { 1: "AC03" });
    expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Settled);
  });

  it(`whatever the amounts and rejections, the provider never gives more than its rate (${RUNS} trees, seed ${SEED})`, async () => {
    const amount = fc.oneof(fc.bigInt(1n, 9n), fc.bigInt(1n, 100_000n));
    const pair = fc.tuple(amount, fc.bigInt(1n, 400_000n));
    const plan = fc.tuple(fc.array(pair, { minLength: 2, maxLength: 6 }), fc.nat(63));
    const outcomes = { unopened: 0, refused: 0, settled: 0 };
    const tryToRob = async ([amounts, refused]: readonly [readonly (readonly [bigint, bigint])[], number]) => {
      const network = await freshNetwork();
      const batch = await batchOf(network, transfersOf(amounts));
      const { quote } = batch.header;
      const before = await readBalances(network);
      outcomes[await outcomeOf(network, batch, refused)]++;
      const after = await readBalances(network);
      const gained = worthTo(PROVIDER, HKD, after) - worthTo(PROVIDER, HKD, before);
      const given = worthTo(PROVIDER, PHP, before) - worthTo(PROVIDER, PHP, after);
      expect(given * quote.rateDenominator <= gained * quote.rateNumerator, `${given} for ${gained}`).to.equal(true);
      await expectConserved(network);
    };
    await fc.assert(fc.asyncProperty(plan, tryToRob), { numRuns: RUNS, seed: SEED });
    if (RUNS >= ENOUGH_RUNS) expect(Object.values(outcomes).every((count) => count > 0)).to.equal(true);
  });
});

/** Opens the batch and settles it with the transfers refused that `refused` has bits for; says how far that came. */
async function outcomeOf(network: Network, batch: Batch, refused: number): Promise<"unopened" | "refused" | "settled"> {
  const refusals: Refusals = Object.fromEntries(
    batch.transfers.flatMap((_, index) => ((refused >> index) % 2 === 1 ? [[index, "AC03" as const]] : [])),
  );
  const works = (sent: Promise<unknown>) =>
    sent.then(
      () => true,
      () => false,
    );
  if (!(await works(openBatch(network, batch)))) return "unopened";
  return (await works(settleBatch(network, batch, refusals))) ? "settled" : "refused";
}

function worthTo(partner: number, currency: number, balances: Balances): bigint {
  const { available, held } = balances.get(balanceKey(partner, currency)) ?? { available: 0n, held: 0n };
  return available + held;
}

describe("Attack: target partner and provider collude against the source partner", () => {
  it("rejecting everything gives the source partner everything back, fee included", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network);
    const { sourceTotal, targetTotal, fee } = batch.header;
    await expectChanges(network, () => settleBatch(network, batch, refuseAll(batch)), [
      { partner: 7, currency: HKD, held: -(sourceTotal + fee), available: sourceTotal + fee },
      { partner: PROVIDER, currency: PHP, held: -targetTotal, available: targetTotal },
    ]);
  });

  it("cancelling the quote, freezing nobody, does not take the target money back", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network);
    const { quote } = network.cast.partners.get(PROVIDER) ?? { quote: network.cast.stranger };
    await network.quotes.connect(quote).cancelQuote(batch.header.quote);
    const fund = network.cast.partners.get(PROVIDER)?.fund ?? network.cast.stranger;
    const { available } = await network.treasury.balanceOf(PROVIDER, PHP);
    await network.treasury.connect(fund).withdraw(PROVIDER, PHP, available, fund);
    const more = network.treasury.connect(fund).withdraw(PROVIDER, PHP, 1, fund);
    await expectRevert(more, "Treasury_InsufficientAvailable", [PROVIDER, PHP, 0, 1]);
    await settleBatch(network, batch);
    await expectConserved(network);
  });

  it("the source partner pays for what is not rejected, to the unit, and never more than it signed", async () => {
    const network = await freshNetwork();
    const batch = await openedBatch(network, { count: 6 });
    const before = await network.treasury.balanceOf(7, HKD);
    await settleBatch(network, batch, { 0: "AC03", 5: "RR04" });
    const after = await network.treasury.balanceOf(7, HKD);
    const settled = batch.transfers.slice(1, 5).reduce((sum, { sourceAmount }) => sum + sourceAmount, 0n);
    const { fee, sourceTotal } = batch.header;
    const charged = (fee * settled + sourceTotal - 1n) / sourceTotal;
    expect(before.available + before.held - after.available - after.held).to.equal(settled + charged);
    expect(after.held).to.equal(0);
  });
});

describe("Attack: source partner and provider collude against the target partner", () => {
  it("a tree that promises customers more than the totals pays the totals: the target partner must add up", async () => {
    const network = await freshNetwork();
    const good = await makeBatch(network);
    const generous = good.transfers.map((transfer) => ({ ...transfer, targetAmount: transfer.targetAmount * 2n }));
    const promised = await batchOf(network, generous);
    const { sourceTotal, targetTotal, fee } = good.header;
    const batch = { ...promised, header: { ...promised.header, targetTotal } };
    await openBatch(network, batch);
    await expectChanges(network, () => settleBatch(network, batch), [
      { partner: 7, currency: HKD, held: -(sourceTotal + fee) },
      { partner: PROVIDER, currency: HKD, available: sourceTotal },
      { partner: HUB, currency: HKD, available: fee },
      { partner: PROVIDER, currency: PHP, held: -targetTotal },
      { partner: 4, currency: PHP, available: targetTotal },
    ]);
  });

  it("such a batch the target partner cannot reject transfer by transfer, but leaves to expire", async () => {
    const network = await freshNetwork();
    const good = await makeBatch(network);
    const generous = good.transfers.map((transfer) => ({ ...transfer, targetAmount: transfer.targetAmount * 2n }));
    const promised = await batchOf(network, generous);
    const batch = { ...promised, header: { ...promised.header, targetTotal: good.header.targetTotal } };
    await openBatch(network, batch);
    const call = settleBatch(network, batch, refuseAll(batch));
    await expectRevert(call, "TransferRegistry_TotalsMismatch", [3, 0, 0]);
  });
});

describe("Attack: source and target partner collude in one currency", () => {
  it("a rejection with unequal amounts breaks the rate of one to one", async () => {
    const network = await freshNetwork();
    const good = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd, count: 2 });
    const total = good.header.sourceTotal;
    const transfers = transfersOf([
      [total - 1n, 1n],
      [1n, total - 1n],
    ]);
    const tree = buildMerkleTree(transfers.map(transferLeaf));
    const batch = { header: { ...good.header, root: toHex(merkleRoot(tree)) }, transfers, tree };
    await openBatch(network, batch);
    const call = settleBatch(network, batch, { 0: "AC03" });
    await expectRevert(call, "TransferRegistry_RateExceeded", [1, total - 1n]);
    const other = settleBatch(network, batch, { 1: "AC03" });
    await expectRevert(other, "TransferRegistry_RateExceeded", [total - 1n, 1]);
  });
});
