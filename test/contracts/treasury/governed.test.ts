import { ZeroAddress } from "ethers";
import { expect } from "chai";
import type { Treasury } from "../../../types/ethers-contracts/index.ts";
import { makeBatch, openBatch } from "../support/batches.ts";
import { ethers } from "../support/chain.ts";
import { latestTimestamp, nextBlockAt, secondsOf } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import {
  ACTIVATION_WINDOW,
  MODULE_NOTICE,
  announce,
  asContract,
  bringModuleTo,
  takeRights,
} from "../support/modules.ts";
import { MAX_ATTESTATION_AGE, ModuleStatus, PHP, freshNetwork, tokenOf, type Network } from "../support/network.ts";

const SGD = 702;

async function deployToken({ manager, cast }: Network, currency: number, home: string | Treasury) {
  const args = [manager, home, currency, "SGD", 2, MAX_ATTESTATION_AGE, cast.attestor];
  return ethers.deployContract("SettlementToken", args);
}

describe("Treasury.registerToken", () => {
  describe("when the caller is not the council", () => {
    it("reverts with AccessManagedUnauthorized", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const token = await deployToken(network, SGD, treasury);
      const call = treasury.connect(cast.bank).registerToken(token);
      await expectRevert(call, "AccessManagedUnauthorized", [cast.bank.address]);
    });
  });

  describe("when the currency has a token", () => {
    it("reverts with CurrencyTaken", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const call = treasury.connect(cast.council).registerToken(await deployToken(network, PHP, treasury));
      const args = [PHP, await tokenOf(network, PHP).getAddress()];
      await expectRevert(call, "Treasury_CurrencyTaken", args);
    });

    it("reverts with CurrencyTaken for the same token again", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const token = tokenOf(network, PHP);
      const call = treasury.connect(cast.council).registerToken(token);
      await expectRevert(call, "Treasury_CurrencyTaken", [PHP, await token.getAddress()]);
    });
  });

  describe("when it is no token", () => {
    it("reverts with NoContract for an address without code", async () => {
      const { treasury, cast } = await freshNetwork();
      const call = treasury.connect(cast.council).registerToken(cast.stranger);
      await expectRevert(call, "Treasury_NoContract", [cast.stranger.address]);
    });

    for (const currency of [0, 1_000]) {
      it(`reverts with InvalidCurrency for currency ${currency}`, async () => {
        const { treasury, cast } = await freshNetwork();
        const token = await ethers.deployContract("FalseToken", [currency, treasury]);
        const call = treasury.connect(cast.council).registerToken(token);
        await expectRevert(call, "Treasury_InvalidCurrency", [await token.getAddress(), currency]);
      });
    }
  });

  describe("when the token settles elsewhere", () => {
    it("reverts with TreasuryNotOffered", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const token = await deployToken(network, SGD, cast.stranger.address);
      const call = treasury.connect(cast.council).registerToken(token);
      await expectRevert(call, "SettlementToken_TreasuryNotOffered", [await treasury.getAddress(), ZeroAddress]);
      expect(await treasury.tokenOf(SGD)).to.equal(ZeroAddress);
    });
  });

  describe("when the currency is new", () => {
    it("registers the token and emits TokenRegistered", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      expect(await treasury.tokenOf(SGD)).to.equal(ZeroAddress);
      const token = await deployToken(network, SGD, treasury);
      await expect(treasury.connect(cast.council).registerToken(token))
        .to.emit(treasury, "TokenRegistered")
        .withArgs(SGD, token);
      expect(await treasury.tokenOf(SGD)).to.equal(await token.getAddress());
    });
  });
});

describe("Treasury.announceModule", () => {
  describe("when the caller is not the council", () => {
    it("reverts with AccessManagedUnauthorized", async () => {
      const { treasury, cast } = await freshNetwork();
      const call = treasury.connect(cast.guardian).announceModule(treasury, ModuleStatus.Active);
      await expectRevert(call, "AccessManagedUnauthorized", [cast.guardian.address]);
    });
  });

  describe("when the module has no code", () => {
    it("reverts with NoContract", async () => {
      const { treasury, cast } = await freshNetwork();
      for (const module of [ZeroAddress, cast.stranger.address]) {
        const call = treasury.connect(cast.council).announceModule(module, ModuleStatus.Active);
        await expectRevert(call, "Treasury_NoContract", [module]);
      }
    });
  });

  describe("when the module would gain nothing", () => {
    for (const [from, to] of [
      ["None", "None"],
      ["Active", "Active"],
      ["Active", "Draining"],
      ["Active", "None"],
      ["Draining", "Draining"],
      ["Draining", "None"],
    ] as const) {
      it(`reverts with IllegalModuleStatus for ${to} from ${from}`, async () => {
        const network = await freshNetwork();
        const { treasury, cast } = network;
        const module = await asContract(cast.spare[0]);
        await bringModuleTo(network, module, ModuleStatus[from]);
        const call = treasury.connect(cast.council).announceModule(module, ModuleStatus[to]);
        const args = [module, ModuleStatus[from], ModuleStatus[to]];
        await expectRevert(call, "Treasury_IllegalModuleStatus", args);
      });
    }
  });

  describe("when the module is announced already", () => {
    it("reverts with ModuleAlreadyAnnounced until that is out of date, and then counts it once", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const module = await announce(network, cast.spare[0], ModuleStatus.Active);
      const { until } = await treasury.announcementOf(module);
      await nextBlockAt(secondsOf(until));
      const call = treasury.connect(cast.council).announceModule(module, ModuleStatus.Draining);
      await expectRevert(call, "Treasury_ModuleAlreadyAnnounced", [module, ModuleStatus.Active]);
      await nextBlockAt(secondsOf(until) + 1);
      await treasury.connect(cast.council).announceModule(module, ModuleStatus.Draining);
      expect((await treasury.announcementOf(module)).status).to.equal(ModuleStatus.Draining);
      expect(await treasury.announcedModules()).to.equal(1);
    });
  });

  describe("when the module is to gain rights", () => {
    it("tells from when on, and until when, it may be activated, and emits ModuleAnnounced", async () => {
      const { treasury, cast } = await freshNetwork();
      const module = await asContract(cast.spare[0]);
      const from = (await latestTimestamp()) + 10 + MODULE_NOTICE;
      await nextBlockAt(from - MODULE_NOTICE);
      const args = [module, ModuleStatus.Active, from, from + ACTIVATION_WINDOW];
      await expect(treasury.connect(cast.council).announceModule(module, ModuleStatus.Active))
        .to.emit(treasury, "ModuleAnnounced")
        .withArgs(...args);
      const announced = await treasury.announcementOf(module);
      expect([module, ...announced]).to.deep.equal([module, ...args.slice(1).map(BigInt)]);
      expect(await treasury.statusOfModule(module)).to.equal(ModuleStatus.None);
    });

    it("gives no notice while there is no token, and so no money", async () => {
      const { manager, registry, transfers, cast } = await freshNetwork();
      const treasury = await ethers.deployContract("Treasury", [manager, registry]);
      const asRoot = treasury.connect(cast.root);
      await asRoot.announceModule(transfers, ModuleStatus.Active);
      await asRoot.activateModule(transfers, ModuleStatus.Active);
      expect(await treasury.statusOfModule(transfers)).to.equal(ModuleStatus.Active);
    });
  });
});

describe("Treasury.activateModule", () => {
  describe("when the caller is not the council", () => {
    it("reverts with AccessManagedUnauthorized", async () => {
      const { treasury, cast } = await freshNetwork();
      const call = treasury.connect(cast.guardian).activateModule(treasury, ModuleStatus.Active);
      await expectRevert(call, "AccessManagedUnauthorized", [cast.guardian.address]);
    });
  });

  describe("when it was not announced", () => {
    it("reverts with ModuleNotAnnounced", async () => {
      const { treasury, cast } = await freshNetwork();
      const args = [await treasury.getAddress(), ModuleStatus.None, ModuleStatus.Active];
      const call = treasury.connect(cast.council).activateModule(treasury, ModuleStatus.Active);
      await expectRevert(call, "Treasury_ModuleNotAnnounced", args);
    });

    it("reverts with ModuleNotAnnounced for another status", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const module = await announce(network, cast.spare[0], ModuleStatus.Draining);
      await nextBlockAt((await latestTimestamp()) + MODULE_NOTICE);
      const call = treasury.connect(cast.council).activateModule(module, ModuleStatus.Active);
      const args = [module, ModuleStatus.Draining, ModuleStatus.Active];
      await expectRevert(call, "Treasury_ModuleNotAnnounced", args);
    });

    it("reverts with ModuleNotAnnounced for none", async () => {
      const { treasury, cast } = await freshNetwork();
      const args = [await treasury.getAddress(), ModuleStatus.None, ModuleStatus.None];
      const call = treasury.connect(cast.council).activateModule(treasury, ModuleStatus.None);
      await expectRevert(call, "Treasury_ModuleNotAnnounced", args);
    });
  });

  describe("when it is not the time", () => {
    for (const [title, offset] of [
      ["a second too early", -1],
      ["a second too late", ACTIVATION_WINDOW + 1],
    ] as const) {
      it(`reverts with ModuleNoticeNotOver ${title}`, async () => {
        const network = await freshNetwork();
        const { treasury, cast } = network;
        const module = await announce(network, cast.spare[0], ModuleStatus.Active);
        const { from, until } = await treasury.announcementOf(module);
        await nextBlockAt(secondsOf(from) + offset);
        const call = treasury.connect(cast.council).activateModule(module, ModuleStatus.Active);
        const args = [module, from + BigInt(offset), from, until];
        await expectRevert(call, "Treasury_ModuleNoticeNotOver", args);
      });
    }
  });

  describe("when the notice is over", () => {
    for (const [from, to] of [
      ["None", "Active"],
      ["None", "Draining"],
      ["Draining", "Active"],
    ] as const) {
      for (const [title, offset] of [
        ["first", 0],
        ["last", ACTIVATION_WINDOW],
      ] as const) {
        it(`changes ${from} to ${to} in the ${title} second and emits ModuleChanged`, async () => {
          const network = await freshNetwork();
          const { treasury, cast } = network;
          const module = await asContract(cast.spare[0]);
          await bringModuleTo(network, module, ModuleStatus[from]);
          await announce(network, module, ModuleStatus[to]);
          const at = secondsOf((await treasury.announcementOf(module)).from) + offset;
          await nextBlockAt(at);
          await expect(treasury.connect(cast.council).activateModule(module, ModuleStatus[to]))
            .to.emit(treasury, "ModuleChanged")
            .withArgs(module, ModuleStatus[from], ModuleStatus[to]);
          expect(await treasury.statusOfModule(module)).to.equal(ModuleStatus[to]);
          expect((await treasury.announcementOf(module)).status).to.equal(ModuleStatus.None);
          expect(await treasury.announcedModules()).to.equal(0);
          expect(await treasury.moduleActivatedAt()).to.equal(at);
        });
      }
    }
  });

  describe("when the treasury has had as many modules as it can count", () => {
    it("reverts with TooManyModules for another one, and still takes one that it had", async () => {
      const { manager, registry, cast } = await freshNetwork();
      const treasury = await ethers.deployContract("Treasury", [manager, registry]);
      const asRoot = treasury.connect(cast.root);
      const activate = async (module: string) => {
        await asRoot.announceModule(await asContract(module), ModuleStatus.Active);
        return asRoot.activateModule(module, ModuleStatus.Active);
      };
      const modules = Array.from({ length: 256 }, (_, index) => ethers.toBeHex(0x10_0000 + index, 20));
      for (const module of modules.slice(0, 255)) await activate(module);
      const [first = "", another = ""] = [modules[0], modules[255]];
      await expectRevert(activate(another), "Treasury_TooManyModules", []);
      await asRoot.restrictModule(first, ModuleStatus.Active, ModuleStatus.None);
      await activate(first);
      expect((await treasury.modules()).length).to.equal(255);
    });
  });
});

describe("Treasury.cancelModule", () => {
  it("reverts with AccessManagedUnauthorized when the caller is not the guardian", async () => {
    const { treasury, cast } = await freshNetwork();
    const call = treasury.connect(cast.council).cancelModule(treasury);
    await expectRevert(call, "AccessManagedUnauthorized", [cast.council.address]);
  });

  it("reverts with ModuleNotAnnounced when nothing was announced", async () => {
    const { treasury, cast } = await freshNetwork();
    const args = [await treasury.getAddress(), ModuleStatus.None, ModuleStatus.None];
    const call = treasury.connect(cast.guardian).cancelModule(treasury);
    await expectRevert(call, "Treasury_ModuleNotAnnounced", args);
  });

  it("takes the announcement back and emits ModuleAnnouncementCancelled", async () => {
    const network = await freshNetwork();
    const { treasury, cast } = network;
    const module = await announce(network, cast.spare[0], ModuleStatus.Active);
    await announce(network, cast.spare[1], ModuleStatus.Active);
    await expect(treasury.connect(cast.guardian).cancelModule(module))
      .to.emit(treasury, "ModuleAnnouncementCancelled")
      .withArgs(module, ModuleStatus.Active);
    expect(await treasury.announcedModules()).to.equal(1);
    await nextBlockAt((await latestTimestamp()) + MODULE_NOTICE);
    const call = treasury.connect(cast.council).activateModule(module, ModuleStatus.Active);
    const args = [module, ModuleStatus.None, ModuleStatus.Active];
    await expectRevert(call, "Treasury_ModuleNotAnnounced", args);
  });
});

describe("Treasury.restrictModule", () => {
  describe("when the caller is not the council", () => {
    it("reverts with AccessManagedUnauthorized", async () => {
      const { treasury, transfers, cast } = await freshNetwork();
      const call = treasury.connect(cast.guardian).restrictModule(transfers, ModuleStatus.Active, ModuleStatus.None);
      await expectRevert(call, "AccessManagedUnauthorized", [cast.guardian.address]);
    });
  });

  describe("when the module's status is another", () => {
    it("reverts with ModuleStatusMismatch", async () => {
      const { treasury, transfers, cast } = await freshNetwork();
      const call = treasury.connect(cast.council).restrictModule(transfers, ModuleStatus.Draining, ModuleStatus.None);
      const args = [await transfers.getAddress(), ModuleStatus.Draining, ModuleStatus.Active];
      await expectRevert(call, "Treasury_ModuleStatusMismatch", args);
    });
  });

  describe("when the module would lose nothing", () => {
    for (const [from, to] of [
      ["None", "None"],
      ["None", "Active"],
      ["None", "Draining"],
      ["Active", "Active"],
      ["Draining", "Draining"],
      ["Draining", "Active"],
    ] as const) {
      it(`reverts with IllegalModuleStatus for ${to} from ${from}`, async () => {
        const network = await freshNetwork();
        const { treasury, cast } = network;
        const module = await asContract(cast.spare[0]);
        await bringModuleTo(network, module, ModuleStatus[from]);
        const call = treasury.connect(cast.council).restrictModule(module, ModuleStatus[from], ModuleStatus[to]);
        const args = [module, ModuleStatus[from], ModuleStatus[to]];
        await expectRevert(call, "Treasury_IllegalModuleStatus", args);
      });
    }
  });

  describe("when the module loses rights", () => {
    for (const [from, to] of [
      ["Active", "Draining"],
      ["Active", "None"],
      ["Draining", "None"],
    ] as const) {
      it(`changes ${from} to ${to} and emits ModuleChanged`, async () => {
        const network = await freshNetwork();
        const { treasury, cast } = network;
        const module = await asContract(cast.spare[0]);
        await bringModuleTo(network, module, ModuleStatus[from]);
        const call = treasury.connect(cast.council).restrictModule(module, ModuleStatus[from], ModuleStatus[to]);
        await expect(call).to.emit(treasury, "ModuleChanged").withArgs(module, ModuleStatus[from], ModuleStatus[to]);
        expect(await treasury.statusOfModule(module)).to.equal(ModuleStatus[to]);
      });
    }

    it("refuses new batches of a registry that drains", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      await takeRights(network, transfers, ModuleStatus.Draining);
      const args = [await transfers.getAddress(), ModuleStatus.Draining];
      const call = openBatch(network, await makeBatch(network));
      await expectRevert(call, "ForModules_NotActive", args);
    });
  });
});
