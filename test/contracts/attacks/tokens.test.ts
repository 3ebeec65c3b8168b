import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import type { Contract } from "ethers";
import { expectChanges } from "../support/balances.ts";
import { ethers } from "../support/chain.ts";
import { expectRevert } from "../support/expect-revert.ts";
import {
  HKD,
  KEYS_VALID_UNTIL,
  Purpose,
  freshNetwork,
  keysOf,
  mintTo,
  tokenOf,
  type Network,
} from "../support/network.ts";

const FALSE_CURRENCY = 702;
const AMOUNT = 10_000n;

interface Setting {
  readonly network: Network;
  readonly token: Contract;
  readonly fund: HardhatEthersSigner;
}

/** A network that governance has registered a lying token in, of which partner 7's FUND key has some. */
async function withFalseToken(): Promise<Setting> {
  const network = await freshNetwork();
  const { treasury, cast } = network;
  const token: Contract = await ethers.deployContract("FalseToken", [FALSE_CURRENCY, treasury]);
  await treasury.connect(cast.council).registerToken(token);
  const { fund } = keysOf(network, 7);
  await token.getFunction("mint").send(fund, AMOUNT);
  await callAs(fund, token, "approve", await treasury.getAddress(), AMOUNT);
  return { network, token, fund };
}

/** The token has no types of its own, so a call by another account is encoded by hand. */
async function callAs(signer: HardhatEthersSigner, to: Contract, name: string, ...args: unknown[]): Promise<void> {
  await signer.sendTransaction({ to, data: to.interface.encodeFunctionData(name, args) });
}

async function availableOf({ treasury }: Network): Promise<bigint> {
  return (await treasury.balanceOf(7, FALSE_CURRENCY)).available;
}

async function tokensOf(token: Contract, account: { getAddress(): Promise<string> }): Promise<unknown> {
  const balance: unknown = await token.getFunction("balanceOf").staticCall(account);
  return balance;
}

describe("Attack: a token lies", () => {
  for (const feeBps of [1, 100, 10_000]) {
    it(`taking ${feeBps} basis points of each transfer: a deposit of less than was said is refused`, async () => {
      const { network, token, fund } = await withFalseToken();
      await token.getFunction("setFee").send(feeBps);
      const received = AMOUNT - (AMOUNT * BigInt(feeBps)) / 10_000n;
      const call = network.treasury.connect(fund).deposit(7, FALSE_CURRENCY, AMOUNT);
      await expectRevert(call, "Treasury_AmountMismatch", [AMOUNT, received]);
      expect(await availableOf(network)).to.equal(0);
      expect(await tokensOf(token, network.treasury)).to.equal(0n);
    });
  }

  it("answering false: a deposit is refused", async () => {
    const { network, token, fund } = await withFalseToken();
    await token.getFunction("setRefuses").send(true);
    const call = network.treasury.connect(fund).deposit(7, FALSE_CURRENCY, AMOUNT);
    await expectRevert(call, "SafeERC20FailedOperation", [await token.getAddress()]);
    expect(await availableOf(network)).to.equal(0);
  });

  it("answering false: a withdrawal is refused, and the balance stays", async () => {
    const { network, token, fund } = await withFalseToken();
    await network.treasury.connect(fund).deposit(7, FALSE_CURRENCY, AMOUNT);
    await token.getFunction("setRefuses").send(true);
    const call = network.treasury.connect(fund).withdraw(7, FALSE_CURRENCY, AMOUNT, fund);
    await expectRevert(call, "SafeERC20FailedOperation", [await token.getAddress()]);
    expect(await availableOf(network)).to.equal(AMOUNT);
  });

  it("taking a fee of withdrawals: the recipient bears it, the treasury's books do not", async () => {
    const { network, token, fund } = await withFalseToken();
    await network.treasury.connect(fund).deposit(7, FALSE_CURRENCY, AMOUNT);
    await token.getFunction("setFee").send(100);
    await network.treasury.connect(fund).withdraw(7, FALSE_CURRENCY, AMOUNT / 2n, network.cast.stranger);
    expect(await availableOf(network)).to.equal(AMOUNT / 2n);
    expect(await tokensOf(token, network.treasury)).to.equal(AMOUNT / 2n);
    expect(await tokensOf(token, network.cast.stranger)).to.equal(((AMOUNT / 2n) * 99n) / 100n);
  });

  it("touches no other currency: the rest of the network's money is where it was", async () => {
    const { network, token, fund } = await withFalseToken();
    const act = async () => {
      await network.treasury.connect(fund).deposit(7, FALSE_CURRENCY, AMOUNT);
      await token.getFunction("setFee").send(5_000);
      await network.treasury.connect(fund).withdraw(7, FALSE_CURRENCY, AMOUNT, fund);
    };
    await expectChanges(network, act, []);
  });
});

describe("Attack: a token calls back", () => {
  /** The FUND key of partner 7 is a contract that reenters whenever the token calls it. */
  async function withReentry() {
    const { network, token } = await withFalseToken();
    const { treasury, registry } = network;
    const courier: Contract = await ethers.deployContract("ReenteringCourier");
    await registry.connect(keysOf(network, 7).admin).authorizeKey(7, courier, Purpose.fund, KEYS_VALID_UNTIL);
    await token.getFunction("mint").send(courier, 2n * AMOUNT);
    const approve = token.interface.encodeFunctionData("approve", [await treasury.getAddress(), 2n * AMOUNT]);
    await courier.getFunction("relay").send(token, approve);
    const encode = treasury.interface;
    const deposit = encode.encodeFunctionData("deposit", [7, FALSE_CURRENCY, AMOUNT]);
    const withdraw = encode.encodeFunctionData("withdraw", [7, FALSE_CURRENCY, AMOUNT, await courier.getAddress()]);
    const through = (data: string) => courier.getFunction("relay").send(treasury, data);
    const hook = async (data: string) => {
      await courier.getFunction("setReentry").send(treasury, data, false);
      await token.getFunction("setHook").send(courier, "0x12345678");
    };
    return { network, token, courier, deposit, withdraw, through, hook };
  }

  it("a deposit within a deposit is refused: the tokens that came are not those that were said", async () => {
    const { network, token, deposit, through, hook } = await withReentry();
    await hook(deposit);
    await expectRevert(through(deposit), "Treasury_AmountMismatch", [AMOUNT, 2n * AMOUNT]);
    expect(await availableOf(network)).to.equal(0);
    expect(await tokensOf(token, network.treasury)).to.equal(0n);
  });

  it("a withdrawal within a deposit is refused: what came went out again", async () => {
    const { network, token, deposit, withdraw, through, hook } = await withReentry();
    await through(deposit);
    await hook(withdraw);
    await expectRevert(through(deposit), "Treasury_AmountMismatch", [AMOUNT, 0]);
    expect(await availableOf(network)).to.equal(AMOUNT);
    expect(await tokensOf(token, network.treasury)).to.equal(AMOUNT);
  });

  it("a withdrawal within a withdrawal finds the balance taken already", async () => {
    const { network, token, courier, deposit, withdraw, through, hook } = await withReentry();
    await through(deposit);
    await hook(withdraw);
    await through(withdraw);
    const attempts: unknown = await courier.getFunction("attempts").staticCall();
    const reentries: unknown = await courier.getFunction("reentries").staticCall();
    expect([attempts, reentries]).to.deep.equal([1n, 0n]);
    expect(await availableOf(network)).to.equal(0);
    expect(await tokensOf(token, network.treasury)).to.equal(0n);
    expect(await tokensOf(token, courier)).to.equal(2n * AMOUNT);
  });
});

describe("Attack: a settlement token's recipient is a contract", () => {
  it("is not called, so it has nothing to come back with", async () => {
    const network = await freshNetwork();
    const { treasury } = network;
    const { fund } = keysOf(network, 7);
    const courier: Contract = await ethers.deployContract("ReenteringCourier");
    const withdraw = treasury.interface.encodeFunctionData("withdraw", [7, HKD, 1, await courier.getAddress()]);
    await courier.getFunction("setReentry").send(treasury, withdraw, true);
    await expectChanges(network, () => treasury.connect(fund).withdraw(7, HKD, 100, courier), [
      { partner: 7, currency: HKD, available: -100n },
    ]);
    const attempts: unknown = await courier.getFunction("attempts").staticCall();
    expect(attempts).to.equal(0n);
  });
});

describe("Attack: tokens are sent to the treasury without a deposit", () => {
  it("a settlement token refuses, so nobody's money is lost there", async () => {
    const network = await freshNetwork();
    const { treasury, cast } = network;
    const token = tokenOf(network, HKD);
    await mintTo(network, HKD, cast.stranger.address, 100n);
    const call = token.connect(cast.stranger).transfer(treasury, 100);
    await expectRevert(call, "SettlementToken_DepositInstead", [await treasury.getAddress()]);
  });

  it("of another kind of token, what is sent is credited to nobody, and breaks no deposit", async () => {
    const { network, token, fund } = await withFalseToken();
    await token.getFunction("mint").send(network.treasury, 777);
    await network.treasury.connect(fund).deposit(7, FALSE_CURRENCY, AMOUNT);
    expect(await availableOf(network)).to.equal(AMOUNT);
    expect(await tokensOf(token, network.treasury)).to.equal(AMOUNT + 777n);
  });
});
