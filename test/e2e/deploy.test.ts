import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";

const JOURNAL = `test-${process.pid}`;
const START_TIMEOUT_MS = 60_000;

interface Run {
  readonly status: number | null;
  readonly stdout: string;
}

describe("npm run deploy, to a node of its own process", function () {
  this.timeout(180_000);
  let node: ChildProcess;
  let folder: string;
  let env: NodeJS.ProcessEnv;

  const start = (args: readonly string[]) => spawn(process.execPath, ["scripts/deploy.ts", ...args], { env });
  const deploy = async (...args: readonly string[]): Promise<Run> => {
    const script = start(["--network", "localhost", "--journal", JOURNAL, ...args]);
    let stdout = "";
    script.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    await once(script, "close");
    return { status: script.exitCode, stdout };
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-deploy-"));
    const port = await freePort();
    env = { ...process.env, FEIQIAN_RPC_URL: `http://127.0.0.1:${port}` };
    node = spawn(process.execPath, ["node_modules/hardhat/dist/src/cli.js", "node", "--port", String(port)], { env });
    await started(node);
  });

  after(async () => {
    node.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
    await rm(join("ignition", "deployments", JOURNAL), { recursive: true, force: true });
  });

  it("goes on where a kill stopped it, again and again, and then finds everything as configured", async () => {
    // Among the contracts, the partners, the corridors and the roles.
    for (const lines of [5, 30, 90, 91, 250, 700]) {
      const killed = start(["--network", "localhost", "--journal", JOURNAL]);
      await journalled(lines);
      killed.kill("SIGKILL");
      await once(killed, "close");
    }

    const { status, stdout } = await deploy("--addresses", join(folder, "addresses.json"));
    expect(stdout).to.match(/^[1-9]\d* roles and settings read back, all as configured$/m);
    expect(status).to.equal(0);
  });

  it("deploys nothing a second time", async () => {
    const { status, stdout } = await deploy();
    expect(stdout).to.contain(await readFile(join(folder, "addresses.json"), "utf8"));
    expect(status).to.equal(0);
  });

  it("names the setting that differs, and fails", async () => {
    const config = (await deploy("--print-config")).stdout;
    const other = join(folder, "other.json");
    await writeFile(other, config.replace(`"graceSeconds": 30`, `"graceSeconds": 60`));
    const files = ["--config", other, "--addresses", join(folder, "addresses.json")];
    const { status, stdout } = await deploy("--verify-only", ...files);
    expect(stdout).to.match(/^transfers: grace +60 +30$/m);
    expect(stdout).to.match(/^1 of [1-9]\d* settings differ$/m);
    expect(status).to.equal(1);
  });
});

/** Until Ignition has journalled so many steps. */
async function journalled(lines: number): Promise<void> {
  const path = join("ignition", "deployments", JOURNAL, "journal.jsonl");
  for (const until = Date.now() + START_TIMEOUT_MS; Date.now() < until;) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text.split("\n").length > lines) return;
    await delay(10);
  }
  throw new Error(`no ${lines} steps in ${path}`);
}

async function started(node: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // Stays attached: a node stops when nobody empties its pipe.
    node.stdout?.on("data", (chunk: Buffer) => {
      if (chunk.includes("Started HTTP")) resolve();
    });
    node.once("exit", () => {
      reject(new Error("the node did not start"));
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  // Listening on TCP, so the address is not a path.
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
