import { expect } from "chai";
import type { FailoverProvider } from "../../../../src/ledger/rpc/failover-provider.ts";
import { blockOf, hash, liesIn, logsOf, makeNodes, quantity, truthOf, type Behaviour } from "./nodes.ts";
import {
  activeOf,
  call,
  callResult,
  createRig,
  falsely,
  header,
  namesDropped,
  readLogs,
  withMembers,
  type Rig,
} from "./rig.ts";

describe("an endpoint of three that lies", () => {
  let rig: Rig;
  beforeEach(() => (rig = createRig()));
  afterEach(() => rig.close());

  const lies: readonly (readonly [string, Behaviour, (provider: FailoverProvider) => Promise<unknown>, unknown])[] = [
    [
      "another hash of an old block",
      liesIn(["eth_getBlockByNumber"], falsely),
      (provider) => header(provider, "0x5"),
      blockOf(5),
    ],
    [
      "another time of a block",
      liesIn(["eth_getBlockByNumber"], (block) => withMembers(block, { timestamp: "0x7fffffff" })),
      (provider) => header(provider, "0x5"),
      blockOf(5),
    ],
    [
      "another latest block",
      liesIn(["eth_getBlockByNumber"], falsely),
      (provider) => header(provider, "latest"),
      blockOf(10),
    ],
    [
      "no events",
      liesIn(["eth_getLogs"], () => []),
      (provider) => readLogs(provider, 3, 4),
      [...logsOf(3), ...logsOf(4)],
    ],
    ["events of its own", liesIn(["eth_getLogs"], () => logsOf(9)), (provider) => readLogs(provider, 3, 3), logsOf(3)],
    [
      "events at another place",
      liesIn(["eth_getLogs"], () => logsOf(3).map((log) => ({ ...log, logIndex: "0x7" }))),
      (provider) => readLogs(provider, 3, 3),
      logsOf(3),
    ],
    ["another result of a call", liesIn(["eth_call"], falsely), (provider) => call(provider, 6), callResult(6)],
    [
      "another word in storage",
      liesIn(["eth_getStorageAt"], falsely),
      (provider) => provider.send("eth_getStorageAt", ["0x01", "0x2", "0x4"]),
      hash("eth_getStorageAt", ["0x01", "0x2"], 4),
    ],
    [
      "another nonce",
      liesIn(["eth_getTransactionCount"], () => "0x63"),
      (provider) => provider.send("eth_getTransactionCount", ["0x01", "0x4"]),
      quantity(12),
    ],
    [
      "another outcome of a transaction",
      liesIn(["eth_getTransactionReceipt"], (receipt) => withMembers(receipt, { status: "0x0" })),
      (provider) => provider.send("eth_getTransactionReceipt", [hash("transaction", 7)]),
      { ...receiptOf7() },
    ],
  ];
  function receiptOf7(): Record<string, unknown> {
    const truth = truthOf("eth_getTransactionReceipt", [hash("transaction", 7)], 10);
    // It has been mined.
    return (truth as { readonly result: Record<string, unknown> }).result;
  }

  for (const [what, lie, ask, truth] of lies) {
    for (const [place, index] of [
      ["the active one", 0],
      ["another one", 1],
    ] as const) {
      it(`drops an endpoint that tells ${what}: ${place}`, async () => {
        const nodes = makeNodes(3);
        const provider = rig.open(nodes);
        const liar = nodes[index];
        if (liar === undefined) throw new RangeError("three nodes");
        liar.behave = lie;
        expect(await ask(provider)).to.deep.equal(truth);
        expect(await rig.ended()).to.deep.equal(["dropped"]);
        expect(namesDropped(provider)).to.deep.equal([liar.url]);
        expect(rig.dropped).to.have.lengthOf(1);
        expect(activeOf(provider)).to.equal(index === 0 ? nodes[1]?.url : nodes[0]?.url);
        // It is not asked again, and the two others are enough.
        const asked = liar.asked.length;
        expect(await call(provider, 8)).to.equal(callResult(8));
        await provider.send("eth_blockNumber", []);
        expect(liar.asked).to.have.lengthOf(asked);
      });
    }
  }
});
