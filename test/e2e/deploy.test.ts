import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { freePort } from "../../deploy/bft/ports.ts";
import { createRandom } from "../../src/kernel/random.ts";

const JOURNAL = `test-${process.pid}`;
const JOURNAL_FILE = join("ignition", "deployments", JOURNAL, "journal.jsonl");
const KILL_TIMEOUT_MS = 240_000;
/** Lines of the journal: among the contracts, the partners, the corridors and the roles. */
const FIXED_KILLS = [5, 30, 90, 91, 250, 700];
/** Further ones by the seed, before the last of those. The whole journal has over a thousand lines. */
const RANDOM_KILLS = 3;
const SEED = process.env["FEIQIAN_DEPLOY_SEED"] ?? randomBytes(4).toString("hex");

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("npm run deploy, to a node of its own process", function () {
  let node: ChildProcess;
  let folder: string;
  let env: NodeJS.ProcessEnv;

  const start = (args: readonly string[]) => {
    const all = ["scripts/deploy.ts", "--network", "localhost", "--journal", JOURNAL, ...args];
    const script = spawn(process.execPath, all, { env });
    const ended = Promise.all([text(script.stdout), text(script.stderr), once(script, "close")]).then(
      ([stdout, stderr]): Run => ({ status: script.exitCode, stdout, stderr }),
    );
    return { script, ended };
  };
  const deploy = (...args: readonly string[]): Promise<Run> => start(args).ended;

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
    const random = createRandom(SEED);
    const drawn = Array.from({ length: RANDOM_KILLS }, () => 1 + random.below(FIXED_KILLS.at(-1) ?? 1));
    const kills = [...FIXED_KILLS, ...drawn].sort((one, other) => one - other);
    console.log(`      kills at lines ${kills.join(", ")}; to repeat them: FEIQIAN_DEPLOY_SEED=${SEED}`);
    let resumed = 0;
    for (const lines of kills) {
      const { script, ended } = start([]);
      await journalled(lines, script).finally(() => script.kill("SIGKILL"));
      const { status, stderr } = await ended;
      // A script that ends by itself has deployed everything, or has failed: it was not able to go on.
      if (status !== null) expect(status, `before line ${lines}: ${stderr}`).to.equal(0);
      resumed += status === null ? 1 : 0;
    }
    // Where kills come late, as on a busy machine, the last of them may find the deployment done.
    expect(resumed, "runs that were killed").to.be.above(kills.length / 2);

    const { status, stdout, stderr } = await deploy("--addresses", join(folder, "addresses.json"));
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/^[1-9]\d* roles, settings and events checked on the ledger, all as configured$/m);
  });

  it("deploys nothing a second time", async () => {
    const { status, stdout, stderr } = await deploy();
    expect(status, stderr).to.equal(0);
    expect(stdout).to.contain(await readFile(join(folder, "addresses.json"), "utf8"));
  });

  it("names the setting that differs, and fails", async () => {
    const config = (await deploy("--print-config")).stdout;
    const other = join(folder, "other.json");
    await writeFile(other, config.replace(`"graceSeconds": 30`, `"graceSeconds": 60`));
    const files = ["--config", other, "--addresses", join(folder, "addresses.json")];
    const { status, stdout } = await deploy("--verify-only", ...files);
    expect(stdout).to.match(/^transfers: grace +60 +30$/m);
    // The other is what the contract was created with.
    expect(stdout).to.match(/^2 of [1-9]\d* settings differ$/m);
    expect(status).to.equal(1);
  });
});

/** Until Ignition has journalled so many lines, or the script has ended without. */
async function journalled(lines: number, script: ChildProcess): Promise<void> {
  for (const until = Date.now() + KILL_TIMEOUT_MS; Date.now() < until;) {
    const journal = await readFile(JOURNAL_FILE, "utf8").catch(() => "");
    if (script.exitCode !== null || journal.split("\n").length > lines) return;
    await delay(10);
  }
  throw new Error(`no ${lines} lines in ${JOURNAL_FILE}`);
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
