// One validator: a process that can be killed, stopped for a while and started again with what it has on its disk.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runSystem, type NodeProgram } from "./command.ts";

export interface BftValidator {
  readonly name: string;
  readonly rpcUrl: string;
  isRunning(): boolean;
  /** As by kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** Again, with its data; resolves when its process is there, which is before it has caught up. */
  start(): Promise<void>;
  /** Stops its process where it is (SIGSTOP), its connections open. */
  freeze(): void;
  thaw(): void;
  /** Has it stopped for that share of the time, 0 to 100, until the returned function is called. */
  slow(percent: number): () => void;
  /**
   * Takes it away from the other validators, and them from it: every packet is lost. Clients still reach it.
   * @throws Error when the ledger is not isolated
   */
  cut(): Promise<void>;
  heal(): Promise<void>;
  /** Of its newest block; undefined when it does not answer within two seconds. */
  blockNumber(): Promise<number | undefined>;
}

/** Of a validator, what only its ledger uses. */
export interface OwnedValidator extends BftValidator {
  /** The end of what it logged. */
  logTail(): Promise<string>;
  /** At once, when this process ends. */
  abandon(): void;
}

/** How to start and reach a validator. */
export interface ValidatorSetup {
  readonly name: string;
  readonly home: string;
  readonly rpcUrl: string;
  readonly program: NodeProgram;
  readonly args: readonly string[];
  /** What puts the program where it belongs: the words of a command that ends by running the words after it. */
  readonly launcher: readonly string[];
  readonly link: Link;
}

/** A validator's way to the others. */
export interface Link {
  cut(): Promise<void>;
  heal(): Promise<void>;
}

const RPC_TIMEOUT_MS = 2_000;
const SLOW_PERIOD_MS = 200;
const TAIL_CHARACTERS = 2_000;

export function createValidator(setup: ValidatorSetup): OwnedValidator {
  const { name, home, rpcUrl } = setup;
  const logFile = join(home, "node.log");
  let child: ChildProcess | undefined;

  const isRunning = () => child?.exitCode === null && child.signalCode === null;
  const signal = (which: NodeJS.Signals) => {
    if (isRunning()) child?.kill(which);
  };

  async function start(): Promise<void> {
    if (isRunning()) throw new Error(`${name} runs already`);
    const log = await open(logFile, "a");
    try {
      child = await launch(setup, log.fd);
    } finally {
      await log.close();
    }
  }

  async function kill(): Promise<void> {
    if (!isRunning()) return;
    const gone = child === undefined ? undefined : once(child, "exit");
    signal("SIGKILL");
    await gone;
  }

  return {
    name,
    rpcUrl,
    isRunning,
    kill,
    start,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    slow: (percent) => throttle(percent, signal),
    ...setup.link,
    blockNumber: async () => readBlockNumber(rpcUrl),
    logTail: async () => (await readFile(logFile, "utf8")).trimEnd().slice(-TAIL_CHARACTERS),
    abandon: () => signal("SIGKILL"),
  };
}

async function launch({ program, args, launcher }: ValidatorSetup, log: number): Promise<ChildProcess> {
  // In a session of its own: Ctrl-C at the terminal is for this process, which stops the validators in its own way.
  const child = spawn("env", [...launcher, program.path, ...args], {
    env: { ...process.env, ...program.env },
    stdio: ["ignore", log, log],
    detached: true,
  });
  await once(child, "spawn");
  return child;
}

function throttle(percent: number, signal: (which: NodeJS.Signals) => void): () => void {
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`percent: 0 to 100 (given ${percent})`);
  const stoppedMs = (SLOW_PERIOD_MS * percent) / 100;
  let timer: NodeJS.Timeout;
  const stop = () => {
    signal("SIGSTOP");
    timer = setTimeout(go, stoppedMs);
  };
  const go = () => {
    signal("SIGCONT");
    timer = setTimeout(stop, SLOW_PERIOD_MS - stoppedMs);
  };
  stop();
  return () => {
    clearTimeout(timer);
    signal("SIGCONT");
  };
}

async function readBlockNumber(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}',
      signal: AbortSignal.timeout(RPC_TIMEOUT_MS),
    });
    const answer: unknown = await response.json();
    if (typeof answer !== "object" || answer === null || !("result" in answer)) return undefined;
    const block = Number.parseInt(String(answer.result), 16);
    return Number.isSafeInteger(block) ? block : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The words before a command that has the kernel kill it when this process is gone, however it went. None where the
 * system's setpriv cannot do that.
 */
export async function boundToThisProcess(): Promise<readonly string[]> {
  const words = ["--pdeathsig", "KILL", "--"];
  return runSystem("setpriv", ...words, "true").then(
    () => ["setpriv", ...words],
    () => [],
  );
}
