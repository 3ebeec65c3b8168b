import { expect } from "chai";
import { normalizeHex } from "../../../src/domain/bytes/hex.ts";
import { openCall } from "../../../src/ledger/calls.ts";
import { formatAddresses } from "../../../src/ledger/deployment/config-file.ts";
import { FailoverProvider } from "../../../src/ledger/rpc/failover-provider.ts";
import { createSubmitter } from "../../../src/ledger/submitter.ts";
import { systemClock, type Clock } from "../../../src/kernel/clock/clock.ts";
import { silentLogger, type Logger } from "../../../src/kernel/telemetry/logger.ts";
import { createMetrics, type Metrics } from "../../../src/kernel/telemetry/metrics.ts";
import { metricsOf } from "../../../src/app/composition.ts";
import { FEATURES } from "../../../src/app/features.ts";
import { reconcile } from "../../../src/features/reconciliation/reconciler.ts";
import { openerStep } from "../../../src/features/remittance/steps/opener.ts";
import { sweeperStep } from "../../../src/features/remittance/steps/sweeper.ts";
import { watcherStep } from "../../../src/features/remittance/steps/watcher.ts";
import { openLedger } from "../../../src/app/parts.ts";
import { eventsAfter } from "../../../src/kernel/store/events.ts";
import { readCursor } from "../../../src/features/remittance/store/ledger-projection.ts";
import { until } from "../../support/until.ts";
import { makeSettlement } from "../../support/batches.ts";
import { ALIPAY_HK, fundedLedger, OPTIONS, provider as chain } from "../support/chain.ts";
import { describeOnBothDatabases } from "../support/databases.ts";
import { startHttpNode, type HttpNode } from "../support/http.ts";
import { failureOf, ownBatch } from "../support/relay-batches.ts";
import { run, testRelay, type TestRelay } from "../support/relay-context.ts";
import { mine, OPERATOR, withdrawOne } from "../support/submitting.ts";

type Alter = HttpNode["alter"];

/** Time as it is, in which nobody waits for long. */
const hurriedClock: Clock = {
  nowMs: () => systemClock.nowMs(),
  sleep: (durationMs, signal) => systemClock.sleep(durationMs / 10, signal),
};

/** A block or a list of logs as the chain has answered it, with other members. */
function altered(result: unknown, members: object): unknown {
  return typeof result === "object" && result !== null ? { ...result, ...members } : result;
}

const FALSE_HASH = `0x${"5a".repeat(32)}`;

/** Of one node's answers; all others are the chain's own. */
const LIES: readonly (readonly [string, Alter])[] = [
  [
    "block hashes that the others do not know",
    (method, _params, result) => (method === "eth_getBlockByNumber" ? altered(result, { hash: FALSE_HASH }) : result),
  ],
  [
    "block hashes of the past only",
    (method, params, result) =>
      method === "eth_getBlockByNumber" && params[0] !== "latest" ? altered(result, { hash: FALSE_HASH }) : result,
  ],
  ["no events", (method, _params, result) => (method === "eth_getLogs" ? [] : result)],
  [
    "events with other content",
    (method, _params, result) => (method === "eth_getLogs" ? (result as object[]).slice(1) : result), // what the chain answers
  ],
  [
    "other results of calls",
    (method, _params, result) => (method === "eth_call" ? `0x${"00".repeat(31)}07${"00".repeat(32)}` : result),
  ],
];

describeOnBothDatabases("relay with an endpoint that lies", (open) => {
  let nodes: readonly HttpNode[];
  let metrics: Metrics;
  let errors: string[];
  const closing: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    nodes = [await startHttpNode(), await startHttpNode(), await startHttpNode()];
    metrics = createMetrics({ partner: ALIPAY_HK }, metricsOf(FEATURES));
    errors = [];
  });
  afterEach(async () => {
    for (const end of closing.splice(0)) await end();
    await Promise.all(nodes.map((node) => node.close()));
  });

  /** A relay that reads and sends through these endpoints, as the service opens them. */
  async function relayOver(
    endpoints: readonly HttpNode[],
  ): Promise<TestRelay & { readonly endpoints: FailoverProvider }> {
    const sandbox = await fundedLedger();
    await mine();
    const log: Logger = {
      ...silentLogger,
      error: (...given: readonly unknown[]) => void errors.push(String(given.at(-1))),
    };
    const { ledger } = await openLedger(
      {
        ledger: {
          rpcUrls: endpoints.map(({ url }) => url),
          addressesJson: formatAddresses(sandbox.ledger.addresses),
          confirmations: 0,
          pollIntervalMs: 20,
          fromBlock: 0,
          maxBlockRange: 500,
          timeoutMs: 2_000,
          receiptTimeoutMs: 2_000,
          maxBroadcasts: 3,
          priorityFeeWei: 0n,
        },
      },
      { clock: hurriedClock, fetch, log, metrics },
      (end) => void closing.push(end),
    );
    const { provider } = ledger;
    if (!(provider instanceof FailoverProvider)) throw new TypeError("the service opens one");
    const submitter = await createSubmitter(sandbox.keys.walletOf(OPERATOR).connect(provider), OPTIONS);
    const relay = await testRelay({ db: await open(), sandbox, ledger, submitter, metrics });
    return Object.assign(relay, { endpoints: provider });
  }

  const kinds = async ({ db }: TestRelay): Promise<readonly string[]> =>
    (await eventsAfter(db, 0n, 100)).map(({ type }) => type);

  for (const [what, alter] of LIES) {
    for (const liar of [0, 1]) {
      it(`drops it for ${what}, and goes on by the others: endpoint ${liar + 1} of 3`, async () => {
        const relay = await relayOver(nodes);
        await run(relay, watcherStep);
        const batch = await ownBatch(relay, { count: 2 });
        const node = nodes[liar];
        if (node === undefined) throw new RangeError("three nodes");
        node.alter = alter;

        // One that is not asked at first is asked when its turn comes.
        const isFound = () => relay.endpoints.health().some(({ isSuspected, isDropped }) => isSuspected || isDropped);
        for (let passes = 0; passes < 100 && (passes < 2 || !isFound()); passes++) {
          await retried(() => run(relay, openerStep));
          await retried(() => run(relay, watcherStep));
          await retried(() => run(relay, sweeperStep));
          // An event in every block: there is nothing to be hidden in an empty one.
          await relay.submitter.submit(withdrawOne(relay.sandbox));
        }
        const openable = { ...batch, open: openCall(relay.ledger, batch.header, batch.send, batch.quote) };
        const courier = await relay.sandbox.submitterOf({ kind: "courier" });
        await courier.submit(await makeSettlement(relay.sandbox, openable));
        await retried(() => run(relay, watcherStep));

        const latest = await chain.getBlock("latest");
        expect(await readCursor(relay.db)).to.include({ block: latest?.number, hash: latest?.hash });
        expect(await kinds(relay)).to.deep.equal([
          ...["transfer.held", "transfer.held", "transfer.settled", "transfer.settled"],
        ]);
        const report = await retried(() => reconcile(relay, { slackMs: 600_000 }));
        expect(report.differences).to.deep.equal([]);
        await until(() => !relay.endpoints.health().some(({ isSuspected }) => isSuspected));
        const dropped = relay.endpoints.health().map(({ isDropped }) => isDropped);
        expect(dropped).to.deep.equal([liar === 0, liar === 1, false]);
        expect(errors).to.include("ledger: an endpoint lies, and is not used any more");
        const told = await metrics.registry.metrics();
        expect(told).to.contain(`feiqian_ledger_endpoints{state="dropped",partner="${ALIPAY_HK}"} 1`);
        expect(told).to.contain(`feiqian_ledger_disputes_total{outcome="dropped",partner="${ALIPAY_HK}"} 1`);
        expect(told).to.contain('feiqian_fork_detected{partner="7"} 0');
      });
    }
  }

  it("writes nothing that two endpoints contradict each other on, and goes on when they agree", async () => {
    const [first, second] = nodes;
    if (first === undefined || second === undefined) throw new RangeError("three nodes");
    const relay = await relayOver([first, second]);
    await run(relay, watcherStep);
    const batch = await ownBatch(relay, { count: 1 });
    await run(relay, openerStep);
    const before = await readCursor(relay.db);
    second.alter = (method, _params, result) => (method === "eth_getLogs" ? [] : result);
    for (let passes = 0; passes < 2; passes++) {
      expect(await failureOf(run(relay, watcherStep))).to.include({ code: "LEDGER_DISPUTED" });
    }
    expect(await readCursor(relay.db)).to.deep.equal(before);
    expect(await kinds(relay)).to.deep.equal([]);
    expect(errors).to.include("ledger: endpoints contradict each other");
    expect(await metrics.registry.metrics()).to.contain(
      `disputes_total{outcome="unresolved",partner="${ALIPAY_HK}"} 2`,
    );

    second.alter = (_method, _params, result) => result;
    await run(relay, watcherStep);
    expect(await kinds(relay)).to.deep.equal(["transfer.held"]);
    expect(normalizeHex(batch.id)).to.equal(batch.id);
  });

  it("acts on no block that one endpoint alone has", async () => {
    const relay = await relayOver(nodes);
    await run(relay, watcherStep);
    const [liar] = nodes;
    if (liar === undefined) throw new RangeError("three nodes");
    const ahead = (await chain.getBlockNumber()) + 3;
    liar.alter = (method, params, result) =>
      method === "eth_getBlockByNumber" && params[0] === "latest"
        ? altered(result, { number: `0x${ahead.toString(16)}`, hash: FALSE_HASH })
        : result;
    const before = await readCursor(relay.db);
    expect(await failureOf(run(relay, watcherStep))).to.include({ code: "LEDGER_UNCONFIRMED" });
    expect(await readCursor(relay.db)).to.deep.equal(before);
    // Others are asked first from now on; once there is such a block, it is seen to be another.
    await mine();
    await run(relay, watcherStep);
    for (let blocks = 0; blocks < 3; blocks++) {
      await mine();
      await run(relay, watcherStep);
    }
    await until(() => relay.endpoints.health()[0]?.isDropped === true);
    expect(relay.endpoints.health().map(({ isDropped }) => isDropped)).to.deep.equal([true, false, false]);
    expect((await readCursor(relay.db))?.block).to.equal(ahead + 1);
  });
});

/** As a relay's loop does with a step that fails. */
async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (failure) {
      if (tries === 5) throw failure;
    }
  }
}
