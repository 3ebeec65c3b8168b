import { readFileSync } from "node:fs";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { expect } from "chai";
import { AbiCoder, concat, keccak256, toUtf8Bytes, TypedDataEncoder } from "ethers";
import { serializeVectors, type protocolVectors } from "../../../scripts/vectors/protocol.ts";
import { fromHex } from "../../../src/domain/bytes/hex.ts";
import { verifyMultiproof, verifyProof } from "../../../src/domain/merkle.ts";
import { ACCEPTANCE_TYPES, BATCH_TYPES, QUOTE_TYPES, SETTLEMENT_TYPES } from "../../../src/domain/typed-data.ts";

const FILE = new URL("../../../vectors/protocol.json", import.meta.url);
const TEXT = readFileSync(FILE, "utf8");
// The first test below holds the file to this shape.
const VECTORS = JSON.parse(TEXT) as ReturnType<typeof protocolVectors>;

const abi = AbiCoder.defaultAbiCoder();
const ZERO = `0x${"00".repeat(32)}`;
const domainOf = ({ chainId, verifyingContract }: { chainId: string; verifyingContract: string }) => ({
  name: "Feiqian",
  version: "1",
  chainId,
  verifyingContract,
});
const divideUp = (dividend: bigint, divisor: bigint) => dividend / divisor + (dividend % divisor === 0n ? 0n : 1n);

/**
 * That the domain computes the file is one line. The rest compares it with other people's code and with plain
 * arithmetic, so that the ledger is not held to our own mistakes.
 */
describe("protocol vectors", () => {
  it("are up to date (if not: npm run vectors)", () => {
    expect(TEXT === serializeVectors()).to.equal(true);
  });

  it("have ethers' domain separators", () => {
    for (const vector of VECTORS.domains) {
      expect(TypedDataEncoder.hashDomain(domainOf(vector))).to.equal(vector.domainSeparator);
    }
  });

  it("have corridors as their four parts, 16 bits each", () => {
    for (const { source, sourceCurrency, target, targetCurrency, corridorId } of VECTORS.corridors) {
      const parts = [source, sourceCurrency, target, targetCurrency];
      const packed = concat(parts.map((part) => `0x${BigInt(part).toString(16).padStart(4, "0")}`));
      expect(BigInt(packed)).to.equal(BigInt(corridorId));
    }
  });

  it("have ethers' hashes of details", () => {
    for (const vector of VECTORS.details) {
      const commit = (group: string, json: string) =>
        keccak256(concat([keccak256(concat([vector.transferSalt, toUtf8Bytes(group)])), toUtf8Bytes(json)]));
      const commitments = [
        commit("debtor", vector.debtorJson),
        commit("creditor", vector.creditorJson),
        commit("remittance", vector.remittanceJson),
      ];
      expect(commitments).to.deep.equal([
        vector.debtorCommitment,
        vector.creditorCommitment,
        vector.remittanceCommitment,
      ]);
      expect(keccak256(abi.encode(["bytes32", "bytes32", "bytes32"], commitments))).to.equal(vector.detailsHash);
    }
  });

  it("have ethers' leaves", () => {
    const rejected = VECTORS.settlements.flatMap(({ rejections }) => rejections);
    for (const { uetr, sourceAmount, targetAmount, detailsHash, leaf } of [...VECTORS.transfers, ...rejected]) {
      const encoded = abi.encode(
        ["bytes16", "uint128", "uint128", "bytes32"],
        [uetr, sourceAmount, targetAmount, detailsHash],
      );
      expect(keccak256(keccak256(encoded))).to.equal(leaf);
    }
  });

  it("have ethers' quote ids", () => {
    for (const { structHash, quoteId, ...quote } of VECTORS.quotes) {
      expect(TypedDataEncoder.hashStruct("Quote", QUOTE_TYPES, quote)).to.equal(structHash);
      expect(TypedDataEncoder.hash(domainOf(quote), QUOTE_TYPES, quote)).to.equal(quoteId);
    }
  });

  it("have ethers' batch ids", () => {
    for (const { structHash, batchId, ...header } of VECTORS.batches) {
      expect(TypedDataEncoder.hashStruct("Batch", BATCH_TYPES, header)).to.equal(structHash);
      expect(TypedDataEncoder.hash(domainOf(header), BATCH_TYPES, header)).to.equal(batchId);
    }
  });

  it("have ethers' settlement hashes", () => {
    for (const { header, rejections, batchId, rejectionsHash, structHash, digest, ...chain } of VECTORS.settlements) {
      const chained = rejections.reduce(
        (hash, { leaf, reason }) => keccak256(abi.encode(["bytes32", "bytes32", "bytes4"], [hash, leaf, reason])),
        ZERO,
      );
      const settlement = { batchId, rejectionsHash };
      expect(chained).to.equal(rejectionsHash);
      expect(TypedDataEncoder.hash(domainOf(chain), BATCH_TYPES, header)).to.equal(batchId);
      expect(TypedDataEncoder.hashStruct("Settlement", SETTLEMENT_TYPES, settlement)).to.equal(structHash);
      expect(TypedDataEncoder.hash(domainOf(chain), SETTLEMENT_TYPES, settlement)).to.equal(digest);
    }
  });

  it("have ethers' acceptance hashes", () => {
    for (const { batchId, validUntil, structHash, digest, ...chain } of VECTORS.acceptances) {
      const acceptance = { batchId, validUntil };
      expect(TypedDataEncoder.hashStruct("Acceptance", ACCEPTANCE_TYPES, acceptance)).to.equal(structHash);
      expect(TypedDataEncoder.hash(domainOf(chain), ACCEPTANCE_TYPES, acceptance)).to.equal(digest);
    }
  });

  it("have settlements that add up, and every outcome there is", () => {
    const outcomes = new Set<string>();
    for (const { header, rejections, ...outcome } of VECTORS.settlements) {
      outcomes.add(outcome.refusal === "" ? outcome.status : outcome.refusal);
      if (outcome.refusal !== "") continue;
      const sum = (amounts: readonly string[]) => amounts.reduce((total, amount) => total + BigInt(amount), 0n);
      const rejectedSource = sum(rejections.map(({ sourceAmount }) => sourceAmount));
      const rejectedTarget = sum(rejections.map(({ targetAmount }) => targetAmount));
      const settledSource = BigInt(header.sourceTotal) - rejectedSource;
      const fee = divideUp(BigInt(header.fee) * settledSource, BigInt(header.sourceTotal));
      expect(outcome).to.include({
        settledSource: String(settledSource),
        settledTarget: String(BigInt(header.targetTotal) - rejectedTarget),
        feeCharged: String(fee),
        sourceRefund: String(rejectedSource + BigInt(header.fee) - fee),
        providerRefund: String(header.quote.provider === "0" ? 0n : rejectedTarget),
      });
    }
    expect([...outcomes]).to.have.members(["2", "3", "TOTALS_MISMATCH", "RATE_EXCEEDED"]);
  });

  it("have OpenZeppelin's trees and proofs", () => {
    const transfers = VECTORS.settlements.flatMap(({ header, rejections }) =>
      rejections.length === Number.parseInt(header.count, 10) ? [{ header, rejections }] : [],
    );
    expect(transfers).to.not.be.empty;
    for (const { header, rejections } of transfers) {
      const tree = StandardMerkleTree.of(
        rejections.map(({ uetr, sourceAmount, targetAmount, detailsHash }) => [
          uetr,
          sourceAmount,
          targetAmount,
          detailsHash,
        ]),
        ["bytes16", "uint128", "uint128", "bytes32"],
      );
      expect(tree.root).to.equal(header.root);
    }
    for (const { root, leaf, proof } of VECTORS.proofs) {
      expect(
        verifyProof(
          fromHex(root),
          fromHex(leaf),
          proof.map((node) => fromHex(node)),
        ),
      ).to.equal(true);
    }
    const bytes = (nodes: readonly string[]) => nodes.map((node) => fromHex(node));
    for (const { root, leaves, proof, proofFlags } of VECTORS.multiproofs) {
      const multiproof = { leaves: bytes(leaves), proof: bytes(proof), proofFlags };
      expect(verifyMultiproof(fromHex(root), multiproof)).to.equal(true);
    }
  });

  it("round as they say", () => {
    for (const { sourceMinor, rateNumerator, rateDenominator, targetMinor } of VECTORS.convertDown) {
      const exact = BigInt(sourceMinor) * BigInt(rateNumerator);
      expect(exact / BigInt(rateDenominator)).to.equal(BigInt(targetMinor));
    }
    for (const { sourceMinor, rateNumerator, rateDenominator, targetMinor } of VECTORS.sourceForTargetUp) {
      const exact = BigInt(targetMinor) * BigInt(rateDenominator);
      expect(divideUp(exact, BigInt(rateNumerator))).to.equal(BigInt(sourceMinor));
    }
    for (const { sourceAmount, targetAmount, rateNumerator, rateDenominator, exceeds } of VECTORS.exceedsRate) {
      const floor = (BigInt(sourceAmount) * BigInt(rateNumerator)) / BigInt(rateDenominator);
      expect(BigInt(targetAmount) > floor).to.equal(exceeds);
    }
    for (const { sourceTotal, feeBps, fee } of VECTORS.networkFeeUp) {
      expect(divideUp(BigInt(sourceTotal) * BigInt(feeBps), 10_000n)).to.equal(BigInt(fee));
    }
    for (const { fee, settledSource, sourceTotal, feeCharged } of VECTORS.feeForSettledUp) {
      expect(divideUp(BigInt(fee) * BigInt(settledSource), BigInt(sourceTotal))).to.equal(BigInt(feeCharged));
    }
  });

  it("list every status with every operation once", () => {
    const { transitions } = VECTORS;
    expect(new Set(transitions.map(({ status, operation }) => `${status} ${operation}`)).size).to.equal(25);
    expect(transitions).to.have.length(25);
    const allowed = transitions.filter((row) => row.allowed).map((row) => `${row.status} ${row.operation} ${row.next}`);
    expect(allowed).to.have.members(["0 open 1", "0 openAndSettle 2", "1 settle 2", "1 rejectAll 3", "1 expire 4"]);
    for (const row of transitions) if (!row.allowed) expect(row.next).to.equal(row.status);
  });
});
