import { expect } from "chai";
import { corridorKey, type Corridor } from "../../../src/domain/corridor.ts";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { corridorPrices } from "../../../src/features/pricing/availability.ts";
import { compose } from "../../../src/app/composition.ts";
import { FEATURES } from "../../../src/app/features.ts";
import { connectLedger } from "../../../src/ledger/contracts.ts";
import { createFailoverProvider } from "../../../src/ledger/rpc/failover-provider.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import type { Step } from "../../../src/features/context.ts";
import { serveChain, type ChainServer } from "../../../sandbox/chain-server.ts";
import { expireCall, openCall } from "../../../src/ledger/calls.ts";
import { runPastExpiry } from "../support/chain.ts";
import { CNY_TO_PHP, connection, fundedLedger, HKD_TO_HKD, HUB, networkHelpers } from "../support/chain.ts";
import { describeOn } from "../support/databases.ts";
import { ownBatch } from "../support/relay-batches.ts";
import { acceptTransfers, run, standingQuote, testClock, testRelay, type TestRelay } from "../support/relay-context.ts";
import { Tally } from "../support/tally.ts";

type StepsByName = ReadonlyMap<string, Step>;

describeOn("PGlite", "what a relay's steps cost", (open) => {
  let node: ChainServer;
  before(async () => {
    node = await serveChain(connection.provider);
  });
  after(() => node.stop());

  async function counted(): Promise<{ readonly relay: TestRelay; readonly tally: Tally; readonly steps: StepsByName }> {
    const tally = new Tally();
    const sandbox = await fundedLedger();
    await networkHelpers.mine();
    const provider = createFailoverProvider([node.url], { clock: systemClock, fetch: tally.fetch, timeoutMs: 60_000 });
    const ledger = await connectLedger(provider, sandbox.ledger.addresses);
    const relay = await testRelay({ db: tally.counting(await open()), sandbox, ledger });
    const steps = new Map((await compose(FEATURES)).steps.map(({ name, run: step }) => [name, step]));
    for (const step of steps.values()) await run(relay, step);
    tally.clear();
    return { relay, tally, steps };
  }
  it("is one look at the ledger for the watcher, where there is no new block: no statement at all", async () => {
    const { relay, tally, steps } = await counted();
    await run(relay, stepOf(steps, "watcher"));
    expect([tally.calls, tally.statements]).to.deep.equal([["eth_getBlockByNumber"], []]);
  });

  it("is, of the block that follows, the block and its events: what it is built on says it itself", async () => {
    const { relay, tally, steps } = await counted();
    await networkHelpers.mine();
    await run(relay, stepOf(steps, "watcher"));
    expect(tally.calls).to.deep.equal(["eth_getBlockByNumber", "eth_getLogs"]);
  });

  it("is, of others' batches, what is written of them, and nothing about own ones", async () => {
    const { relay, tally, steps } = await counted();
    const other = await testRelay({ db: await open(), sandbox: relay.sandbox, partner: HUB });
    // Which registries have been read is asked once.
    await networkHelpers.mine();
    await run(relay, stepOf(steps, "watcher"));
    tally.clear();
    const batch = await ownBatch(other, { count: 1, corridor: CNY_TO_PHP });
    const { header, send, quote } = batch;
    await other.submitter.submit(openCall(other.ledger, header, send, quote));
    relay.woken.length = 0;
    await run(relay, stepOf(steps, "watcher"));
    expect(tally.statements.filter((sql) => /batches|transfers/.test(sql))).to.have.lengthOf(1);
    expect(tally.statements.map((sql) => sql.split(" ").slice(0, 3).join(" "))).to.deep.equal([
      "UPDATE ledger_cursor SET",
      "UPDATE provider_funds f",
      "INSERT INTO ledger_batches",
    ]);
    expect(relay.woken).to.deep.equal([]);
    tally.clear();
    await runPastExpiry(relay.sandbox, batch);
    await other.submitter.submit(expireCall(other.ledger, header));
    relay.woken.length = 0;
    await run(relay, stepOf(steps, "watcher"));
    expect(tally.statements.filter((sql) => /batches|transfers/.test(sql))).to.have.lengthOf(1);
    expect(relay.woken).to.deep.equal([]);
  });

  it("is, of a batch that is signed, two requests to the ledger: the block is the watcher's", async () => {
    const { relay, tally, steps } = await counted();
    await acceptTransfers(relay, 1, { quote: await standingQuote(relay) });
    await run(relay, stepOf(steps, "watcher"));
    tally.clear();
    await run(relay, stepOf(steps, "batcher"));
    expect(tally.statements.filter((sql) => sql.startsWith("INSERT INTO batches"))).to.have.lengthOf(1);
    expect(tally.calls).to.deep.equal(Array.from({ length: 5 }, () => "eth_call"));
    expect(tally.requests).to.be.at.most(4);
  });

  it("is one statement for opener and sweeper, where no batch waits, and nothing of the ledger", async () => {
    const { relay, tally, steps } = await counted();
    await run(relay, stepOf(steps, "opener"));
    await run(relay, stepOf(steps, "sweeper"));
    expect(tally.calls).to.deep.equal([]);
    expect(tally.statements).to.have.lengthOf(2);
  });

  it("is one statement for the opener, too, while a batch waits that is not due", async () => {
    const { relay, tally, steps } = await counted();
    // Ledger time is behind block time by as much as the snapshot is old: by block time, too, its hold is not over.
    await ownBatch(relay, { count: 1, corridor: HKD_TO_HKD, holdSeconds: 80_000 });
    // It stands still, so that no slow machine makes the batch due.
    const clock = testClock(relay.clock.nowMs());
    await run({ ...relay, clock }, stepOf(steps, "opener"));
    tally.clear();
    await run({ ...relay, clock }, stepOf(steps, "opener"));
    expect(tally.statements).to.have.lengthOf(1);
    expect(tally.calls).to.deep.equal([]);
  });

  it("is, while a batch waits for ledger time, the block and two questions about the clock: the others were asked once", async () => {
    const { relay, tally, steps } = await counted();
    await ownBatch(relay, { count: 1 });
    await run(relay, stepOf(steps, "sweeper"));
    tally.clear();
    await run(relay, stepOf(steps, "sweeper"));
    const questions = tally.calls.filter((method) => method === "eth_call");
    expect(questions).to.have.lengthOf(2);
    expect(tally.calls.filter((method) => method !== "eth_call")).to.deep.equal(["eth_getBlockByNumber"]);
  });

  it("does not grow with the pairs of currencies that are to have a price", async () => {
    const { relay, tally } = await counted();
    const view = await relay.registry.read();
    const [known] = view.corridors.values();
    if (known === undefined) throw new Error("the test's ledger has corridors");
    const more = ["CNY", "PHP"].map((code): Corridor => ({ ...HKD_TO_HKD, targetCurrency: parseCurrency(code).code }));
    const corridors = new Map([
      ...view.corridors,
      ...more.map((each) => [corridorKey(each), { ...known, corridor: each }] as const),
    ]);
    const registry = { ...relay.registry, read: () => Promise.resolve({ ...view, corridors }) };
    tally.clear();
    expect(await corridorPrices({ ...relay, registry })).to.have.lengthOf(4);
    expect(tally.statements.filter((sql) => sql.includes("now_s"))).to.have.lengthOf(1);
  });

  it("is no more than so many statements for all steps together, where nothing has happened", async () => {
    const { relay, tally, steps } = await counted();
    for (const step of steps.values()) await run(relay, step);
    expect(tally.calls).to.deep.equal(["eth_getBlockByNumber"]);
    expect(tally.statements.length).to.be.at.most(21);
  });
});

function stepOf(steps: StepsByName, name: string): Step {
  const step = steps.get(name);
  if (step === undefined) throw new Error(`no step ${name}`);
  return step;
}
