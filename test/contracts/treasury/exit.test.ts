import { expect } from "chai";
import { id } from "ethers";
import { expireBatch, openedBatch } from "../support/batches.ts";
import { inOneBlock } from "../support/blocks.ts";
import { latestTimestamp, nextBlockAt, secondsOf } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { replaceAdmin } from "../support/governance.ts";
import { MODULE_NOTICE, announce, giveRights } from "../support/modules.ts";
import {
  FUNDS,
  HKD,
  ModuleStatus,
  PHP,
  PartnerStatus,
  freshNetwork,
  keysOf,
  tokenOf,
  type Network,
} from "../support/network.ts";

const DAY = 86_400;
const RESTRICTION_LIMIT = 5 * DAY;
const EXIT_DELAY = 14 * DAY;
const UNKNOWN = 999;

/** The network once partner 7's exit account, `spare[0]`, is in force, and the treasury as that account sees it. */
async function withExitAccount() {
  const network = await freshNetwork();
  const { registry, treasury, cast } = network;
  const [account, module] = cast.spare;
  await registry.connect(keysOf(network, 7).admin).setExitAccount(7, account);
  await nextBlockAt((await latestTimestamp()) + EXIT_DELAY);
  const asGuardian = registry.connect(cast.guardian);
  // Mines the block: the account is in force from here on.
  await network.transfers.beat();
  return { network, registry, cast, account, module, asGuardian, treasury: treasury.connect(account) };
}

async function expectNotOpen({ treasury, registry }: Pick<Network, "treasury" | "registry">): Promise<void> {
  const { restrictedSince: since } = await registry.standingOf(7);
  const args = [7, since, since + BigInt(RESTRICTION_LIMIT)];
  await expectRevert(treasury.exit(7, HKD), "Treasury_ExitNotOpen", args);
}

describe("Treasury.exit", () => {
  describe("when the caller is not the exit account", () => {
    it("reverts with NotExitAccount for the partner's admin, its FUND key, and another partner", async () => {
      const { network, account, asGuardian, treasury } = await withExitAccount();
      await asGuardian.suspend(7);
      await announce(network, network.cast.spare[1], ModuleStatus.Active);
      const { admin, fund } = keysOf(network, 7);
      for (const caller of [admin, fund, keysOf(network, 4).fund]) {
        const call = treasury.connect(caller).exit(7, HKD);
        await expectRevert(call, "PartnerRegistry_NotExitAccount", [7, caller.address, account.address]);
      }
    });
  });

  describe("when the partner is active", () => {
    it("reverts with NoExit, module announced or not: it withdraws", async () => {
      const { network, module, treasury } = await withExitAccount();
      await announce(network, module, ModuleStatus.Active);
      const args = [7, PartnerStatus.Active, false];
      await expectRevert(treasury.exit(7, HKD), "PartnerRegistry_NoExit", args);
    });
  });

  describe("when the partner's freeze was upheld", () => {
    it("reverts with NoExit, whatever is announced and however long it takes", async () => {
      const { network, registry, cast, module, asGuardian, treasury } = await withExitAccount();
      await asGuardian.freeze(7);
      await registry.connect(cast.council).upholdFreeze(7, 1, id("order"));
      await announce(network, module, ModuleStatus.Active);
      await nextBlockAt((await latestTimestamp()) + 2 * RESTRICTION_LIMIT);
      const args = [7, PartnerStatus.Frozen, true];
      await expectRevert(treasury.exit(7, HKD), "PartnerRegistry_NoExit", args);
    });
  });

  describe("when nothing threatens the partner's money", () => {
    for (const move of ["suspend", "freeze"] as const) {
      it(`reverts with ExitNotOpen up to the last second of the limit after ${move}, and pays after it`, async () => {
        const given = await withExitAccount();
        await given.asGuardian[move](7);
        const since = await latestTimestamp();
        await nextBlockAt(since + RESTRICTION_LIMIT - 1);
        await expectNotOpen(given);
        await nextBlockAt(since + RESTRICTION_LIMIT);
        await given.treasury.exit(7, HKD);
      });
    }

    it("reverts with ExitNotOpen once an announcement was cancelled", async () => {
      const given = await withExitAccount();
      const { network, cast, module, asGuardian } = given;
      await asGuardian.suspend(7);
      await announce(network, module, ModuleStatus.Active);
      await network.treasury.connect(cast.guardian).cancelModule(module);
      await expectNotOpen(given);
    });

    it("reverts with ExitNotOpen where the partner was suspended after the module became active", async () => {
      const given = await withExitAccount();
      await giveRights(given.network, given.module, ModuleStatus.Active);
      await given.asGuardian.suspend(7);
      await expectNotOpen(given);
    });

    it("reverts with ExitNotOpen where the partner was suspended in the second in which it became active", async () => {
      const given = await withExitAccount();
      const { network, cast, asGuardian } = given;
      const module = await announce(network, given.module, ModuleStatus.Active);
      const asCouncil = network.treasury.connect(cast.council);
      await nextBlockAt((await latestTimestamp()) + MODULE_NOTICE);
      const done = await inOneBlock(async ([dear = {}, cheap = {}]) => [
        await asCouncil.activateModule(module, ModuleStatus.Active, dear),
        await asGuardian.suspend(7, cheap),
      ]);
      expect(done).to.deep.equal([true, true]);
      await expectNotOpen(given);
    });
  });

  describe("when the currency has no token", () => {
    it("reverts with UnknownCurrency", async () => {
      const { network, module, asGuardian, treasury } = await withExitAccount();
      await asGuardian.suspend(7);
      await announce(network, module, ModuleStatus.Active);
      await expectRevert(treasury.exit(7, UNKNOWN), "Treasury_UnknownCurrency", [UNKNOWN]);
    });
  });

  describe("when nothing is available", () => {
    it("reverts with ZeroAmount", async () => {
      const { network, module, asGuardian, treasury } = await withExitAccount();
      await asGuardian.suspend(7);
      await announce(network, module, ModuleStatus.Active);
      await expectRevert(treasury.exit(7, PHP), "Treasury_ZeroAmount", []);
    });
  });

  describe("when the exit is open", () => {
    for (const move of ["suspend", "freeze"] as const) {
      for (const status of ["Active", "Draining"] as const) {
        it(`pays all that is available after ${move}, while a module is announced as ${status}`, async () => {
          const { network, account, module, asGuardian, treasury } = await withExitAccount();
          await asGuardian[move](7);
          await announce(network, module, ModuleStatus[status]);
          await expect(treasury.exit(7, HKD)).to.emit(treasury, "Withdrawn").withArgs(7, HKD, account.address, FUNDS);
          expect(await tokenOf(network, HKD).balanceOf(account)).to.equal(FUNDS);
          expect([...(await treasury.balanceOf(7, HKD))]).to.deep.equal([0n, 0n]);
        });
      }
    }

    it("stays open once the module that was announced is active, for who was suspended before", async () => {
      const { network, account, cast, module, asGuardian, treasury } = await withExitAccount();
      await announce(network, module, ModuleStatus.Active);
      const { from } = await treasury.announcementOf(module);
      await nextBlockAt(secondsOf(from) - 1);
      await asGuardian.suspend(7);
      await nextBlockAt(secondsOf(from));
      await treasury.connect(cast.council).activateModule(module, ModuleStatus.Active);
      await treasury.exit(7, HKD);
      expect(await tokenOf(network, HKD).balanceOf(account)).to.equal(FUNDS);
    });

    it("is open at once after governance replaced the admin, for the account that was there before", async () => {
      const { network, account, cast, treasury, registry } = await withExitAccount();
      await replaceAdmin(network, 7, cast.stranger);
      await registry.connect(cast.stranger).setExitAccount(7, cast.courier);
      await treasury.exit(7, HKD);
      expect(await tokenOf(network, HKD).balanceOf(account)).to.equal(FUNDS);
    });

    it("leaves what batches hold, and pays it once they have ended", async () => {
      const { network, account, module, asGuardian, treasury } = await withExitAccount();
      const batch = await openedBatch(network);
      const { sourceTotal, fee } = batch.header;
      await asGuardian.suspend(7);
      await announce(network, module, ModuleStatus.Active);
      await treasury.exit(7, HKD);
      expect(await tokenOf(network, HKD).balanceOf(account)).to.equal(FUNDS - sourceTotal - fee);
      await expireBatch(network, batch);
      await treasury.exit(7, HKD);
      expect(await tokenOf(network, HKD).balanceOf(account)).to.equal(FUNDS);
    });
  });
});
