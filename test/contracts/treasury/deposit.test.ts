import { MaxUint256, Signature, ZeroHash } from "ethers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { expectChanges } from "../support/balances.ts";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { signPermit } from "../support/permits.ts";
import {
  HKD,
  PHP,
  PartnerStatus,
  Purpose,
  freshNetwork,
  keysOf,
  mintTo,
  tokenOf,
  type Network,
} from "../support/network.ts";

const UNKNOWN_CURRENCY = 702;
const AMOUNT = 1_000n;

/** A network in which partner 7's FUND key has some HKD that is not deposited. */
async function withTokens(): Promise<{ network: Network; fund: HardhatEthersSigner }> {
  const network = await freshNetwork();
  const { fund } = keysOf(network, 7);
  await mintTo(network, HKD, fund.address, AMOUNT);
  return { network, fund };
}

describe("Treasury.deposit", () => {
  describe("when the caller is not a FUND key of the partner", () => {
    it("reverts with KeyNotAuthorized for another purpose's key", async () => {
      const { network } = await withTokens();
      const { send } = keysOf(network, 7);
      const call = network.treasury.connect(send).deposit(7, HKD, AMOUNT);
      const args = [7, send.address, Purpose.fund];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized for another partner's key", async () => {
      const { network } = await withTokens();
      const { fund } = keysOf(network, 8);
      const call = network.treasury.connect(fund).deposit(7, HKD, AMOUNT);
      const args = [7, fund.address, Purpose.fund];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });
  });

  describe("when the amount is zero", () => {
    it("reverts with ZeroAmount", async () => {
      const { network, fund } = await withTokens();
      const call = network.treasury.connect(fund).deposit(7, HKD, 0);
      await expectRevert(call, "Treasury_ZeroAmount", []);
    });
  });

  describe("when the currency has no token", () => {
    it("reverts with UnknownCurrency", async () => {
      const { network, fund } = await withTokens();
      const call = network.treasury.connect(fund).deposit(7, UNKNOWN_CURRENCY, AMOUNT);
      await expectRevert(call, "Treasury_UnknownCurrency", [UNKNOWN_CURRENCY]);
    });
  });

  describe("when the caller's tokens do not reach", () => {
    it("reverts with ERC20InsufficientAllowance without an approval", async () => {
      const { network, fund } = await withTokens();
      const call = network.treasury.connect(fund).deposit(7, HKD, AMOUNT);
      const args = [await network.treasury.getAddress(), 0, AMOUNT];
      await expectRevert(call, "ERC20InsufficientAllowance", args);
    });

    it("reverts with ERC20InsufficientBalance without the tokens", async () => {
      const { network, fund } = await withTokens();
      await tokenOf(network, HKD).connect(fund).approve(network.treasury, MaxUint256);
      const call = network.treasury.connect(fund).deposit(7, HKD, AMOUNT + 1n);
      const args = [fund.address, AMOUNT, AMOUNT + 1n];
      await expectRevert(call, "ERC20InsufficientBalance", args);
    });
  });

  describe("when the tokens are approved", () => {
    it("credits the partner, takes the tokens and emits Deposited", async () => {
      const { network, fund } = await withTokens();
      const token = tokenOf(network, HKD);
      await token.connect(fund).approve(network.treasury, AMOUNT);
      await expectChanges(
        network,
        async () =>
          expect(network.treasury.connect(fund).deposit(7, HKD, AMOUNT))
            .to.emit(network.treasury, "Deposited")
            .withArgs(7, HKD, fund.address, AMOUNT),
        [{ partner: 7, currency: HKD, available: AMOUNT }],
      );
      expect(await token.balanceOf(fund)).to.equal(0);
    });

    for (const [move, status] of [
      ["suspend", PartnerStatus.Suspended],
      ["freeze", PartnerStatus.Frozen],
    ] as const) {
      it(`credits a partner after its ${move}`, async () => {
        const { network, fund } = await withTokens();
        await network.registry.connect(network.cast.guardian)[move](7);
        expect((await network.registry.partnerOf(7)).status).to.equal(status);
        await tokenOf(network, HKD).connect(fund).approve(network.treasury, AMOUNT);
        await expectChanges(network, async () => network.treasury.connect(fund).deposit(7, HKD, AMOUNT), [
          { partner: 7, currency: HKD, available: AMOUNT },
        ]);
      });
    }

    it("takes deposits in any currency, not only the partner's own", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, 7);
      await mintTo(network, PHP, fund.address, AMOUNT);
      await tokenOf(network, PHP).connect(fund).approve(network.treasury, AMOUNT);
      await expectChanges(network, async () => network.treasury.connect(fund).deposit(7, PHP, AMOUNT), [
        { partner: 7, currency: PHP, available: AMOUNT },
      ]);
    });
  });
});

describe("Treasury.depositWithPermit", () => {
  async function permitFor(network: Network, owner: HardhatEthersSigner, deadline: number, value = AMOUNT) {
    const spender = await network.treasury.getAddress();
    const signature = await signPermit(tokenOf(network, HKD), owner, { spender, value, deadline });
    return Signature.from(signature);
  }

  describe("when the currency has no token", () => {
    it("reverts with UnknownCurrency", async () => {
      const { network, fund } = await withTokens();
      const call = network.treasury
        .connect(fund)
        .depositWithPermit(7, UNKNOWN_CURRENCY, AMOUNT, MaxUint256, 27, ZeroHash, ZeroHash);
      await expectRevert(call, "Treasury_UnknownCurrency", [UNKNOWN_CURRENCY]);
    });
  });

  describe("when the permit is good", () => {
    it("approves and deposits in one transaction", async () => {
      const { network, fund } = await withTokens();
      const deadline = (await latestTimestamp()) + 100;
      const { v, r, s } = await permitFor(network, fund, deadline);
      const act = () => network.treasury.connect(fund).depositWithPermit(7, HKD, AMOUNT, deadline, v, r, s);
      await expectChanges(network, act, [{ partner: 7, currency: HKD, available: AMOUNT }]);
      expect(await tokenOf(network, HKD).allowance(fund, network.treasury)).to.equal(0);
    });
  });

  describe("when the permit is not good", () => {
    it("reverts for the lacking approval when it is past its deadline", async () => {
      const { network, fund } = await withTokens();
      const deadline = (await latestTimestamp()) + 100;
      const { v, r, s } = await permitFor(network, fund, deadline);
      await nextBlockAt(deadline + 1);
      const call = network.treasury.connect(fund).depositWithPermit(7, HKD, AMOUNT, deadline, v, r, s);
      const args = [await network.treasury.getAddress(), 0, AMOUNT];
      await expectRevert(call, "ERC20InsufficientAllowance", args);
    });

    it("reverts for the lacking approval when it is for another amount", async () => {
      const { network, fund } = await withTokens();
      const deadline = (await latestTimestamp()) + 100;
      const { v, r, s } = await permitFor(network, fund, deadline, AMOUNT - 1n);
      const call = network.treasury.connect(fund).depositWithPermit(7, HKD, AMOUNT, deadline, v, r, s);
      const args = [await network.treasury.getAddress(), 0, AMOUNT];
      await expectRevert(call, "ERC20InsufficientAllowance", args);
    });

    it("deposits all the same where there is an approval", async () => {
      const { network, fund } = await withTokens();
      await tokenOf(network, HKD).connect(fund).approve(network.treasury, AMOUNT);
      const act = () => network.treasury.connect(fund).depositWithPermit(7, HKD, AMOUNT, 0, 27, ZeroHash, ZeroHash);
      await expectChanges(network, act, [{ partner: 7, currency: HKD, available: AMOUNT }]);
    });
  });

  describe("when the caller is not a FUND key of the partner", () => {
    it("reverts with KeyNotAuthorized", async () => {
      const { network } = await withTokens();
      const { fund } = keysOf(network, 8);
      const deadline = (await latestTimestamp()) + 100;
      const { v, r, s } = await permitFor(network, fund, deadline);
      const call = network.treasury.connect(fund).depositWithPermit(7, HKD, AMOUNT, deadline, v, r, s);
      const args = [7, fund.address, Purpose.fund];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });
  });
});
