// Speed on this machine. See docs/performance.md.
import { parseArgs } from "node:util";
import { MAX_PAYLOAD_TRANSFERS } from "../src/domain/payload.ts";
import { InvalidInput } from "../src/domain/errors.ts";
import { benchLedger, describeLedger } from "./bench/ledger.ts";
import { benchPath } from "./bench/path.ts";
import { benchRelay, describeRelay } from "./bench/relay.ts";
import { describePath } from "./bench/report.ts";
import { benchValidators, describeValidators } from "./bench/validators.ts";
import { runScript } from "./lib/script.ts";
import { startPostgres } from "../test/integration/support/postgres.ts";

const USAGE = `Measures speed, on this machine.

  npm run bench -- [options]

  --only PART    ledger: batches by their size, without relays
                 relay: transfers over HTTP through two relays, wallets and databases to the customers' credit
                 path: what a transfer costs, with relays and wallet as processes of their own, and the floor of that
                 validators: transfers through relays, on a ledger of four validators; not measured unless it is asked for
  --rounds N     ledger: batches of each size that are measured (default 9)
  --seconds N    relay, validators: how long each load lasts (default 20)
  --database URL path, relay: a PostgreSQL for the relays, in databases or schemas that are gone afterwards. Where it is
                 left out path starts one of this machine's, and relay takes embedded databases
  --transfers N  path: how many (default 100000); the peak that is meant to take a minute is 2850000
  --batch N      path: the most transfers in a batch (default 10000)
  --connections N path: sends each transfer alone, over so many connections, instead of as lines of streams
  --compare      path: has some of the load done one by one as well, for what batches are worth
  --profiles DIR path: writes processor profiles of both relays there
  --two-steps    relay, validators: with oneStep.enabled off
  --hour-at N    relay: memory over an hour's worth of load at so many transfers a second (default 10)
  --json         one JSON object on the last line of stdout, and nothing else there
  --help
`;

const MOST = 1_000;
const MOST_TRANSFERS = 10_000_000;
const PARTS = ["ledger", "relay", "path", "validators"];
const USUAL = ["ledger", "relay", "path"];

runScript(async () => {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      rounds: { type: "string", default: "9" },
      seconds: { type: "string", default: "20" },
      database: { type: "string" },
      transfers: { type: "string", default: "100000" },
      batch: { type: "string", default: String(MAX_PAYLOAD_TRANSFERS) },
      connections: { type: "string" },
      compare: { type: "boolean", default: false },
      profiles: { type: "string" },
      "two-steps": { type: "boolean", default: false },
      "hour-at": { type: "string", default: "10" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const parts = values.only === undefined ? USUAL : PARTS.filter((part) => part === values.only);
  if (parts.length === 0) throw new InvalidInput("--only", `one of ${PARTS.join(", ")}`, values.only);
  if (values.compare && !parts.includes("path")) throw new InvalidInput("--compare", "with path only", values.only);
  const rounds = readCount(values.rounds, "--rounds");
  const load = {
    seconds: readCount(values.seconds, "--seconds"),
    hourAt: readCount(values["hour-at"], "--hour-at"),
    databaseUrl: values.database,
    isOneStep: !values["two-steps"],
  };
  const pathLoad = {
    transfers: readCount(values.transfers, "--transfers", MOST_TRANSFERS),
    batchTransfers: readCount(values.batch, "--batch", MAX_PAYLOAD_TRANSFERS),
    connections: values.connections === undefined ? undefined : readCount(values.connections, "--connections"),
    compare: values.compare,
    profiles: values.profiles,
  };
  const out = values.json ? process.stderr : process.stdout;

  // Before anything is measured: it may not be there.
  const postgres = parts.includes("path") ? await openPostgres(values.database) : undefined;
  try {
    const ledger = parts.includes("ledger") ? await benchLedger(rounds) : undefined;
    if (ledger !== undefined) {
      out.write(`${describeLedger(ledger)}\nmedians of ${rounds} batches, one after the other, one process\n\n`);
    }
    const relay = parts.includes("relay") ? await benchRelay(load) : undefined;
    if (relay !== undefined) out.write(`${describeRelay(relay)}\n\n`);
    const path = postgres && (await benchPath({ databaseUrl: postgres.url, ...pathLoad }));
    if (path !== undefined) out.write(`${describePath(path)}\n`);
    const validators = parts.includes("validators") ? await benchValidators(load) : undefined;
    if (validators !== undefined) out.write(`${describeValidators(validators)}\n`);
    if (values.json) process.stdout.write(`${JSON.stringify({ rounds, ledger, relay, path, validators })}\n`);
  } finally {
    await postgres?.stop();
  }
  return 0;
});

/** The one that is given, or one of this machine's own. */
async function openPostgres(given: string | undefined): Promise<{ readonly url: string; stop(): Promise<void> }> {
  if (given !== undefined) return { url: given, stop: () => Promise.resolve() };
  const own = await startPostgres({ durable: true });
  if (own !== undefined) return own;
  throw new InvalidInput("--database", "the URL of a PostgreSQL for path: this machine has none to start");
}

function readCount(text: string, option: string, most = MOST): number {
  const count = /^[1-9]\d{0,7}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (count < 1 || count > most) throw new InvalidInput(option, `an integer from 1 to ${most}`, text);
  return count;
}
