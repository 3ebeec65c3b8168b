import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";

const ROOT = join(import.meta.dirname, "../..");

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the demo as `npm run demo -- …` does. */
async function demo(...args: readonly string[]): Promise<Run> {
  const script = spawn(process.execPath, ["scripts/demo.ts", ...args], { cwd: ROOT });
  const [stdout, stderr] = await Promise.all([text(script.stdout), text(script.stderr), once(script, "close")]);
  return { status: script.exitCode, stdout, stderr };
}

/** What the last line of `--json` has at least. */
interface Result {
  readonly transfers: number;
  readonly settled: number;
  readonly rejected: number;
  readonly expired: number;
  readonly failed: number;
  readonly unaccounted: number;
  readonly batches: number;
  readonly gasPerTransfer: number;
  readonly gasPerTransferInBatchesOfOne: number | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly replays: number;
}

/** The JSON on the only line of stdout, with nothing unaccounted for. */
function resultOf({ status, stdout, stderr }: Run): Result {
  expect(status, stderr).to.equal(0);
  expect(stdout).to.match(/^\{.*\}\n$/);
  const result = JSON.parse(stdout) as Result; // checked member by member, as far as tests read them
  const { transfers, settled, rejected, expired, failed, unaccounted } = result;
  expect(settled + rejected + expired + failed).to.equal(transfers);
  expect(unaccounted).to.equal(0);
  return result;
}

describe("npm run demo", function () {
  // Ten relays start for each run.
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-demo-"));
  });

  after(() => rm(folder, { recursive: true }));

  const ordersFile = async (...lines: readonly string[]) => {
    const path = join(folder, "orders.csv");
    const header = "source,target,amount,currency,debtor_name,debtor_phone,creditor_name,creditor_phone";
    await writeFile(path, [header, ...lines].join("\n"));
    return path;
  };
  const order = (amount: string, source = "AlipayHK") =>
    `${source},GCash,${amount},HKD,Chan Tai Man,+85251234567,Maria Dela Cruz,+639051234567`;

  it("--json ends in one object, in which everything adds up", async () => {
    const run = await demo("--transfers", "40", "--json");
    const result = resultOf(run);
    expect(result.transfers).to.equal(40);
    expect(result.gasPerTransfer).to.be.within(30_000, 400_000);
    expect(result.gasPerTransferInBatchesOfOne).to.be.within(150_000, 400_000);
    expect(result.replays).to.equal(40);
    expect(result.p50Ms).to.be.greaterThan(0);
    expect(result.p99Ms).to.be.at.least(result.p50Ms);
    expect(result).to.include.keys("corridors", "rejections", "replays", "failed", "paidUsdCents", "worldBankUsdCents");
    // People see the rest, out of the way.
    expect(run.stderr).to.match(/settings checked on the ledger, all as configured/);
    expect(run.stderr).to.match(/40 of 40 transfers ended \(100 %\)/);
    expect(run.stderr).to.match(/^unaccounted +0$/m);
  });

  it("--input takes CSV, and reports on stdout", async () => {
    const { status, stdout, stderr } = await demo("--input", "examples/orders.csv");
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/^AlipayHK → GCash +1 +1,500\.00 HKD +1 /m);
    expect(stdout).to.match(/^Touch 'n Go → DANA +1 +620\.00 MYR +1 +0\.\d\d % +5\.39 % \(2020Q3\) +/m);
    expect(stdout).to.match(/^Easypaisa → bKash +1 +55,000\.00 PKR +0 +1 /m);
    expect(stdout).to.match(/^transfers +10 in 9 batches/m);
    // Before it was in a batch that somebody had signed.
    expect(stdout).to.match(/^failed +1 \(1 AC03\), refunded$/m);
    // Ten currencies, and a difference of nothing in each.
    expect(stdout.match(/^[A-Z]{3} .* 0(?:\.00)?(?: [A-Z]{3})?$/gm)).to.have.length(10);
    expect(stderr).to.equal("");
  });

  it("--input takes NDJSON, and names every bad line; the good ones go through, one to a batch if so wanted", async () => {
    const lines = (await readFile("examples/orders.ndjson", "utf8")).trimEnd().split("\n");
    const [first = ""] = lines;
    const bad = (field: string, value: string) => JSON.stringify({ ...(JSON.parse(first) as object), [field]: value });
    const path = join(folder, "orders.ndjson");
    await writeFile(path, [first, bad("amount", "1.234"), bad("source", "Nobody"), ...lines.slice(1)].join("\n"));
    const settings = ["--batch-size", "1", "--seed", "again", "--date", "2025-03-14"];
    const run = await demo("--input", path, "--json", ...settings);
    expect(run.stderr).to.match(/^ +line 2: amount: at most 2 decimals for HKD \(CH20\)$/m);
    expect(run.stderr).to.match(/^ +line 3: source: .* \(RC03\)$/m);
    expect(run.stderr).to.contain("2 orders refused; the others go through");
    const { gasPerTransfer, gasPerTransferInBatchesOfOne, ...result } = resultOf(run);
    expect(result).to.include({ transfers: 10, settled: 9, failed: 1, batches: 9 });
    expect(gasPerTransferInBatchesOfOne).to.equal(gasPerTransfer);
  });

  it("--help tells every option", async () => {
    const { status, stdout } = await demo("--help");
    expect(status).to.equal(0);
    for (const option of ["transfers", "date", "seed", "batch-size", "network", "rpc", "input", "log", "json"]) {
      expect(stdout).to.contain(`--${option}`);
    }
  });

  describe("says what is wrong, and stops before it begins, with", () => {
    const wrong: Readonly<Record<string, readonly [args: readonly string[], message: RegExp]>> = {
      "no transfers": [["--transfers", "0"], /^--transfers: an integer from 1 to 1000000 \(given "0"\)$/m],
      "an exponent": [["--transfers", "1e3"], /^--transfers: an integer from 1 to 1000000 \(given "1e3"\)$/m],
      "a negative number": [["--transfers=-1"], /^--transfers: an integer from 1 to 1000000 \(given "-1"\)$/m],
      "a number that looks like an option": [["--transfers", "-1"], /--transfers/],
      "too many transfers": [["--transfers", "1000001"], /^--transfers: an integer from 1 to 1000000/m],
      "batches of nothing": [["--batch-size", "0"], /^--batch-size: an integer from 1 to 10000 \(given "0"\)$/m],
      "a log level that there is not": [["--log", "all"], /^--log: one of debug, info, .* \(given "all"\)$/m],
      "an unknown option": [["--fast"], /Unknown option '--fast'/],
      "an argument that is no option": [["fast"], /Unexpected argument 'fast'/],
      "a date without rates": [["--date", "2024-06-20"], /^date: .*the nearest are 2024-\d\d-\d\d and 2024-\d\d-\d\d/m],
      "a date of before all rates": [["--date", "2001-01-01"], /^date: .*the nearest is 2024-\d\d-\d\d/m],
      "no date": [["--date", "2025-02-30"], /^date: a calendar date, YYYY-MM-DD/m],
      "a file that is not there": [["--input", "nowhere.csv"], /nowhere\.csv/],
      "a network that there is not": [["--network", "moon"], /^--network: a network of hardhat.config.ts: .*bft/m],
      "a network whose nodes are not up": [
        ["--network", "bft", "--rpc", "http://127.0.0.1:9"],
        /^--network: bft: no node answers at http:\/\/127\.0\.0\.1:9: start it .* `npm run network:bft`$/m,
      ],
    };
    const runs = new Map<string, Run>();

    before(async () => {
      const waiting = Object.entries(wrong);
      const work = async () => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
          const [what, [args]] = next;
          runs.set(what, await demo(...args));
        }
      };
      // Each takes as long as its modules take to load.
      await Promise.all([work(), work(), work()]);
    });

    for (const [what, [, message]] of Object.entries(wrong)) {
      it(what, () => {
        const { status, stdout, stderr } = runs.get(what) ?? { status: null, stdout: "", stderr: "" };
        expect(stderr).to.match(message);
        expect(stderr).to.match(/^See .*--help$/m);
        expect(stderr).not.to.contain("    at ");
        expect([status, stdout]).to.deep.equal([2, ""]);
      });
    }

    it("one object for programs, with --json", async () => {
      const { status, stdout, stderr } = await demo("--transfers", "0", "--json");
      expect([status, stdout]).to.deep.equal([2, ""]);
      const message = '--transfers: an integer from 1 to 1000000 (given "0")';
      const error = { exit: "USAGE", exitCode: 2, message, field: "--transfers", rule: "an integer from 1 to 1000000" };
      expect(JSON.parse(stderr)).to.deep.equal({ error });
    });

    it("a file of bad lines only", async () => {
      const path = await ordersFile(order("0"), order("5", "Nobody"));
      const { status, stdout, stderr } = await demo("--input", path);
      expect(status).to.equal(2);
      expect(stdout).to.match(/^ +line 2: amount: .* \(AM01\)$/m);
      expect(stdout).to.match(/^ +line 3: source: .* \(RC03\)$/m);
      expect(stderr).to.match(/^input: at least one order that can be sent$/m);
    });
  });
});
