import { expect } from "chai";
import { corridorId } from "../../src/domain/corridor.ts";
import { BatchStatus } from "../../src/domain/lifecycle.ts";
import { expectConserved, readBalances } from "./support/balances.ts";
import { expireBatch, idOf, makeBatch, makeQuote, openBatch, openedBatch, settleBatch } from "./support/batches.ts";
import { PROVIDER } from "../support/transfers.ts";
import { latestTimestamp, nextBlockAt } from "./support/clock.ts";
import { expectRevert } from "./support/expect-revert.ts";
import { setTerms } from "./support/governance.ts";
import { MODULE_NOTICE, takeRights } from "./support/modules.ts";
import { activateNextTreasury, announceNextTreasury } from "./support/next-treasury.ts";
import {
  CORRIDORS,
  FUNDS,
  HKD,
  ModuleStatus,
  PARTNERS,
  PHP,
  TERMS,
  freshNetwork,
  keysOf,
  tokenOf,
  type Network,
} from "./support/network.ts";

const CORRIDOR = corridorId(CORRIDORS.hkdToPhp);
const [SOURCE, TARGET] = [7, 4];

/** Both treasuries after the notice, with one batch open in the old one and no money in the new one yet. */
async function afterNotice() {
  const old = await freshNetwork();
  const next = await announceNextTreasury(old);
  await nextBlockAt((await latestTimestamp()) + MODULE_NOTICE);
  await old.transfers.beat();
  return { old, next };
}

/** A partner takes money out of the old treasury with its FUND key, and puts it into the new one. */
async function moveMoney(old: Network, next: Network, partner: number, currency: number, amount: bigint) {
  const { fund } = keysOf(old, partner);
  await old.treasury.connect(fund).withdraw(partner, currency, amount, fund);
  await tokenOf(old, currency).connect(fund).approve(next.treasury, amount);
  await next.treasury.connect(fund).deposit(partner, currency, amount);
}

/** Everything that anybody has available. */
async function moveAll(old: Network, next: Network): Promise<void> {
  for (const [key, { available }] of await readBalances(old)) {
    const [partner = 0, currency = 0] = key.split(":").map((part) => Number.parseInt(part, 10));
    if (available === 0n) continue;
    // Who earns in a currency can move it as who deposited it can: with the one FUND key of the partner.
    await moveMoney(old, next, partner, currency, available);
  }
}

async function totals(network: Network): Promise<ReadonlyMap<number, bigint>> {
  const sums = new Map<number, bigint>([...network.tokens.keys()].map((currency) => [currency, 0n]));
  for (const [key, { available, held }] of await readBalances(network)) {
    const currency = Number.parseInt(key.split(":")[1] ?? "", 10);
    sums.set(currency, (sums.get(currency) ?? 0n) + available + held);
  }
  return sums;
}

describe("A new treasury in place of the old", () => {
  it("takes over while batches of the old one settle and expire, and all the money moves", async () => {
    const { old, next } = await afterNotice();
    const settled = await openedBatch(old, { seed: "settled" });
    const expired = await openedBatch(old, { seed: "expired" });
    await activateNextTreasury(old, next);
    for (const [partner, currency] of [
      [SOURCE, HKD],
      [PROVIDER, PHP],
    ] as const) {
      await moveMoney(old, next, partner, currency, FUNDS / 2n);
    }

    const opened = await openedBatch(next, { seed: "new" });
    // The old registry still opens until it is made to drain, and no longer.
    await takeRights(old, old.transfers, ModuleStatus.Draining);
    const late = openBatch(old, await makeBatch(old, { seed: "late" }));
    await expectRevert(late, "ForModules_NotActive", [await old.transfers.getAddress(), ModuleStatus.Draining]);

    await settleBatch(old, settled, { 1: "AC03" });
    await settleBatch(next, opened);
    await expireBatch(old, expired);
    expect(await old.transfers.statusOf(idOf(old, settled))).to.equal(BatchStatus.Settled);
    expect(await old.transfers.statusOf(idOf(old, expired))).to.equal(BatchStatus.Expired);
    expect(await next.transfers.statusOf(idOf(next, opened))).to.equal(BatchStatus.Settled);
    await expectConserved(old);
    await expectConserved(next);

    await moveAll(old, next);
    await takeRights(old, old.transfers, ModuleStatus.None);
    for (const [currency, token] of old.tokens) {
      const deposited = FUNDS * BigInt(PARTNERS.filter(({ funds }) => funds.includes(currency)).length);
      expect((await totals(old)).get(currency)).to.equal(0n);
      expect(await token.balanceOf(old.treasury)).to.equal(0n);
      expect((await totals(next)).get(currency)).to.equal(deposited);
    }
    await expectConserved(old);
    await expectConserved(next);
  });

  it("does not open before the new registry may draw on the books, nor before there is money", async () => {
    const { old, next } = await afterNotice();
    const batch = await makeBatch(next);
    await expectRevert(openBatch(next, batch), "ForModules_NotActive", [
      await next.transfers.getAddress(),
      ModuleStatus.None,
    ]);
    await activateNextTreasury(old, next);
    await expectRevert(openBatch(next, batch), "Treasury_InsufficientAvailable", [
      SOURCE,
      HKD,
      0,
      batch.header.sourceTotal + batch.header.fee,
    ]);
  });

  it("sells no quote twice: both registries draw on one capacity", async () => {
    const { old, next } = await afterNotice();
    await activateNextTreasury(old, next);
    await moveMoney(old, next, SOURCE, HKD, FUNDS / 2n);
    await moveMoney(old, next, PROVIDER, PHP, FUNDS / 2n);
    const { targetTotal } = (await makeBatch(old)).header;
    const quote = await makeQuote(CORRIDORS.hkdToPhp, { capacity: targetTotal });
    const first = await openedBatch(old, { quote });
    const call = openBatch(next, await makeBatch(next, { quote }));
    const id = await old.quotes.quoteIdOf(quote);
    await expectRevert(call, "QuoteBook_UsedUp", [id, first.header.targetTotal, targetTotal, targetTotal]);
  });

  it("sells no day twice: both registries draw on one limit", async () => {
    const { old, next } = await afterNotice();
    await activateNextTreasury(old, next);
    await moveMoney(old, next, SOURCE, HKD, FUNDS / 2n);
    await moveMoney(old, next, PROVIDER, PHP, FUNDS / 2n);
    const { sourceTotal } = (await makeBatch(old)).header;
    const limit = 2n * sourceTotal - 1n;
    await setTerms(old, CORRIDOR, { ...TERMS, maxPerBatch: limit, maxPerDay: limit });
    await openedBatch(old);
    const call = openBatch(next, await makeBatch(next));
    await expectRevert(call, "CorridorBook_DayLimitExceeded", [CORRIDOR, sourceTotal, sourceTotal, limit]);
  });

  it("knows no batch of the old one, whose money stays there", async () => {
    const { old, next } = await afterNotice();
    const batch = await openedBatch(old);
    await activateNextTreasury(old, next);
    const args = [idOf(next, batch), BatchStatus.None, BatchStatus.Open];
    await expectRevert(settleBatch(next, batch), "TransferRegistry_IllegalStatus", args);
    const { available, held } = await old.treasury.balanceOf(SOURCE, HKD);
    expect(available + held).to.equal(FUNDS);
    expect(await next.treasury.balanceOf(TARGET, PHP)).to.deep.equal([0n, 0n]);
  });

  it("lets a partner that is suspended take its money out of both", async () => {
    const { old, next } = await afterNotice();
    await activateNextTreasury(old, next);
    await moveMoney(old, next, SOURCE, HKD, FUNDS / 4n);
    const { admin, fund } = keysOf(old, SOURCE);
    await old.registry.connect(admin).setExitAccount(SOURCE, old.cast.spare[0]);
    await nextBlockAt((await latestTimestamp()) + 14 * 86_400);
    await old.registry.connect(old.cast.guardian).suspend(SOURCE);
    await nextBlockAt((await latestTimestamp()) + 5 * 86_400);
    for (const { treasury } of [old, next]) await treasury.connect(old.cast.spare[0]).exit(SOURCE, HKD);
    expect(await tokenOf(old, HKD).balanceOf(old.cast.spare[0])).to.equal(FUNDS);
    expect(await tokenOf(old, HKD).balanceOf(fund)).to.equal(0n);
  });
});
