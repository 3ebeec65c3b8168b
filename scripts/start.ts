// The network of ten, left running to play with. See docs/developer.md.
import { parseArgs } from "node:util";
import { InvalidInput } from "../src/domain/errors.ts";
import { LOG_LEVELS } from "../src/kernel/telemetry/logger.ts";
import { PROVIDERS } from "../sandbox/network.ts";
import { portsTaken } from "../deploy/bft/ports.ts";
import { parseWallet, WALLETS } from "../sandbox/wallet/wallets.ts";
import { compileContracts } from "./lib/compile.ts";
import { runScript } from "./lib/script.ts";
import { stopSignal } from "./lib/stop-signal.ts";

const USAGE = `Starts the network of ten on this machine and leaves it up: a chain, two liquidity providers, ten wallets and
their relays. All of it is in this process and in memory: Ctrl-C ends it, and nothing is left.

  npm start -- [options]

  --folder DIR   where to write network.json (everything below, for programs) and addresses.json (default .feiqian)
  --any-ports    take whatever ports are free, instead of the usual ones
  --own-relay PARTNER
                 leave the relay of this partner, 1 to 10, to you: it is not started, and what you need for it is
                 written to partner-PARTNER in the folder (docs/relay-operator.md)
  --log LEVEL    what the relays log, to stderr: debug, info, warn, error, fatal or silent (default: warnings and
                 worse, to relays.log in the folder)
  --help
`;

/** The usual ones: the chain where developers look for one, then the relays and wallets by their partner ids. */
const PORTS = { chain: 8_545, firstRelay: 8_481, firstWallet: 8_581, clock: 8_680, firstProvider: 8_681 };

runScript(async () => {
  const { values } = parseArgs({
    options: {
      folder: { type: "string", default: ".feiqian" },
      "any-ports": { type: "boolean", default: false },
      "own-relay": { type: "string" },
      log: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const logLevel = LOG_LEVELS.find((known) => known === values.log);
  if (values.log !== undefined && logLevel === undefined) {
    throw new InvalidInput("--log", `one of ${LOG_LEVELS.join(", ")}`, values.log);
  }
  const own = values["own-relay"];
  const ownRelay = own === undefined ? undefined : parseWallet(own, "--own-relay").id;
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const ports = values["any-ports"] ? undefined : PORTS;
  if (ports !== undefined) await requireFreePorts();

  const told = stopSignal();
  await compileContracts(say);
  // It takes a while to load: by now it has been said what is going on.
  const { startOwnNetwork } = await import("./start/own-network.ts");
  const network = await startOwnNetwork({ folder: values.folder, ports, ownRelay, logLevel, say });
  await told;
  say("Stopping …");
  await network.stop();
  return 0;
});

/** @throws InvalidInput telling which ports are taken, and what to do */
async function requireFreePorts(): Promise<void> {
  const { chain, firstRelay, firstWallet, clock, firstProvider } = PORTS;
  const taken = await portsTaken([
    chain,
    clock,
    ...WALLETS.flatMap((_, index) => [firstRelay + index, firstWallet + index]),
    ...PROVIDERS.map((_, index) => firstProvider + index),
  ]);
  if (taken.length === 0) return;
  const which = taken.length === 1 ? `port ${taken.join()} is` : `ports ${taken.join(", ")} are`;
  throw new InvalidInput("ports", `${which} taken: stop what listens there, or take others with --any-ports`);
}
