import { expect } from "chai";
import type { Transaction, TransactionReceipt } from "ethers";
import type { Submitter, SubmitterOptions } from "../../../src/ledger/submitter.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { BesuPool } from "../support/besu-pool.ts";
import { fundedLedger, provider } from "../support/chain.ts";
import { fakeClock, type FakeClock } from "../support/provider.ts";
import {
  foreignTransaction,
  nonceOf,
  OPERATOR,
  submissionError,
  submitterWith,
  withdrawals,
  withdrawOne,
} from "../support/submitting.ts";

const TIMES = { receiptTimeoutMs: 1_000, pollIntervalMs: 100, maxBroadcasts: 4 } as const;

describe("on a node that counts as pending the highest nonce that it has, gaps or not, a submitter", function () {
  let sandbox: Sandbox;
  let clock: FakeClock;
  let first: number;
  let pool: BesuPool;

  beforeEach(async () => {
    sandbox = await fundedLedger();
    first = await nonceOf(sandbox);
    pool = new BesuPool(sandbox.keys.addressOf(OPERATOR));
    clock = fakeClock();
    clock.onSleep = blocks();
  });

  /** Blocks come as time passes, one at a time. */
  function blocks(): () => Promise<void> {
    let last: Promise<unknown> = Promise.resolve();
    return () => {
      const made = last.then(() => pool.makeBlocks());
      last = made.catch(() => undefined);
      return made;
    };
  }

  /** One process with the key: it remembers nothing of another. */
  const startProcess = (options: Partial<SubmitterOptions> = {}): Promise<Submitter> =>
    submitterWith(sandbox, pool.methods, { ...TIMES, clock, ...options });

  const submit = (submitter: Submitter): Promise<TransactionReceipt> => submitter.submit(withdrawOne(sandbox));

  /** What a process before this one has left in the node's pool: withdrawals, with these nonces after the first. */
  async function leaveWaiting(...behind: readonly number[]): Promise<void> {
    const { to, data } = withdrawOne(sandbox);
    for (const gap of behind) {
      const raw = await sandbox.keys.walletOf(OPERATOR).signTransaction({
        ...{ to, data, nonce: first + gap, type: 2, chainId: 31_337, gasLimit: 200_000 },
        ...{ maxFeePerGas: 0, maxPriorityFeePerGas: 0 },
      });
      await pool.methods.broadcastTransaction?.(raw);
    }
  }

  const fillers = (): readonly Transaction[] => pool.taken.filter(({ data }) => data === "0x");
  const nonces = (transactions: readonly Transaction[]) => transactions.map(({ nonce }) => nonce - first);

  it("fills the gap that a process before it has left", async () => {
    await leaveWaiting(1, 2);
    const submitter = await startProcess();
    for (const expected of [3n, 4n, 5n]) {
      await submit(submitter);
      expect(await withdrawals(sandbox)).to.equal(expected);
    }
    expect(nonces(fillers())).to.deep.equal([0]);
    expect(await nonceOf(sandbox)).to.equal(first + 6);
  });

  it("fills several, and nothing between them", async () => {
    await leaveWaiting(1, 3, 4, 7);
    await submit(await startProcess());
    expect(nonces(fillers())).to.deep.equal([0, 2, 5, 6]);
    expect(await withdrawals(sandbox)).to.equal(5n);
  });

  it("fills one again whose filling was lost, too", async () => {
    await leaveWaiting(1);
    let lost = 0;
    pool.isLost = ({ data }) => data === "0x" && lost++ < 1;
    await submit(await startProcess());
    expect([lost, nonces(fillers())]).to.deep.equal([2, [0]]);
    expect(await withdrawals(sandbox)).to.equal(2n);
  });

  it("fills the gap of a transaction of its own that it has given up, and leaves it alone before", async () => {
    pool.isLost = ({ nonce, data }) => nonce === first && data !== "0x";
    const submitter = await startProcess();
    const behind: Promise<TransactionReceipt>[] = [];
    const make = blocks();
    clock.onSleep = async (nowMs) => {
      await make();
      if (nowMs > 2 * TIMES.receiptTimeoutMs && behind.length === 0) behind.push(submit(submitter), submit(submitter));
    };
    expect((await submissionError(submit(submitter))).code).to.equal("NO_RECEIPT");
    expect(fillers()).to.deep.equal([]);
    await Promise.all(behind);
    await submit(submitter);
    expect(nonces(fillers())).to.deep.equal([0]);
    // The one that was lost never takes effect: its nonce is used.
    expect(await withdrawals(sandbox)).to.equal(3n);
  });

  it("takes what another process sends meanwhile for the filling", async () => {
    await leaveWaiting(1);
    let isForeign = false;
    pool.isLost = ({ data }) => data === "0x" && !isForeign;
    const submitter = await startProcess();
    const make = blocks();
    clock.onSleep = async (nowMs) => {
      await make();
      if (nowMs < TIMES.receiptTimeoutMs + TIMES.pollIntervalMs || isForeign) return;
      isForeign = true;
      await provider.broadcastTransaction(await foreignTransaction(sandbox, first));
    };
    await submit(submitter);
    expect(fillers()).to.deep.equal([]);
    expect(await withdrawals(sandbox)).to.equal(2n);
  });

  it("of several processes has each call take effect once, also that whose nonce another has filled", async () => {
    const [one, two] = [await startProcess(), await startProcess({ receiptTimeoutMs: 500 })];
    pool.isLost = ({ nonce, data }) => nonce === first && data !== "0x";
    const lost = submit(one);
    const behind = submit(one);
    while (pool.taken.length === 0) await new Promise(setImmediate);
    await Promise.all([lost, behind, submit(two)]);
    expect(nonces(fillers())).to.deep.equal([0]);
    expect(await withdrawals(sandbox)).to.equal(3n);
    expect(await nonceOf(sandbox)).to.equal(first + 4);
  });

  it("offers more for the filling than it does for a call, where gas has a price", async () => {
    await leaveWaiting(1);
    await provider.send("hardhat_setBalance", [sandbox.keys.addressOf(OPERATOR), `0x${(10n ** 18n).toString(16)}`]);
    await submit(await startProcess({ priorityFeeWei: 7n }));
    const [call] = pool.taken.filter(({ nonce }) => nonce === first + 2);
    expect(call?.maxPriorityFeePerGas).to.equal(7n);
    expect(fillers().map(({ maxPriorityFeePerGas }) => maxPriorityFeePerGas)).to.deep.equal([15n]);
  });
});
