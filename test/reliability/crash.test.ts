import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { createRandom } from "../../src/kernel/random.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";
import { until } from "../support/until.ts";
import { findCheckpoints, planKills, type CheckpointKill, type Side } from "./kills.ts";
import type { Load } from "./load.ts";
import type { Variables } from "./relay-process.ts";
import type { RpcRule } from "./rpc-proxy.ts";
import { openStage } from "./stage.ts";
import { START_TIMEOUT_MS, type CrashPartner, type CrashWorld } from "./world.ts";

const SEED = process.env["FEIQIAN_CRASH_SEED"] ?? randomBytes(4).toString("hex");
const KILLS = Number.parseInt(process.env["FEIQIAN_KILLS"] ?? "20", 10);
const PER_SECOND = 8;
const KILL_TIMEOUT_MS = 300_000;
const VERIFY_TIMEOUT_MS = 120_000;
const MOMENTS_IN_A_ROW = 4;
/** The shortest that the configuration takes. */
const HOLD_SECONDS = 10;
/** How long a fault lasts. */
const FAULT_MS = 3_000;
/** Less than the relays' own time-outs for a request to the ledger by a half. */
const LATE_MS = 1_500;

const LOST: RpcRule = { fault: { kind: "lose" }, methods: ["eth_sendRawTransaction"], percent: 70 };
const RPC_FAULTS: readonly (readonly [string, readonly RpcRule[]])[] = [
  ["failing", [{ fault: { kind: "error", status: 503 }, percent: 50 }]],
  ["slow", [{ fault: { kind: "slow", delayMs: 600 }, percent: 50 }]],
  ["answering late", [{ fault: { kind: "late", delayMs: LATE_MS }, percent: 30 }]],
  ["refusing", [{ fault: { kind: "refuse" }, percent: 50 }]],
  ["gone altogether", [{ fault: { kind: "refuse" } }]],
  ["losing replies after accepting", [LOST]],
];

describe("two relays that are killed, cut off and left alone", function () {
  this.timeout(300_000);
  // What one scenario leaves without an end, none of the next can do without.
  this.bail(true);
  const plan = planKills(findCheckpoints(), KILLS, createRandom(`feiqian kills ${SEED}`));
  const stage = openStage({ seed: SEED, perSecond: PER_SECOND, kills: () => kills });
  const { underLoad } = stage;
  let world: CrashWorld;
  let load: Load;
  let kills = 0;

  before(() => {
    ({ world, load } = stage.opened());
    console.log(`      to repeat these kills: FEIQIAN_CRASH_SEED=${SEED} FEIQIAN_KILLS=${KILLS}`);
  });

  const tell = (relay: string, where: string): void => {
    kills++;
    console.log(`      kill ${String(kills).padStart(3)}  ${relay.padEnd(9)} ${where}`);
  };

  const killNow = async ({ relay }: CrashPartner, where: string): Promise<void> => {
    await relay.kill();
    tell(relay.name, where);
  };

  /**
   * Starts a relay that is to die at one checkpoint after the other: each time that it is started again, with the next
   * one in wait. The one that runs now is killed or drained, by turns.
   * @param more variables until the last of them @param then those after it
   */
  const arm = async (
    partner: CrashPartner,
    some: readonly CheckpointKill[],
    more: Variables = {},
    then: Variables = {},
  ): Promise<void> => {
    const armed = some.map(({ name, nth }) => ({ FEIQIAN_KILL_AT: `${name}:${nth}`, ...more }));
    const [first, ...others] = [...armed, then];
    if (kills % 2 === 0) await partner.relay.drain();
    else await killNow(partner, "before the next");
    partner.relay.arm(others);
    partner.relay.start(first);
  };

  const seeKilled = async ({ relay }: CrashPartner, some: readonly CheckpointKill[]): Promise<void> => {
    for (const [index, { name, nth }] of some.entries()) {
      await relay.killed(index + 1, KILL_TIMEOUT_MS).catch((failure: unknown) => {
        throw new Error(`never got to ${name}:${nth}`, { cause: failure });
      });
      tell(relay.name, `at ${name}:${nth}`);
    }
  };

  const killInTurn = async (partner: CrashPartner, some: readonly CheckpointKill[], more: Variables): Promise<void> => {
    // The other one may have kills left when it has had all of its own.
    await arm(partner, some, more, more);
    await seeKilled(partner, some);
  };

  const killInEither = async (some: readonly CheckpointKill[], more: Variables): Promise<void> => {
    for (const kill of some) {
      await Promise.any([world.source, world.target].map((partner) => killInTurn(partner, [kill], more)));
    }
  };

  for (const { isOneStep, source, target, either } of plan.rounds) {
    const names = [...source, ...target, ...either].map(({ name, nth }) => `${name}:${nth}`);
    it(`killed at ${names.join(", ")}`, async () => {
      await underLoad("checkpoints", async () => {
        // Where one of the two does not do it, both do not.
        const more = { FEIQIAN_ONE_STEP_ENABLED: String(isOneStep) };
        await Promise.all([killInTurn(world.source, source, more), killInTurn(world.target, target, more)]);
        await killInEither(either, more);
      });
    });
  }

  it("the target's relay is down for longer than the expiry", async () => {
    const { source, target } = world;
    const endings = await underLoad("relay down past the expiry", async () => {
      await killNow(target, "and left down for longer than the expiry");
      const sweeps = plan.ofSweeper.map((name) => ({ name, nth: 1 }));
      await arm(source, sweeps, { FEIQIAN_BATCH_HOLD_SECONDS: String(HOLD_SECONDS) });
      await source.relay.ready(START_TIMEOUT_MS);
      await delay(3_000);
      // While batches are opened, they keep the ledger's time going: the sweeper beats when nothing else does.
      await load.pause(VERIFY_TIMEOUT_MS);
      await seeKilled(source, sweeps);
      await source.relay.ready(START_TIMEOUT_MS);
      await delay(HOLD_SECONDS * 1_000);
      target.relay.start();
    });
    expect(endings.get("expired") ?? 0).to.be.above(0);
  });

  for (let from = 0; from < plan.moments.length; from += MOMENTS_IN_A_ROW) {
    const some = plan.moments.slice(from, from + MOMENTS_IN_A_ROW);
    it(`killed at random moments, ${from + 1} to ${from + some.length}`, async () => {
      await underLoad("random moments", async () => {
        for (const kill of some) {
          await delay(kill.afterMs);
          const partners = partnersOf(world, kill.side);
          await Promise.all(partners.map((partner) => killNow(partner, `after ${kill.afterMs} ms`)));
          for (const { relay } of partners) relay.start();
        }
      });
    });
  }

  for (const [name, rules] of RPC_FAULTS) {
    it(`the ledger's RPC: ${name}`, async () => {
      await underLoad(`RPC ${name}`, async () => {
        for (const proxy of world.proxies) proxy.set(rules);
        await delay(FAULT_MS);
        const struck = world.proxies.flatMap((proxy) => [...proxy.struck().values()]);
        for (const proxy of world.proxies) proxy.set([]);
        expect(
          struck.reduce((sum, count) => sum + count, 0),
          "requests struck",
        ).to.be.above(0);
      });
    });
  }

  it("one of two RPC endpoints is gone", async () => {
    await underLoad("RPC endpoint gone", async () => {
      world.proxies[0]?.set([{ fault: { kind: "refuse" } }]);
      await delay(FAULT_MS);
      await killNow(world.source, "with its first endpoint gone");
      world.source.relay.start();
      await world.source.relay.ready(START_TIMEOUT_MS);
      world.proxies[0]?.set([]);
    });
  });

  it("PostgreSQL is restarted, and then crashes", async () => {
    await underLoad("PostgreSQL restarted", async () => {
      await delay(1_000);
      await world.postgres.restart();
      await delay(2_000);
      await world.postgres.kill();
      await delay(1_000);
      await world.postgres.restart();
    });
  });

  it("money that comes late, and money that never comes", async () => {
    const { source } = world;
    await source.relay.drain();
    source.relay.start({ FEIQIAN_TRANSFERS_VALIDITY_SECONDS: "11" });
    await source.relay.ready(START_TIMEOUT_MS);
    const balances = await source.client.balances();
    const currency = walletOf(source.id).currency.code;
    const own = balances.find(({ available }) => available.currency === currency);
    const available = BigInt(own?.available.minor ?? "0");
    expect(available > 0n).to.be.true;
    const never = await load.send({ amountMinor: available + 1n, ifUnfunded: "wait" });
    const none = await underLoad("money that never comes", () =>
      until(async () => (await source.client.transfer(never.order.uetr)).status === "failed"),
    );
    expect(none.get("failed") ?? 0).to.be.above(0);

    const late = await load.send({ amountMinor: available + 1n, ifUnfunded: "wait" });
    const endings = await underLoad("money that comes late", async () => {
      expect((await source.client.transfer(late.order.uetr)).status).to.equal("waiting");
      await world.fund([{ partner: source.id, currency, amountMinor: 2n * available }]);
    });
    expect((await source.client.transfer(late.order.uetr)).status).to.equal("credited");
    expect(endings.get("credited") ?? 0).to.be.above(0);
  });
});

function partnersOf({ source, target }: CrashWorld, side: Side): readonly CrashPartner[] {
  return side === "source" ? [source] : side === "target" ? [target] : [source, target];
}
