import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { z } from "zod/v4";
import { makeRelayPackage, type Package } from "../../scripts/pack/packages.ts";
import { writePackage } from "../../scripts/pack/write.ts";
import { freePorts } from "../../sandbox/ports.ts";
import { startNetworkProcess, type NetworkProcess } from "../support/network-process.ts";
import { until } from "../support/until.ts";
import { mustRun, outsideEnv, runOutside } from "./support/outside.ts";

const QUIET = ["--prefer-offline", "--no-audit", "--no-fund"];
const LEAST_MAJOR = 24;
/** This machine's own Node, and the one that relays run on. */
const HOST = outsideEnv();
const PINNED = outsideEnv(dirname(process.execPath));

const lockfileSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), dev: z.boolean().optional() })),
});

describe("The package feiqian", () => {
  let folder: string;
  let running: NetworkProcess;
  let made: Package;
  /** Ways to install it, and the command that each gives. */
  let unpacked: string;
  let dependency: string;
  let checkout: string;
  let config: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-relay-"));
    const starting = startNetworkProcess();
    made = await makeRelayPackage();
    const tarball = await writePackage(made, folder);
    // One after the other: npm's many connections would take the ports that the network has chosen.
    running = await starting;
    [unpacked, dependency, checkout] = await Promise.all([
      installUnpacked(tarball),
      installAsDependency(tarball),
      installCheckout(),
    ]);
    config = await configure();
  });
  after(async () => {
    await running.end();
    await rm(folder, { recursive: true });
  });

  it("is the JavaScript that runs, the tables' migrations, the unit of systemd, and nothing else", () => {
    const paths = [...made.files.keys()];
    const others = paths.filter((path) => !/^(bin|deploy\/besu|sdk|src)\/.+\.js$/.test(path)).sort();
    const sql = others.filter((path) => /^src\/.+\/migrations\/\d{4}-[a-z-]+\.sql$/.test(path));
    expect(sql).to.include("src/kernel/store/migrations/0001-relay.sql");
    expect(others.filter((path) => !sql.includes(path))).to.deep.equal([
      "LICENSE",
      "README.md",
      "feiqian-relay.service",
      "npm-shrinkwrap.json",
      "package.json",
    ]);
  });

  it("brings every package in the version that the project is tested with", async () => {
    const installed = lockfileSchema.parse(await json(join(unpacked, "node_modules/.package-lock.json"))).packages;
    const tested = lockfileSchema.parse(await json("package-lock.json")).packages;
    expect(Object.keys(installed)).to.include.members([
      "node_modules/ethers",
      "node_modules/pg",
      "node_modules/fastify",
    ]);
    for (const [path, { version }] of Object.entries(installed)) {
      expect(tested[path]?.version, path).to.equal(version);
      expect(tested[path]?.dev, path).to.equal(undefined);
    }
  });

  it("says on an older Node which one it needs", async () => {
    const { code, out, err } = await runOutside(join(unpacked, "bin/feiqian.js"), ["--version"], {
      cwd: folder,
      env: HOST,
    });
    const major = Number.parseInt(
      await mustRun("node", ["--print", "process.versions.node"], { cwd: folder, env: HOST }),
      10,
    );
    if (major >= LEAST_MAJOR) expect(code).to.equal(0);
    else {
      expect([code, out]).to.deep.equal([1, ""]);
      expect(err).to.contain(`needs Node ${LEAST_MAJOR} or later`);
    }
  });

  for (const [how, command] of [
    ["unpacked, with what its lockfile pins", () => [join(unpacked, "bin/feiqian.js")]],
    ["installed in an empty folder", () => ["npx", "feiqian"]],
    ["from a checkout, without development packages", () => [join(checkout, "bin/feiqian.js")]],
  ] as const) {
    it(`runs ${how}: holds a relay against the ledger, and says what to do next`, async () => {
      const { version } = z.object({ version: z.string() }).parse(JSON.parse(made.files.get("package.json") ?? ""));
      expect(await feiqian(command(), "--version")).to.deep.equal({ code: 0, out: `${version}\n`, err: "" });
      expect((await feiqian(command(), "--help")).out).to.match(/^Usage: feiqian /);
      const checked = await feiqian(command(), "relay", "check", "--config", config, "--json");
      expect(checked.code).to.equal(9);
      const told = z.object({ partner: z.int(), chainId: z.string(), next: z.object({ step: z.string() }) });
      const { partner, chainId, next } = told.parse(JSON.parse(checked.out));
      expect([partner, chainId]).to.deep.equal([4, "31337"]);
      expect(next.step).to.match(/^feiqian relay register /);
    });
  }

  it("runs a relay that makes its own tables, until it is told to stop", async () => {
    const [port = 0] = await freePorts(1);
    const relay = spawn(join(unpacked, "bin/feiqian.js"), ["relay", "start", "--config", config], {
      cwd: folder,
      env: { ...PINNED, FEIQIAN_API_PORT: String(port) },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const ended = once(relay, "exit");
    try {
      await until(async () => {
        if (relay.exitCode !== null) throw new Error(`the relay ended with ${relay.exitCode}`);
        return (await fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined))?.status === 200;
      });
    } finally {
      relay.kill("SIGTERM");
    }
    expect(await ended).to.deep.equal([0, null]);
  });

  it("sends a transfer through the network's relays", async () => {
    const [us, them] = [running.wallet("AlipayHK"), running.wallet("GCash")];
    const people = [
      "--from",
      us.customers[0]?.phone ?? "",
      "--from-name",
      "Chan Tai Man",
      "--to",
      them.customers[0]?.phone ?? "",
    ];
    const env = { ...PINNED, FEIQIAN_URL: us.relay, FEIQIAN_API_KEY: us.apiKey };
    const args = ["send", "4", "--send", "1500.00HKD", ...people, "--watch"];
    const { code, out } = await runOutside(join(unpacked, "bin/feiqian.js"), args, { cwd: folder, env });
    expect(out).to.match(/ {2}credited\b/);
    expect(code).to.equal(0);
  });

  it("leaves the development network to a checkout, and says so", async () => {
    for (const command of [[join(unpacked, "bin/feiqian.js")], ["npx", "feiqian"]]) {
      const { code, err } = await feiqian(command, "network", "up");
      expect([code, err]).to.deep.equal([
        2,
        "feiqian: network up needs a checkout of the repository with its development packages: run npm ci in it, then npm start\n",
      ]);
    }
  });

  /** As the operator's manual has it. */
  async function installUnpacked(tarball: string): Promise<string> {
    const cwd = join(folder, "unpacked");
    await mkdir(cwd);
    await mustRun("tar", ["-xzf", tarball, "-C", cwd, "--strip-components=1"], { cwd, env: PINNED });
    await mustRun("npm", ["ci", "--ignore-scripts", ...QUIET], { cwd, env: PINNED });
    return cwd;
  }

  async function installAsDependency(tarball: string): Promise<string> {
    const cwd = join(folder, "dependency");
    await mkdir(cwd);
    await mustRun("npm", ["install", ...QUIET, tarball], { cwd, env: PINNED });
    return cwd;
  }

  /** What is committed, and nothing that a build has left beside it; by the Node that this machine has. */
  async function installCheckout(): Promise<string> {
    const cwd = join(folder, "checkout");
    await mustRun("git", ["clone", "--quiet", "--depth", "1", `file://${process.cwd()}`, cwd], {
      cwd: folder,
      env: HOST,
    });
    await mustRun("npm", ["ci", "--omit=dev", "--omit=optional", "--ignore-scripts", ...QUIET], { cwd, env: HOST });
    return cwd;
  }

  async function feiqian([program = "", ...first]: readonly string[], ...args: readonly string[]) {
    return runOutside(program, [...first, ...args], { cwd: dependency, env: PINNED });
  }

  /** A relay for GCash's partner, with keys of its own, as the operator's manual makes them. */
  async function configure(): Promise<string> {
    const cwd = join(folder, "relay");
    await mkdir(cwd);
    await writeFile(join(cwd, "password"), "correct horse battery staple\n", { mode: 0o600 });
    const make = async (kind: string, file: string, ...more: readonly string[]) =>
      mustRun(join(unpacked, "bin/feiqian.js"), ["keys", "new", kind, file, ...more], { cwd, env: PINNED });
    const secret = ["--password-file", "password"];
    await Promise.all([
      make("ledger", "send.json", ...secret),
      make("ledger", "accept.json", ...secret),
      make("ledger", "transactions.json", ...secret),
      make("peer", "peer.jwe", ...secret),
      make("data", "data.key"),
      make("wallet", "wallet.secret"),
    ]);
    const key = (name: string) => ({ keystore: `${name}.json`, passwordFile: "password" });
    const { rpcUrl, addressesFile } = running.network;
    const file = join(cwd, "relay.yaml");
    // JSON is YAML, too.
    const relay = {
      partner: 4,
      api: { host: "127.0.0.1" },
      ledger: { rpcUrls: [rpcUrl], addresses: addressesFile, fromBlock: 1 },
      keys: { send: key("send"), accept: key("accept"), transactions: key("transactions") },
      peer: { keys: "peer.jwe", passwordFile: "password" },
      dataKey: { file: "data.key" },
      wallet: { url: running.wallet("GCash").wallet, secretFile: "wallet.secret" },
    };
    await writeFile(file, JSON.stringify(relay));
    return file;
  }
});

async function json(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}
