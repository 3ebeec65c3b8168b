import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import hre from "hardhat";
import { canIsolate } from "../../deploy/bft/isolation.ts";
import { BftPackageMissing, startBftLedger, type BftLedger } from "../../deploy/bft/ledger.ts";
import { normalizeHex } from "../../src/domain/bytes/hex.ts";
import { startPostgres, type PostgresServer } from "../integration/support/postgres.ts";
import type { Load } from "./load.ts";
import { openStage } from "./stage.ts";
import { START_TIMEOUT_MS, type CrashWorld } from "./world.ts";

const SEED = process.env["FEIQIAN_CRASH_SEED"] ?? randomBytes(4).toString("hex");
/** Only the first of the faults, as `.ci/run` has it. */
const IS_SHORT = process.env["FEIQIAN_FAULTS"] === "short";
const PER_SECOND = 10;
const SHORT_TRANSFERS = 500;
const FAULT_MS = 10_000;
/** For the ledger to do what it is expected to. */
const PATIENCE_MS = 60_000;
/** Longer than the relays' batches may stay open by ledger time, which is 60 s. */
const HALT_MS = 75_000;
const SLOW_PERCENT = 80;
const POLL_MS = 200;

describe("four validators, and two relays that stay sound whatever becomes of them", function () {
  this.timeout(900_000);
  // What one fault leaves without an end, none of the next can do without.
  this.bail(true);
  let ledger: BftLedger | undefined;
  let isIsolated = false;
  let folder: string;
  let elsewhere: PostgresServer | undefined;
  let world: CrashWorld;
  let load: Load;
  let kills = 0;

  before(async function () {
    folder = await mkdtemp(join(tmpdir(), "feiqian-validators-"));
    isIsolated = await canIsolate();
    const [deployer] = await (await hre.network.create("bft")).ethers.getSigners();
    const funded = deployer === undefined ? [] : [normalizeHex(deployer.address, 20)];
    try {
      ledger = await startBftLedger({ folder, isolated: isIsolated, funded });
    } catch (failure) {
      if (!(failure instanceof BftPackageMissing)) throw failure;
      console.warn(`      SKIPPED: ${failure.message}`);
      this.skip();
    }
  });

  const stage = openStage({
    seed: SEED,
    perSecond: PER_SECOND,
    place: () => Promise.resolve({ network: "bft", rpcUrls: validators().rpcUrls }),
    kills: () => kills,
  });

  before(() => ({ world, load } = stage.opened()));

  after(async () => {
    await elsewhere?.stop();
    await ledger?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const validators = (): BftLedger => {
    if (ledger === undefined) throw new Error("the ledger is not up");
    return ledger;
  };
  const validator = (index: number) => {
    const found = validators().validators[index];
    if (found === undefined) throw new RangeError(`no validator ${index}`);
    return found;
  };
  const heights = () => Promise.all(validators().validators.map((each) => each.blockNumber()));
  const highest = async () => Math.max(...(await heights()).map((height) => height ?? 0));
  /** Until all validators have a block that none of them had before. */
  const untilTogether = async (): Promise<void> => {
    const beyond = (await highest()) + 1;
    await until(async () => (await heights()).every((height) => height !== undefined && height >= beyond));
  };

  it("one validator is killed, the one that both relays ask, and comes back", async () => {
    await stage.underLoad("one validator killed", async () => {
      await delay(FAULT_MS);
      await validator(0).kill();
      const before = await highest();
      await until(async () => (await highest()) > before + 5);
      await delay(FAULT_MS);
      await validator(0).start();
      await untilTogether();
      if (IS_SHORT) await until(() => Promise.resolve(load.sent.size >= SHORT_TRANSFERS));
    });
  });

  if (IS_SHORT) return;

  it("two validators are killed: the ledger halts, and its clock with it", async () => {
    const endings = await stage.underLoad("two validators killed", async () => {
      await delay(FAULT_MS);
      await Promise.all([validator(2).kill(), validator(3).kill()]);
      // What was settled in the last block is being credited.
      await delay(FAULT_MS);
      const [height, credits] = [await highest(), world.target.wallet.books.credits.size];
      const sent = load.sent.size;
      await delay(HALT_MS);
      expect(await highest(), "blocks while the ledger stands still").to.equal(height);
      expect(world.target.wallet.books.credits.size, "credits while the ledger stands still").to.equal(credits);
      expect(load.sent.size, "transfers that customers go on sending").to.be.above(sent);
      await Promise.all([validator(2).start(), validator(3).start()]);
      await untilTogether();
    });
    expect(endings.get("expired") ?? 0, "expired by a halt of the ledger").to.equal(0);
    expect(endings.get("credited") ?? 0).to.be.above(0);
  });

  it("one validator, the one that both relays ask, is cut off from the others and found again", async function () {
    if (!isIsolated) {
      console.warn("      SKIPPED: a partition needs network namespaces, which need root");
      this.skip();
    }
    await stage.underLoad("one validator partitioned", async () => {
      await validator(0).cut();
      const before = await highest();
      await delay(FAULT_MS);
      expect(await highest()).to.be.above(before);
      await validator(0).heal();
      await untilTogether();
    });
  });

  it("one validator is slow", async () => {
    await stage.underLoad("one validator slow", async () => {
      const atFullSpeed = validator(0).slow(SLOW_PERCENT);
      await delay(FAULT_MS);
      atFullSpeed();
      await untilTogether();
    });
  });

  it("an RPC endpoint answers hashes of blocks that the others do not know, and is dropped", async () => {
    await stage.underLoad("RPC endpoint lies", async () => {
      world.proxies[0]?.set([{ fault: { kind: "lie" } }]);
      const relays = [world.source.relay, world.target.relay];
      await until(async () =>
        (await Promise.all(relays.map(({ url }) => droppedBy(url)))).every((count) => count === 1),
      );
      await delay(FAULT_MS);
      world.proxies[0]?.set([]);
      // Until somebody has looked into it: a dropped endpoint is not asked again before the relay is started anew.
      for (const relay of relays) {
        expect(await droppedBy(relay.url)).to.equal(1);
        await relay.drain();
        relay.start();
        await relay.ready(START_TIMEOUT_MS);
        expect(await droppedBy(relay.url)).to.equal(0);
      }
    });
  });

  it("RPC endpoints go, one after the other, but for the last", async () => {
    await stage.underLoad("RPC endpoints gone but for one", async () => {
      for (const proxy of world.proxies.slice(1)) {
        proxy.set([{ fault: { kind: "refuse" } }]);
        await delay(FAULT_MS / 2);
      }
      for (const proxy of world.proxies) proxy.set([]);
    });
  });

  it("both relays move to other machines, with their databases and keys", async () => {
    await stage.underLoad("relays moved", async () => {
      elsewhere = await startPostgres();
      if (elsewhere === undefined) throw new Error("no second PostgreSQL");
      for (const partner of [world.target, world.source]) {
        await delay(FAULT_MS / 2);
        await partner.moveTo(elsewhere);
        kills++;
        partner.relay.start();
        await partner.relay.ready(START_TIMEOUT_MS);
      }
      await delay(FAULT_MS / 2);
    });
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    if (await isSo()) return;
    await delay(POLL_MS);
  }
  throw new Error(`not within ${PATIENCE_MS / 1_000} s`);
}

/** How many endpoints of the ledger a relay has dropped, by its metrics. */
async function droppedBy(relayUrl: string): Promise<number> {
  const metrics = await (await fetch(`${relayUrl}/metrics`)).text();
  const [, count] = /^feiqian_ledger_endpoints\{[^}]*state="dropped"[^}]*\} (\d+)$/m.exec(metrics) ?? [];
  return Number.parseInt(count ?? "-1", 10);
}
