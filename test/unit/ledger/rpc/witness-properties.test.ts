import { expect } from "chai";
import fc from "fast-check";
import { createFailoverProvider, type FailoverProvider } from "../../../../src/ledger/rpc/failover-provider.ts";
import type { Clock } from "../../../../src/kernel/clock/clock.ts";
import { createRandom } from "../../../../src/kernel/random.ts";
import {
  blockOf,
  fastClock,
  hash,
  logsOf,
  makeNodes,
  optionsOver,
  quantity,
  truthOf,
  type Answer,
  type Behaviour,
  type TestNode,
} from "./nodes.ts";

const HEAD = 12;
/** Longer than it takes to find somebody a liar. */
const TRIAL_MS = 6_000;
/** Any honest node has at least so many blocks. */
const LEAST_HEAD = 9;

/** What a liar does with a call; the same for every liar where it is conspired. */
const TRICKS = [
  "truth",
  "conspired lie",
  "lie of its own",
  "nothing",
  "garbage",
  "error",
  "revert",
  "silence",
  "earlier block",
  "invented block",
] as const;
type Trick = (typeof TRICKS)[number];

function trick(kind: Trick, salt: number, method: string, params: readonly unknown[], truth: Answer): Answer | "hangs" {
  const lie = (mark: number): Answer => {
    if (method === "eth_getLogs") return { result: logsOf(mark % 3).map((log) => ({ ...log, data: hash(mark) })) };
    if (method === "eth_getBlockByNumber") {
      const number = params[0] === "latest" ? quantity(HEAD - (mark % 4)) : params[0];
      return { result: { ...blockOf(1), number, hash: hash("lie", mark) } };
    }
    return {
      result: method === "eth_getTransactionCount" || method === "eth_blockNumber" ? "0x2a" : hash("lie", mark),
    };
  };
  switch (kind) {
    case "truth":
      return truth;
    case "conspired lie":
      return lie(1);
    case "lie of its own":
      return lie(salt);
    case "nothing":
      return { result: method === "eth_getLogs" ? [] : null };
    case "garbage":
      return { result: [salt, { number: "0x", hash: 7 }, "0x"][salt % 3] };
    case "error":
      return { error: { code: -32_000, message: "no" } };
    case "revert":
      return { error: { code: 3, message: "execution reverted" } };
    case "silence":
      return "hangs";
    case "earlier block":
      return params[0] === "latest" ? { result: blockOf(2) } : truthOf(method, params, 2);
    case "invented block":
      return method === "eth_getBlockByNumber" && params[0] === "latest"
        ? { result: { ...blockOf(HEAD + 5), hash: hash("invented", salt) } }
        : truthOf(method, params, HEAD + 5);
  }
}

/** Draws what it does anew for every call, from a few tricks. */
function liar(tricks: readonly Trick[], seed: string): Behaviour {
  const random = createRandom(seed);
  return (method, params, truth) =>
    // It keeps to the chain: on another one it would not be asked at all.
    method === "eth_chainId" ? truth : trick(random.pick(tricks), random.below(9) + 2, method, params, truth);
}

type Read = "latest" | "header" | "logs" | "call" | "count" | "storage";
const arbitraryRead = fc.record({
  kind: fc.constantFrom<Read>("latest", "header", "logs", "call", "count", "storage"),
  block: fc.integer({ min: 1, max: LEAST_HEAD }),
});

function requestOf({ kind, block }: { readonly kind: Read; readonly block: number }): readonly [string, unknown[]] {
  const at = quantity(block);
  const address = `0x${"cd".repeat(20)}`;
  switch (kind) {
    case "latest":
      return ["eth_getBlockByNumber", ["latest", false]];
    case "header":
      return ["eth_getBlockByNumber", [at, false]];
    case "logs":
      return ["eth_getLogs", [{ fromBlock: quantity(Math.max(1, block - 3)), toBlock: at }]];
    case "call":
      return ["eth_call", [{ to: address, data: "0x01" }, at]];
    case "count":
      return ["eth_getTransactionCount", [address, at]];
    case "storage":
      return ["eth_getStorageAt", [address, "0x2", at]];
  }
}

/** Undefined where nothing was believed: an error of the node, or none of the answers. */
async function readBy(provider: FailoverProvider, method: string, params: unknown[]): Promise<unknown> {
  try {
    return await provider.send(method, params);
  } catch {
    return undefined;
  }
}

function expectTrue(read: Read, method: string, params: readonly unknown[], found: unknown): void {
  if (read === "latest") {
    // Any block that is one: an old one is true, too.
    const { number } = found as { readonly number: string }; // has been believed to be a block
    expect(found).to.deep.equal(blockOf(Number.parseInt(number, 16)));
    expect(Number.parseInt(number, 16)).to.be.at.most(HEAD);
  } else {
    expect({ result: found }).to.deep.equal(truthOf(method, params, HEAD));
  }
}

const arbitraryNetwork = fc.integer({ min: 3, max: 5 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    liars: fc.shuffledSubarray([...Array(count).keys()], { maxLength: Math.floor((count - 1) / 2) }),
    away: fc.subarray([...Array(count).keys()]),
    tricks: fc.oneof(fc.constant(["conspired lie"] as const), fc.subarray([...TRICKS], { minLength: 1 })),
    lags: fc.array(fc.integer({ min: 0, max: HEAD - LEAST_HEAD }), { minLength: count, maxLength: count }),
    reads: fc.array(arbitraryRead, { minLength: 1, maxLength: 6 }),
    seed: fc.string(),
  }),
);

describe("a ledger some of whose endpoints lie, arbitrarily", function () {
  this.timeout(600_000);

  /** Reads over the network, every read up to so often; each node that lies is one of fewer than half. */
  function networkOf(given: { count: number; liars: readonly number[]; tricks: readonly Trick[]; seed: string }): {
    readonly nodes: readonly TestNode[];
    readonly provider: FailoverProvider;
    readonly clock: Clock;
  } {
    const nodes = makeNodes(given.count, HEAD);
    for (const index of given.liars) {
      const node = nodes[index];
      if (node !== undefined) node.behave = liar(given.tricks, `${given.seed} ${index}`);
    }
    const clock = fastClock(50);
    const options = { ...optionsOver(nodes), timeoutMs: 400, clock };
    return {
      clock,
      nodes,
      provider: createFailoverProvider(
        nodes.map(({ url }) => url),
        options,
      ),
    };
  }

  it("believes no lie, and drops nobody that is honest, while fewer than half lie", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryNetwork, async (given) => {
        const { nodes, provider, clock } = networkOf(given);
        for (const [index, node] of nodes.entries()) {
          node.head = HEAD - (given.lags[index] ?? 0);
          if (given.away.includes(index) && !given.liars.includes(index)) node.behave = () => "is away";
        }
        for (const read of given.reads) {
          const [method, params] = requestOf(read);
          const found = await readBy(provider, method, params);
          // Null is for what is not there; a watcher makes nothing of it.
          if (found !== undefined && found !== null) expectTrue(read.kind, method, params, found);
        }
        if (provider.health().some(({ isSuspected }) => isSuspected)) await clock.sleep(TRIAL_MS);
        for (const [index, { isDropped }] of provider.health().entries()) {
          if (isDropped) expect(given.liars).to.include(index);
        }
        provider.destroy();
      }),
      { numRuns: 200 },
    );
  });

  it("reads on by the honest ones, whatever the others do", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryNetwork, async (given) => {
        const { provider } = networkOf(given);
        for (const read of given.reads) {
          const [method, params] = requestOf(read);
          let found: unknown;
          // A read that fails moves on to another endpoint, and is repeated, as the steps do.
          for (let tries = 0; tries < 3 * given.count && (found ?? null) === null; tries++) {
            found = await readBy(provider, method, params);
          }
          expect(found).not.to.be.oneOf([undefined, null]);
          expectTrue(read.kind, method, params, found);
        }
        provider.destroy();
      }),
      { numRuns: 60 },
    );
  });

  it("drops a liar that keeps to its lie, once it is asked", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 5 }),
        fc.constantFrom<Read>("header", "logs", "call", "count", "storage"),
        fc.integer({ min: 1, max: LEAST_HEAD }),
        async (count, kind, block) => {
          const { provider, clock } = networkOf({ count, liars: [0], tricks: ["conspired lie"], seed: "" });
          const [method, params] = requestOf({ kind, block });
          expectTrue(kind, method, params, await provider.send(method, params));
          for (let polls = 0; polls < 200 && provider.health()[0]?.isDropped === false; polls++) await clock.sleep(500);
          expect(provider.health().map(({ isDropped }) => isDropped)).to.deep.equal(
            Array.from({ length: count }, (_, index) => index === 0),
          );
          provider.destroy();
        },
      ),
      { numRuns: 15 },
    );
  });
});
