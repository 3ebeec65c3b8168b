// The network of ten, left running to play with. See docs/developer.md.
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { InvalidInput } from "../src/domain/errors.ts";
import { formatAddresses } from "../src/ledger/deployment/config-file.ts";
import { createLogger, LOG_LEVELS } from "../src/platform/logger.ts";
import { createRandom } from "../src/platform/random.ts";
import { renderTable } from "../src/platform/table.ts";
import { drawSecurely } from "../src/platform/secure-random.ts";
import { startNetwork, type RunningNetwork, type RunningPartner } from "../src/sandbox/network-up.ts";
import { playCustomers, playDeposits } from "../src/sandbox/play.ts";
import { loadRateBook } from "../src/sandbox/rates.ts";
import { deploySandbox } from "./lib/sandbox-ledger.ts";
import { runScript } from "./lib/script.ts";
import { stopSignal } from "./lib/stop-signal.ts";

const USAGE = `Starts the network of ten on this machine and leaves it up: a chain, two liquidity providers, ten wallets and
their relays. All of it is in this process and in memory: Ctrl-C ends it, and nothing is left.

  npm start -- [options]

  --folder DIR   where to write network.json (everything below, for programs) and addresses.json (default .feiqian)
  --any-ports    take whatever ports are free, instead of the usual ones
  --log LEVEL    what the relays log, to stderr: debug, info, warn, error, fatal or silent (default error)
  --help
`;

/** The usual ones: the chain where developers look for one, then the relays and wallets by their partner ids. */
const PORTS = { chain: 8_545, firstRelay: 8_481, firstWallet: 8_581, firstProvider: 8_681 };
const CUSTOMERS_SHOWN = 2;

runScript(async () => {
  const { values } = parseArgs({
    options: {
      folder: { type: "string", default: ".feiqian" },
      "any-ports": { type: "boolean", default: false },
      log: { type: "string", default: "error" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const level = LOG_LEVELS.find((known) => known === values.log);
  if (level === undefined) throw new InvalidInput("--log", `one of ${LOG_LEVELS.join(", ")}`, values.log);

  const told = stopSignal();
  const rates = (await loadRateBook()).on();
  process.stderr.write("Deploying the ledger on a chain in this process …\n");
  const { settings: _, ...ledger } = await deploySandbox();
  process.stderr.write("Funding the partners; starting ten relays …\n");
  const network = await startNetwork({
    ...ledger,
    holdersOf: playCustomers(rates, createRandom("feiqian")),
    deposits: playDeposits(rates),
    rates,
    seed: "feiqian",
    drawBytes: drawSecurely,
    log: createLogger({ level, destination: process.stderr }),
    ...(values["any-ports"] ? {} : { ports: PORTS }),
  });
  const folder = resolve(values.folder);
  try {
    await writeFiles(folder, network);
    show(network, values.folder);
    await told;
    process.stderr.write("Stopping …\n");
  } finally {
    await network.stop();
    await rm(join(folder, "network.json"), { force: true });
  }
  return 0;
});

async function writeFiles(folder: string, network: RunningNetwork): Promise<void> {
  const addressesFile = join(folder, "addresses.json");
  await mkdir(folder, { recursive: true });
  await writeFile(addressesFile, formatAddresses(network.sandbox.ledger.addresses));
  const wallets = [...network.partners.values()].map((partner) => ({
    partner: partner.wallet.id,
    name: partner.wallet.name,
    currency: partner.wallet.currency.code,
    relay: partner.relay.url,
    docs: `${partner.relay.url}/docs`,
    wallet: partner.server.url,
    apiKey: partner.apiKey,
    customers: customersOf(partner),
  }));
  const json = {
    rpcUrl: network.rpcUrls[0],
    chainId: network.sandbox.ledger.chain.chainId.toString(),
    addressesFile,
    wallets,
  };
  // Keys to an API that moves play money, but keys. And there at once, for programs that wait for it.
  const path = join(folder, "network.json");
  await writeFile(`${path}.new`, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function customersOf({ server }: RunningPartner): readonly { readonly name: string; readonly phone: string }[] {
  return [...server.books.accounts()].slice(0, CUSTOMERS_SHOWN).map(({ name, phone }) => ({ name, phone }));
}

function show({ rpcUrls, partners }: RunningNetwork, folder: string): void {
  const columns = [
    { title: "id", value: ({ wallet }: RunningPartner) => String(wallet.id), align: "right" as const },
    { title: "wallet", value: ({ wallet }: RunningPartner) => wallet.name },
    { title: "", value: ({ wallet }: RunningPartner) => wallet.currency.code },
    { title: "relay (documentation at /docs)", value: ({ relay }: RunningPartner) => relay.url },
    { title: "wallet's page", value: ({ server }: RunningPartner) => server.url },
    {
      title: "two of its customers",
      value: (partner: RunningPartner) =>
        customersOf(partner)
          .map(({ phone }) => phone)
          .join("  "),
    },
  ];
  const keys = [
    { title: "wallet", value: ({ wallet }: RunningPartner) => wallet.name },
    { title: "API key (read, submit, operate)", value: ({ apiKey }: RunningPartner) => apiKey },
  ];
  const rows = [...partners.values()];
  process.stdout.write(
    [
      renderTable(columns, rows),
      renderTable(keys, rows),
      `chain       ${rpcUrls.join("  ")}`,
      `addresses   ${join(folder, "addresses.json")}`,
      `all of it   ${join(folder, "network.json")}`,
      "Open a wallet's page to send money by hand. Ctrl-C stops everything.\n",
    ].join("\n\n"),
  );
}
