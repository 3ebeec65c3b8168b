// A real ledger of four BFT validators on this machine, for tests and developers. See docs/developer.md.
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "../../src/domain/bytes/hex.ts";
import { systemClock } from "../../src/kernel/clock/clock.ts";
import { CHAIN_ID, foundLedger, type Seat } from "./genesis.ts";
import { canIsolate, isolate, type IsolatedNetwork } from "./isolation.ts";
import { configureNode, INNER_PORTS, startArguments, type Listeners } from "./node-config.ts";
import { unpackNode } from "./package.ts";
import { freePorts, portsTaken } from "./ports.ts";
import { boundToThisProcess, createValidator, type BftValidator, type Link, type OwnedValidator } from "./validator.ts";

export { BftPackageMissing } from "./package.ts";
export type { BftValidator } from "./validator.ts";

export interface BftOptions {
  /** Where the validators keep all they have: each a folder of its name, made anew. */
  readonly folder: string;
  /** How many; 4 when left out, which goes on without any one of them. */
  readonly validators?: number;
  /** How long a validator waits after a block before the next; 500 when left out. */
  readonly blockTimeMs?: number;
  /** Accounts with native money for fees. */
  readonly funded: readonly Hex[];
  /** Only these may deploy contracts; anyone may where left out. */
  readonly deployers?: readonly Hex[];
  /** JSON-RPC listens on this port and every tenth after it; on ports that are free where left out. */
  readonly basePort?: number;
  /** Gives each validator a network namespace of its own: see canIsolate(). */
  readonly isolated?: boolean;
  readonly onProgress?: (text: string) => void;
}

export interface BftLedger {
  readonly chainId: number;
  readonly validators: readonly BftValidator[];
  readonly rpcUrls: readonly string[];
  /** Ends every validator. Their folders stay, for their logs. */
  stop(): Promise<void>;
}

/** A validator's node before it is made. */
interface Site {
  readonly seat: Seat;
  readonly listeners: Listeners;
  readonly launcher: readonly string[];
  readonly link: Link;
}

const SCRATCH = "validator-scratch";
const PORT_STEP = 10;
const START_TIMEOUT_MS = 180_000;
const POLL_MS = 100;

/**
 * Starts a new ledger. Its validators die with this process, however that ends.
 * @returns when each validator has block 1 and answers JSON-RPC
 * @throws BftPackageMissing, or Error with the end of a validator's log when it does not come up
 */
export async function startBftLedger(options: BftOptions): Promise<BftLedger> {
  const { folder, validators: count = 4, blockTimeMs = 500, onProgress = () => undefined } = options;
  const unpacked = await unpackNode(onProgress);
  if (options.isolated === true && !(await canIsolate())) {
    throw new Error("no network namespaces here: they need root, iproute2 and util-linux");
  }
  await removeOld(folder);
  // Every run of the program leaves a folder with what it has compiled.
  const scratch = join(folder, SCRATCH);
  await mkdir(scratch);
  const program = { ...unpacked, env: { ...unpacked.env, TMPDIR: scratch } };
  const network = options.isolated === true ? await isolate(count) : undefined;
  const validators: OwnedValidator[] = [];
  const abandon = () => {
    for (const validator of validators) validator.abandon();
  };
  process.on("exit", abandon);
  const stop = async () => {
    await Promise.all(validators.map(async (validator) => validator.kill()));
    await network?.stop();
    process.off("exit", abandon);
  };
  try {
    const sites = await chooseSites(options, count, network);
    onProgress(`making the keys and the genesis of ${count} validators`);
    const seats = sites.map(({ seat }) => seat);
    const peers = await foundLedger(program, seats, { funded: options.funded, deployers: options.deployers });
    const bound = await boundToThisProcess();
    for (const { seat, listeners, launcher, link } of sites) {
      await configureNode(seat.home, listeners, peers);
      const rpcUrl = `http://${listeners.rpc.host}:${listeners.rpc.port}`;
      const args = startArguments(seat.home, listeners, blockTimeMs);
      validators.push(createValidator({ ...seat, rpcUrl, program, args, launcher: [...bound, ...launcher], link }));
    }
    onProgress(`starting ${count} validators`);
    await Promise.all(validators.map(async (validator) => validator.start()));
    await Promise.all(validators.map(async (validator) => untilReady(validator, onProgress)));
  } catch (failure) {
    await stop();
    throw failure;
  }
  return { chainId: CHAIN_ID, validators, rpcUrls: validators.map(({ rpcUrl }) => rpcUrl), stop };
}

/** The validators' folders, theirs for temporary files, and nothing else: the folder may be one that the caller has other things in. */
async function removeOld(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const old = (await readdir(folder)).filter((name) => name === SCRATCH || /^validator-\d+$/.test(name));
  await Promise.all(old.map(async (name) => rm(join(folder, name), { recursive: true })));
}

async function chooseSites(
  { folder, basePort }: BftOptions,
  count: number,
  network: IsolatedNetwork | undefined,
): Promise<readonly Site[]> {
  const seatOf = (index: number, p2p: Seat["p2p"]): Seat => {
    const name = `validator-${index}`;
    return { name, home: join(folder, name), p2p };
  };
  const rpcPorts = Array.from({ length: count }, (_, index) =>
    basePort === undefined ? undefined : basePort + PORT_STEP * index,
  );
  if (network !== undefined) {
    return network.places.map(({ p2pHost, rpcHost, launcher, link }, index) => {
      const p2p = { host: p2pHost, port: 26_656 };
      const rpc = { host: rpcHost, port: rpcPorts[index] ?? 8_545 };
      return { seat: seatOf(index, p2p), listeners: { p2p, rpc, inner: 26_657 }, launcher, link };
    });
  }
  const [taken] = await portsTaken(rpcPorts.filter((port) => port !== undefined));
  if (taken !== undefined) throw new Error(`port ${taken} is taken`);
  const portsEach = 2 + INNER_PORTS;
  const [first = 0] = await freePorts(portsEach * count);
  return rpcPorts.map((rpcPort, index) => {
    const own = first + portsEach * index;
    const p2p = { host: "127.0.0.1", port: own };
    const rpc = { host: "127.0.0.1", port: rpcPort ?? own + 1 };
    return { seat: seatOf(index, p2p), listeners: { p2p, rpc, inner: own + 2 }, launcher: [], link: UNCUTTABLE };
  });
}

const refuseCut = () => Promise.reject(new Error("only a validator of an isolated ledger can be cut off"));
const UNCUTTABLE: Link = { cut: refuseCut, heal: refuseCut };

async function untilReady(validator: OwnedValidator, onProgress: (text: string) => void): Promise<void> {
  const deadline = systemClock.nowMs() + START_TIMEOUT_MS;
  while (((await validator.blockNumber()) ?? 0) < 1) {
    const hasEnded = !validator.isRunning();
    if (hasEnded || systemClock.nowMs() > deadline) {
      const problem = hasEnded ? "ended" : `has no block after ${START_TIMEOUT_MS / 1_000} s`;
      throw new Error(`${validator.name} ${problem}. Its log ends:\n${await validator.logTail()}`);
    }
    await systemClock.sleep(POLL_MS);
  }
  onProgress(`${validator.name} answers at ${validator.rpcUrl}`);
}
