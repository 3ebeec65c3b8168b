// Speed on this machine. See docs/performance.md.
import { parseArgs } from "node:util";
import { InvalidInput } from "../src/domain/errors.ts";
import { benchLedger, describeLedger } from "./bench/ledger.ts";
import { benchRelay, describeRelay } from "./bench/relay.ts";
import { benchValidators, describeValidators } from "./bench/validators.ts";
import { runScript } from "./lib/script.ts";

const USAGE = `Measures speed, on this machine.

  npm run bench -- [options]

  --only PART    ledger: batches by their size, without relays
                 relay: transfers over HTTP through two relays, wallets and databases to the customers' credit
                 validators: the same, on a ledger of four validators; not measured unless it is asked for
  --rounds N     ledger: batches of each size that are measured (default 9)
  --seconds N    relay, validators: how long each load lasts (default 20)
  --database URL relay: a PostgreSQL for the relays, in schemas that are gone afterwards; embedded ones unless given
  --hour-at N    relay: memory over an hour's worth of load at so many transfers a second (default 10)
  --json         one JSON object on the last line of stdout, and nothing else there
  --help
`;

const MOST = 1_000;
const PARTS = ["ledger", "relay", "validators"];

runScript(async () => {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      rounds: { type: "string", default: "9" },
      seconds: { type: "string", default: "20" },
      database: { type: "string" },
      "hour-at": { type: "string", default: "10" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const parts = values.only === undefined ? ["ledger", "relay"] : PARTS.filter((part) => part === values.only);
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
  const validators = parts.includes("validators") ? await benchValidators(load.seconds) : undefined;
  if (validators !== undefined) out.write(`${describeValidators(validators)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify({ rounds, ledger, relay, validators })}\n`);
  return 0;
});

function readCount(text: string, option: string): number {
  const count = /^[1-9]\d{0,3}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (count < 1 || count > MOST) throw new InvalidInput(option, `an integer from 1 to ${MOST}`, text);
  return count;
}
