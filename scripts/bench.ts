// Speed on this machine, as medians. See docs/performance.md.
import { parseArgs } from "node:util";
import { InvalidInput } from "../src/domain/errors.ts";
import { benchLedger, describeLedger } from "./bench/ledger.ts";
import { benchRelay, describeRelay } from "./bench/relay.ts";
import { runScript } from "./lib/script.ts";

const USAGE = `Measures speed, on chains and relays in this process.

  npm run bench -- [options]

  --only PART    ledger: batches by their size, without relays
                 relay: transfers over HTTP through two relays, wallets and databases to the customers' credit
  --rounds N     ledger: batches of each size that are measured (default 9)
  --seconds N    relay: how long each load lasts (default 20)
  --hour-at N    relay: memory over an hour's worth of load at so many transfers a second (default 10)
  --json         one JSON object on the last line of stdout, and nothing else there
  --help
`;

const MOST = 1_000;

runScript(async () => {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      rounds: { type: "string", default: "9" },
      seconds: { type: "string", default: "20" },
      "hour-at": { type: "string", default: "10" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { only } = values;
  if (only !== undefined && only !== "ledger" && only !== "relay") {
    throw new InvalidInput("--only", "ledger or relay", only);
  }
  const rounds = readCount(values.rounds, "--rounds");
  const load = { seconds: readCount(values.seconds, "--seconds"), hourAt: readCount(values["hour-at"], "--hour-at") };
  const out = values.json ? process.stderr : process.stdout;

  const ledger = only === "relay" ? undefined : await benchLedger(rounds);
  if (ledger !== undefined) {
    out.write(`${describeLedger(ledger)}\nmedians of ${rounds} batches, one after the other, one process\n\n`);
  }
  const relay = only === "ledger" ? undefined : await benchRelay(load);
  if (relay !== undefined) out.write(`${describeRelay(relay)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify({ rounds, ledger, relay })}\n`);
  return 0;
});

function readCount(text: string, option: string): number {
  const count = /^[1-9]\d{0,3}$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (count < 1 || count > MOST) throw new InvalidInput(option, `an integer from 1 to ${MOST}`, text);
  return count;
}
