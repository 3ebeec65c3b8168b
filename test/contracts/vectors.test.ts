import { expect } from "chai";
import { Contract, ZeroAddress } from "ethers";
import hre from "hardhat";
import vectors from "../../vectors/protocol.json" with { type: "json" };
import { corridorId } from "../../src/domain/corridor.ts";
import { BatchStatus } from "../../src/domain/lifecycle.ts";
import type { Batch } from "../../src/domain/batch.ts";
import { ethers } from "./support/chain.ts";
import {
  bringTo,
  expireBatch,
  idOf,
  makeBatch,
  openAndSettleBatch,
  openArgs,
  openBatch,
  settleBatch,
  withHeader,
} from "./support/batches.ts";
import { refuseAll } from "../support/transfers.ts";
import { expectRevert } from "./support/expect-revert.ts";
import { setTerms } from "./support/governance.ts";
import { BEAT_INTERVAL, CORRIDORS, GRACE, TERMS, fail, freshNetwork, type Network } from "./support/network.ts";

const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_FEE_BPS = 1_000n;

const STATUSES = [
  ["None", BatchStatus.None],
  ["Open", BatchStatus.Open],
  ["Settled", BatchStatus.Settled],
  ["Rejected", BatchStatus.Rejected],
  ["Expired", BatchStatus.Expired],
] as const;

type Call = (...args: readonly unknown[]) => Promise<unknown>;

/** The ledger's internals, function by function: the harness has no types of its own. */
async function harness(): Promise<(name: string) => Call> {
  const contract: Contract = await ethers.deployContract("ProtocolHarness");
  return (name) =>
    async (...args) => {
      const result: unknown = await contract.getFunction(name).staticCall(...args);
      return result;
    };
}

const CONSTRUCTED = {
  TransferRegistry: [ZeroAddress, ZeroAddress, ZeroAddress, ZeroAddress, ZeroAddress, BEAT_INTERVAL, GRACE],
  QuoteBook: [ZeroAddress, ZeroAddress],
} as const;

/**
 * A contract where the vectors' signatures are valid: on a chain of this id, its code at this address. It was deployed
 * elsewhere, so it makes its domain separator anew, as it would after a fork of the chain.
 */
async function withContractAt(
  name: keyof typeof CONSTRUCTED,
  chainId: string,
  address: string,
  check: (contract: Contract) => Promise<void>,
): Promise<void> {
  const other = await hre.network.create({ override: { chainId: Number.parseInt(chainId, 10) } });
  const deployed = await other.ethers.deployContract(name, [...CONSTRUCTED[name]]);
  const code = await other.ethers.provider.getCode(deployed);
  await other.networkHelpers.setCode(address, code);
  await check(new Contract(address, deployed.interface, other.ethers.provider));
  await other.close();
}

describe("Shared vectors, on the ledger's side", () => {
  describe("hashes", () => {
    for (const { chainId, verifyingContract, domainSeparator } of vectors.domains) {
      it(`domain, batch ids or quote ids of ${verifyingContract} on chain ${chainId} are those of a contract there`, async () => {
        const call = await harness();
        expect(await call("domainSeparator")(chainId, verifyingContract)).to.equal(domainSeparator);
        const here = <Vector extends { chainId: string; verifyingContract: string }>(all: readonly Vector[]) =>
          all.filter((each) => each.chainId === chainId && each.verifyingContract === verifyingContract);
        const [quotes, batches] = [here(vectors.quotes), here(vectors.batches)];
        expect(quotes.length + batches.length).to.be.greaterThan(0);
        await withContractAt(
          quotes.length > 0 ? "QuoteBook" : "TransferRegistry",
          chainId,
          verifyingContract,
          async (contract) => {
            const ask = async (name: string, argument: unknown): Promise<unknown> =>
              contract.getFunction(name)(argument);
            for (const quote of quotes) expect(await ask("quoteIdOf", quote)).to.equal(quote.quoteId);
            for (const batch of batches) expect(await ask("batchIdOf", batch.packed)).to.equal(batch.batchId);
          },
        );
      });
    }

    it("quotes, batches, settlements and acceptances hash to their struct hashes", async () => {
      const call = await harness();
      for (const quote of vectors.quotes) expect(await call("hashQuote")(quote)).to.equal(quote.structHash);
      for (const batch of vectors.batches) expect(await call("hashBatch")(batch)).to.equal(batch.structHash);
      for (const { batchId, rejectionsHash, structHash, digest, chainId, verifyingContract } of vectors.settlements) {
        expect(await call("hashSettlement")(batchId, rejectionsHash)).to.equal(structHash);
        expect(await call("typedDataHash")(chainId, verifyingContract, structHash)).to.equal(digest);
      }
      for (const { batchId, validUntil, structHash, digest, chainId, verifyingContract } of vectors.acceptances) {
        expect(await call("hashAcceptance")(batchId, validUntil)).to.equal(structHash);
        expect(await call("typedDataHash")(chainId, verifyingContract, structHash)).to.equal(digest);
      }
    });

    it("the quote of a same-currency batch has the constant's hash", async () => {
      const call = await harness();
      const [none] = vectors.quotes;
      expect(none?.provider).to.equal("0");
      expect(await call("noQuoteHash")()).to.equal(none?.structHash);
    });

    it("transfers hash to their leaves", async () => {
      const call = await harness();
      for (const transfer of vectors.transfers) expect(await call("leafOf")(transfer)).to.equal(transfer.leaf);
    });

    it("details hash group by group", async () => {
      const call = await harness();
      for (const vector of vectors.details) {
        const commit = (group: string, json: string) => call("commitment")(vector.transferSalt, group, json);
        const debtor = await commit("debtor", vector.debtorJson);
        const creditor = await commit("creditor", vector.creditorJson);
        const remittance = await commit("remittance", vector.remittanceJson);
        const expected = [vector.debtorCommitment, vector.creditorCommitment, vector.remittanceCommitment];
        expect([debtor, creditor, remittance]).to.deep.equal(expected);
        expect(await call("detailsHash")(debtor, creditor, remittance)).to.equal(vector.detailsHash);
      }
    });

    it("corridors pack to their ids and back", async () => {
      const call = await harness();
      for (const { source, sourceCurrency, target, targetCurrency, corridorId } of vectors.corridors) {
        const parts = [source, sourceCurrency, target, targetCurrency];
        expect(String(await call("packCorridor")(...parts))).to.equal(corridorId);
        expect(String(await call("unpackCorridor")(corridorId))).to.equal(parts.join(","));
      }
    });
  });

  describe("trees", () => {
    it("single proofs verify, and fail for another leaf", async () => {
      const call = await harness();
      for (const { root, leaf, proof } of vectors.proofs) {
        expect(await call("verifyProof")(proof, root, leaf)).to.equal(true);
        expect(await call("verifyProof")(proof, root, `0x${"11".repeat(32)}`)).to.equal(false);
      }
    });

    it("multiproofs verify, and fail against another root", async () => {
      const call = await harness();
      for (const { root, leaves, proof, proofFlags } of vectors.multiproofs) {
        expect(await call("verifyMultiProof")(proof, proofFlags, root, leaves)).to.equal(true);
        expect(await call("verifyMultiProof")(proof, proofFlags, `0x${"11".repeat(32)}`, leaves)).to.equal(false);
      }
    });

    it("each tree's root is the root of its proofs", () => {
      const proved = new Set([...vectors.proofs, ...vectors.multiproofs].map(({ root }) => root));
      for (const { root } of vectors.trees) expect(proved.has(root)).to.equal(true);
    });
  });

  describe("rounding", () => {
    it("the network fee is rounded up", async () => {
      const network = await freshNetwork();
      // What the ledger can meet: it allows a tenth at most, a total fits uint64, and an empty batch is refused first.
      const cases = vectors.networkFeeUp.filter(
        ({ sourceTotal, feeBps }) =>
          BigInt(sourceTotal) > 0n && BigInt(sourceTotal) <= MAX_UINT64 && BigInt(feeBps) <= MAX_FEE_BPS,
      );
      expect(cases.length).to.be.at.least(20);
      for (const { sourceTotal, feeBps, fee } of cases) await expectFee(network, sourceTotal, feeBps, BigInt(fee));
    });

    it("the fee of the settled part is rounded up", async () => {
      const call = await harness();
      for (const { fee, settledSource, sourceTotal, feeCharged } of vectors.feeForSettledUp) {
        const computed = await computeFee(call, BigInt(fee), BigInt(settledSource), BigInt(sourceTotal));
        expect(computed, `${settledSource} of ${sourceTotal}`).to.equal(BigInt(feeCharged));
      }
    });

    it("a target amount is held to the floor at the rate", async () => {
      const call = await harness();
      const [batch] = vectors.batches;
      for (const { sourceAmount, targetAmount, rateNumerator, rateDenominator, exceeds } of vectors.exceedsRate) {
        const quote = { ...batch?.quote, rateNumerator, rateDenominator };
        const check = call("requireRate")({ ...batch, quote }, sourceAmount, targetAmount);
        const values = [BigInt(sourceAmount), BigInt(targetAmount)];
        if (exceeds) await expectRevert(check, "TransferRegistry_RateExceeded", values);
        else await check;
      }
    });
  });

  describe("settlements", () => {
    const errors = new Map([
      ["TOTALS_MISMATCH", "TransferRegistry_TotalsMismatch"],
      ["RATE_EXCEEDED", "TransferRegistry_RateExceeded"],
    ]);

    for (const [index, vector] of vectors.settlements.entries()) {
      const { batchId, header, rejections, siblings, flags, rejectionsHash, refusal } = vector;
      const outcome = refusal === "" ? `comes to ${vector.settledSource}` : `is refused: ${refusal}`;
      it(`${index}: ${rejections.length} of ${header.count} rejected, ${outcome}`, async () => {
        const { transfers } = await freshNetwork();
        const call = await harness();
        expect(await call("hashRejections")(rejections)).to.equal(rejectionsHash);
        const given = rejections.map(({ reason, ...transfer }) => ({ transfer, reason }));
        const computed = call("compute")(batchId, header, given, { siblings, flags });
        if (refusal !== "") {
          const error = errors.get(refusal) ?? fail(`no error for ${refusal}`);
          await expect(computed).to.be.revertedWithCustomError(transfers, error);
          return;
        }
        const leaves = rejections.map(({ leaf, reason }) => `${leaf},${reason}`);
        const { settledSource, settledTarget, feeCharged } = vector;
        const expected = [settledSource, settledTarget, feeCharged, rejectionsHash, ...leaves].join(",");
        // ethers' results are arrays of fields: their text has every value in order.
        expect(String(await computed).replace(/,$/, "")).to.equal(expected);
        const { sourceTotal, targetTotal, fee, quote } = header;
        const left = BigInt(sourceTotal) + BigInt(fee) - BigInt(settledSource) - BigInt(feeCharged);
        expect(left).to.equal(BigInt(vector.sourceRefund));
        const rest = quote.provider === "0" ? 0n : BigInt(targetTotal) - BigInt(settledTarget);
        expect(rest).to.equal(BigInt(vector.providerRefund));
      });
    }
  });

  describe("transitions", () => {
    async function act(network: Network, batch: Batch, operation: string): Promise<unknown> {
      if (operation === "open") return openBatch(network, batch);
      if (operation === "openAndSettle") return openAndSettleBatch(network, batch);
      if (operation === "settle") return settleBatch(network, batch);
      if (operation === "rejectAll") return settleBatch(network, batch, refuseAll(batch));
      return operation === "expire" ? expireBatch(network, batch) : fail(`no operation ${operation}`);
    }

    for (const { status, operation, allowed, next } of vectors.transitions) {
      it(`${operation} in status ${status} ${allowed ? `leads to ${next}` : "is refused"}`, async () => {
        const network = await freshNetwork();
        const batch = await makeBatch(network);
        const [name] = STATUSES.find(([, value]) => String(value) === status) ?? fail(`no status ${status}`);
        await bringTo(network, batch, name);
        const call = act(network, batch, operation);
        if (allowed) {
          await call;
        } else {
          const needed = operation.startsWith("open") ? BatchStatus.None : BatchStatus.Open;
          const args = [idOf(network, batch), BigInt(status), needed];
          await expectRevert(call, "TransferRegistry_IllegalStatus", args);
        }
        expect(String(await network.transfers.statusOf(idOf(network, batch)))).to.equal(next);
      });
    }
  });
});

/** Asserts the fee that the ledger asks for, which it names when it is given another. */
async function expectFee(network: Network, sourceTotal: string, feeBps: string, fee: bigint): Promise<void> {
  const { transfers } = network;
  const corridor = corridorId(CORRIDORS.hkdToPhp);
  const terms = { ...TERMS, feeBps: BigInt(feeBps), maxPerBatch: MAX_UINT64, maxPerDay: MAX_UINT64 };
  await setTerms(network, corridor, terms);
  const good = await makeBatch(network, { count: 1 });
  const batch = withHeader(good, { sourceTotal: BigInt(sourceTotal), fee: fee + 1n });
  const call = transfers.open.staticCall(...(await openArgs(network, batch)));
  await expectRevert(call, "TransferRegistry_FeeMismatch", [fee + 1n, fee]);
}

/** The fee of a batch in one currency of which one transfer is rejected and `settledSource` is left. */
async function computeFee(
  call: (name: string) => Call,
  fee: bigint,
  settledSource: bigint,
  sourceTotal: bigint,
): Promise<unknown> {
  const [some] = vectors.batches;
  const amount = sourceTotal - settledSource;
  const transfer = { ...vectors.transfers[0], sourceAmount: amount, targetAmount: amount };
  const header = {
    ...some,
    targetCurrency: some?.sourceCurrency,
    // One transfer, all of it rejected; or another whose amount is what is left.
    count: settledSource === 0n ? 1 : 2,
    sourceTotal,
    targetTotal: sourceTotal,
    fee,
    root: await call("leafOf")(transfer),
  };
  const rejection = { transfer, reason: "0x41433033" };
  const computed = await call("compute")(some?.batchId, header, [rejection], { siblings: [], flags: [] });
  // The third field of the struct that the harness returns.
  return (computed as readonly unknown[])[2];
}
