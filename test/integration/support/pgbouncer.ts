import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { chown, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { freePort } from "../../../deploy/bft/ports.ts";
import { spawnServer, unprivilegedAccount } from "./postgres.ts";

/** A PgBouncer of this process's own. */
export interface Pgbouncer {
  readonly url: string;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 240_000;
const POLL_MS = 50;

export function findPgbouncer(): string | undefined {
  const folders = ["/usr/sbin", ...(process.env["PATH"] ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, "pgbouncer")).find((path) => existsSync(path));
}

/**
 * Starts PgBouncer in front of a PostgreSQL that trusts its clients.
 * @param settings of its [pgbouncer] section
 */
export async function startPgbouncer(
  program: string,
  serverUrl: string,
  settings: Readonly<Record<string, string>>,
): Promise<Pgbouncer> {
  const account = process.getuid?.() === 0 ? await unprivilegedAccount() : undefined;
  const folder = await mkdtemp(join(tmpdir(), `feiqian-pgbouncer-${process.pid}-`));
  const server = new URL(serverUrl);
  const port = await freePort();
  const file = join(folder, "pgbouncer.ini");
  const sections = {
    databases: { relay: `host=${server.hostname} port=${server.port} dbname=${server.pathname.slice(1)}` },
    pgbouncer: {
      ...{ listen_addr: "127.0.0.1", listen_port: String(port), unix_socket_dir: "" },
      ...{ auth_type: "any", ...settings },
    },
  };
  // With auth_type any, every client is the user that the database names.
  sections.databases.relay += ` user=${server.username}`;
  const lines = Object.entries(sections).flatMap(([name, section]) => [
    `[${name}]`,
    ...Object.entries(section).map(([key, value]) => `${key} = ${value}`),
  ]);
  await writeFile(file, `${lines.join("\n")}\n`);
  if (account !== undefined) {
    await chown(folder, account.uid, account.gid);
    await chown(file, account.uid, account.gid);
  }
  const child = spawnServer(program, ["-q", file], folder, account);
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4_000)));
  const remove = (): void => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", remove);
  const url = `postgres://${server.username}@127.0.0.1:${port}/relay`;
  for (let waitedMs = 0; !(await answers(url)); waitedMs += POLL_MS) {
    if (child.exitCode !== null || waitedMs >= START_TIMEOUT_MS) throw new Error(`pgbouncer did not start: ${said}`);
    await delay(POLL_MS);
  }
  return {
    url,
    async stop() {
      process.off("exit", remove);
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
