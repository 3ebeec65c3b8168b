import { ZeroAddress } from "ethers";
import { expect } from "chai";
import type { Treasury } from "../../../types/ethers-contracts/index.ts";
import { makeBatch, openBatch } from "../support/batches.ts";
import { ethers } from "../support/chain.ts";
import { expectRevert } from "../support/expect-revert.ts";
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
      await expectRevert(call, treasury, "AccessManagedUnauthorized", [cast.bank.address]);
    });
  });

  describe("when the currency has a token", () => {
    it("reverts with CurrencyTaken", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const call = treasury.connect(cast.council).registerToken(await deployToken(network, PHP, treasury));
      const args = [PHP, await tokenOf(network, PHP).getAddress()];
      await expectRevert(call, treasury, "Treasury_CurrencyTaken", args);
    });

    it("reverts with CurrencyTaken for the same token again", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const token = tokenOf(network, PHP);
      const call = treasury.connect(cast.council).registerToken(token);
      await expectRevert(call, treasury, "Treasury_CurrencyTaken", [PHP, await token.getAddress()]);
    });
  });

  describe("when the token settles elsewhere", () => {
    it("reverts with TokenOfAnotherTreasury", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const token = await deployToken(network, SGD, cast.stranger.address);
      const call = treasury.connect(cast.council).registerToken(token);
      const args = [await token.getAddress(), cast.stranger.address];
      await expectRevert(call, treasury, "Treasury_TokenOfAnotherTreasury", args);
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

describe("Treasury.setModule", () => {
  const all = ["None", "Active", "Draining"] as const;

  describe("when the caller is not the council", () => {
    it("reverts with AccessManagedUnauthorized", async () => {
      const { treasury, cast } = await freshNetwork();
      const call = treasury.connect(cast.guardian).setModule(cast.stranger, ModuleStatus.Active);
      await expectRevert(call, treasury, "AccessManagedUnauthorized", [cast.guardian.address]);
    });
  });

  describe("when the module has the status already", () => {
    for (const name of all) {
      it(`reverts with IllegalModuleStatus for ${name}`, async () => {
        const { treasury, cast } = await freshNetwork();
        const asCouncil = treasury.connect(cast.council);
        const status = ModuleStatus[name];
        if (status !== ModuleStatus.None) await asCouncil.setModule(cast.stranger, status);
        const call = asCouncil.setModule(cast.stranger, status);
        const args = [cast.stranger.address, status, status];
        await expectRevert(call, treasury, "Treasury_IllegalModuleStatus", args);
      });
    }
  });

  describe("when the status is another", () => {
    for (const from of all) {
      for (const to of all.filter((name) => name !== from)) {
        it(`changes ${from} to ${to} and emits ModuleChanged`, async () => {
          const { treasury, cast } = await freshNetwork();
          const asCouncil = treasury.connect(cast.council);
          const [previous, current] = [ModuleStatus[from], ModuleStatus[to]];
          if (previous !== ModuleStatus.None) await asCouncil.setModule(cast.stranger, previous);
          await expect(asCouncil.setModule(cast.stranger, current))
            .to.emit(treasury, "ModuleChanged")
            .withArgs(cast.stranger.address, previous, current);
          expect(await treasury.statusOfModule(cast.stranger)).to.equal(current);
        });
      }
    }

    it("refuses new batches of a registry that drains", async () => {
      const network = await freshNetwork();
      const { treasury, transfers, cast } = network;
      await treasury.connect(cast.council).setModule(transfers, ModuleStatus.Draining);
      const args = [await transfers.getAddress(), ModuleStatus.Draining];
      const call = openBatch(network, await makeBatch(network));
      await expectRevert(call, treasury, "Treasury_ModuleNotAuthorized", args);
    });
  });
});
