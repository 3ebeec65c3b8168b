import { MaxUint256, Signature, ZeroAddress, id } from "ethers";
import { expect } from "chai";
import { ethers } from "../support/chain.ts";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { FUNDS, HKD, MAX_ATTESTATION_AGE, freshNetwork, keysOf, mintTo, tokenOf } from "../support/network.ts";
import { signPermit } from "../support/permits.ts";

const DESTINATION = id("an account at the settlement bank");

/** HKD of which a holder has 100 outside the treasury. */
async function withHolder() {
  const network = await freshNetwork();
  const holder = network.cast.spare[0];
  await mintTo(network, HKD, holder.address, 100n);
  return { network, cast: network.cast, holder, token: tokenOf(network, HKD), treasury: network.treasury };
}

describe("SettlementToken.redeem", () => {
  it("reverts with ERC20InsufficientBalance for more than the caller has", async () => {
    const { token, holder } = await withHolder();
    const call = token.connect(holder).redeem(101, DESTINATION);
    await expectRevert(call, "ERC20InsufficientBalance", [holder.address, 100, 101]);
  });

  it("burns the caller's tokens and emits Transfer and Redeemed", async () => {
    const { token, holder } = await withHolder();
    const supply = await token.totalSupply();
    await expect(token.connect(holder).redeem(60, DESTINATION))
      .to.emit(token, "Redeemed")
      .withArgs(holder.address, 60, DESTINATION)
      .and.to.emit(token, "Transfer")
      .withArgs(holder.address, ZeroAddress, 60);
    expect(await token.balanceOf(holder)).to.equal(40);
    expect(await token.totalSupply()).to.equal(supply - 60n);
  });

  it("redeems while the attestation is stale", async () => {
    const { token, holder } = await withHolder();
    const { asOf } = await token.latestAttestation();
    await nextBlockAt((await latestTimestamp()) + MAX_ATTESTATION_AGE + 1);
    await token.connect(holder).redeem(100, DESTINATION);
    expect((await token.latestAttestation()).asOf).to.equal(asOf);
    expect(await token.balanceOf(holder)).to.equal(0);
  });

  it("redeems for a partner that is frozen, from its own account", async () => {
    const { network, token, cast } = await withHolder();
    const { fund } = keysOf(network, 7);
    await mintTo(network, HKD, fund.address, 10n);
    await network.registry.connect(cast.guardian).freeze(7);
    await expect(token.connect(fund).redeem(10, DESTINATION)).to.emit(token, "Redeemed");
  });
});

describe("SettlementToken.transfer", () => {
  it("moves tokens between accounts and emits Transfer", async () => {
    const { token, cast, holder } = await withHolder();
    await expect(token.connect(holder).transfer(cast.stranger, 30))
      .to.emit(token, "Transfer")
      .withArgs(holder.address, cast.stranger.address, 30);
    expect(await token.balanceOf(cast.stranger)).to.equal(30);
  });

  it("reverts with DepositInstead to the treasury", async () => {
    const { token, treasury, holder } = await withHolder();
    const call = token.connect(holder).transfer(treasury, 30);
    await expectRevert(call, "SettlementToken_DepositInstead", [await treasury.getAddress()]);
  });

  it("reverts with DepositInstead for a transfer of nothing to the treasury", async () => {
    const { token, treasury, holder } = await withHolder();
    const call = token.connect(holder).transfer(treasury, 0);
    await expectRevert(call, "SettlementToken_DepositInstead", [await treasury.getAddress()]);
  });

  it("reverts with ERC20InsufficientBalance for more than there is", async () => {
    const { token, cast, holder } = await withHolder();
    const call = token.connect(holder).transfer(cast.stranger, 101);
    await expectRevert(call, "ERC20InsufficientBalance", [holder.address, 100, 101]);
  });
});

describe("SettlementToken.transferFrom", () => {
  it("moves what was approved", async () => {
    const { token, cast, holder } = await withHolder();
    await token.connect(holder).approve(cast.courier, 30);
    await token.connect(cast.courier).transferFrom(holder, cast.stranger, 30);
    expect(await token.balanceOf(cast.stranger)).to.equal(30);
    expect(await token.allowance(holder, cast.courier)).to.equal(0);
  });

  it("reverts with DepositInstead to the treasury, whoever else calls", async () => {
    const { token, treasury, cast, holder } = await withHolder();
    await token.connect(holder).approve(cast.courier, 30);
    const call = token.connect(cast.courier).transferFrom(holder, treasury, 30);
    await expectRevert(call, "SettlementToken_DepositInstead", [await treasury.getAddress()]);
  });

  it("reverts with ERC20InsufficientAllowance beyond the approval", async () => {
    const { token, cast, holder } = await withHolder();
    const call = token.connect(cast.courier).transferFrom(holder, cast.stranger, 1);
    await expectRevert(call, "ERC20InsufficientAllowance", [cast.courier.address, 0, 1]);
  });
});

describe("SettlementToken.permit", () => {
  it("approves by signature, once", async () => {
    const { token, cast, holder } = await withHolder();
    const deadline = (await latestTimestamp()) + 100;
    const signed = await signPermit(token, holder, { spender: cast.courier.address, value: 30n, deadline });
    const { v, r, s } = Signature.from(signed);
    await token.permit(holder, cast.courier, 30, deadline, v, r, s);
    expect(await token.allowance(holder, cast.courier)).to.equal(30);
    expect(await token.nonces(holder)).to.equal(1);
    const again = token.permit(holder, cast.courier, 30, deadline, v, r, s);
    const signer = (given: string) => given !== holder.address;
    await expectRevert(again, "ERC2612InvalidSigner", [signer, holder.address]);
  });

  it("reverts with ERC2612ExpiredSignature past the deadline", async () => {
    const { token, cast, holder } = await withHolder();
    const deadline = (await latestTimestamp()) + 10;
    const signed = await signPermit(token, holder, { spender: cast.courier.address, value: 30n, deadline });
    const { v, r, s } = Signature.from(signed);
    await nextBlockAt(deadline + 1);
    const call = token.permit(holder, cast.courier, 30, deadline, v, r, s);
    await expectRevert(call, "ERC2612ExpiredSignature", [deadline]);
  });

  it("approves the treasury without limit where the holder wants that", async () => {
    const { token, treasury, holder } = await withHolder();
    await token.connect(holder).approve(treasury, MaxUint256);
    expect(await token.allowance(holder, treasury)).to.equal(MaxUint256);
  });
});

describe("SettlementToken, what it says of itself", () => {
  for (const [code, currency, digits] of [
    ["HKD", HKD, 2],
    ["KRW", 410, 0],
    ["KWD", 414, 3],
    ["CLF", 990, 4],
  ] as const) {
    it(`names ${code} and has its ${digits} decimals`, async () => {
      const { manager, treasury, cast } = await freshNetwork();
      const args = [manager, treasury, currency, code, digits, MAX_ATTESTATION_AGE, cast.attestor];
      const token = await ethers.deployContract("SettlementToken", args);
      expect(await token.name()).to.equal(`Feiqian ${code}`);
      expect(await token.symbol()).to.equal(`fq${code}`);
      expect(await token.decimals()).to.equal(digits);
      expect(await token.currency()).to.equal(currency);
    });
  }

  it("counts all tokens that were minted and not redeemed", async () => {
    const { token, holder } = await withHolder();
    expect(await token.totalSupply()).to.equal(FUNDS + 100n);
    await token.connect(holder).redeem(100, DESTINATION);
    expect(await token.totalSupply()).to.equal(FUNDS);
  });
});
