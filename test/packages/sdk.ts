import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { makeSdkPackage, type Package } from "../../scripts/pack/packages.ts";
import { writePackage } from "../../scripts/pack/write.ts";
import { createClient } from "../../sdk/index.ts";
import type { NetworkProcess } from "../support/network-process.ts";
import { versionHere, mustRun, outsideEnv } from "../support/outside.ts";

/** What a wallet's engineer has who takes types seriously: declarations of packages are checked, too. */
const STRICT = {
  target: "es2022",
  module: "nodenext",
  moduleResolution: "nodenext",
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  types: ["node"],
  outDir: "built",
};

const EVENTS = `
import { createClient, newUetr, RelayProblem, RelayUnreachable } from "@feiqian/sdk";

const { RELAY_URL = "", API_KEY = "" } = process.env;
const relay = createClient({ url: RELAY_URL, key: API_KEY });
for await (const { type } of relay.events({ after: "0", types: ["transfer.credited"] })) {
  console.log("event", type);
  break;
}
const nowhere = createClient({ url: "http://127.0.0.1:1", key: API_KEY, retries: 0 });
for (const client of [relay, nowhere]) {
  try {
    const { status } = await client.ask("GET /v1/transfers/{uetr}", { path: { uetr: newUetr() } });
    console.log("status", status);
  } catch (failure) {
    if (failure instanceof RelayProblem) console.log("problem", failure.code, failure.transfer);
    if (failure instanceof RelayUnreachable) console.log("unreachable", failure.attempts);
  }
}
`;

/** This machine's own Node, which may be 20, and the project's. */
const HOST = outsideEnv();
const PINNED = outsideEnv(dirname(process.execPath));

/** @param network one that is up while the tests run */
export function describeSdkPackage(network: () => NetworkProcess): void {
  describe("@feiqian/sdk", () => {
    let folder: string;
    let made: Package;
    let stranger: string;
    let auditor: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "feiqian-sdk-"));
      made = await makeSdkPackage();
      const tarball = await writePackage(made, folder);
      [stranger, auditor] = await Promise.all([
        newProject("stranger", tarball, []),
        newProject("auditor", tarball, [`ethers@${await versionHere("ethers")}`]),
      ]);
    });
    after(async () => rm(folder, { recursive: true }));

    it("is the JavaScript and the declarations of what its entry points reach, and nothing else", () => {
      const paths = [...made.files.keys()];
      const others = paths.filter((path) => !/^(sdk|src)\/.+(\.js|\.d\.ts)$/.test(path)).sort();
      expect(others).to.deep.equal(["LICENSE", "README.md", "package.json"]);
      // Nothing of a relay's, and no contract's code.
      const folders = new Set(paths.map((path) => path.split("/").slice(0, -1).join("/")));
      expect([...folders].filter((each) => /src\/(app|cli|features)/.test(each))).to.deep.equal([]);
      expect(paths).to.not.include("src/ledger/compiled/codes.js");
    });

    it("type-checks in a strict project of somebody else, and sends its README's first transfer", async () => {
      await compile(stranger, "first-transfer.ts");
      await expectFirstTransfer(HOST);
    });

    it("follows events, and tells problems apart, on this machine's Node", async () => {
      await writeFile(join(stranger, "events.ts"), EVENTS);
      await mustRun("node_modules/.bin/tsc", [], { cwd: stranger, env: HOST });
      const { relay: url, apiKey } = network().wallet("AlipayHK");
      const given = { RELAY_URL: url, API_KEY: apiKey };
      const told = await mustRun("node", ["built/events.js"], { cwd: stranger, env: { ...HOST, ...given } });
      expect(told.trimEnd().split("\n")).to.deep.equal([
        "event transfer.credited",
        "problem not-found unknown",
        "unreachable 1",
      ]);
    });

    it("sends it on the Node that relays run on as well", async () => {
      await expectFirstTransfer(PINNED);
    });

    it("brings nothing that knows a chain, unless receipts are verified", async () => {
      expect(await exists(join(stranger, "node_modules/ethers"))).to.equal(false);
      await compile(auditor, "receipt.ts");
      const { relay: url, apiKey: key } = network().wallet("AlipayHK");
      const relay = createClient({ url, key });
      const [credited] = (await relay.eventsPage({ types: ["transfer.credited"] })).events;
      await writeFile(join(auditor, "receipt.json"), JSON.stringify(await relay.receipt(credited?.uetr ?? "")));
      const addresses = JSON.parse(await readFile(network().network.addressesFile, "utf8")) as Record<string, string>;
      const asked = { RPC_URL: network().network.rpcUrl, RECEIPT: "receipt.json" };
      const verify = (registry = "") =>
        mustRun("node", ["built/receipt.js"], { cwd: auditor, env: { ...HOST, ...asked, REGISTRY: registry } });
      expect(await verify(addresses["transferRegistry"])).to.match(/^verified settled \d+\.\d{10}$/m);
      expect(await verify(addresses["treasury"])).to.match(/^refused the registry is /m);
    });

    it("exports what is meant to be used, and refuses to have anything else imported", async () => {
      expect(await exportsOf("@feiqian/sdk")).to.deep.equal([
        "InvalidInput",
        "InvalidSubmission",
        "NOT_THE_RELAY",
        "OutboxConflict",
        "PROBLEMS",
        "RelayProblem",
        "RelayUnreachable",
        "TRANSFER_FATES",
        "createClient",
        "formatPaymentCode",
        "newUetr",
        "openOutbox",
        "parseAlias",
        "parseName",
        "parsePaymentCode",
        "parseText",
        "verifyWebhook",
      ]);
      expect(await exportsOf("@feiqian/sdk/receipts")).to.deep.equal([
        "RECEIPT_CLAIMS",
        "checkReceipt",
        "parseReceipt",
        "verifyReceipt",
      ]);
      for (const path of ["sdk/client.js", "src/domain/money.js", "package.json"]) {
        expect(await exportsOf(`@feiqian/sdk/${path}`)).to.deep.equal(["ERR_PACKAGE_PATH_NOT_EXPORTED"]);
      }
    });

    /** An empty folder in which somebody installs the tarball, as its README says. */
    async function newProject(name: string, tarball: string, more: readonly string[]): Promise<string> {
      const cwd = await mkdtemp(join(folder, name));
      await writeFile(join(cwd, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
      await writeFile(join(cwd, "tsconfig.json"), JSON.stringify({ compilerOptions: STRICT, include: ["*.ts"] }));
      const tools = ["typescript", "@types/node"].map(async (tool) => `${tool}@${await versionHere(tool)}`);
      const packages = [tarball, ...more, ...(await Promise.all(tools))];
      await mustRun("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages], { cwd, env: HOST });
      return cwd;
    }

    /** Takes a program from the README, as it stands there, and compiles it. */
    async function compile(cwd: string, file: string): Promise<void> {
      const readme = made.files.get("README.md") ?? "";
      const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
      const code = blocks.find((block) => block.startsWith(`// ${file}\n`));
      await writeFile(join(cwd, file), code ?? "");
      await mustRun("node_modules/.bin/tsc", [], { cwd, env: HOST });
    }

    async function expectFirstTransfer(env: Readonly<Record<string, string>>): Promise<void> {
      const [us, them] = [network().wallet("AlipayHK"), network().wallet("GCash")];
      const people = { PAYER: us.customers[0]?.phone ?? "", PAYEE: them.customers[0]?.phone ?? "" };
      const given = { RELAY_URL: us.relay, API_KEY: us.apiKey, ...people };
      const told = await mustRun("node", ["built/first-transfer.js"], { cwd: stranger, env: { ...env, ...given } });
      const lines = told.trimEnd().split("\n");
      expect(lines.shift()).to.match(/^payee {5}\S\*+ \S\*+$/);
      expect(lines.shift()).to.match(/^price {5}150075 HKD cents, \d+ PHP centavos arrive$/);
      const events = ["transfer.held", "transfer.settled", "transfer.credited"].map((type) => `told      ${type}`);
      expect(lines.pop()).to.equal("ended     credited");
      // The outcome is told by this process, the events by the relay.
      expect(lines.filter((line) => line.startsWith("told"))).to.deep.equal(events);
      expect(lines).to.include("outcome   accepted").and.have.length(4);
    }

    /** The names that a program of the stranger's can import from somewhere, or why it cannot. */
    async function exportsOf(name: string): Promise<readonly string[]> {
      const code = `import(${JSON.stringify(name)}).then((all) => Object.keys(all), ({ code }) => [code]).then((names) => console.log(JSON.stringify(names)))`;
      const told = await mustRun("node", ["--input-type=module", "--eval", code], { cwd: auditor, env: HOST });
      return JSON.parse(told) as readonly string[]; // printed above
    }
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
