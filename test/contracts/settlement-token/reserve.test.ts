import { ZeroAddress, ZeroHash } from "ethers";
import { expect } from "chai";
import type { SettlementToken } from "../../../types/ethers-contracts/index.ts";
import { attest, signAttestation } from "../support/attestations.ts";
import { ethers, networkHelpers } from "../support/chain.ts";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import {
  FUNDS,
  HKD,
  MAX_ATTESTATION_AGE,
  MYR,
  RESERVE,
  freshNetwork,
  tokenOf,
  type Network,
} from "../support/network.ts";

const MAX_UINT128 = 2n ** 128n - 1n;
const MAX_UINT256 = 2n ** 256n - 1n;
const REPORT = `0x${"5e".repeat(32)}`;

/** A token of the network's that has no attestation yet. */
async function newToken({ manager, treasury, cast }: Network): Promise<SettlementToken> {
  const args = [manager, treasury, 702, "SGD", 2, MAX_ATTESTATION_AGE, cast.attestor];
  return ethers.deployContract("SettlementToken", args);
}

async function withToken() {
  const network = await freshNetwork();
  const token = tokenOf(network, HKD);
  return { network, cast: network.cast, token, asBank: token.connect(network.cast.bank) };
}

describe("SettlementToken.mint", () => {
  describe("when the caller is not the settlement bank", () => {
    for (const name of ["council", "attestor", "stranger"] as const) {
      it(`reverts with AccessManagedUnauthorized for the ${name}`, async () => {
        const { token, cast } = await withToken();
        const call = token.connect(cast[name]).mint(cast[name], 1);
        await expectRevert(call, "AccessManagedUnauthorized", [cast[name].address]);
      });
    }
  });

  describe("when there is no attestation", () => {
    it("reverts with AttestationStale", async () => {
      const network = await freshNetwork();
      const { manager, cast } = network;
      const token = await newToken(network);
      const { selector } = token.interface.getFunction("mint");
      await manager.connect(cast.root).setTargetFunctionRole(token, [selector], 5);
      const call = token.connect(cast.bank).mint(cast.stranger, 1);
      await expectRevert(call, "SettlementToken_AttestationStale", [0, MAX_ATTESTATION_AGE]);
    });
  });

  describe("when the attestation is too old", () => {
    it("reverts with AttestationStale a second past its age", async () => {
      const { token, asBank, cast } = await withToken();
      const { asOf } = await attest(token, cast.attestor, { reserve: RESERVE });
      await nextBlockAt(asOf + MAX_ATTESTATION_AGE + 1);
      const call = asBank.mint(cast.stranger, 1);
      await expectRevert(call, "SettlementToken_AttestationStale", [asOf, MAX_ATTESTATION_AGE]);
    });

    it("mints at its last second", async () => {
      const { token, asBank, cast } = await withToken();
      const { asOf } = await attest(token, cast.attestor, { reserve: RESERVE });
      await nextBlockAt(asOf + MAX_ATTESTATION_AGE);
      await asBank.mint(cast.stranger, 1);
      expect(await token.balanceOf(cast.stranger)).to.equal(1);
    });
  });

  describe("when the supply would exceed the reserve", () => {
    it("reverts with ReserveExceeded for a unit more", async () => {
      const { asBank, cast } = await withToken();
      const args = [FUNDS, 0, RESERVE - FUNDS + 1n, RESERVE];
      const call = asBank.mint(cast.stranger, RESERVE - FUNDS + 1n);
      await expectRevert(call, "SettlementToken_ReserveExceeded", args);
    });

    it("reverts with ReserveExceeded for an amount that overflows", async () => {
      const { asBank, cast } = await withToken();
      const call = asBank.mint(cast.stranger, MAX_UINT256);
      await expectRevert(call, "SettlementToken_ReserveExceeded", [FUNDS, 0, MAX_UINT256, RESERVE]);
    });

    it("reverts with ReserveExceeded when the reserve fell below the supply", async () => {
      const { token, asBank, cast } = await withToken();
      await attest(token, cast.attestor, { reserve: FUNDS - 1n });
      const call = asBank.mint(cast.stranger, 1);
      await expectRevert(call, "SettlementToken_ReserveExceeded", [FUNDS, 0, 1, FUNDS - 1n]);
    });
  });

  describe("when money was redeemed since it was counted", () => {
    const ROOM = 1_000n;

    /** Nothing but 1,000 more than is in the treasury was counted, and minted; `spare[0]` has it. */
    async function counted() {
      const given = await withToken();
      const { token, cast, asBank } = given;
      const [holder] = cast.spare;
      const { asOf } = await attest(token, cast.attestor, { reserve: FUNDS + ROOM });
      await asBank.mint(holder, ROOM);
      return { ...given, holder, asOf, asHolder: token.connect(holder) };
    }

    it("reverts with ReserveExceeded: what was paid out cannot back a token again", async () => {
      const { token, asBank, asHolder, asOf, holder } = await counted();
      for (const [redeemed, amount] of [
        [0n, 1n],
        [400n, 1n],
        [1_000n, 1_000n],
      ] as const) {
        await asHolder.redeem(redeemed - (await token.redeemedSince(asOf)), ZeroHash);
        const args = [FUNDS + ROOM - redeemed, redeemed, amount, FUNDS + ROOM];
        await expectRevert(asBank.mint(holder, amount), "SettlementToken_ReserveExceeded", args);
      }
    });

    it("mints again by a newer count, which knows of it", async () => {
      const { token, cast, asBank, asHolder, holder } = await counted();
      await asHolder.redeem(ROOM, ZeroHash);
      await networkHelpers.mine();
      const { asOf } = await attest(token, cast.attestor, { reserve: FUNDS + ROOM });
      expect(await token.redeemedSince(asOf)).to.equal(0);
      expect(await token.redeemedSince(0)).to.equal(ROOM);
      await asBank.mint(holder, ROOM);
    });

    it("counts what was redeemed in the second of the count, and between the count and its attestation", async () => {
      const { token, cast, asBank, asHolder, holder } = await counted();
      const asOf = (await latestTimestamp()) + 10;
      await nextBlockAt(asOf - 1);
      await asHolder.redeem(1, ZeroHash);
      await nextBlockAt(asOf);
      await asHolder.redeem(20, ZeroHash);
      await nextBlockAt(asOf + 5);
      await asHolder.redeem(300, ZeroHash);
      await attest(token, cast.attestor, { reserve: FUNDS + ROOM, asOf });
      expect(await token.redeemedSince(asOf)).to.equal(320);
      const call = asBank.mint(holder, 2);
      const args = [FUNDS + ROOM - 321n, 320, 2, FUNDS + ROOM];
      await expectRevert(call, "SettlementToken_ReserveExceeded", args);
      await asBank.mint(holder, 1);
    });
  });

  describe("when nothing is minted", () => {
    it("passes at the very reserve", async () => {
      const { token, asBank, cast } = await withToken();
      await attest(token, cast.attestor, { reserve: FUNDS });
      await expect(asBank.mint(cast.stranger, 0)).to.emit(token, "Transfer");
      expect(await token.totalSupply()).to.equal(FUNDS);
    });

    it("reverts with ReserveExceeded a unit above the reserve", async () => {
      const { token, asBank, cast } = await withToken();
      await attest(token, cast.attestor, { reserve: FUNDS - 1n });
      const call = asBank.mint(cast.stranger, 0);
      await expectRevert(call, "SettlementToken_ReserveExceeded", [FUNDS, 0, 0, FUNDS - 1n]);
    });
  });

  describe("when the recipient is the treasury", () => {
    it("reverts with DepositInstead", async () => {
      const { network, asBank } = await withToken();
      const call = asBank.mint(network.treasury, 1);
      await expectRevert(call, "SettlementToken_DepositInstead", [await network.treasury.getAddress()]);
    });
  });

  describe("when the reserve covers it", () => {
    it("mints up to the reserve and emits Transfer", async () => {
      const { token, asBank, cast } = await withToken();
      const rest = RESERVE - FUNDS;
      await expect(asBank.mint(cast.stranger, rest))
        .to.emit(token, "Transfer")
        .withArgs(ZeroAddress, cast.stranger.address, rest);
      expect(await token.totalSupply()).to.equal(RESERVE);
    });

    it("mints the largest supply there is", async () => {
      const { token, asBank, cast } = await withToken();
      await attest(token, cast.attestor, { reserve: MAX_UINT128 });
      await asBank.mint(cast.stranger, MAX_UINT128 - FUNDS);
      const call = asBank.mint(cast.stranger, 1);
      await expectRevert(call, "SettlementToken_ReserveExceeded", [MAX_UINT128, 0, 1, MAX_UINT128]);
    });
  });
});

describe("SettlementToken.attest", () => {
  describe("when the attestation is not newer than the latest", () => {
    for (const [title, earlier] of [
      ["as old", 0],
      ["older", 1],
    ] as const) {
      it(`reverts with AttestationOutOfOrder when it is ${title}`, async () => {
        const { token, cast } = await withToken();
        const { asOf } = await attest(token, cast.attestor, { reserve: RESERVE });
        const call = attest(token, cast.attestor, { reserve: RESERVE, asOf: asOf - earlier });
        const args = [asOf - earlier, asOf];
        await expectRevert(call, "SettlementToken_AttestationOutOfOrder", args);
      });
    }
  });

  describe("when the attestation is from the future", () => {
    it("reverts with AttestationOutOfOrder", async () => {
      const { token, cast } = await withToken();
      const { asOf: latest } = await token.latestAttestation();
      const now = (await latestTimestamp()) + 10;
      const attestation = { reserve: RESERVE, asOf: now + 1, report: REPORT };
      const signature = await signAttestation(token, cast.attestor, attestation);
      await nextBlockAt(now);
      const call = token.attest(attestation, signature);
      await expectRevert(call, "SettlementToken_AttestationOutOfOrder", [now + 1, latest]);
    });
  });

  describe("when it is not signed by the attestor", () => {
    it("reverts with InvalidSignature for the bank's signature", async () => {
      const { token, cast } = await withToken();
      const call = attest(token, cast.bank, { reserve: RESERVE });
      await expectRevert(call, "SettlementToken_InvalidSignature", [cast.attestor.address]);
    });

    it("reverts with InvalidSignature when the reserve was changed", async () => {
      const { token, cast } = await withToken();
      const attestation = { reserve: 1n, asOf: await latestTimestamp(), report: REPORT };
      const signature = await signAttestation(token, cast.attestor, attestation);
      const call = token.attest({ ...attestation, reserve: RESERVE }, signature);
      await expectRevert(call, "SettlementToken_InvalidSignature", [cast.attestor.address]);
    });

    it("reverts with InvalidSignature for another currency's attestation", async () => {
      const { network, token, cast } = await withToken();
      const attestation = { reserve: RESERVE, asOf: await latestTimestamp(), report: REPORT };
      const signature = await signAttestation(tokenOf(network, MYR), cast.attestor, attestation);
      const call = token.attest(attestation, signature);
      await expectRevert(call, "SettlementToken_InvalidSignature", [cast.attestor.address]);
    });
  });

  describe("when it is newer and signed", () => {
    it("replaces the latest, whoever submits, and emits ReserveAttested", async () => {
      const { token, cast } = await withToken();
      const attestation = { reserve: 5n, asOf: await latestTimestamp(), report: REPORT };
      const signature = await signAttestation(token, cast.attestor, attestation);
      await expect(token.connect(cast.stranger).attest(attestation, signature))
        .to.emit(token, "ReserveAttested")
        .withArgs(5, attestation.asOf, REPORT);
      expect([...(await token.latestAttestation())]).to.deep.equal([5n, BigInt(attestation.asOf), REPORT]);
    });

    it("takes one of this very second", async () => {
      const { token, cast } = await withToken();
      const now = (await latestTimestamp()) + 10;
      const attestation = { reserve: 5n, asOf: now, report: REPORT };
      const signature = await signAttestation(token, cast.attestor, attestation);
      await nextBlockAt(now);
      await expect(token.attest(attestation, signature)).to.emit(token, "ReserveAttested");
    });

    it("takes the word of an attestor that is a contract", async () => {
      const { token, cast } = await withToken();
      const attestor = await ethers.deployContract("AnythingKey");
      await token.connect(cast.risk).setAttestor(cast.attestor, attestor);
      const attestation = { reserve: 5n, asOf: await latestTimestamp(), report: REPORT };
      await expect(token.attest(attestation, "0x")).to.emit(token, "ReserveAttested");
    });
  });
});

describe("SettlementToken.setAttestor", () => {
  it("reverts with AccessManagedUnauthorized when the caller is not risk", async () => {
    const { token, cast } = await withToken();
    const call = token.connect(cast.attestor).setAttestor(cast.attestor, cast.stranger);
    await expectRevert(call, "AccessManagedUnauthorized", [cast.attestor.address]);
  });

  it("reverts with AttestorMismatch when the attestor is another than it was made for", async () => {
    const { token, cast } = await withToken();
    await token.connect(cast.risk).setAttestor(cast.attestor, cast.courier);
    const call = token.connect(cast.risk).setAttestor(cast.attestor, cast.stranger);
    const args = [cast.attestor.address, cast.courier.address];
    await expectRevert(call, "SettlementToken_AttestorMismatch", args);
  });

  it("reverts with InvalidAttestor without an account", async () => {
    const { token, cast } = await withToken();
    const call = token.connect(cast.risk).setAttestor(cast.attestor, ZeroAddress);
    await expectRevert(call, "SettlementToken_InvalidAttestor", []);
  });

  it("replaces the attestor and emits AttestorChanged; the latest attestation stays", async () => {
    const { token, cast } = await withToken();
    const latest = await token.latestAttestation();
    await expect(token.connect(cast.risk).setAttestor(cast.attestor, cast.stranger))
      .to.emit(token, "AttestorChanged")
      .withArgs(cast.attestor.address, cast.stranger.address);
    expect(await token.attestor()).to.equal(cast.stranger.address);
    expect([...(await token.latestAttestation())]).to.deep.equal([...latest]);
    const call = attest(token, cast.attestor, { reserve: RESERVE });
    await expectRevert(call, "SettlementToken_InvalidSignature", [cast.stranger.address]);
    await attest(token, cast.stranger, { reserve: RESERVE });
  });
});

describe("SettlementToken.constructor", () => {
  it("reverts with InvalidAttestor without an attestor", async () => {
    const { network } = await withToken();
    const args = [network.manager, network.treasury, 702, "SGD", 2, MAX_ATTESTATION_AGE, ZeroAddress];
    const call = ethers.deployContract("SettlementToken", args);
    await expectRevert(call, "SettlementToken_InvalidAttestor", []);
  });

  for (const [title, currency, minorDigits] of [
    ["the currency is none", 0, 2],
    ["the currency has four digits", 1_000, 2],
    ["there are more minor digits than any currency has", 702, 5],
  ] as const) {
    it(`reverts with InvalidCurrency when ${title}`, async () => {
      const { network } = await withToken();
      const args = [
        network.manager,
        network.treasury,
        currency,
        "SGD",
        minorDigits,
        MAX_ATTESTATION_AGE,
        network.cast.attestor,
      ];
      const call = ethers.deployContract("SettlementToken", args);
      await expectRevert(call, "SettlementToken_InvalidCurrency", [currency, minorDigits]);
    });
  }

  it("starts without tokens and without an attestation", async () => {
    const network = await freshNetwork();
    const token = await newToken(network);
    expect(await token.totalSupply()).to.equal(0);
    expect([...(await token.latestAttestation())]).to.deep.equal([0n, 0n, ZeroHash]);
    expect(await token.currency()).to.equal(702);
    expect(await token.treasury()).to.equal(await network.treasury.getAddress());
    expect(await token.maxAttestationAge()).to.equal(MAX_ATTESTATION_AGE);
  });
});
