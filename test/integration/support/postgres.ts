import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { chown, mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { freePort } from "../../../deploy/bft/ports.ts";

/** A PostgreSQL of this process's own, in a folder that goes with it. */
export interface PostgresServer {
  /** Of a superuser, on a database in UTF-8. */
  readonly url: string;
  /** The folder of its programs, such as pg_dump. */
  readonly programs: string;
  /** Orderly, but without waiting for its clients; then removes its folder. */
  stop(): Promise<void>;
  /** Stops it if it runs, and starts it again on the same port with the same data. */
  restart(): Promise<void>;
  /** Ends it as a crash does: nothing is written any more, and the next start has to recover. */
  kill(): Promise<void>;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const run = promisify(execFile);
const FOLDER = /^feiqian-postgres-(\d+)-/;
const START_TIMEOUT_MS = 240_000;
const POLL_MS = 50;
const SETPRIV = "/usr/bin/setpriv";
const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=200",
  "log_min_messages=fatal",
  "log_statement=none",
];
/** Enough for what happens on this machine; nothing here has to survive its end. */
const FLEETING = ["fsync=off", "full_page_writes=off", "shared_buffers=64MB"];
/** As an operator's own. */
const DURABLE = ["shared_buffers=1GB", "max_wal_size=4GB"];

export interface PostgresOptions {
  /** Whether what is committed is on disk, as by default in PostgreSQL, and not here. */
  readonly durable?: boolean;
}

/**
 * Starts PostgreSQL with the binaries of this machine; undefined where there are none. It refuses to run as root, so
 * that as root it runs as `postgres`, or else as `nobody`.
 */
export async function startPostgres({ durable = false }: PostgresOptions = {}): Promise<PostgresServer | undefined> {
  const binaries = await findBinaries();
  if (binaries === undefined) return undefined;
  await removeAbandoned();
  const account = process.getuid?.() === 0 ? await unprivilegedAccount() : undefined;
  const folder = await mkdtemp(join(tmpdir(), `feiqian-postgres-${process.pid}-`));
  const data = join(folder, "data");
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  await run(
    join(binaries, "initdb"),
    ["-D", data, "-U", "feiqian", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    { ...account, cwd: folder },
  );
  const port = await freePort();
  const url = `postgres://feiqian@127.0.0.1:${port}/postgres`;

  const start = async (): Promise<ChildProcess> => {
    const settings = [...SETTINGS, ...(durable ? DURABLE : FLEETING), `port=${port}`].flatMap((setting) => [
      "-c",
      setting,
    ]);
    const child = spawnServer(join(binaries, "postgres"), ["-D", data, ...settings], folder, account);
    await untilReady(child, url);
    return child;
  };
  let child: ChildProcess | undefined = await start();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ended = child;
    child = undefined;
    if (ended?.exitCode !== null || ended.signalCode !== null) return;
    ended.kill(signal);
    await once(ended, "exit");
  };
  process.once("exit", () => {
    child?.kill("SIGQUIT");
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    url,
    programs: binaries,
    async stop() {
      await end("SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
    async restart() {
      await end("SIGINT");
      child = await start();
    },
    kill: () => end("SIGQUIT"),
  };
}

async function findBinaries(): Promise<string | undefined> {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? await readdir(debian) : [];
  const folders = [
    ...versions
      .sort((left, right) => right.localeCompare(left, "en", { numeric: true }))
      .map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  return folders.find((folder) => ["postgres", "initdb"].every((name) => existsSync(join(folder, name))));
}

export async function unprivilegedAccount(): Promise<Account> {
  const accounts = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const wanted of ["postgres", "nobody"]) {
    const [, , uid, gid] = accounts.find(([name]) => name === wanted) ?? [];
    if (uid !== undefined && gid !== undefined) {
      return { uid: Number.parseInt(uid, 10), gid: Number.parseInt(gid, 10) };
    }
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
}

/** Where there is setpriv, the server ends with this process even if that is killed. */
export function spawnServer(program: string, args: readonly string[], cwd: string, account?: Account): ChildProcess {
  if (!existsSync(SETPRIV)) return spawn(program, args, { ...account, cwd, stdio: ["ignore", "ignore", "pipe"] });
  const user = account === undefined ? [] : [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"];
  return spawn(SETPRIV, [...user, "--pdeathsig=QUIT", program, ...args], { cwd, stdio: ["ignore", "ignore", "pipe"] });
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4_000)));
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
    if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}: ${said}`);
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return;
    } catch {
      await delay(POLL_MS);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  child.kill("SIGQUIT");
  throw new Error(`postgres was not ready after ${START_TIMEOUT_MS} ms: ${said}`);
}

/** Folders of processes that were killed before they could remove theirs. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number.parseInt(pid, 10))) {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
