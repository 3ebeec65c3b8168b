import { expect } from "chai";
import { Transaction, type Block, type Provider, type TransactionLike, type TransactionResponse } from "ethers";
import { beatCall } from "../../../src/ledger/calls.ts";
import { createSubmitter } from "../../../src/ledger/submitter.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { until } from "../../support/until.ts";
import { makeBatch } from "../../support/batches.ts";
import { fundedLedger, OPTIONS, provider } from "../support/chain.ts";
import { fakeClock } from "../support/provider.ts";
import {
  foreignTransaction,
  ledgerError,
  mine,
  nonceOf,
  nonceOfRaw,
  nonceOfReceipt,
  OPERATOR,
  refusal,
  setAutomine,
  submissionError,
  submitterWith,
  withdrawals,
  withdrawOne,
} from "../support/submitting.ts";

const MANY = 50;
/** Of which nothing is read. */
const NO_RESPONSE = Object.create(null) as TransactionResponse;

describe("a submitter", function () {
  let sandbox: Sandbox;
  let first: number;

  beforeEach(async () => {
    sandbox = await fundedLedger();
    first = await nonceOf(sandbox);
  });

  afterEach(() => setAutomine(true));

  const submitMany = async () => {
    const submitter = await sandbox.submitterOf(OPERATOR);
    const receipts = await Promise.all(Array.from({ length: MANY }, () => submitter.submit(withdrawOne(sandbox))));
    expect(receipts.every(({ status }) => status === 1)).to.equal(true);
    return (await Promise.all(receipts.map(nonceOfReceipt))).sort((left, right) => left - right);
  };

  it("gives calls that overlap consecutive nonces", async () => {
    expect(await submitMany()).to.deep.equal(Array.from({ length: MANY }, (_, index) => first + index));
    expect(await withdrawals(sandbox)).to.equal(BigInt(MANY));
  });

  it("does so where blocks come by the clock, several transactions in each", async () => {
    await setAutomine(false, 50);
    expect(await submitMany()).to.deep.equal(Array.from({ length: MANY }, (_, index) => first + index));
    expect(await withdrawals(sandbox)).to.equal(BigInt(MANY));
  });

  it("does so where the node counts nothing that is not in a block yet", async () => {
    await setAutomine(false, 50);
    const submitter = await submitterWith(sandbox, {
      getTransactionCount: (address) => provider.getTransactionCount(address, "latest"),
    });
    const receipts = await Promise.all([1, 2, 3, 4].map(() => submitter.submit(withdrawOne(sandbox))));
    const nonces = await Promise.all(receipts.map(nonceOfReceipt));
    expect(nonces.sort()).to.deep.equal([0, 1, 2, 3].map((index) => first + index));
  });

  it("tells a contract's refusal before anything is sent, and spends no nonce on it", async () => {
    const submitter = await sandbox.submitterOf(OPERATOR);
    const { open, id } = await makeBatch(sandbox);
    await submitter.submit(open);
    const refused = await ledgerError(submitter.submit(open));
    expect([refused.code, refused.remedy]).to.deep.equal(["TransferRegistry_IllegalStatus", "done"]);
    expect(refused.message).to.equal(`batch ${id} is Open; this needs None`);
    expect(await nonceOf(sandbox)).to.equal(first + 1);
    expect(await nonceOfReceipt(await submitter.submit(withdrawOne(sandbox)))).to.equal(first + 1);
  });

  it("goes on behind another user of its key", async () => {
    const submitter = await sandbox.submitterOf(OPERATOR);
    await submitter.submit(withdrawOne(sandbox));
    for (const nonce of [first + 1, first + 2, first + 3]) {
      await provider.broadcastTransaction(await foreignTransaction(sandbox, nonce));
    }
    const receipts = await Promise.all([1, 2].map(() => submitter.submit(withdrawOne(sandbox))));
    expect((await Promise.all(receipts.map(nonceOfReceipt))).sort()).to.deep.equal([first + 4, first + 5]);
    expect(await withdrawals(sandbox)).to.equal(3n);
  });

  it("sends again what another user of its key replaced in the pool, when a block has proved that", async () => {
    await setAutomine(false);
    let isReplaced = false;
    const broadcastTransaction: Provider["broadcastTransaction"] = async (raw) => {
      // As where gas has a price, and the other user pays more.
      if (isReplaced && nonceOfRaw(raw) === first) throw refusal("replacement transaction underpriced");
      return provider.broadcastTransaction(raw);
    };
    const submitter = await submitterWith(sandbox, { broadcastTransaction }, { receiptTimeoutMs: 100 });
    const submitting = submitter.submit(withdrawOne(sandbox));
    await pending(1);
    isReplaced = true;
    await provider.broadcastTransaction(await foreignTransaction(sandbox, first));
    await setAutomine(false, 50);
    const receipt = await submitting;
    expect(await nonceOfReceipt(receipt)).to.equal(first + 1);
    expect(await withdrawals(sandbox)).to.equal(1n);
  });

  it("gives up when others take its nonce time after time", async () => {
    const tried: number[] = [];
    const submitter = await submitterWith(sandbox, {
      async broadcastTransaction(raw) {
        tried.push(nonceOfRaw(raw));
        await provider.broadcastTransaction(await foreignTransaction(sandbox, nonceOfRaw(raw)));
        return provider.broadcastTransaction(raw);
      },
    });
    const failure = await submissionError(submitter.submit(withdrawOne(sandbox)));
    expect(failure.code).to.equal("NOT_ACCEPTED");
    expect(tried).to.deep.equal([0, 1, 2, 3, 4].map((index) => first + index));
    expect(await withdrawals(sandbox)).to.equal(0n);
  });

  it("goes on behind a transaction that was dropped, where a node takes nonces in order only", async () => {
    // Hardhat's node does so, while it mines each transaction at once.
    const raws: string[] = [];
    const submitter = await submitterWith(
      sandbox,
      {
        broadcastTransaction(raw) {
          raws.push(raw);
          return raws.length === 1 ? Promise.resolve(NO_RESPONSE) : provider.broadcastTransaction(raw);
        },
      },
      { receiptTimeoutMs: 400 },
    );
    const receipts = await Promise.all([1, 2].map(() => submitter.submit(withdrawOne(sandbox))));
    expect((await Promise.all(receipts.map(nonceOfReceipt))).sort()).to.deep.equal([first, first + 1]);
    expect(new Set(raws).size).to.equal(2);
  });

  it("gives up behind a nonce that is never filled", async () => {
    const clock = fakeClock();
    const submitter = await submitterWith(
      sandbox,
      { getTransactionCount: async (...asked) => (await provider.getTransactionCount(...asked)) + 1 },
      { clock },
    );
    const failure = await submissionError(submitter.submit(withdrawOne(sandbox)));
    expect([failure.code, failure.message]).to.deep.equal([
      "NOT_ACCEPTED",
      `not accepted with nonce ${first + 1}: the ledger waits for the nonce before`,
    ]);
    expect(clock.nowMs()).to.be.within(4 * OPTIONS.receiptTimeoutMs, 5 * OPTIONS.receiptTimeoutMs);
  });

  it("goes on after a restart behind what is still waiting", async () => {
    await setAutomine(false);
    const before = await submitterWith(sandbox, {});
    const sent = before.submit(withdrawOne(sandbox));
    await pending(1);
    const restarted = await submitterWith(sandbox, {});
    const next = restarted.submit(withdrawOne(sandbox));
    await pending(2);
    await mine();
    expect(await Promise.all([sent, next].map(async (receipt) => nonceOfReceipt(await receipt)))).to.deep.equal([
      first,
      first + 1,
    ]);
  });

  for (const automine of [true, false]) {
    const node = automine ? "a node that mines at once and answers with the failure" : "a node that mines later";
    it(`tells why a call was refused that its simulation had let pass, by ${node}`, async () => {
      const { open } = await makeBatch(sandbox);
      const courier = await sandbox.submitterOf({ kind: "courier" });
      const submitter = await submitterWith(sandbox, { estimateGas: () => Promise.resolve(1_000_000n) });
      await courier.submit(open);
      await setAutomine(automine, automine ? 0 : 20);
      const refused = await ledgerError(submitter.submit(open));
      expect([refused.code, refused.remedy]).to.deep.equal(["TransferRegistry_IllegalStatus", "done"]);
      // It is in a block, so its nonce is spent.
      expect(await nonceOf(sandbox)).to.equal(first + 1);
      expect(await nonceOfReceipt(await submitter.submit(withdrawOne(sandbox)))).to.equal(first + 1);
    });
  }

  it("says so when a call failed in a block for no reason that it can find", async () => {
    const submitter = await submitterWith(sandbox, { estimateGas: () => Promise.resolve(40_000n) });
    const outOfGas = await submissionError(submitter.submit(withdrawOne(sandbox)));
    expect(outOfGas.code).to.equal("REVERTED");
    expect((await provider.getTransactionReceipt(outOfGas.transactionHash ?? ""))?.status).to.equal(0);
    const noFunction = { to: sandbox.ledger.addresses.treasury, data: "0xdeadbeef" } as const;
    expect((await submissionError(submitter.submit(noFunction))).code).to.equal("REVERTED");
    expect(await nonceOf(sandbox)).to.equal(first + 2);
  });

  it("passes on what a node refuses, and goes on with the same nonce", async () => {
    const answers = [refusal("txpool is full"), refusal("insufficient funds for gas * price + value")];
    const submitter = await submitterWith(sandbox, {
      broadcastTransaction: (raw) => {
        const answer = answers.shift();
        return answer === undefined ? provider.broadcastTransaction(raw) : Promise.reject(answer);
      },
    });
    for (const message of ["txpool is full", "insufficient funds for gas * price + value"]) {
      const failure = await submissionError(submitter.submit(withdrawOne(sandbox)));
      expect([failure.code, failure.message]).to.deep.equal([
        "NOT_ACCEPTED",
        `not accepted with nonce ${first}: ${message}`,
      ]);
    }
    expect(await nonceOfReceipt(await submitter.submit(withdrawOne(sandbox)))).to.equal(first);
    expect(await withdrawals(sandbox)).to.equal(1n);
  });

  it("passes on the contract's reason where a node refuses by it", async () => {
    const { transferRegistry } = sandbox.ledger;
    const data = transferRegistry.interface.encodeErrorResult("EnforcedPause", []);
    const submitter = await submitterWith(sandbox, {
      broadcastTransaction: () => Promise.reject(refusal("execution reverted", data)),
    });
    const refused = await ledgerError(submitter.submit(withdrawOne(sandbox)));
    expect([refused.code, refused.remedy]).to.deep.equal(["EnforcedPause", "retry"]);
    expect(await nonceOf(sandbox)).to.equal(first);
  });

  it("pays by gas price where blocks have no base fee", async () => {
    const sent: TransactionLike[] = [];
    const submitter = await submitterWith(sandbox, {
      async getBlock(tag) {
        // A block as it is, but for its base fee.
        return Object.create(await provider.getBlock(tag), { baseFeePerGas: { value: null } }) as Block;
      },
      broadcastTransaction(raw) {
        sent.push(Transaction.from(raw));
        return provider.broadcastTransaction(raw);
      },
    });
    await submitter.submit(withdrawOne(sandbox));
    expect(sent.map(({ type, gasPrice }) => [type, gasPrice])).to.deep.equal([[0, 0n]]);
  });

  it("needs a key with a provider, and one that signs", async () => {
    const key = sandbox.keys.walletOf(OPERATOR);
    const refused = await createSubmitter(key.connect(null), OPTIONS).catch((failure: unknown) => failure);
    expect(refused).to.be.instanceOf(TypeError);

    const unsigned = Transaction.from({ ...beatCall(sandbox.ledger), chainId: 31_337 }).unsignedSerialized;
    const signatures = [unsigned];
    const signer = new Proxy(key, {
      get(target, name) {
        const given = name === "signTransaction" ? signatures.shift() : undefined;
        if (given !== undefined) return () => Promise.resolve(given);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const submitter = await createSubmitter(signer, OPTIONS);
    const failure: unknown = await submitter.submit(withdrawOne(sandbox)).catch((thrown: unknown) => thrown);
    expect(failure).to.be.instanceOf(TypeError).with.property("message").that.includes("unsigned");
    expect(await nonceOfReceipt(await submitter.submit(withdrawOne(sandbox)))).to.equal(first);
  });

  /** Until so many transactions of the key wait for a block. */
  async function pending(count: number): Promise<void> {
    const address = sandbox.keys.addressOf(OPERATOR);
    await until(async () => (await provider.getTransactionCount(address, "pending")) >= first + count);
  }
});
