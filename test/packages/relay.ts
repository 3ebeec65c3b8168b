import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { z } from "zod/v4";
import { makeRelayPackage, type Package } from "../../scripts/pack/packages.ts";
import { writePackage } from "../../scripts/pack/write.ts";
import { freePort } from "../../deploy/bft/ports.ts";
import type { NetworkProcess } from "../support/network-process.ts";
import { until } from "../support/until.ts";
import { mustRun, outsideEnv, runOutside } from "../support/outside.ts";
import { QUIET, unpack } from "./support/unpack.ts";

const LEAST_MAJOR = 24;
/** This machine's own Node, and the one that relays run on. */
const HOST = outsideEnv();
const PINNED = outsideEnv(dirname(process.execPath));

const lockfileSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), dev: z.boolean().optional() })),
});

/** Asks for a payload to be read that is large enough for a thread, and is no payload. */
const LARGE_PAYLOAD = `
import { generateKeyPairSync } from "node:crypto";

const { createPayloadReader } = await import(process.argv[2]);
const envelope = { sender: 1, recipient: 2, type: "feiqian-payload+jwe", createdAt: 1, expiresAt: 2 };
const { privateKey: own } = generateKeyPairSync("x25519");
const reader = createPayloadReader();
// The thread alone keeps no process alive.
const alive = setInterval(() => {}, 1_000);
const { message } = await reader.read({ jwe: Buffer.alloc(2 ** 20, "a"), own, envelope, chain: {} }).catch((failure) => failure);
console.log(message);
clearInterval(alive);
await reader.close();
`;

/** @param network one that is up while the tests run */
export function describeRelayPackage(network: () => NetworkProcess): void {
  describe("feiqian", () => {
    let folder: string;
    let made: Package;
    /** Ways to install it, and the command that each gives. */
    let unpacked: string;
    let dependency: string;
    let checkout: string;
    let config: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "feiqian-relay-"));
      made = await makeRelayPackage();
      const tarball = await writePackage(made, folder);
      [unpacked, dependency, checkout] = await Promise.all([
        unpack(tarball, join(folder, "unpacked")),
        installAsDependency(tarball),
        installCheckout(),
      ]);
      config = await configure();
    });
    after(async () => rm(folder, { recursive: true }));

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

    it("brings the packages that the project is tested with, and no others: not in a checkout either", async () => {
      const tested = await lockedIn("package-lock.json");
      for (const install of [unpacked, checkout]) {
        const installed = await lockedIn(join(install, "node_modules/.package-lock.json"));
        expect([...installed.keys()]).to.include.members(["node_modules/ethers", "node_modules/pg"]);
        for (const [path, { version }] of installed) {
          expect(tested.get(path), path).to.deep.include({ version }).and.not.have.property("dev");
        }
      }
    });

    it("reads large payloads in a thread of its own", async () => {
      const program = join(folder, "large-payload.mjs");
      const reader = join(unpacked, "src/features/remittance/payloads/payload-reader.js");
      await writeFile(program, LARGE_PAYLOAD);
      const told = await mustRun("node", [program, reader], { cwd: folder, env: PINNED });
      expect(told).to.match(/^body: a JWE that this relay's key .*decrypts$/m);
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
      const port = await freePort();
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
      const [us, them] = [network().wallet("AlipayHK"), network().wallet("GCash")];
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
      await mustRun("npm", ["ci", "--omit=dev", "--omit=optional", ...QUIET], { cwd, env: HOST });
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
      const { rpcUrl, addressesFile } = network().network;
      const file = join(cwd, "relay.yaml");
      // JSON is YAML, too.
      const relay = {
        partner: 4,
        api: { host: "127.0.0.1" },
        ledger: { rpcUrls: [rpcUrl], addresses: addressesFile, fromBlock: 1 },
        keys: { send: key("send"), accept: key("accept"), transactions: key("transactions") },
        peer: { keys: "peer.jwe", passwordFile: "password" },
        dataKey: { file: "data.key" },
        wallet: { url: network().wallet("GCash").wallet, secretFile: "wallet.secret" },
      };
      await writeFile(file, JSON.stringify(relay));
      return file;
    }
  });
}

async function lockedIn(path: string) {
  return new Map(Object.entries(lockfileSchema.parse(JSON.parse(await readFile(path, "utf8"))).packages));
}
