import { expect } from "chai";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { parsePartnerId, type PartnerId } from "../../../src/domain/partner.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { createSandboxClock } from "../../../sandbox/clock.ts";
import { createPassingTime } from "../../../sandbox/passing-time.ts";
import type { SandboxChain } from "../../../sandbox/sandbox-chain.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";

const DAY = 86_400;

/** A chain that only counts its time and its beats, and everybody's clock. */
function world({ ownRelay, isOnNodes = false }: { readonly ownRelay?: PartnerId; readonly isOnNodes?: boolean } = {}) {
  const told: (number | "beat" | "passed")[] = [];
  const failing = { after: Infinity };
  const clock = createSandboxClock({ ...systemClock, nowMs: () => 0 });
  const chain: SandboxChain = isOnNodes
    ? { kind: "nodes", rpcUrls: [] }
    : {
        kind: "inProcess",
        chain: {
          request({ params: [seconds] }) {
            if (failing.after-- <= 0) return Promise.reject(new Error("the chain is away"));
            told.push(seconds as number);
            return Promise.resolve();
          },
        },
      };
  const sandbox = {
    config: { clock: { beatIntervalSeconds: 10, graceSeconds: DAY } },
    ledger: { chain: { transferRegistry: `0x${"1".repeat(40)}` } },
    submitterOf: () => Promise.resolve({ submit: () => Promise.resolve(told.push("beat")) }),
  } as unknown as Sandbox; // as much of it as is asked for
  const time = createPassingTime({ sandbox, chain, clock, ownRelay, onPassed: () => told.push("passed") });
  return { time, told, failing, aheadSeconds: () => clock.advancedMs() / 1_000 };
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

describe("time that passes in the sandbox", () => {
  it("passes in steps of which the ledger counts all, each with a beat", async () => {
    const { time, told, aheadSeconds } = world();
    await time.advance(2 * DAY);
    expect(told).to.deep.equal(["beat", DAY - 10, "beat", DAY - 10, "beat", 20, "beat", "passed"]);
    expect(aheadSeconds()).to.equal(2 * DAY);
    told.length = 0;
    await time.passTime();
    expect(told).to.deep.equal(["beat", DAY - 10, "beat", "passed"]);
  });

  it("leaves ledger and clock at one time where it fails on the way, and goes on from there", async () => {
    const { time, told, failing, aheadSeconds } = world();
    failing.after = 1;
    expect(await failureOf(time.advance(3 * DAY))).to.have.property("message", "the chain is away");
    expect([told, aheadSeconds()]).to.deep.equal([["beat", DAY - 10, "beat", "passed"], DAY - 10]);
    failing.after = Infinity;
    await time.advance(60);
    expect(aheadSeconds()).to.equal(DAY + 50);
  });

  it("is limited in all, whatever is asked for at once", async () => {
    const { time, aheadSeconds } = world();
    const asked = Array.from({ length: 124 }, () => failureOf(time.advance(30 * DAY)));
    const refused = (await Promise.all(asked)).filter((failure) => failure !== undefined);
    expect(refused).to.have.length(3);
    for (const failure of refused) {
      expect(failure).to.be.instanceOf(InvalidInput).with.property("rule", "at most 3650 days ahead of the machine's");
    }
    expect(aheadSeconds()).to.equal(121 * 30 * DAY);
  });

  it("does not pass where somebody would not follow", async () => {
    const own = world({ ownRelay: parsePartnerId(7) });
    expect(await failureOf(own.time.advance(60)))
      .to.be.instanceOf(InvalidInput)
      .with.property("rule")
      .that.contains("partner 7");
    const nodes = world({ isOnNodes: true });
    expect(await failureOf(nodes.time.advance(60)))
      .to.be.instanceOf(InvalidInput)
      .with.property("field", "clock");
    await nodes.time.passTime();
    expect([own.told, nodes.told, nodes.aheadSeconds()]).to.deep.equal([[], ["passed"], 0]);
  });
});
