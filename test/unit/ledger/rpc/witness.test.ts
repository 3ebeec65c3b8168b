import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { createFailoverProvider } from "../../../../src/ledger/rpc/failover-provider.ts";
import { LedgerDisputed, LedgerUnconfirmed } from "../../../../src/ledger/rpc/rpc-errors.ts";
import { until } from "../../../support/until.ts";
import {
  blockOf,
  fastClock,
  hang,
  hash,
  liesIn,
  logsOf,
  makeNodes,
  optionsOver,
  quantity,
  type Behaviour,
} from "./nodes.ts";
import { activeOf, call, callResult, createRig, falsely, header, namesDropped, readLogs, type Rig } from "./rig.ts";

describe("answers that are held against other endpoints'", () => {
  let rig: Rig;
  beforeEach(() => (rig = createRig()));
  afterEach(() => rig.close());

  const failureOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  it("believes neither of two that contradict each other, and goes on with what they agree on", async () => {
    const [first, second] = makeNodes(2);
    if (first === undefined || second === undefined) throw new RangeError("two nodes");
    const provider = rig.open([first, second]);
    first.behave = liesIn(["eth_getLogs"], () => []);
    expect(await failureOf(readLogs(provider, 2, 2)))
      .to.be.instanceOf(LedgerDisputed)
      .and.include({ code: "LEDGER_DISPUTED" });
    expect(rig.disputes.map(({ outcome, sides }) => [outcome, sides.length])).to.deep.equal([["unresolved", 2]]);
    expect(namesDropped(provider)).to.deep.equal([]);
    expect(await call(provider, 6)).to.equal(callResult(6));
    first.behave = (_method, _params, truth) => truth;
    expect(await readLogs(provider, 2, 2)).to.deep.equal(logsOf(2));
  });

  it("believes neither half of four", async () => {
    const nodes = makeNodes(4);
    const provider = rig.open(nodes);
    for (const node of [nodes[0], nodes[2]]) if (node !== undefined) node.behave = liesIn(["eth_call"], falsely);
    expect(await failureOf(call(provider, 2))).to.be.instanceOf(LedgerDisputed);
    expect(namesDropped(provider)).to.deep.equal([]);
  });

  it("goes on with one of two when the other one is away, hangs or is far behind", async () => {
    const away: readonly Behaviour[] = [
      () => "hangs",
      () => ({ error: { code: -32_000, message: "pruned" } }),
      (_method, _params, truth) => ("result" in truth && typeof truth.result === "object" ? { result: null } : truth),
    ];
    for (const behave of away) {
      const nodes = makeNodes(2);
      const clock = fastClock();
      const provider = rig.open(nodes, { timeoutMs: 300, clock });
      if (nodes[1] !== undefined) nodes[1].behave = behave;
      expect(await call(provider, 6)).to.equal(callResult(6));
      const startedMs = clock.nowMs();
      expect(await call(provider, 7)).to.equal(callResult(7));
      expect(await call(provider, 8)).to.equal(callResult(8));
      // Not waited for each time.
      expect(clock.nowMs()).to.equal(startedMs);
    }
    expect(rig.disputes).to.deep.equal([]);
  });

  it("waits for a witness that has not got the block yet, and asks no longer once it is confirmed", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes);
    for (const node of nodes.slice(1)) node.head = 9;
    const reading = header(provider, "latest");
    await until(() => nodes.slice(1).some(({ asked }) => asked.length > 0));
    for (const node of nodes.slice(1)) node.head = 10;
    expect(await reading).to.deep.equal(blockOf(10));
    expect(rig.disputes).to.deep.equal([]);
    const asked = nodes.slice(1).map((node) => node.asked.length);
    expect(await header(provider, "latest")).to.deep.equal(blockOf(10));
    expect(await header(provider, "0xa")).to.deep.equal(blockOf(10));
    expect(nodes.slice(1).map((node) => node.asked.length)).to.deep.equal(asked);
  });

  it("believes no block that nobody else has, leaves who tells of it, and drops it when the block comes", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes, { timeoutMs: 400 });
    const [liar] = nodes;
    if (liar === undefined) throw new RangeError("three nodes");
    liar.behave = (method, params, truth) =>
      method === "eth_getBlockByNumber" && params[0] === "latest"
        ? { result: { ...blockOf(12), hash: hash("x") } }
        : truth;
    expect(await failureOf(header(provider, "latest")))
      .to.be.instanceOf(LedgerUnconfirmed)
      .and.include({ code: "LEDGER_UNCONFIRMED" });
    expect(activeOf(provider)).to.equal(nodes[1]?.url);
    expect(await header(provider, "latest")).to.deep.equal(blockOf(10));
    expect(namesDropped(provider)).to.deep.equal([]);
    for (const node of nodes) node.head = 13;
    expect(await header(provider, "latest")).to.deep.equal(blockOf(13));
    await until(() => namesDropped(provider).length > 0);
    expect(namesDropped(provider)).to.deep.equal([liar.url]);
  });

  it("leaves one of two that invent a block, each another one: otherwise nothing would be read any more", async () => {
    const nodes = makeNodes(5);
    const provider = rig.open(nodes, { timeoutMs: 400 });
    const inventing =
      (own: string): Behaviour =>
      (method, params, truth) => {
        const isAsked = method === "eth_getBlockByNumber" && ["latest", quantity(15)].includes(String(params[0]));
        return isAsked ? { result: { ...blockOf(15), hash: hash(own) } } : truth;
      };
    for (const [index, node] of nodes.entries()) if (index === 0 || index === 3) node.behave = inventing(`${index}`);
    await failureOf(header(provider, "latest"));
    expect(activeOf(provider)).to.equal(nodes[1]?.url);
    expect(await header(provider, "latest")).to.deep.equal(blockOf(10));
  });

  it("waits for a witness through a machine's clock that is set meanwhile, as through any time", async () => {
    const nodes = makeNodes(3);
    for (const node of nodes.slice(1)) node.head = 9;
    const { clock: _given, ...options } = optionsOver(nodes);
    const provider = createFailoverProvider(
      nodes.map(({ url }) => url),
      options,
    );
    const { now } = Date;
    try {
      const read = call(provider, 10);
      const answered = read.catch((failure: unknown) => failure);
      const timesAsked = () => nodes.slice(1).reduce((sum, { asked }) => sum + asked.length, 0);
      await until(() => timesAsked() >= 2);
      Date.now = () => now() + 3_600_000;
      const before = timesAsked();
      await Promise.race([answered, until(() => timesAsked() >= before + 6)]);
      for (const node of nodes.slice(1)) node.head = 10;
      expect(await answered).to.equal(callResult(10));
    } finally {
      Date.now = now;
      provider.destroy();
    }
  });

  it("believes the truth of one that lies only when it is not compared, and asks it last from then on", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes);
    const [liar] = nodes;
    if (liar === undefined) throw new RangeError("three nodes");
    let isFirst = true;
    liar.behave = (method, _params, truth) => {
      if (method !== "eth_getLogs" || !isFirst) return truth;
      isFirst = false;
      return { result: [] };
    };
    expect(await readLogs(provider, 4, 4)).to.deep.equal(logsOf(4));
    expect(rig.disputes.map(({ outcome }) => outcome)).to.deep.equal(["retracted"]);
    expect(namesDropped(provider)).to.deep.equal([]);
    expect(activeOf(provider)).to.equal(nodes[1]?.url);
    expect(provider.health()[0]?.lastFailure).to.contain("took back");
  });

  it("does not use one that contradicts most of them while it is asked again, and calls it no liar if it only was late", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes);
    const [late] = nodes;
    if (late === undefined) throw new RangeError("three nodes");
    // It has the block, and not yet what is in it.
    let isLate = true;
    late.behave = (method, _params, truth) => (method === "eth_getLogs" && isLate ? { result: [] } : truth);
    expect(await readLogs(provider, 4, 4)).to.deep.equal(logsOf(4));
    expect(provider.health().map(({ isSuspected }) => isSuspected)).to.deep.equal([true, false, false]);
    expect(activeOf(provider)).to.equal(nodes[1]?.url);
    const asked = late.asked.filter((method) => method === "eth_call").length;
    expect(await call(provider, 8)).to.equal(callResult(8));
    expect(late.asked.filter((method) => method === "eth_call")).to.have.lengthOf(asked);
    isLate = false;
    expect(await rig.ended()).to.deep.equal(["retracted"]);
    expect(provider.health().map(({ isSuspected, isDropped }) => isSuspected || isDropped)).to.not.include(true);
  });

  it("leaves an endpoint whose latest block stays far behind", async () => {
    const nodes = makeNodes(3, 100);
    const switched: string[] = [];
    const clock = fastClock();
    const provider = rig.open(nodes, {
      clock,
      onSwitch: ({ lastFailure }) => switched.push(lastFailure ?? ""),
    });
    const [stale] = nodes;
    if (stale === undefined) throw new RangeError("three nodes");
    // Even to who asks for its number alone it pretends to be up to date.
    stale.behave = (method, params, truth) =>
      method === "eth_getBlockByNumber" && params[0] === "latest" ? { result: blockOf(60) } : truth;
    for (let looks = 0; looks < 4; looks++) {
      await header(provider, "latest");
      await clock.sleep(6_000);
    }
    expect(switched).to.deep.equal(["is at block 60, others are at 100"]);
    expect(await header(provider, "latest")).to.deep.equal(blockOf(100));
    expect(namesDropped(provider)).to.deep.equal([]);
  });

  it("asks another one for what the active one has pruned, and passes its error on when nobody answers", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes);
    const pruned: Behaviour = (method, _params, truth) =>
      method === "eth_call" ? { error: { code: -32_000, message: "missing trie node" } } : truth;
    if (nodes[0] !== undefined) nodes[0].behave = pruned;
    expect(await call(provider, 2)).to.equal(callResult(2));
    expect(activeOf(provider)).to.equal(nodes[1]?.url);
    for (const node of nodes) node.behave = pruned;
    expect(String(await failureOf(call(provider, 3)))).to.contain("missing revert data");
    expect(rig.disputes).to.deep.equal([]);
  });

  it("passes on that a contract refuses a call, in whose words ever, when that is confirmed", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes);
    for (const [index, node] of nodes.entries()) {
      const message =
        ["execution reverted", "VM Exception: reverted with custom error", "Execution reverted"][index] ?? "";
      node.behave = (method, _params, truth) =>
        method === "eth_call" ? { error: { code: index === 0 ? 3 : -32_000, message } } : truth;
    }
    expect(String(await failureOf(call(provider, 2)))).to.contain("revert");
    // One alone is not believed, and need not have lied: it may allow less gas.
    for (const node of nodes.slice(1)) node.behave = (_method, _params, truth) => truth;
    expect(await call(provider, 2)).to.equal(callResult(2));
    expect(namesDropped(provider)).to.deep.equal([]);
  });

  it("finds no lie in what honest implementations do differently", async () => {
    const upper = (value: string): string => `0x${value.slice(2).toUpperCase()}`;
    const padded = (value: unknown): string => `0x000${String(value).slice(2)}`;
    const nodes = makeNodes(3);
    const provider = rig.open(nodes);
    const [, other] = nodes;
    if (other === undefined) throw new RangeError("three nodes");
    other.behave = (method, _params, truth) => {
      if (!("result" in truth)) return { error: { code: -39_001, message: "Unknown block" } };
      const { result } = truth;
      if (method === "eth_getLogs") {
        const logs = (result as readonly Record<string, unknown>[]) // of this ledger's making
          .map(({ transactionIndex: _, ...log }) => ({
            ...log,
            blockHash: upper(String(log["blockHash"])),
            blockNumber: padded(log["blockNumber"]),
            extra: true,
          }));
        return { result: logs.reverse() };
      }
      if (method === "eth_getBlockByNumber" && result !== null) {
        const { transactions: _, ...block } = result as Record<string, unknown>; // as above
        return { result: { ...block, timestamp: padded(block["timestamp"]), size: "0x1", stateRoot: null } };
      }
      return {
        result:
          method === "eth_call"
            ? upper(String(result))
            : method === "eth_getTransactionCount"
              ? padded(result)
              : result,
      };
    };
    expect(await readLogs(provider, 1, 6)).to.have.lengthOf(12);
    expect(await header(provider, "0x6")).to.deep.equal(blockOf(6));
    expect(await header(provider, "0x63")).to.equal(null);
    expect(await call(provider, 6)).to.equal(callResult(6));
    expect(await provider.send("eth_getTransactionCount", ["0x01", "0x4"])).to.equal(quantity(12));
    expect(String(await failureOf(call(provider, 99)))).to.contain("missing revert data");
    expect(rig.disputes).to.deep.equal([]);
    expect(provider.switches).to.equal(0);
  });

  it("gives logs in the ledger's order, whoever gives them in another", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes);
    for (const node of nodes) {
      node.behave = liesIn(["eth_getLogs"], (logs) =>
        Array.isArray(logs) ? [...(logs as unknown[])].reverse() : logs,
      );
    }
    expect(await readLogs(provider, 1, 2)).to.deep.equal([...logsOf(1), ...logsOf(2)]);
  });

  it("calls nobody a liar over a block that is not final, where blocks can be replaced", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes, { confirmations: 3 });
    const [other] = nodes;
    if (other === undefined) throw new RangeError("three nodes");
    other.behave = liesIn(["eth_getBlockByNumber"], falsely);
    expect(await header(provider, "0x9")).to.deep.equal(blockOf(9));
    expect(rig.disputes.map(({ outcome }) => outcome)).to.deep.equal(["not-final"]);
    expect(namesDropped(provider)).to.deep.equal([]);
    // Three blocks on top of it: that is final.
    expect(await header(provider, "0x7")).to.deep.equal(blockOf(7));
    await rig.ended(2);
    expect(namesDropped(provider)).to.deep.equal([other.url]);
  });

  it("takes endpoints that refuse batches", async () => {
    const nodes = makeNodes(3);
    for (const node of nodes) node.refusesBatches = true;
    const provider = rig.open(nodes);
    expect(await call(provider, 6)).to.equal(callResult(6));
    if (nodes[0] !== undefined) nodes[0].behave = liesIn(["eth_call"], falsely);
    expect(await call(provider, 7)).to.equal(callResult(7));
    await rig.ended();
    expect(namesDropped(provider)).to.deep.equal([nodes[0]?.url]);
  });

  it("goes past an endpoint that does not tell its latest block", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes);
    if (nodes[0] !== undefined) nodes[0].behave = () => ({ error: { code: -32_000, message: "no" } });
    expect(await header(provider, "latest")).to.deep.equal(blockOf(10));
    expect(activeOf(provider)).to.equal(nodes[1]?.url);
  });

  it("hands a transaction that is broadcast again to all endpoints", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes);
    await provider.send("eth_sendRawTransaction", ["0x01"]);
    await provider.send("eth_sendRawTransaction", ["0x02"]);
    await provider.send("eth_sendRawTransaction", ["0x01"]);
    const sent = nodes.map(({ asked }) => asked.filter((method) => method === "eth_sendRawTransaction").length);
    expect(sent).to.deep.equal([3, 1, 1]);
  });

  it("gives nodes no more at a time than they answer in time, however much is asked at once", async () => {
    const nodes = makeNodes(4);
    const options = optionsOver(nodes);
    const underWay = new Map<string, number>();
    const provider = rig.open(nodes, {
      // Nodes that answer nothing in time while they have more to do than that.
      async fetch(input, init) {
        const url = input instanceof Request ? input.url : input.toString();
        const count = (underWay.get(url) ?? 0) + 1;
        underWay.set(url, count);
        await turn();
        try {
          if (count > 32) return await hang(init?.signal ?? undefined);
          return await options.fetch(input, init);
        } finally {
          underWay.set(url, (underWay.get(url) ?? 0) - 1);
        }
      },
    });
    const blocks = Array.from({ length: 300 }, (_, index) => 1 + (index % 10));
    expect(await Promise.all(blocks.map((block) => call(provider, block)))).to.deep.equal(blocks.map(callResult));
    expect(provider.switches).to.equal(0);
  });

  it("asks one endpoint alone no more than it is asked", async () => {
    const nodes = makeNodes(1);
    const provider = rig.open(nodes);
    await header(provider, "latest");
    await call(provider, 4);
    await readLogs(provider, 1, 2);
    expect(nodes[0]?.asked).to.deep.equal(["eth_chainId", "eth_getBlockByNumber", "eth_call", "eth_getLogs"]);
  });

  it("refuses more witnesses than there are others", () => {
    expect(() => rig.open(makeNodes(2), { witnesses: 2 })).to.throw(InvalidInput, "witnesses");
    rig.open(makeNodes(2), { witnesses: 1 });
  });

  it("believes nothing that has not as many witnesses as it should", async () => {
    const nodes = makeNodes(3);
    const provider = rig.open(nodes, { witnesses: 2, timeoutMs: 300 });
    expect(await call(provider, 5)).to.equal(callResult(5));
    if (nodes[2] !== undefined) nodes[2].behave = () => "hangs";
    const failure = await failureOf(call(provider, 6));
    expect(failure).to.be.instanceOf(LedgerUnconfirmed);
    expect(String(failure)).to.contain("node-2");
    expect(await failureOf(provider.send("eth_blockNumber", []))).to.equal(undefined);
  });
});
