// Four validators of a real BFT ledger on this machine, left running. See docs/developer.md.
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { HDNodeWallet, JsonRpcProvider, Mnemonic } from "ethers";
import { BftPackageMissing, startBftLedger, type BftLedger, type BftValidator } from "../deploy/bft/ledger.ts";
import { normalizeHex, type Hex } from "../src/domain/bytes/hex.ts";
import { InvalidInput } from "../src/domain/errors.ts";
import { formatAddresses } from "../src/ledger/deployment/config-file.ts";
import { renderTable } from "../src/kernel/table.ts";
import { sandboxKeys } from "../sandbox/network.ts";
import { deploySandbox } from "./lib/sandbox-ledger.ts";
import { runScript } from "./lib/script.ts";
import { stopSignal } from "./lib/stop-signal.ts";

const USAGE = `Starts four validators of a real BFT ledger on this machine, deploys the network of ten on it, and leaves it up: the
network \`bft\` of hardhat.config.ts. Ctrl-C ends it; the next start makes a new ledger.

  npm run network:bft -- [options]

  --port PORT      JSON-RPC of the first validator, the others' on every tenth port after it (default 8545; with another
                   one, tell Hardhat: FEIQIAN_BFT_RPC_URL)
  --folder DIR     where the validators keep their data and logs, and where to write bft.json (JSON-RPC addresses, chain,
                   deployer's key) and addresses.json (the contracts') (default .feiqian/bft)
  --permissioned   only the deployer may deploy contracts
  --no-deploy      deploys nothing
  --json           prints bft.json, in one line, when all is up, and no table
  --help

The validators' program is in an optional npm package. Exit status 3 where that is not installed.
`;

const PACKAGE_MISSING = 3;
/** The accounts of the network \`bft\` in hardhat.config.ts, the first of which deploys. Everybody knows their keys. */
const PHRASE = "test test test test test test test test test test test junk";
const HARDHAT_ACCOUNTS = 20;
/** Where hardhat.config.ts has the network. */
const DEFAULT_PORT = "8545";
const LAST_PORT = 65_535;

runScript(async () => {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: DEFAULT_PORT },
      folder: { type: "string", default: join(".feiqian", "bft") },
      permissioned: { type: "boolean", default: false },
      "no-deploy": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const port = parsePort(values.port);
  const folder = resolve(values.folder);
  const told = stopSignal();
  // Of a ledger that is no more.
  for (const file of ["bft.json", "addresses.json"]) await rm(join(folder, file), { force: true });
  const accounts = hardhatAccounts();
  const [deployer] = accounts;
  let ledger: BftLedger;
  try {
    ledger = await startBftLedger({
      folder,
      basePort: port,
      funded: [...accounts.map(addressOf), ...sandboxKeys().addresses()],
      ...(values.permissioned && deployer !== undefined ? { deployers: [addressOf(deployer)] } : {}),
      onProgress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (failure) {
    if (!(failure instanceof BftPackageMissing)) throw failure;
    process.stderr.write(`${failure.message}\n`);
    return PACKAGE_MISSING;
  }
  try {
    const addressesFile = values["no-deploy"] ? undefined : await deploy(ledger, folder);
    const description = {
      rpcUrls: ledger.rpcUrls,
      chainId: ledger.chainId.toString(),
      deployer: { address: deployer?.address, privateKey: deployer?.privateKey },
      ...(addressesFile === undefined ? {} : { addressesFile }),
    };
    await writeWhole(join(folder, "bft.json"), `${JSON.stringify(description, null, 2)}\n`);
    if (values.json) process.stdout.write(`${JSON.stringify(description)}\n`);
    else await show(ledger, folder, addressesFile);
    await told;
    process.stderr.write("Stopping …\n");
  } finally {
    await ledger.stop();
    await rm(join(folder, "bft.json"), { force: true });
  }
  return 0;
});

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (port < 1 || port + 30 > LAST_PORT) throw new InvalidInput("--port", `from 1 to ${LAST_PORT - 30}`, text);
  return port;
}

function hardhatAccounts(): readonly HDNodeWallet[] {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(PHRASE), "m/44'/60'/0'/0");
  return Array.from({ length: HARDHAT_ACCOUNTS }, (_, index) => root.deriveChild(index));
}

function addressOf({ address }: HDNodeWallet): Hex {
  return normalizeHex(address);
}

/** @returns the file that has the contracts' addresses */
async function deploy({ rpcUrls }: BftLedger, folder: string): Promise<string> {
  process.stderr.write("deploying the network of ten\n");
  const { addresses, settings } = await deploySandbox({ network: "bft", rpcUrls });
  process.stderr.write(`${settings} roles and settings checked on the ledger, all as configured\n`);
  const file = join(folder, "addresses.json");
  await writeWhole(file, formatAddresses(addresses));
  return file;
}

/** There at once, for programs that wait for it. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(resolve(path, ".."), { recursive: true });
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function show(ledger: BftLedger, folder: string, addressesFile: string | undefined): Promise<void> {
  const rows = await Promise.all(
    ledger.validators.map(async (validator) => ({ validator, ...(await read(validator)) })),
  );
  type Row = (typeof rows)[number];
  const columns = [
    { title: "validator", value: ({ validator }: Row) => validator.name },
    { title: "JSON-RPC", value: ({ validator }: Row) => validator.rpcUrl },
    { title: "block", value: ({ block }: Row) => block, align: "right" as const },
    { title: "peers", value: ({ peers }: Row) => peers, align: "right" as const },
  ];
  process.stdout.write(
    [
      renderTable(columns, rows),
      [
        `chain id    ${ledger.chainId}`,
        ...(addressesFile === undefined ? [] : [`addresses   ${addressesFile}`]),
        `all of it   ${join(folder, "bft.json")}`,
        `logs        ${join(folder, "validator-*", "node.log")}`,
      ].join("\n"),
      `${hint(ledger)} Ctrl-C stops everything.\n`,
    ].join("\n\n"),
  );
}

function hint({ rpcUrls: [url = ""] }: BftLedger): string {
  const known = "Hardhat knows it as the network bft";
  return url === `http://127.0.0.1:${DEFAULT_PORT}` ? `${known}.` : `${known} where FEIQIAN_BFT_RPC_URL is ${url}.`;
}

async function read({ rpcUrl }: BftValidator): Promise<{ readonly block: string; readonly peers: string }> {
  const provider = new JsonRpcProvider(rpcUrl);
  try {
    const block = await provider.getBlockNumber();
    return { block: `${block}`, peers: BigInt(String(await provider.send("net_peerCount", []))).toString() };
  } finally {
    provider.destroy();
  }
}
