import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** One partner's relay as a process of its own, through the command line, which is started again whenever it dies. */
export interface RelayProcess {
  readonly name: string;
  readonly url: string;
  /** What it has logged, as lines of JSON. */
  readonly logPath: string;
  /** Starts it, and from then on starts it again when it dies. The variables are for this start only. */
  start(variables?: Variables): void;
  /** Variables for the next times that it is started again after it has died: one set for each. */
  arm(variables: readonly Variables[]): void;
  /** `kill -9`, now. It stays down until `start`. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for it to finish what it is at; it stays down until `start`. Throws where it does not end well. */
  drain(): Promise<void>;
  /** Resolves when it has been killed so many times since it was armed; rejects after the time given. */
  killed(times: number, timeoutMs: number): Promise<void>;
  /** Resolves when it serves its API and has its database and its ledger; rejects after the time given. */
  ready(timeoutMs: number): Promise<void>;
  /** How often a signal ended it that this class did not send: the kill points. */
  readonly kills: () => number;
  /** Endings that nobody asked for: a relay never ends by itself. */
  readonly failures: () => readonly string[];
}

export type Variables = Readonly<Record<string, string>>;

export interface RelayProcessOptions {
  readonly name: string;
  readonly url: string;
  readonly configPath: string;
  readonly logPath: string;
  /** Of what Node has compiled, so that the many starts are quick. */
  readonly cacheFolder: string;
}

const MAIN = "src/cli/main.ts";
const RESTART_DELAY_MS = 100;
const POLL_MS = 25;
const DRAIN_TIMEOUT_MS = 30_000;
const LOG_TAIL = 4_000;

export function createRelayProcess({ name, url, configPath, logPath, cacheFolder }: RelayProcessOptions): RelayProcess {
  const failures: string[] = [];
  const log = createWriteStream(logPath, { flags: "a" });
  let current: { readonly child: ChildProcess; readonly ended: Promise<unknown> } | undefined;
  /** Whether it is to run: false while it is down on purpose. */
  let isWanted = false;
  let kills = 0;
  let armed: readonly Variables[] = [];
  /** How many of its kills were before it was armed. */
  let killsBefore = 0;
  /** SIGKILLs of `kill` that are on their way. */
  let isOurs = false;

  const launch = (variables: Variables): void => {
    const child = spawn(process.execPath, [MAIN, "relay", "start", "--config", configPath], {
      // Nothing of this process's own variables, which the relay would refuse to know.
      env: { PATH: process.env["PATH"] ?? "", NODE_COMPILE_CACHE: cacheFolder, ...variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const mine = { child, ended: promise };
    current = mine;
    child.once("error", (failure) => failures.push(`${name} cannot be started: ${failure.message}`));
    child.once("exit", (code, signal) => {
      if (signal === "SIGKILL" && !isOurs) kills++;
      const isAsked = signal === "SIGKILL" || (!isWanted && code === 0);
      resolve(undefined);
      if (!isAsked) void tail(logPath).then((text) => failures.push(`${name} ended (${signal ?? code}):\n${text}`));
      if (current !== mine) return;
      current = undefined;
      if (isWanted) setTimeout(startAgain, RESTART_DELAY_MS);
    });
  };

  const startAgain = (): void => {
    if (!isWanted || current !== undefined) return;
    const [variables = {}, ...later] = armed;
    armed = later;
    launch(variables);
  };

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    isWanted = false;
    const running = current;
    if (running === undefined) return;
    running.child.kill(signal);
    await running.ended;
  };

  // Whoever ends this process must not leave relays behind.
  process.once("exit", () => current?.child.kill("SIGKILL"));

  return {
    name,
    url,
    logPath,
    start(variables = {}) {
      isWanted = true;
      if (current === undefined) launch(variables);
    },
    arm(variables) {
      armed = variables;
      killsBefore = kills;
    },
    async kill() {
      isOurs = true;
      try {
        await end("SIGKILL");
      } finally {
        isOurs = false;
      }
    },
    async drain() {
      const before = failures.length;
      const gaveUp = delay(DRAIN_TIMEOUT_MS, "late" as const, { ref: false });
      if ((await Promise.race([end("SIGTERM"), gaveUp])) === "late") throw new Error(`${name} does not drain`);
      await delay(0);
      if (failures.length > before) throw new Error(failures.at(-1));
    },
    async killed(times, timeoutMs) {
      const due = killsBefore + times;
      if (!(await within(timeoutMs, () => Promise.resolve(kills >= due)))) {
        throw new Error(`${name} was not killed within ${timeoutMs} ms`);
      }
    },
    async ready(timeoutMs) {
      const isReady = async (): Promise<boolean> => {
        const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
        await answer?.text();
        return answer?.ok === true;
      };
      if (!(await within(timeoutMs, isReady))) {
        throw new Error(`${name} was not ready within ${timeoutMs} ms:\n${await tail(logPath)}`);
      }
    },
    kills: () => kills,
    failures: () => failures,
  };
}

/** Whether something has come true by then. */
async function within(timeoutMs: number, isTrue: () => Promise<boolean>): Promise<boolean> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    if (await isTrue()) return true;
    if (Date.now() > until) return false;
    await delay(POLL_MS);
  }
}

async function tail(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).slice(-LOG_TAIL);
}
