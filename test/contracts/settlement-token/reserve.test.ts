import { ZeroAddress, ZeroHash } from "ethers";
import { expect } from "chai";
import type { SettlementToken } from "../../../types/ethers-contracts/index.ts";
import { attest, signAttestation } from "../support/attestations.ts";
import { ethers } from "../support/chain.ts";
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
        await expectRevert(call, token, "AccessManagedUnauthorized", [cast[name].address]);
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
      await expectRevert(call, token, "SettlementToken_AttestationStale", [0, MAX_ATTESTATION_AGE]);
    });
  });

  describe("when the attestation is too old", () => {
    it("reverts with AttestationStale a second past its age", async () => {
      const { token, asBank, cast } = await withToken();
      const { asOf } = await attest(token, cast.attestor, { reserve: RESERVE });
      await nextBlockAt(asOf + MAX_ATTESTATION_AGE + 1);
      const call = asBank.mint(cast.stranger, 1);
      await expectRevert(call, token, "SettlementToken_AttestationStale", [asOf, MAX_ATTESTATION_AGE]);
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
      const { token, asBank, cast } = await withToken();
      const args = [FUNDS, RESERVE - FUNDS + 1n, RESERVE];
      const call = asBank.mint(cast.stranger, RESERVE - FUNDS + 1n);
      await expectRevert(call, token, "SettlementToken_ReserveExceeded", args);
    });

    it("reverts with ReserveExceeded for an amount that overflows", async () => {
      const { token, asBank, cast } = await withToken();
      const call = asBank.mint(cast.stranger, MAX_UINT256);
      await expectRevert(call, token, "SettlementToken_ReserveExceeded", [FUNDS, MAX_UINT256, RESERVE]);
    });

    it("reverts with ReserveExceeded when the reserve fell below the supply", async () => {
      const { token, asBank, cast } = await withToken();
      await attest(token, cast.attestor, { reserve: FUNDS - 1n });
      const call = asBank.mint(cast.stranger, 1);
      await expectRevert(call, token, "SettlementToken_ReserveExceeded", [FUNDS, 1, FUNDS - 1n]);
    });
  });

  describe("when the recipient is the treasury", () => {
    it("reverts with DepositInstead", async () => {
      const { network, token, asBank } = await withToken();
      const call = asBank.mint(network.treasury, 1);
      await expectRevert(call, token, "SettlementToken_DepositInstead", [await network.treasury.getAddress()]);
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
      await expectRevert(call, token, "SettlementToken_ReserveExceeded", [MAX_UINT128, 1, MAX_UINT128]);
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
        await expectRevert(call, token, "SettlementToken_AttestationOutOfOrder", args);
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
      await expectRevert(call, token, "SettlementToken_AttestationOutOfOrder", [now + 1, latest]);
    });
  });

  describe("when it is not signed by the attestor", () => {
    it("reverts with InvalidSignature for the bank's signature", async () => {
      const { token, cast } = await withToken();
      const call = attest(token, cast.bank, { reserve: RESERVE });
      await expectRevert(call, token, "SettlementToken_InvalidSignature", [cast.attestor.address]);
    });

    it("reverts with InvalidSignature when the reserve was changed", async () => {
      const { token, cast } = await withToken();
      const attestation = { reserve: 1n, asOf: await latestTimestamp(), report: REPORT };
      const signature = await signAttestation(token, cast.attestor, attestation);
      const call = token.attest({ ...attestation, reserve: RESERVE }, signature);
      await expectRevert(call, token, "SettlementToken_InvalidSignature", [cast.attestor.address]);
    });

    it("reverts with InvalidSignature for another currency's attestation", async () => {
      const { network, token, cast } = await withToken();
      const attestation = { reserve: RESERVE, asOf: await latestTimestamp(), report: REPORT };
      const signature = await signAttestation(tokenOf(network, MYR), cast.attestor, attestation);
      const call = token.attest(attestation, signature);
      await expectRevert(call, token, "SettlementToken_InvalidSignature", [cast.attestor.address]);
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
      await token.connect(cast.council).setAttestor(attestor);
      const attestation = { reserve: 5n, asOf: await latestTimestamp(), report: REPORT };
      await expect(token.attest(attestation, "0x")).to.emit(token, "ReserveAttested");
    });
  });
});

describe("SettlementToken.setAttestor", () => {
  it("reverts with AccessManagedUnauthorized when the caller is not the council", async () => {
    const { token, cast } = await withToken();
    const call = token.connect(cast.attestor).setAttestor(cast.stranger);
    await expectRevert(call, token, "AccessManagedUnauthorized", [cast.attestor.address]);
  });

  it("reverts with InvalidAttestor without an account", async () => {
    const { token, cast } = await withToken();
    const call = token.connect(cast.council).setAttestor(ZeroAddress);
    await expectRevert(call, token, "SettlementToken_InvalidAttestor", []);
  });

  it("replaces the attestor and emits AttestorChanged; the latest attestation stays", async () => {
    const { token, cast } = await withToken();
    const latest = await token.latestAttestation();
    await expect(token.connect(cast.council).setAttestor(cast.stranger))
      .to.emit(token, "AttestorChanged")
      .withArgs(cast.attestor.address, cast.stranger.address);
    expect(await token.attestor()).to.equal(cast.stranger.address);
    expect([...(await token.latestAttestation())]).to.deep.equal([...latest]);
    const call = attest(token, cast.attestor, { reserve: RESERVE });
    await expectRevert(call, token, "SettlementToken_InvalidSignature", [cast.stranger.address]);
    await attest(token, cast.stranger, { reserve: RESERVE });
  });
});

describe("SettlementToken.constructor", () => {
  it("reverts with InvalidAttestor without an attestor", async () => {
    const { network, token } = await withToken();
    const args = [network.manager, network.treasury, 702, "SGD", 2, MAX_ATTESTATION_AGE, ZeroAddress];
    const call = ethers.deployContract("SettlementToken", args);
    await expectRevert(call, token, "SettlementToken_InvalidAttestor", []);
  });

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
