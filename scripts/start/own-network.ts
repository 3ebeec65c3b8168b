import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { toHex } from "../../src/domain/bytes/hex.ts";
import type { PartnerId } from "../../src/domain/partner.ts";
import { createKeystore } from "../../src/ledger/keys/keystore.ts";
import { formatAddresses } from "../../src/ledger/deployment/config-file.ts";
import { createLogger, type LogLevel } from "../../src/kernel/telemetry/logger.ts";
import { createRandom } from "../../src/kernel/random.ts";
import { drawSecurely } from "../../src/kernel/secure-random.ts";
import { renderTable } from "../../src/kernel/table.ts";
import {
  startNetwork,
  type NetworkOptions,
  type NetworkPorts,
  type RunningNetwork,
  type RelaylessPartner,
  type RunningPartner,
} from "../../sandbox/network-up.ts";
import { startClockServer, type ClockServer } from "../../sandbox/clock-server.ts";
import { playCustomers, playDeposits } from "../../sandbox/day/play.ts";
import { loadRateBook } from "../../sandbox/provider/rates.ts";
import { showProgress } from "../lib/progress.ts";
import { deploySandbox } from "../lib/sandbox-ledger.ts";
import type { Say } from "../lib/script.ts";

const CUSTOMERS_SHOWN = 2;
const LOG_FILE = "relays.log";
/** Of the ledger's clock. The longest grace that there is: to advance by days takes a beat for each, and loses nothing. */
const LEDGER_CLOCK = { beatIntervalSeconds: 10, graceSeconds: 86_400 };

export interface OwnNetworkOptions {
  /** Where the files are written that tell of the network. */
  readonly folder: string;
  /** Any free ones where they are left out. */
  readonly ports: (NetworkPorts & { readonly clock: number }) | undefined;
  /** The partner whose relay the reader starts; what it needs is written to a folder in the folder. */
  readonly ownRelay: PartnerId | undefined;
  /** For stderr; where it is left out, warnings go to a file in the folder. */
  readonly logLevel: LogLevel | undefined;
  readonly say: Say;
}

/** Starts the network of ten on a chain in this process, and tells where everything is. */
export async function startOwnNetwork({
  folder: name,
  ports,
  ownRelay,
  logLevel,
  say,
}: OwnNetworkOptions): Promise<Pick<RunningNetwork, "stop">> {
  const folder = resolve(name);
  await mkdir(folder, { recursive: true });
  const logFile = join(folder, LOG_FILE);
  const rates = (await loadRateBook()).on();
  const { settings: _, ...ledger } = await showProgress("Deploying the ledger on a chain in this process …", say, () =>
    deploySandbox({ clock: LEDGER_CLOCK }),
  );
  const options: NetworkOptions = {
    ...ledger,
    holdersOf: playCustomers(rates, createRandom("feiqian")),
    deposits: playDeposits(rates),
    rates,
    seed: "feiqian",
    drawBytes: drawSecurely,
    log: createLogger(
      logLevel === undefined
        ? { level: "warn", destination: createWriteStream(logFile) }
        : { level: logLevel, destination: process.stderr },
    ),
    ...(ports === undefined ? {} : { ports }),
    ...(ownRelay === undefined ? {} : { ownRelay }),
  };
  const network = await showProgress("Funding the partners; starting the relays …", say, () => startNetwork(options));
  const stops = [() => network.stop(), () => rm(join(folder, "network.json"), { force: true })];
  const stop = async () => {
    for (const step of stops) await step();
  };
  try {
    const { clock, advance } = network;
    const server = await startClockServer({ clock, advance, ...(ports === undefined ? {} : { port: ports.clock }) });
    stops.unshift(() => server.stop());
    await writeFiles(folder, network, server);
    show(network, server, name);
    return { stop };
  } catch (failure) {
    await stop();
    throw failure;
  }
}

async function writeFiles(folder: string, network: RunningNetwork, { url }: ClockServer): Promise<void> {
  const addressesFile = join(folder, "addresses.json");
  await writeFile(addressesFile, formatAddresses(network.sandbox.ledger.addresses));
  const { relayless } = network;
  if (relayless !== undefined) await writeOwnRelay(folder, network, relayless);
  const wallets = everyPartner(network).map((partner) => ({
    partner: partner.wallet.id,
    name: partner.wallet.name,
    currency: partner.wallet.currency.code,
    relay: relayOf(partner),
    docs: `${relayOf(partner)}/docs`,
    wallet: partner.server.url,
    // Whoever starts the relay makes its API keys.
    ...("apiKey" in partner ? { apiKey: partner.apiKey } : {}),
    customers: customersOf(partner),
  }));
  const json = {
    rpcUrl: network.rpcUrls[0],
    chainId: network.sandbox.ledger.chain.chainId.toString(),
    addressesFile,
    sandbox: url,
    wallets,
  };
  // Keys to an API that moves play money, but keys. And there at once, for programs that wait for it.
  const path = join(folder, "network.json");
  await writeFile(`${path}.new`, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** What the partner's admin, the network and the wallet's engineers give to whoever runs the relay. */
async function writeOwnRelay(folder: string, { sandbox }: RunningNetwork, relayless: RelaylessPartner): Promise<void> {
  const { wallet, connectorSecret } = relayless;
  const own = folderOf(folder, relayless);
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { mode: 0o700 });
  const password = toHex(drawSecurely(16)).slice(2);
  const { privateKey } = sandbox.keys.walletOf({ kind: "admin", partner: wallet.id });
  await createKeystore(join(own, "admin.json"), password, drawSecurely, { privateKey });
  await writeFile(join(own, "admin.password"), `${password}\n`, { mode: 0o600 });
  await writeFile(join(own, "wallet.secret"), `${connectorSecret}\n`, { mode: 0o600 });
}

/** In the order of their numbers. */
function everyPartner({ partners, relayless }: RunningNetwork): readonly (RunningPartner | RelaylessPartner)[] {
  const all = [...partners.values(), ...(relayless === undefined ? [] : [relayless])];
  return all.sort((left, right) => left.wallet.id - right.wallet.id);
}

function relayOf(partner: RunningPartner | RelaylessPartner): string {
  return "relay" in partner ? partner.relay.url : partner.relayUrl;
}

function customersOf({
  server,
}: RunningPartner | RelaylessPartner): readonly { readonly name: string; readonly phone: string }[] {
  return [...server.books.accounts()].slice(0, CUSTOMERS_SHOWN).map(({ name, phone }) => ({ name, phone }));
}

function show(network: RunningNetwork, { url }: ClockServer, folder: string): void {
  const { rpcUrls, partners, relayless } = network;
  type Shown = RunningPartner | RelaylessPartner;
  const columns = [
    { title: "id", value: ({ wallet }: Shown) => String(wallet.id), align: "right" as const },
    { title: "wallet", value: ({ wallet }: Shown) => wallet.name },
    { title: "", value: ({ wallet }: Shown) => wallet.currency.code },
    { title: "relay (documentation at /docs)", value: relayOf },
    { title: "wallet's page", value: ({ server }: Shown) => server.url },
    {
      title: "two of its customers",
      value: (partner: Shown) =>
        customersOf(partner)
          .map(({ phone }) => phone)
          .join("  "),
    },
  ];
  const keys = [
    { title: "wallet", value: ({ wallet }: RunningPartner) => wallet.name },
    { title: "API key (read, submit, operate)", value: ({ apiKey }: RunningPartner) => apiKey },
  ];
  const own =
    relayless === undefined
      ? []
      : [`your relay  ${relayless.relayUrl}: not started; what it needs is in ${folderOf(folder, relayless)}`];
  process.stdout.write(
    [
      renderTable(columns, everyPartner(network)),
      renderTable(keys, [...partners.values()]),
      ...own,
      `chain       ${rpcUrls.join("  ")}`,
      `clock       ${url}/clock`,
      `addresses   ${join(folder, "addresses.json")}`,
      `all of it   ${join(folder, "network.json")}`,
      `relays' log ${join(folder, LOG_FILE)}`,
      "Open a wallet's page to send money by hand. Ctrl-C stops everything.\n",
    ].join("\n\n"),
  );
}

function folderOf(folder: string, { wallet }: RelaylessPartner): string {
  return join(folder, `partner-${wallet.id}`);
}
