import { expect } from "chai";
import type { Provider, TransactionReceipt, TransactionResponse } from "ethers";
import type { Submitter } from "../../../src/ledger/submitter.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { until } from "../../support/until.ts";
import { fundedLedger, provider } from "../support/chain.ts";
import { fakeClock, type FakeClock } from "../support/provider.ts";
import {
  connectionLost,
  mine,
  nonceOf,
  nonceOfRaw,
  nonceOfReceipt,
  refusal,
  setAutomine,
  submissionError,
  submitterWith,
  withdrawals,
  withdrawOne,
} from "../support/submitting.ts";

const TIMES = { receiptTimeoutMs: 1_000, pollIntervalMs: 10, maxBroadcasts: 3 } as const;
const GIVES_UP_MS = TIMES.receiptTimeoutMs * TIMES.maxBroadcasts;

/** Of which nothing is read. */
const NO_RESPONSE = Object.create(null) as TransactionResponse;

/** What a connection, or the node behind it, does with a transaction. */
type Delivery = (raw: string) => Promise<TransactionResponse>;

const delivered: Delivery = (raw) => provider.broadcastTransaction(raw);
const replyLost: Delivery = async (raw) => {
  await provider.broadcastTransaction(raw);
  throw connectionLost();
};
const requestLost: Delivery = () => Promise.reject(connectionLost());
/** Says that it has it, and has not. */
const dropped: Delivery = () => Promise.resolve(NO_RESPONSE);
/** A proxy on the way sends again what it got no reply to, and passes on the reply to that. */
const sentTwice: Delivery = async (raw) => {
  await provider.broadcastTransaction(raw);
  return provider.broadcastTransaction(raw);
};
const answered =
  (failure: Error): Delivery =>
  () =>
    Promise.reject(failure);

describe("a submitter whose withdrawal meets", function () {
  let sandbox: Sandbox;
  let clock: FakeClock;
  let first: number;
  /** Everything that was handed over to be broadcast. */
  let handed: string[];

  beforeEach(async () => {
    sandbox = await fundedLedger();
    clock = fakeClock();
    first = await nonceOf(sandbox);
    handed = [];
  });

  afterEach(() => setAutomine(true));

  /** @param deliveries what becomes of each broadcast; the last goes on forever */
  const submitterBy = (deliveries: readonly Delivery[], methods: Partial<Provider> = {}): Promise<Submitter> =>
    submitterWith(
      sandbox,
      {
        broadcastTransaction(raw) {
          const delivery = deliveries[Math.min(handed.length, deliveries.length - 1)] ?? delivered;
          handed.push(raw);
          return delivery(raw);
        },
        ...methods,
      },
      { ...TIMES, clock },
    );

  /** One withdrawal, by as many broadcasts of the very same transaction. */
  const expectOnce = async (broadcasts: number) => {
    expect(await withdrawals(sandbox)).to.equal(1n);
    expect(await nonceOf(sandbox)).to.equal(first + 1);
    expect([handed.length, new Set(handed).size]).to.deep.equal([broadcasts, 1]);
  };

  const expectGoesOn = async (submitter: Submitter, nonce: number) => {
    expect(await nonceOfReceipt(await submitter.submit(withdrawOne(sandbox)))).to.equal(nonce);
  };

  it("a reply that is lost finds its receipt, and sends nothing twice", async () => {
    const submitter = await submitterBy([replyLost, delivered]);
    expect(await nonceOfReceipt(await submitter.submit(withdrawOne(sandbox)))).to.equal(first);
    await expectOnce(1);
    expect(clock.nowMs()).to.equal(0);
    await expectGoesOn(submitter, first + 1);
  });

  it("a machine's clock that is set while it waits is waited through as any time", async () => {
    const { now } = Date;
    let looks = 0;
    const submitter = await submitterWith(sandbox, {
      broadcastTransaction(raw) {
        handed.push(raw);
        return provider.broadcastTransaction(raw);
      },
      getTransactionReceipt(hash) {
        Date.now = () => now() + 3_600_000;
        return looks++ < 2 ? Promise.resolve(null) : provider.getTransactionReceipt(hash);
      },
    });
    try {
      await submitter.submit(withdrawOne(sandbox));
    } finally {
      Date.now = now;
    }
    await expectOnce(1);
  });

  it("a request that is lost hands the same transaction over again", async () => {
    const submitter = await submitterBy([requestLost, requestLost, delivered]);
    await submitter.submit(withdrawOne(sandbox));
    await expectOnce(3);
    await expectGoesOn(submitter, first + 1);
  });

  for (const [answer, failure] of [
    ["an internal error", refusalOf(-32_603, "upstream unavailable")],
    ["a time-out", refusal("request timed out")],
    ["no JSON-RPC at all", new Error("502 Bad Gateway")],
  ] as const) {
    it(`${answer} in place of an answer does not take it for a refusal`, async () => {
      const submitter = await submitterBy([answered(failure), delivered]);
      await submitter.submit(withdrawOne(sandbox));
      await expectOnce(2);
    });
  }

  it("a node that knows it already takes that for a yes", async () => {
    await setAutomine(false);
    clock.onSleep = mine;
    // Nor does it matter that this one shows nobody what waits for a block.
    const submitter = await submitterBy([sentTwice], { getTransaction: () => Promise.resolve(null) });
    await submitter.submit(withdrawOne(sandbox));
    await expectOnce(1);
  });

  it("'nonce too low' because it is in a block does not sign it again", async () => {
    const submitter = await submitterBy([sentTwice, delivered]);
    await submitter.submit(withdrawOne(sandbox));
    await expectOnce(1);
    await expectGoesOn(submitter, first + 1);
  });

  it("'nonce too low' from a node whose index lags behind waits for the receipt", async () => {
    const lagging = <Found>(find: (hash: string) => Promise<Found>) => {
      return async (hash: string) => (clock.nowMs() < 500 ? null : find(hash));
    };
    const submitter = await submitterBy([sentTwice, delivered], {
      getTransaction: lagging((hash) => provider.getTransaction(hash)),
      getTransactionReceipt: lagging((hash) => provider.getTransactionReceipt(hash)),
    });
    await submitter.submit(withdrawOne(sandbox));
    await expectOnce(1);
  });

  it("'nonce too low' from a node without an index reports that it does not know, and signs nothing more", async () => {
    const nothing = () => Promise.resolve(null);
    const blind = { getTransaction: nothing, getTransactionReceipt: nothing };
    const submitter = await submitterBy([sentTwice, delivered], blind);
    expect((await submissionError(submitter.submit(withdrawOne(sandbox)))).code).to.equal("NO_RECEIPT");
    expect([await withdrawals(sandbox), new Set(handed).size]).to.deep.equal([1n, 1]);
    // Neither does one that answers, but not about nonces.
    const silent = { ...blind, getTransactionCount: countsOnly("pending") };
    const other = await submitterBy([sentTwice], silent);
    expect((await submissionError(other.submit(withdrawOne(sandbox)))).code).to.equal("NO_RECEIPT");
    expect(await withdrawals(sandbox)).to.equal(2n);
  });

  it("a lost reply and then 'nonce too low' finds its receipt", async () => {
    const asksInVain = connectionLostTimes(1, (hash: string) => provider.getTransaction(hash));
    const submitter = await submitterBy([replyLost, delivered], { getTransaction: asksInVain });
    await submitter.submit(withdrawOne(sandbox));
    await expectOnce(2);
  });

  it("a lost reply and then another refusal does not claim that it had no effect", async () => {
    const asksInVain = connectionLostTimes(1, () => Promise.resolve(null));
    const submitter = await submitterBy([replyLost, answered(refusal("txpool is full"))], {
      getTransaction: asksInVain,
      getTransactionReceipt: () => Promise.resolve(null),
    });
    expect((await submissionError(submitter.submit(withdrawOne(sandbox)))).code).to.equal("NO_RECEIPT");
    expect(await withdrawals(sandbox)).to.equal(1n);
  });

  it("a node that never answers gives up after a bounded time, and goes on with the next", async () => {
    let isDown = true;
    const downOr = (delivery: Delivery): Delivery => {
      return (raw) => (isDown ? Promise.reject(connectionLost()) : delivery(raw));
    };
    const submitter = await submitterBy([downOr(delivered)], {
      getTransaction: (hash) => (isDown ? Promise.reject(connectionLost()) : provider.getTransaction(hash)),
    });
    const failure = await submissionError(submitter.submit(withdrawOne(sandbox)));
    expect(failure.code).to.equal("NO_RECEIPT");
    expect(failure.message).to.equal(`no receipt of nonce ${first}: the node does not answer`);
    expect(failure.cause).to.have.property("code", "ECONNRESET");
    expect(failure.transactionHash).to.match(/^0x[0-9a-f]{64}$/);
    expect(clock.nowMs()).to.be.within(GIVES_UP_MS, GIVES_UP_MS + TIMES.receiptTimeoutMs);
    expect([handed.length < 15, new Set(handed).size]).to.deep.equal([true, 1]);
    isDown = false;
    await expectGoesOn(submitter, first);
  });

  it("a node that drops it broadcasts it again after the time-out", async () => {
    const submitter = await submitterBy([dropped, dropped, delivered]);
    await submitter.submit(withdrawOne(sandbox));
    await expectOnce(3);
    expect(clock.nowMs()).to.be.within(2 * TIMES.receiptTimeoutMs, GIVES_UP_MS);
    await expectGoesOn(submitter, first + 1);
  });

  it("a node that never has a receipt gives up after so many broadcasts, and goes on with the next", async () => {
    let isDropping = true;
    const submitter = await submitterBy([(raw) => (isDropping ? dropped(raw) : delivered(raw))]);
    const failure = await submissionError(submitter.submit(withdrawOne(sandbox)));
    expect([failure.code, failure.message]).to.deep.equal([
      "NO_RECEIPT",
      `no receipt of nonce ${first}: after ${TIMES.maxBroadcasts} broadcasts`,
    ]);
    expect([handed.length, new Set(handed).size]).to.deep.equal([TIMES.maxBroadcasts, 1]);
    expect(clock.nowMs()).to.be.within(GIVES_UP_MS, GIVES_UP_MS + 2 * TIMES.maxBroadcasts * TIMES.pollIntervalMs);
    isDropping = false;
    await expectGoesOn(submitter, first);
    expect(await withdrawals(sandbox)).to.equal(1n);
  });

  it("a node that cannot be asked for the receipt for a while goes on asking", async () => {
    const submitter = await submitterBy([delivered], {
      getTransactionReceipt: connectionLostTimes(20, (hash: string) => provider.getTransactionReceipt(hash)),
    });
    await submitter.submit(withdrawOne(sandbox));
    await expectOnce(1);
    const never = await submitterBy([delivered], {
      getTransactionReceipt: connectionLostTimes(Infinity, (hash: string) => provider.getTransactionReceipt(hash)),
    });
    const failure = await submissionError(never.submit(withdrawOne(sandbox)));
    expect(failure.code).to.equal("NO_RECEIPT");
    expect(failure.cause).to.have.property("code", "ECONNRESET");
  });

  it("a gap in the nonces gives the gap out again, and none that waits behind it", async () => {
    await setAutomine(false);
    let isDropping = true;
    const submitter = await submitterBy([(raw) => (isDropping && raw === handed[0] ? dropped(raw) : delivered(raw))]);
    const behind: Promise<TransactionReceipt>[] = [];
    clock.onSleep = (now) => {
      if (now > GIVES_UP_MS / 2 && behind.length === 0) {
        behind.push(...[1, 2].map(() => submitter.submit(withdrawOne(sandbox))));
      }
      return Promise.resolve();
    };
    expect((await submissionError(submitter.submit(withdrawOne(sandbox)))).code).to.equal("NO_RECEIPT");
    // Those behind are still waiting, and have time left.
    const { promise: minedAll, resolve: thaw } = Promise.withResolvers<undefined>();
    clock.onSleep = () => minedAll;
    isDropping = false;
    const ahead = [1, 2].map(() => submitter.submit(withdrawOne(sandbox)));
    await until(() => handed.slice(-2).every((raw) => [first, first + 3].includes(nonceOfRaw(raw))));
    await setAutomine(true);
    await mine();
    thaw(undefined);
    const nonces = async (receipts: readonly Promise<TransactionReceipt>[]) =>
      (await Promise.all(receipts.map(async (receipt) => nonceOfReceipt(await receipt)))).sort();
    expect(await nonces(behind)).to.deep.equal([first + 1, first + 2]);
    expect(await nonces(ahead)).to.deep.equal([first, first + 3]);
    expect(await withdrawals(sandbox)).to.equal(4n);
  });

  it("a question before anything is sent that fails sends nothing, and goes on", async () => {
    const submitter = await submitterBy([delivered], {
      estimateGas: connectionLostTimes(1, (call) => provider.estimateGas(call)),
      getTransactionCount: connectionLostTimes(1, (...asked) => provider.getTransactionCount(...asked)),
      getBlock: connectionLostTimes(1, (...asked: Parameters<Provider["getBlock"]>) => provider.getBlock(...asked)),
    });
    for (const question of ["estimateGas", "getTransactionCount", "getBlock"]) {
      const failure: unknown = await submitter.submit(withdrawOne(sandbox)).catch((thrown: unknown) => thrown);
      expect(failure, question).to.have.property("code", "ECONNRESET");
    }
    expect(handed).to.deep.equal([]);
    await expectGoesOn(submitter, first);
  });
});

/** Fails so often before it does as asked. */
function connectionLostTimes<Asked extends unknown[], Answer>(
  times: number,
  ask: (...asked: Asked) => Promise<Answer>,
): (...asked: Asked) => Promise<Answer> {
  let left = times;
  return (...asked) => (left-- > 0 ? Promise.reject(connectionLost()) : ask(...asked));
}

function countsOnly(tag: string): Provider["getTransactionCount"] {
  return (address, block) =>
    block === tag ? provider.getTransactionCount(address, block) : Promise.reject(connectionLost());
}

function refusalOf(code: number, message: string): Error {
  return Object.assign(new Error(message), { code });
}
