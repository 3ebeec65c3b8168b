import { expect } from "chai";
import type { Step } from "../../../src/features/context.ts";
import { batcherStep } from "../../../src/features/remittance/steps/batcher.ts";
import { confirmerStep } from "../../../src/features/remittance/steps/confirmer.ts";
import { courierStep } from "../../../src/features/remittance/steps/courier.ts";
import { crediterStep } from "../../../src/features/remittance/steps/crediter.ts";
import { openerStep } from "../../../src/features/remittance/steps/opener.ts";
import { proposerStep } from "../../../src/features/remittance/steps/proposer.ts";
import { responderStep } from "../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../src/features/remittance/steps/settler.ts";
import { watcherStep } from "../../../src/features/remittance/steps/watcher.ts";
import { connection } from "../support/chain.ts";
import { describeOn } from "../support/databases.ts";
import { startPair, type Pair } from "../support/peers.ts";
import { accept, oneStep, statusesOf } from "../support/proposals.ts";
import { run, testClock, type TestRelay } from "../support/relay-context.ts";
import { Tally } from "../support/tally.ts";

type Turn = readonly [side: "source" | "target", ...steps: Step[]];

/** The steps that are woken for a transfer, one after the other. */
const IN_ONE_STEP: readonly Turn[] = [
  ["source", batcherStep, proposerStep, openerStep, watcherStep],
  ["target", watcherStep, crediterStep, confirmerStep],
];
const IN_TWO_STEPS: readonly Turn[] = [
  ["source", batcherStep, openerStep, courierStep, watcherStep],
  ["target", watcherStep, responderStep, settlerStep, watcherStep],
  ["source", watcherStep],
  ["target", crediterStep, confirmerStep],
];
const LONG_MS = 3_600_000;

/** What both relays together have asked for. */
interface Cost {
  readonly statements: number;
  /** A look for the receipt of each transaction among them: how many it takes is the machine's matter. */
  readonly calls: number;
  readonly transactions: number;
  /** From relay to relay, by their paths. */
  readonly messages: readonly string[];
}

describeOn("PGlite", "what a transfer costs that is alone in its batch", (open) => {
  let one: Cost;
  let two: Cost;
  before(async () => {
    one = await costOf(IN_ONE_STEP, true);
    two = await costOf(IN_TWO_STEPS, false);
  });

  async function costOf(path: readonly Turn[], enabled: boolean): Promise<Cost> {
    const tally = new Tally();
    const openCounted = async () => tally.counting(await open());
    const pair = await startPair(openCounted, oneStep({ enabled }), testClock(Date.now()), LONG_MS);
    const messages: string[] = [];
    const { provider } = connection;
    const request = provider.request.bind(provider);
    try {
      // What is asked once in a while has been asked by then.
      await pass(pair, messages, path);
      provider.request = (asked) => {
        tally.calls.push(asked.method);
        return request(asked);
      };
      messages.length = 0;
      await pass(pair, messages, path, () => tally.clear());
      const transactions = tally.calls.filter((method) => method === "eth_sendRawTransaction").length;
      const calls = transactions + tally.calls.filter((method) => method !== "eth_getTransactionReceipt").length;
      return { statements: tally.statements.length, calls, transactions, messages };
    } finally {
      provider.request = request;
      await pair.close();
    }
  }

  /** From where it is stored until its source knows that it is credited. */
  async function pass(pair: Pair, messages: string[], path: readonly Turn[], begin?: () => void): Promise<void> {
    const transfers = await accept(pair.source, 1);
    await run(pair.target, watcherStep);
    begin?.();
    for (const [side, ...steps] of path) {
      for (const step of steps) await run(noting(pair[side], messages), step);
    }
    expect(await statusesOf(pair.source, transfers)).to.deep.equal(["credited"]);
  }

  function noting(relay: TestRelay, messages: string[]): TestRelay {
    const { outside } = relay;
    const post: typeof outside.post = (url, sent) => {
      messages.push(new URL(url).pathname);
      return outside.post(url, sent);
    };
    return { ...relay, outside: { post } };
  }

  it("is one transaction in one step, and two in two", () => {
    expect([one.transactions, two.transactions]).to.deep.equal([1, 2]);
  });

  it("is two messages either way", () => {
    expect(one.messages).to.deep.equal(["/peer/v1/proposals", "/peer/v1/confirmations"]);
    expect(two.messages).to.deep.equal(["/peer/v1/payloads", "/peer/v1/confirmations"]);
  });

  it("is fewer statements and fewer requests to the ledger in one step", () => {
    expect(one.statements).to.be.at.most(two.statements - 11);
    expect(one.calls).to.be.at.most(two.calls - 5);
  });
});
