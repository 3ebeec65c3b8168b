import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { makeSdkPackage, type Package } from "../../scripts/pack/packages.ts";
import { writePackage } from "../../scripts/pack/write.ts";
import { createClient } from "../../sdk/index.ts";
import { startNetworkProcess, type NetworkProcess } from "../support/network-process.ts";
import { versionHere, mustRun, outsideEnv } from "./support/outside.ts";

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

/** This machine's own Node, which may be 20, and the project's. */
const HOST = outsideEnv();
const PINNED = outsideEnv(dirname(process.execPath));

describe("The package @feiqian/sdk", () => {
  let folder: string;
  let running: NetworkProcess;
  let made: Package;
  let stranger: string;
  let auditor: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-sdk-"));
    const starting = startNetworkProcess();
    made = await makeSdkPackage();
    const tarball = await writePackage(made, folder);
    // One after the other: npm's many connections would take the ports that the network has chosen.
    running = await starting;
    [stranger, auditor] = await Promise.all([
      newProject("stranger", tarball, []),
      newProject("auditor", tarball, [`ethers@${await versionHere("ethers")}`]),
    ]);
  });
  after(async () => {
    await running.end();
    await rm(folder, { recursive: true });
  });

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

  it("sends it on the Node that relays run on as well", async () => {
    await expectFirstTransfer(PINNED);
  });

  it("brings nothing that knows a chain, unless receipts are verified", async () => {
    expect(await exists(join(stranger, "node_modules/ethers"))).to.equal(false);
    await compile(auditor, "receipt.ts");
    const { relay: url, apiKey: key } = running.wallet("AlipayHK");
    const relay = createClient({ url, key });
    const [credited] = (await relay.eventsPage({ types: ["transfer.credited"] })).events;
    await writeFile(join(auditor, "receipt.json"), JSON.stringify(await relay.receipt(credited?.uetr ?? "")));
    const addresses = JSON.parse(await readFile(running.network.addressesFile, "utf8")) as Record<string, string>;
    const asked = { RPC_URL: running.network.rpcUrl, RECEIPT: "receipt.json" };
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
      "newUetr",
      "openOutbox",
      "parseAlias",
      "parseName",
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
    const [us, them] = [running.wallet("AlipayHK"), running.wallet("GCash")];
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

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
