import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { z } from "zod/v4";
import { createClient, newUetr } from "../../sdk/index.ts";
import type { NetworkProcess } from "../support/network-process.ts";
import { mustRun, outsideEnv, runOutside } from "../support/outside.ts";
import { until } from "../support/until.ts";
import { unpack } from "./support/unpack.ts";

/** Whose relay the network leaves to the release before. */
export const PREVIOUS_RELEASE_PARTNER = 1;

const PINNED = outsideEnv(dirname(process.execPath));
/** What makes a ledger another one: its contracts, as clients know them. */
const CONTRACTS = "src/ledger/compiled";

/** @param network one that is up while the tests run, without a relay of `PREVIOUS_RELEASE_PARTNER` */
export function describeVersions(network: () => NetworkProcess): void {
  describe("The release before and this one", () => {
    let folder: string;
    let relayFolder: string;
    let previous: string;
    let apiKey: string;
    let running: { readonly relay: ChildProcess; readonly ended: Promise<unknown> } | undefined;

    before(async function () {
      const commit = await previousRelease();
      const why = await whyNot(commit);
      if (why !== undefined) {
        process.stderr.write(`NOT TRIED: this version with the release before (${commit}): ${why}\n`);
        return this.skip();
      }
      folder = await mkdtemp(join(tmpdir(), "feiqian-versions-"));
      previous = join(await build(commit), "bin/feiqian.js");
      apiKey = await setUp();
    });
    after(async () => {
      await stop();
      if ((folder as string | undefined) !== undefined) await rm(folder, { recursive: true });
    });

    it("pay each other: a relay of each, on one ledger", async () => {
      await start(previous);
      const [old, ours] = [partner(PREVIOUS_RELEASE_PARTNER), network().wallet("GCash")];
      // This version's client at the old relay.
      const uetr = newUetr();
      const client = createClient({ url: old.relay, key: apiKey });
      await client.submit({
        uetr,
        target: ours.partner,
        amount: { send: { currency: "CNY", minor: "10000" } },
        debtor: { name: "Li Wei", alias: { type: "MSISDN", value: phoneOf(old) } },
        creditor: { alias: { type: "MSISDN", value: phoneOf(ours) } },
        purpose: "FAMI",
      });
      await until(async () => (await client.transfer(uetr)).status === "credited");
      // The old version's command at this one's relay.
      const args = ["send", String(old.partner), "--send", "150.00HKD", "--watch"];
      const payer = network().wallet("AlipayHK");
      const people = ["--from", phoneOf(payer), "--from-name", "Chan Tai Man", "--to", phoneOf(old)];
      const env = { ...PINNED, FEIQIAN_URL: payer.relay, FEIQIAN_API_KEY: payer.apiKey };
      const sent = await runOutside(previous, [...args, ...people], { cwd: folder, env });
      expect(sent.out).to.match(/ {2}credited\b/);
      expect(sent.code).to.equal(0);
      await stop();
    });

    it("follow each other on one database: this version knows what the release before has done, and goes on", async () => {
      await start("bin/feiqian.js");
      const old = partner(PREVIOUS_RELEASE_PARTNER);
      const client = createClient({ url: old.relay, key: apiKey });
      const told = await client
        .events({ after: "0", types: ["transfer.credited"] })
        [Symbol.asyncIterator]()
        .next();
      expect(told.value).to.deep.include({ type: "transfer.credited" });
      const env = { ...PINNED, FEIQIAN_URL: old.relay, FEIQIAN_API_KEY: apiKey };
      expect((await runOutside("bin/feiqian.js", ["reconcile"], { cwd: process.cwd(), env })).out).to.contain(
        "No differences",
      );
    });

    /** Makes the release's file from the commit, and installs it as the operator's manual has it. */
    async function build(commit: string): Promise<string> {
      const checkout = join(folder, "checkout");
      const run = async (program: string, ...args: readonly string[]) =>
        mustRun(program, args, { cwd: checkout, env: PINNED });
      await mustRun("git", ["clone", "--quiet", `file://${process.cwd()}`, checkout], { cwd: folder, env: PINNED });
      await run("git", "checkout", "--quiet", "--detach", commit);
      // What it is built with; what it is run with, its own lockfile says.
      await run("cp", "-al", join(process.cwd(), "node_modules"), ".");
      await run("npm", "run", "--silent", "pack");
      const packed = await readdir(join(checkout, "dist"));
      const tarball = packed.find((name) => /^feiqian-\d.*\.tgz$/.test(name)) ?? "";
      return unpack(join(checkout, "dist", tarball), join(folder, "unpacked"));
    }

    /** A relay of the release before for the partner, with keys of its own; returns the first API key. */
    async function setUp(): Promise<string> {
      relayFolder = join(folder, "relay");
      await mkdir(relayFolder);
      await cp(join(network().folder, `partner-${PREVIOUS_RELEASE_PARTNER}`), relayFolder, { recursive: true });
      await writeFile(join(relayFolder, "password"), "correct horse battery staple\n", { mode: 0o600 });
      const run = async (...args: readonly string[]) => mustRun(previous, args, { cwd: relayFolder, env: PINNED });
      const secret = ["--password-file", "password"];
      for (const name of ["send", "accept", "transactions"]) {
        await run("keys", "new", "ledger", `${name}.json`, ...secret);
      }
      await run("keys", "new", "peer", "peer.jwe", ...secret);
      await run("keys", "new", "data", "data.key");
      const key = (name: string) => ({ keystore: `${name}.json`, passwordFile: "password" });
      const { rpcUrl, addressesFile } = network().network;
      const { relay, wallet } = partner(PREVIOUS_RELEASE_PARTNER);
      // JSON is YAML, too.
      const config = {
        partner: PREVIOUS_RELEASE_PARTNER,
        api: { port: Number.parseInt(new URL(relay).port, 10), publicUrl: relay },
        ledger: { rpcUrls: [rpcUrl], addresses: addressesFile, fromBlock: 1 },
        keys: { send: key("send"), accept: key("accept"), transactions: key("transactions") },
        peer: { keys: "peer.jwe", passwordFile: "password" },
        dataKey: { file: "data.key" },
        wallet: { url: wallet, secretFile: "wallet.secret" },
        registry: { trustedNetworks: ["127.0.0.0/8"] },
      };
      await writeFile(join(relayFolder, "relay.yaml"), JSON.stringify(config));
      const of = ["--config", "relay.yaml"];
      await run("relay", "register", ...of, "--admin", "admin.json", "--admin-password-file", "admin.password");
      const made = await run("keys", "create", ...of, "--scope", "read,submit,operate", "--json");
      return z.object({ key: z.string() }).parse(JSON.parse(made)).key;
    }

    async function start(program: string): Promise<void> {
      const args = ["relay", "start", "--config", join(relayFolder, "relay.yaml")];
      const relay = spawn(program, args, { env: PINNED, stdio: ["ignore", "ignore", "inherit"] });
      running = { relay, ended: once(relay, "exit") };
      await until(async () => {
        if (relay.exitCode !== null) throw new Error(`the relay ended with ${relay.exitCode}`);
        const { relay: url } = partner(PREVIOUS_RELEASE_PARTNER);
        return (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200;
      });
    }

    async function stop(): Promise<void> {
      running?.relay.kill("SIGTERM");
      await running?.ended;
      running = undefined;
    }

    function partner(id: number) {
      const found = network().network.wallets.find((wallet) => wallet.partner === id);
      if (found === undefined) throw new Error(`the network has no partner ${id}`);
      return found;
    }
  });
}

function phoneOf({ customers }: { readonly customers: readonly { readonly phone: string }[] }): string {
  return customers[0]?.phone ?? "";
}

async function previousRelease(): Promise<string> {
  const project = z.object({ previousRelease: z.string().regex(/^[0-9a-f]{40}$/) });
  return project.parse(JSON.parse(await readFile("package.json", "utf8"))).previousRelease;
}

/** Why the two cannot meet here; undefined where they can. */
async function whyNot(commit: string): Promise<string | undefined> {
  const git = async (...args: readonly string[]) => runOutside("git", args, { cwd: process.cwd(), env: PINNED });
  if ((await git("cat-file", "-e", `${commit}^{commit}`)).code !== 0) return "its commit is not in this clone";
  const { code } = await git("diff", "--quiet", commit, "HEAD", "--", CONTRACTS);
  return code === 0 ? undefined : "it speaks to another ledger: the contracts have changed since";
}
