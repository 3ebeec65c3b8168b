import { expect } from "chai";
import type { Treasury } from "../../../types/ethers-contracts/index.ts";
import { expectChanges } from "../support/balances.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { giveRights, takeRights } from "../support/modules.ts";
import { holdOf, releaseOf } from "../../support/movements.ts";
import { FUNDS, HKD, ModuleStatus, PHP, freshNetwork, type Network } from "../support/network.ts";

const MAX_UINT128 = 2n ** 128n - 1n;
const UNKNOWN = 999;

/** The treasury as a module sees it: `spare[0]`, an account of its own, with this status. */
async function asModule(status: bigint): Promise<{ network: Network; module: string; treasury: Treasury }> {
  const network = await freshNetwork();
  const { treasury, cast } = network;
  const [module] = cast.spare;
  if (status !== ModuleStatus.None) await giveRights(network, module, status);
  return { network, module: module.address, treasury: treasury.connect(module) };
}

/** Another module, `spare[1]`, which holds `amount` of partner 7's HKD beside the one that there is. */
async function withAnother({ network }: { readonly network: Network }, amount: bigint) {
  const [, another] = network.cast.spare;
  await giveRights(network, another, ModuleStatus.Active);
  const treasury = network.treasury.connect(another);
  await treasury.hold([holdOf(7, HKD, amount)]);
  return { another: another.address, treasury };
}

/** See the type HoldingId of the contracts. */
function holdingId(module: string, partner: number, currency: number): bigint {
  return (BigInt(module) << 32n) | (BigInt(partner) << 16n) | BigInt(currency);
}

/** The same, after it held `amount` of partner 7's HKD while it was active. */
async function afterHold(amount: bigint, status: bigint = ModuleStatus.Active) {
  const given = await asModule(ModuleStatus.Active);
  await given.treasury.hold([holdOf(7, HKD, amount)]);
  if (status !== ModuleStatus.Active) await takeRights(given.network, given.module, status);
  return given;
}

describe("Treasury.hold", () => {
  describe("when the caller is no active module", () => {
    for (const name of ["None", "Draining"] as const) {
      it(`reverts with ModuleNotAuthorized when its status is ${name}`, async () => {
        const { treasury, module } = await asModule(ModuleStatus[name]);
        const args = [module, ModuleStatus[name]];
        await expectRevert(treasury.hold([holdOf(7, HKD, 1)]), "Treasury_ModuleNotAuthorized", args);
      });
    }
  });

  describe("when the partner has too little available", () => {
    it("reverts with InsufficientAvailable for a unit more", async () => {
      const { treasury } = await asModule(ModuleStatus.Active);
      const args = [7, HKD, FUNDS, FUNDS + 1n];
      await expectRevert(treasury.hold([holdOf(7, HKD, FUNDS + 1n)]), "Treasury_InsufficientAvailable", args);
    });

    it("reverts with InsufficientAvailable for the largest amount there is", async () => {
      const { treasury } = await asModule(ModuleStatus.Active);
      const args = [7, HKD, FUNDS, MAX_UINT128];
      await expectRevert(treasury.hold([holdOf(7, HKD, MAX_UINT128)]), "Treasury_InsufficientAvailable", args);
    });

    it("reverts with InsufficientAvailable in another currency", async () => {
      const { treasury } = await asModule(ModuleStatus.Active);
      await expectRevert(treasury.hold([holdOf(7, PHP, 1)]), "Treasury_InsufficientAvailable", [7, PHP, 0, 1]);
    });
  });

  describe("when the partner has enough", () => {
    for (const [title, amount] of [
      ["nothing", 0n],
      ["a part", 5n],
      ["all", FUNDS],
    ] as const) {
      it(`moves ${title} from available to held`, async () => {
        const { network, treasury } = await asModule(ModuleStatus.Active);
        await expectChanges(network, async () => treasury.hold([holdOf(7, HKD, amount)]), [
          { partner: 7, currency: HKD, available: -amount, held: amount },
        ]);
      });
    }

    it("adds to what the module holds, and to nothing of another's", async () => {
      const given = await afterHold(10n);
      const { network, treasury, module } = given;
      const { another } = await withAnother(given, 3n);
      await expectChanges(network, async () => treasury.hold([holdOf(7, HKD, 5)]), [
        { partner: 7, currency: HKD, available: -5n, held: 5n },
      ]);
      expect(await treasury.heldBy(module, 7, HKD)).to.equal(15);
      expect(await treasury.heldBy(another, 7, HKD)).to.equal(3);
    });

    it("emits Held", async () => {
      const { treasury, module } = await asModule(ModuleStatus.Active);
      const held = treasury.hold([holdOf(7, HKD, 5)]);
      await expect(held)
        .to.emit(treasury, "Held")
        .withArgs(holdingId(module, 7, HKD), 5);
    });
  });
});

describe("Treasury.release", () => {
  describe("when the caller is no module", () => {
    it("reverts with ModuleNotAuthorized", async () => {
      const { treasury, module } = await afterHold(10n, ModuleStatus.None);
      await expectRevert(treasury.release([releaseOf(7, 7, HKD, 1)]), "Treasury_ModuleNotAuthorized", [module, 0]);
    });
  });

  describe("when the partner has too little held", () => {
    it("reverts with InsufficientHeld", async () => {
      const { treasury, module } = await afterHold(10n);
      const args = [module, 7, HKD, 10, 11];
      await expectRevert(treasury.release([releaseOf(7, 7, HKD, 11)]), "Treasury_InsufficientHeld", args);
    });

    it("reverts with InsufficientHeld for what another module holds", async () => {
      const given = await afterHold(10n);
      const { another, treasury } = await withAnother(given, 4n);
      const args = [another, 7, HKD, 4, 5];
      await expectRevert(treasury.release([releaseOf(7, 7, HKD, 5)]), "Treasury_InsufficientHeld", args);
    });
  });

  describe("when the partner has enough held", () => {
    for (const name of ["Active", "Draining"] as const) {
      it(`moves it back to available for a module that is ${name}`, async () => {
        const { network, treasury } = await afterHold(10n, ModuleStatus[name]);
        await expectChanges(network, async () => treasury.release([releaseOf(7, 7, HKD, 10)]), [
          { partner: 7, currency: HKD, available: 10n, held: -10n },
        ]);
      });
    }

    it("emits Released", async () => {
      const { treasury, module } = await afterHold(10n);
      const released = treasury.release([releaseOf(7, 7, HKD, 4)]);
      await expect(released)
        .to.emit(treasury, "Released")
        .withArgs(holdingId(module, 7, HKD), 4);
    });

    for (const move of ["suspend", "freeze"] as const) {
      it(`moves it back after ${move} of the partner`, async () => {
        const { network, treasury } = await afterHold(10n);
        await network.registry.connect(network.cast.guardian)[move](7);
        await expectChanges(network, async () => treasury.release([releaseOf(7, 7, HKD, 10)]), [
          { partner: 7, currency: HKD, available: 10n, held: -10n },
        ]);
      });
    }
  });
});

describe("Treasury.transferHeld", () => {
  describe("when the caller is no module", () => {
    it("reverts with ModuleNotAuthorized", async () => {
      const { treasury, module } = await afterHold(10n, ModuleStatus.None);
      const call = treasury.release([releaseOf(7, 4, HKD, 1)]);
      await expectRevert(call, "Treasury_ModuleNotAuthorized", [module, 0]);
    });
  });

  describe("when the partner has too little held", () => {
    it("reverts with InsufficientHeld", async () => {
      const { treasury, module } = await afterHold(10n);
      const call = treasury.release([releaseOf(7, 4, HKD, 11)]);
      await expectRevert(call, "Treasury_InsufficientHeld", [module, 7, HKD, 10, 11]);
    });

    it("reverts with InsufficientHeld for what another module holds", async () => {
      const given = await afterHold(10n);
      const { another, treasury } = await withAnother(given, 4n);
      const call = treasury.release([releaseOf(7, 4, HKD, 5)]);
      await expectRevert(call, "Treasury_InsufficientHeld", [another, 7, HKD, 4, 5]);
    });

    it("reverts with InsufficientHeld for a partner who has nothing", async () => {
      const { treasury, module } = await afterHold(10n);
      const call = treasury.release([releaseOf(4, 7, HKD, 1)]);
      await expectRevert(call, "Treasury_InsufficientHeld", [module, 4, HKD, 0, 1]);
    });
  });

  describe("when the partner has enough held", () => {
    for (const name of ["Active", "Draining"] as const) {
      it(`moves it to what another has available, for a module that is ${name}`, async () => {
        const { network, treasury } = await afterHold(10n, ModuleStatus[name]);
        await expectChanges(network, async () => treasury.release([releaseOf(7, 4, HKD, 10)]), [
          { partner: 7, currency: HKD, held: -10n },
          { partner: 4, currency: HKD, available: 10n },
        ]);
      });
    }

    it("emits Moved", async () => {
      const { treasury, module } = await afterHold(10n);
      const moved = treasury.release([releaseOf(7, 4, HKD, 4)]);
      await expect(moved)
        .to.emit(treasury, "Moved")
        .withArgs(holdingId(module, 7, HKD), 4, 4);
    });

    it("moves it to the same partner's available", async () => {
      const { network, treasury } = await afterHold(10n);
      await expectChanges(network, async () => treasury.release([releaseOf(7, 7, HKD, 10)]), [
        { partner: 7, currency: HKD, held: -10n, available: 10n },
      ]);
    });

    for (const move of ["suspend", "freeze"] as const) {
      it(`credits a partner after its ${move}`, async () => {
        const { network, treasury } = await afterHold(10n);
        await network.registry.connect(network.cast.guardian)[move](4);
        await expectChanges(network, async () => treasury.release([releaseOf(7, 4, HKD, 10)]), [
          { partner: 7, currency: HKD, held: -10n },
          { partner: 4, currency: HKD, available: 10n },
        ]);
      });
    }

    it("credits a partner that was never registered: crediting cannot fail", async () => {
      const { treasury } = await afterHold(10n);
      await treasury.release([releaseOf(7, UNKNOWN, HKD, 10)]);
      const { available } = await treasury.balanceOf(UNKNOWN, HKD);
      expect(available).to.equal(10);
    });
  });
});

describe("Treasury.modules", () => {
  it("names every module once, in the order of their activation, whatever they may do now", async () => {
    const given = await afterHold(10n);
    const { network, module, treasury } = given;
    const { another } = await withAnother(given, 1n);
    await takeRights(network, module, ModuleStatus.None);
    await giveRights(network, module, ModuleStatus.Draining);
    expect(await treasury.modules()).to.deep.equal([await network.transfers.getAddress(), module, another]);
  });
});
