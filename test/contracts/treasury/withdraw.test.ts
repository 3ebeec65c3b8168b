import { ZeroAddress } from "ethers";
import { expect } from "chai";
import { expectChanges } from "../support/balances.ts";
import { openedBatch } from "../support/batches.ts";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { reactivate } from "../support/governance.ts";
import { FUNDS, HKD, PHP, PartnerStatus, Purpose, freshNetwork, keysOf, tokenOf } from "../support/network.ts";

const UNKNOWN_CURRENCY = 702;

describe("Treasury.withdraw", () => {
  describe("when the caller is not a FUND key of the partner", () => {
    it("reverts with KeyNotAuthorized for the partner's admin", async () => {
      const network = await freshNetwork();
      const { admin } = keysOf(network, 7);
      const call = network.treasury.connect(admin).withdraw(7, HKD, 1, admin);
      const args = [7, admin.address, Purpose.fund];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized for another partner's key", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 8);
      const call = network.treasury.connect(fund).withdraw(7, HKD, 1, fund);
      const args = [7, fund.address, Purpose.fund];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized a second past the key's validity", async () => {
      const network = await freshNetwork();
      const { fund, admin } = keysOf(network, 7);
      const validUntil = (await latestTimestamp()) + 5;
      await network.registry.connect(admin).authorizeKey(7, fund, Purpose.fund, validUntil);
      await nextBlockAt(validUntil + 1);
      const call = network.treasury.connect(fund).withdraw(7, HKD, 1, fund);
      const args = [7, fund.address, Purpose.fund];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });
  });

  describe("when the partner is not active", () => {
    for (const [move, status] of [
      ["suspend", PartnerStatus.Suspended],
      ["freeze", PartnerStatus.Frozen],
    ] as const) {
      it(`reverts with PartnerNotActive after ${move}, and withdraws once it is reactivated`, async () => {
        const network = await freshNetwork();
        const { registry, treasury, cast } = network;
        const { fund } = keysOf(network, 7);
        await registry.connect(cast.guardian)[move](7);
        const call = treasury.connect(fund).withdraw(7, HKD, 1, fund);
        await expectRevert(call, "PartnerRegistry_PartnerNotActive", [7, status]);
        await reactivate(network, 7);
        await treasury.connect(fund).withdraw(7, HKD, 1, fund);
      });
    }
  });

  describe("when the amount is zero", () => {
    it("reverts with ZeroAmount", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 7);
      const call = network.treasury.connect(fund).withdraw(7, HKD, 0, fund);
      await expectRevert(call, "Treasury_ZeroAmount", []);
    });
  });

  describe("when the recipient is the treasury", () => {
    it("reverts with InvalidRecipient", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 7);
      const call = network.treasury.connect(fund).withdraw(7, HKD, 1, network.treasury);
      const args = [await network.treasury.getAddress()];
      await expectRevert(call, "Treasury_InvalidRecipient", args);
    });
  });

  describe("when the recipient is nobody", () => {
    it("reverts with the token's ERC20InvalidReceiver", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 7);
      const call = network.treasury.connect(fund).withdraw(7, HKD, 1, ZeroAddress);
      await expectRevert(call, "ERC20InvalidReceiver", [ZeroAddress]);
    });
  });

  describe("when the currency has no token", () => {
    it("reverts with UnknownCurrency", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 7);
      const call = network.treasury.connect(fund).withdraw(7, UNKNOWN_CURRENCY, 1, fund);
      await expectRevert(call, "Treasury_UnknownCurrency", [UNKNOWN_CURRENCY]);
    });
  });

  describe("when too little is available", () => {
    it("reverts with InsufficientAvailable for a unit more", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 7);
      const call = network.treasury.connect(fund).withdraw(7, HKD, FUNDS + 1n, fund);
      const args = [7, HKD, FUNDS, FUNDS + 1n];
      await expectRevert(call, "Treasury_InsufficientAvailable", args);
    });

    it("reverts with InsufficientAvailable for what is held", async () => {
      const network = await freshNetwork();
      const { sourceTotal, fee } = (await openedBatch(network)).header;
      const { fund } = keysOf(network, 7);
      const call = network.treasury.connect(fund).withdraw(7, HKD, FUNDS, fund);
      const args = [7, HKD, FUNDS - sourceTotal - fee, FUNDS];
      await expectRevert(call, "Treasury_InsufficientAvailable", args);
    });

    it("reverts with InsufficientAvailable in a currency the partner has none of", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 7);
      const call = network.treasury.connect(fund).withdraw(7, PHP, 1, fund);
      await expectRevert(call, "Treasury_InsufficientAvailable", [7, PHP, 0, 1]);
    });
  });

  describe("when enough is available", () => {
    it("pays anyone the partner names and emits Withdrawn", async () => {
      const network = await freshNetwork();
      const { treasury, cast } = network;
      const { fund } = keysOf(network, 7);
      await expectChanges(
        network,
        async () =>
          expect(treasury.connect(fund).withdraw(7, HKD, 250, cast.stranger))
            .to.emit(treasury, "Withdrawn")
            .withArgs(7, HKD, cast.stranger.address, 250),
        [{ partner: 7, currency: HKD, available: -250n }],
      );
      expect(await tokenOf(network, HKD).balanceOf(cast.stranger)).to.equal(250);
    });

    it("pays all of it", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 7);
      await expectChanges(network, () => network.treasury.connect(fund).withdraw(7, HKD, FUNDS, fund), [
        { partner: 7, currency: HKD, available: -FUNDS },
      ]);
    });
  });
});
