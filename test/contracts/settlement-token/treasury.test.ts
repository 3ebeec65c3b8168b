import { ZeroAddress } from "ethers";
import { expect } from "chai";
import { ethers } from "../support/chain.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { HKD, freshNetwork, keysOf, mintTo, restrict, RESTRICTED, tokenOf } from "../support/network.ts";

/** HKD, and a second treasury that does not have it yet. */
async function withNext() {
  const network = await freshNetwork();
  const { manager, registry, treasury, cast } = network;
  const next = await ethers.deployContract("Treasury", [manager, registry]);
  await restrict(network, [[next, RESTRICTED.Treasury]]);
  const token = tokenOf(network, HKD);
  const asCouncil = token.connect(cast.council);
  return { network, cast, token, asCouncil, treasury: await treasury.getAddress(), next };
}

/** The same, once the second treasury has it as well. */
async function withBoth() {
  const given = await withNext();
  await given.asCouncil.offerTreasury(given.treasury, given.next);
  await given.next.connect(given.cast.council).registerToken(given.token);
  return given;
}

describe("SettlementToken.offerTreasury", () => {
  it("reverts with AccessManagedUnauthorized when the caller is not the council", async () => {
    const { token, cast, treasury, next } = await withNext();
    const call = token.connect(cast.risk).offerTreasury(treasury, next);
    await expectRevert(call, "AccessManagedUnauthorized", [cast.risk.address]);
  });

  it("reverts with TreasuryMismatch when another treasury has taken the token since", async () => {
    const { asCouncil, treasury, next } = await withBoth();
    const call = asCouncil.offerTreasury(treasury, next);
    await expectRevert(call, "SettlementToken_TreasuryMismatch", [treasury, await next.getAddress()]);
  });

  it("changes nothing but whom it is offered to, and emits TreasuryOffered", async () => {
    const { token, asCouncil, treasury, next } = await withNext();
    await expect(asCouncil.offerTreasury(treasury, next))
      .to.emit(token, "TreasuryOffered")
      .withArgs(treasury, await next.getAddress());
    expect(await token.offeredTreasury()).to.equal(await next.getAddress());
    expect(await token.treasury()).to.equal(treasury);
    expect(await token.isTreasury(next)).to.equal(false);
  });

  it("takes the offer back by offering it to nobody", async () => {
    const { token, asCouncil, cast, treasury, next } = await withNext();
    await asCouncil.offerTreasury(treasury, next);
    await asCouncil.offerTreasury(treasury, ZeroAddress);
    const call = next.connect(cast.council).registerToken(token);
    await expectRevert(call, "SettlementToken_TreasuryNotOffered", [await next.getAddress(), ZeroAddress]);
  });

  it("keeps no account from receiving tokens that does not accept", async () => {
    const { network, token, asCouncil, cast, treasury } = await withNext();
    const account = keysOf(network, 7).fund.address;
    await asCouncil.offerTreasury(treasury, account);
    await mintTo(network, HKD, account, 10n);
    await network.treasury.connect(keysOf(network, 7).fund).withdraw(7, HKD, 10, account);
    await token.connect(keysOf(network, 7).fund).transfer(cast.stranger, 20);
    await token.connect(cast.stranger).transfer(account, 20);
    expect(await token.balanceOf(account)).to.equal(20);
  });
});

describe("SettlementToken.acceptTreasury", () => {
  it("reverts with TreasuryNotOffered for whomever it is not offered to", async () => {
    const { token, asCouncil, cast, treasury, next } = await withNext();
    await asCouncil.offerTreasury(treasury, next);
    for (const other of [cast.council, cast.stranger]) {
      const call = token.connect(other).acceptTreasury();
      await expectRevert(call, "SettlementToken_TreasuryNotOffered", [other.address, await next.getAddress()]);
    }
  });

  it("makes the treasury the latest as the token is registered there, once, and emits TreasuryChanged", async () => {
    const { token, asCouncil, cast, treasury, next } = await withNext();
    await asCouncil.offerTreasury(treasury, next);
    await expect(next.connect(cast.council).registerToken(token))
      .to.emit(token, "TreasuryChanged")
      .withArgs(treasury, await next.getAddress());
    expect(await token.treasury()).to.equal(await next.getAddress());
    expect(await token.offeredTreasury()).to.equal(ZeroAddress);
    expect(await next.tokenOf(HKD)).to.equal(await token.getAddress());
  });

  it("leaves both treasuries with their deposits as the only way in", async () => {
    const { network, token, treasury, next } = await withBoth();
    const { fund } = keysOf(network, 7);
    await mintTo(network, HKD, fund.address, 50n);
    for (const each of [treasury, await next.getAddress()]) {
      expect(await token.isTreasury(each)).to.equal(true);
      await expectRevert(token.connect(fund).transfer(each, 1), "SettlementToken_DepositInstead", [each]);
      await expectRevert(mintTo(network, HKD, each, 1n), "SettlementToken_DepositInstead", [each]);
      await token.connect(fund).approve(each, 25);
    }
    await network.treasury.connect(fund).deposit(7, HKD, 25);
    await next.connect(fund).deposit(7, HKD, 25);
    const call = network.treasury.connect(fund).withdraw(7, HKD, 1, next);
    await expectRevert(call, "SettlementToken_DepositInstead", [await next.getAddress()]);
  });
});
