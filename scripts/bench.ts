// Speed on this machine. See docs/performance.md.
import { parseArgs } from "node:util";
import { MAX_PAYLOAD_TRANSFERS } from "../src/domain/payload.ts";
import { InvalidInput } from "../src/domain/errors.ts";
import { benchLedger, describeLedger } from "./bench/ledger.ts";
import { benchPath, describePath } from "./bench/path.ts";
import { benchRelay, describeRelay } from "./bench/relay.ts";
import { benchValidators, describeValidators } from "./bench/validators.ts";
import { runScript } from "./lib/script.ts";

const USAGE = `Measures speed, on this machine.

  npm run bench -- [options]

  --only PART    ledger: batches by their size, without relays
                 relay: transfers over HTTP through two relays, wallets and databases to the customers' credit
                 path: what a transfer costs, with relays and wallet as processes of their own; where --database is given
                 validators: transfers through relays, on a ledger of four validators; not measured unless it is asked for
  --rounds N     ledger: batches of each size that are measured (default 9)
  --seconds N    relay, validators: how long each load lasts (default 20)
  --database URL relay, path: a PostgreSQL for the relays, in schemas or databases that are gone afterwards; relay
                 takes embedded ones unless it is given
  --transfers N  path: how many (default 100000)
  --batch N      path: the most transfers in a batch (default 10000)
  --connections N path: sends each transfer alone, over so many connections, instead of as lines of streams
  --profiles DIR path: writes processor profiles of both relays there
  --hour-at N    relay: memory over an hour's worth of load at so many transfers a second (default 10)
  --json         one JSON object on the last line of stdout, and nothing else there
  --help
`;

const MOST = 1_000;
const MOST_TRANSFERS = 10_000_000;
const PARTS = ["ledger", "relay", "path", "validators"];

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
      profiles: { type: "string" },
      "hour-at": { type: "string", default: "10" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const usual = values.database === undefined ? ["ledger", "relay"] : ["ledger", "relay", "path"];
  const parts = values.only === undefined ? usual : PARTS.filter((part) => part === values.only);
  if (parts.length === 0) throw new InvalidInput("--only", `one of ${PARTS.join(", ")}`, values.only);
  const rounds = readCount(values.rounds, "--rounds");
  const load = {
    seconds: readCount(values.seconds, "--seconds"),
    hourAt: readCount(values["hour-at"], "--hour-at"),
    databaseUrl: values.database,
  };
  const out = values.json ? process.stderr : process.stdout;

  const ledger = parts.includes("ledger") ? await benchLedger(rounds) : undefined;
  if (ledger !== undefined) {
    out.write(`${describeLedger(ledger)}\nmedians of ${rounds} batches, one after the other, one process\n\n`);
  }
  const relay = parts.includes("relay") ? await benchRelay(load) : undefined;
  if (relay !== undefined) out.write(`${describeRelay(relay)}\n`);
  const path = parts.includes("path")
    ? await benchPath({
        databaseUrl: values.database ?? needed("--database", "path has relays as processes of their own"),
        transfers: readCount(values.transfers, "--transfers", MOST_TRANSFERS),
        batchTransfers: readCount(values.batch, "--batch", MAX_PAYLOAD_TRANSFERS),
        connections: values.connections === undefined ? undefined : readCount(values.connections, "--connections"),
        profiles: values.profiles,
      })
    : undefined;
  if (path !== undefined) out.write(`${describePath(path)}\n`);
  const validators = parts.includes("validators") ? await benchValidators(load.seconds) : undefined;
  if (validators !== undefined) out.write(`${describeValidators(validators)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify({ rounds, ledger, relay, path, validators })}\n`);
  return 0;
});

function readCount(text: string, option: string, most = MOST): number {
  const count = /^[1-9]\d{0,7}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (count < 1 || count > most) throw new InvalidInput(option, `an integer from 1 to ${most}`, text);
  return count;
}

function needed(option: string, why: string): never {
  throw new InvalidInput(option, `the URL of a PostgreSQL: ${why}`);
}
