import { expect } from "chai";
import type { FailoverProvider } from "../../../src/ledger/rpc/failover-provider.ts";
import { LedgerUnreachable } from "../../../src/ledger/rpc/rpc-errors.ts";
import { freePort } from "../../../deploy/bft/ports.ts";
import { countEffects, OPERATOR, withdrawCall } from "../support/effects.ts";
import { useNetwork, type Network } from "../support/network.ts";
import { providerFor, submitterFor } from "../support/nodes.ts";
import { eventually } from "../support/pace.ts";
import { startProxy } from "../support/proxy.ts";
import { failureOf } from "../support/watching.ts";

const START_TIMEOUT_MS = 300_000;
const MANY = 30;

/** A relay is given all the URLs that its operator has, and goes to the next when one fails. */
describe("when a node fails,", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;

  before(async function () {
    network = await useNetwork(this);
  });

  const urls = () => network.nodes.map(({ url }) => url);
  const submitterOver = (provider: FailoverProvider) =>
    submitterFor(network, network.accounts.keys.walletOf(OPERATOR), provider);
  const closedPort = async () => `http://127.0.0.1:${await freePort()}`;

  it("a relay that starts while the first is down uses the next", async () => {
    const provider = providerFor([await closedPort(), ...urls()]);
    const effects = await countEffects(network);
    const { status } = await (await submitterOver(provider)).submit(withdrawCall(network));
    expect([status, await effects.withdrawn()]).to.deep.equal([1, 1n]);
    expect(
      provider
        .health()
        .map(({ isActive }) => isActive)
        .indexOf(true),
    ).to.be.at.least(1);
  });

  it("one that is on another ledger is not used", async () => {
    const [first = ""] = urls();
    const otherId = network.chainId + 1n;
    const other = await startProxy(first, { eth_chainId: () => `0x${otherId.toString(16)}` });
    try {
      const alone = providerFor([other.url], { chainId: network.chainId });
      const failure = await failureOf(alone.getBlockNumber());
      expect(failure).to.be.instanceOf(LedgerUnreachable);
      expect(String(failure)).to.include(`is on chain ${otherId}, not on ${network.chainId}`);
    } finally {
      await other.close();
    }
  });

  it("one that tells of a block that the others do not know is found out, and not used any more", async function () {
    const [first = "", ...others] = urls();
    // It takes two that agree against the one.
    if (others.length < 2) this.skip();
    const lie = `0x${"bad".padEnd(64, "0")}`;
    const liar = await startProxy(first, {
      eth_getBlockByNumber: (told) => (typeof told === "object" && told !== null ? { ...told, hash: lie } : told),
    });
    try {
      const provider = providerFor([liar.url, ...others]);
      const number = await provider.getBlockNumber();
      const told = await provider.getBlock(number);
      expect(told?.hash).to.equal((await network.first.provider.getBlock(number))?.hash);
      // It is asked again for a while before it is called a liar, and is out of use from the beginning.
      const [suspect] = provider.health();
      expect(suspect?.isSuspected === true || suspect?.isDropped === true, "out of use").to.equal(true);
      await eventually(network.pace, "the liar is dropped", () =>
        Promise.resolve(provider.health()[0]?.isDropped === true ? true : undefined),
      );
      expect(provider.health().map(({ isDropped }) => isDropped)).to.deep.equal([true, ...others.map(() => false)]);
    } finally {
      await liar.close();
    }
  });

  for (const how of ["stops", "loses its answers"] as const) {
    it(`what was on its way through one that ${how} takes effect once`, async () => {
      const [first = "", ...others] = urls();
      const proxy = await startProxy(first);
      // Where there is but one node, the way straight to it stands for another.
      const next = others.length > 0 ? others : [first];
      const provider = providerFor([proxy.url, ...next], { timeoutMs: Math.max(5_000, 8 * network.pace.roundTripMs) });
      try {
        const submitter = await submitterOver(provider);
        const effects = await countEffects(network);
        const submitting = Array.from({ length: MANY }, () => submitter.submit(withdrawCall(network)));
        const settled = Promise.allSettled(submitting);
        // In the middle: some are broadcast, some are not.
        await eventually(network.pace, "a third of the calls are broadcast", () =>
          Promise.resolve(proxy.broadcasts() >= MANY / 3 ? true : undefined),
        );
        if (how === "stops") await proxy.close();
        else proxy.loseAnswers();
        const failed = (await settled).flatMap((outcome) =>
          outcome.status === "rejected" ? [String(outcome.reason)] : [],
        );
        expect(failed, "calls that failed, although another node was there").to.deep.equal([]);
        const receipts = await Promise.all(submitting);
        expect(receipts.every(({ status }) => status === 1)).to.equal(true);
        expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([MANY, BigInt(MANY)]);
        expect(provider.switches).to.be.at.least(1);
      } finally {
        await proxy.close();
      }
    });
  }

  it("and none is left, that is what is said", async () => {
    const provider = providerFor([await closedPort(), await closedPort()]);
    const failure = await failureOf(provider.getBlockNumber());
    expect(failure).to.be.instanceOf(LedgerUnreachable).with.property("code", "LEDGER_UNREACHABLE");
  });
});
