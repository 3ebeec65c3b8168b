import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { HDNodeWallet, JsonRpcProvider, Mnemonic } from "ethers";
import { canIsolate } from "../../deploy/bft/isolation.ts";
import {
  BftPackageMissing,
  startBftLedger,
  type BftLedger,
  type BftOptions,
  type BftValidator,
} from "../../deploy/bft/ledger.ts";
import { unpackNode } from "../../deploy/bft/package.ts";
import { normalizeHex } from "../../src/domain/bytes/hex.ts";
import { systemClock } from "../../src/kernel/clock/clock.ts";

/** For a machine that does much else. */
const START_MS = 240_000;
const WAIT_MS = 90_000;
/** Longer than any pause between blocks, also where the validator whose turn it is does not answer. */
const STILL_MS = 6_000;
/** Deploys a contract of one byte. */
const DEPLOYMENT = "0x6001600c60003960016000f300";

const root = HDNodeWallet.fromMnemonic(
  Mnemonic.fromPhrase("test test test test test test test test test test test junk"),
  "m/44'/60'/0'/0",
);
const DEPLOYER = root.deriveChild(0);
const OUTSIDER = root.deriveChild(1);

describe("the BFT ledger on this machine", function () {
  this.timeout(START_MS);

  let folder: string;
  let ledger: BftLedger;
  let isIsolated: boolean;

  before(async function () {
    folder = await mkdtemp(join(tmpdir(), "feiqian-bft-"));
    await skipWherePackageIsMissing(this);
    isIsolated = await canIsolate();
    ledger = await startBftLedger({
      folder,
      funded: [DEPLOYER, OUTSIDER].map(({ address }) => normalizeHex(address)),
      deployers: [normalizeHex(DEPLOYER.address)],
      isolated: isIsolated,
    });
  });

  after(async () => {
    await (ledger as BftLedger | undefined)?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("has four validators that agree on every block", async () => {
    expect(ledger.validators).to.have.length(4);
    expect(ledger.rpcUrls).to.deep.equal(ledger.validators.map(({ rpcUrl }) => rpcUrl));
    await untilAllAt(ledger, (await highest(ledger)) + 2);
    expect(await agreedHashes(ledger)).to.have.length(1);
  });

  it("makes a block in about the time that it was asked to", async () => {
    const [first] = ledger.validators;
    const [before, startedMs] = [(await first?.blockNumber()) ?? 0, systemClock.nowMs()];
    await untilAllAt(ledger, before + 10);
    // The least is certain: a validator waits that long after a block. The most depends on what else the machine does.
    expect((systemClock.nowMs() - startedMs) / 10).to.be.within(400, 10_000);
  });

  it("lets its deployers deploy, and nobody else", async () => {
    const provider = new JsonRpcProvider(ledger.rpcUrls[0], ledger.chainId, { staticNetwork: true });
    try {
      const [allowed, refused] = await Promise.all(
        [DEPLOYER, OUTSIDER].map(async (wallet) =>
          wallet.connect(provider).sendTransaction({ data: DEPLOYMENT, gasLimit: 200_000n }),
        ),
      );
      const receipt = await allowed?.wait();
      expect(await provider.getCode(receipt?.contractAddress ?? "")).to.equal("0x00");
      // It costs the outsider a nonce, but there is no receipt of it.
      await until("the outsider's nonce to be spent", async () => {
        return (await provider.getTransactionCount(OUTSIDER.address)) === 1;
      });
      expect(await provider.getTransactionReceipt(refused?.hash ?? "")).to.equal(null);
    } finally {
      provider.destroy();
    }
  });

  it("goes on without one, which catches up when it is back", async () => {
    const [, second] = ledger.validators;
    await second?.kill();
    expect(second?.isRunning()).to.equal(false);
    expect(await second?.blockNumber()).to.equal(undefined);
    await expectToGoOn(ledger);
    await second?.start();
    await expectToCatchUp(ledger);
  });

  it("halts without two, and goes on when they are back", async () => {
    const pair = ledger.validators.slice(0, 2);
    await Promise.all(pair.map(async (validator) => validator.kill()));
    await expectToHalt(ledger);
    await Promise.all(pair.map(async (validator) => validator.start()));
    await expectToCatchUp(ledger);
  });

  it("goes on while one is frozen, or slow", async () => {
    const [, , third] = ledger.validators;
    third?.freeze();
    expect(await third?.blockNumber()).to.equal(undefined);
    await expectToGoOn(ledger);
    third?.thaw();
    await expectToCatchUp(ledger);

    const stopSlowing = third?.slow(50);
    await expectToGoOn(ledger);
    stopSlowing?.();
    await expectToCatchUp(ledger);
  });

  it("goes on while one is cut off, which answers clients and catches up when it is healed", async function () {
    if (!isIsolated) skipIsolation(this);
    const [, , , fourth] = ledger.validators;
    await fourth?.cut();
    // What was on its way may still bring it one.
    await systemClock.sleep(1_000);
    const last = await fourth?.blockNumber();
    expect(last).to.be.greaterThan(0);
    await expectToGoOn(ledger);
    expect(await fourth?.blockNumber()).to.equal(last);
    await fourth?.heal();
    await expectToCatchUp(ledger);
  });

  it("halts while two are cut off", async function () {
    if (!isIsolated) skipIsolation(this);
    const pair = ledger.validators.slice(2);
    await Promise.all(pair.map(async (validator) => validator.cut()));
    await expectToHalt(ledger);
    await Promise.all(pair.map(async (validator) => validator.heal()));
    await expectToCatchUp(ledger);
  });

  it("leaves no process behind when it is stopped", async () => {
    expect(await processesOf(folder)).to.be.greaterThanOrEqual(4);
    await ledger.stop();
    expect(await processesOf(folder)).to.equal(0);
    expect(await Promise.all(ledger.validators.map(async (validator) => validator.blockNumber()))).to.deep.equal(
      Array(4).fill(undefined),
    );
  });
});

describe("a BFT ledger that does not come up, or is left alone", function () {
  this.timeout(START_MS);

  let folder: string;

  before(async function () {
    await skipWherePackageIsMissing(this);
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-bft-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("says in the validator's own words why it does not start", async () => {
    const failure = await failureOf({ folder, funded: [], blockTimeMs: Number.NaN });
    expect(failure).to.match(/validator-\d ended\. Its log ends:\n(?:.|\n)*NaNms/);
    expect(await processesOf(folder)).to.equal(0);
  });

  it("names the port that is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    // It listens on TCP, so the address is not a path.
    const { port } = server.address() as AddressInfo;
    const failure = await failureOf({ folder, funded: [], basePort: port });
    server.close();
    expect(failure).to.equal(`port ${port} is taken`);
  });

  for (const kind of ["plain", "isolated"]) {
    it(`dies with the process that started it: ${kind}`, async function () {
      if (kind === "isolated" && !(await canIsolate())) skipIsolation(this);
      const program = join(import.meta.dirname, "bft-process.ts");
      const parent = spawn(process.execPath, [program, folder, kind], { stdio: ["ignore", "pipe", "inherit"] });
      const said = once(parent.stdout, "data");
      const [event] = await Promise.race([said, once(parent, "exit").then(() => [undefined])]);
      if (event === undefined) throw new Error("it ended before it was up");
      expect(await processesOf(folder)).to.be.greaterThanOrEqual(4);
      parent.kill("SIGKILL");
      await until("its validators to be gone", async () => (await processesOf(folder)) === 0);
    });
  }
});

function skipIsolation(context: Mocha.Context): void {
  console.warn("      SKIPPED: network namespaces need Linux, root, iproute2 and util-linux");
  context.skip();
}

async function skipWherePackageIsMissing(context: Mocha.Context): Promise<void> {
  try {
    await unpackNode(() => undefined);
  } catch (failure) {
    if (!(failure instanceof BftPackageMissing)) throw failure;
    console.warn(`      SKIPPED: ${failure.message}`);
    context.skip();
  }
}

/** @returns the message of the error with which it does not start */
async function failureOf(options: BftOptions): Promise<string> {
  try {
    await (await startBftLedger(options)).stop();
    return "none";
  } catch (failure) {
    return failure instanceof Error ? failure.message : String(failure);
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = systemClock.nowMs() + WAIT_MS; !(await isSo());) {
    if (systemClock.nowMs() > deadline) throw new Error(`waited ${WAIT_MS} ms for ${what}`);
    await systemClock.sleep(100);
  }
}

async function heightsOf(validators: readonly BftValidator[]): Promise<readonly number[]> {
  const heights = await Promise.all(validators.map(async (validator) => validator.blockNumber()));
  return heights.map((height) => height ?? 0);
}

async function highest({ validators }: BftLedger): Promise<number> {
  return Math.max(...(await heightsOf(validators)));
}

async function untilAllAt({ validators }: BftLedger, block: number): Promise<void> {
  await until(`block ${block} everywhere`, async () => Math.min(...(await heightsOf(validators))) >= block);
}

/** The hashes that the validators have of the newest block which all of them have: one where they agree. */
async function agreedHashes({ validators }: BftLedger): Promise<readonly string[]> {
  const block = Math.min(...(await heightsOf(validators)));
  const hashes = await Promise.all(
    validators.map(async ({ rpcUrl }) => {
      const provider = new JsonRpcProvider(rpcUrl, undefined, { staticNetwork: true });
      try {
        return (await provider.getBlock(block))?.hash ?? "none";
      } finally {
        provider.destroy();
      }
    }),
  );
  return [...new Set(hashes)];
}

async function expectToGoOn(ledger: BftLedger): Promise<void> {
  const block = (await highest(ledger)) + 3;
  await until(`block ${block}`, async () => (await highest(ledger)) >= block);
}

async function expectToHalt(ledger: BftLedger): Promise<void> {
  // A block that was nearly agreed on may still come.
  await systemClock.sleep(2_000);
  const last = await highest(ledger);
  await systemClock.sleep(STILL_MS);
  expect(await highest(ledger)).to.equal(last);
}

async function expectToCatchUp(ledger: BftLedger): Promise<void> {
  await untilAllAt(ledger, (await highest(ledger)) + 2);
  expect(await agreedHashes(ledger)).to.have.length(1);
}

/** How many processes of this machine have a folder in their command. */
async function processesOf(folder: string): Promise<number> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    // One that has ended meanwhile has no command any more.
    ids.map(async (id) => readFile(join("/proc", id, "cmdline"), "utf8").catch(() => "")),
  );
  return commands.filter((command) => command.includes(folder) && command.includes("injectived")).length;
}
