import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { allNodes, commandTree } from "../../../src/cli/tree.ts";
import { fakeRelay, parsed, run, SEND, UETR } from "./fixtures.ts";

const program = createProgram({
  ...{ out: { write: () => true }, err: { write: () => true }, environment: {}, fetch, clock: systemClock },
  ...{ drawBytes: (length: number) => new Uint8Array(length), interrupted: new AbortController().signal },
  ...{ onStop: () => undefined, user: "operator" },
});
const commands = allNodes(commandTree(program)).filter(({ subcommands }) => subcommands.length === 0);

describe("a command line that is wrong", () => {
  it("is told for every command with what that takes, and to machines as JSON", async () => {
    expect(commands.length).to.be.greaterThan(30);
    for (const { path } of commands) {
      const args = [...path.split(" ").slice(1), "--bogus"];
      const usage = `; usage: ${path} [options]`;
      const human = await run(args);
      expect([human.code, human.out], path).to.deep.equal([2, ""]);
      expect(human.err, path)
        .to.match(/^feiqian: [^\n]*\n$/)
        .and.contain(usage);
      const json = await run(["--json", ...args]);
      expect([json.code, json.out], path).to.deep.equal([2, ""]);
      expect(parsed(json.err)["error"], path)
        .to.include({ exit: "USAGE", exitCode: 2 })
        .and.property("message")
        .contains(usage);
    }
  });

  it("is told with what is missing where it is an argument, an option or its value", async () => {
    const told: Readonly<Record<string, readonly string[]>> = {
      "'partner': number of the partner that is paid; usage: feiqian quote [options] <partner>": ["--send", "10EUR"],
      "unknown option '--partner'; usage: feiqian quote [options] <partner>": ["--partner", "2", "--send", "10EUR"],
      "'--send <amount>' argument missing: what is exchanged": ["2", "--send"],
    };
    for (const [message, args] of Object.entries(told)) expect((await run(["quote", ...args])).err).to.contain(message);
    expect((await run(["receipt", "verify", "file"])).err).to.contain("'--rpc <url>' not specified");
  });

  it("is told where help is asked for on a command that there is not, with those that are called alike", async () => {
    for (const [args, told] of [
      [["help", "nope"], "unknown command 'nope'; usage: feiqian [options] [command], and --help tells more"],
      [["help", "relya"], "unknown command 'relya' (Did you mean relay?); usage: feiqian [options] [command]"],
      [["network", "help", "chek"], "unknown command 'chek' (Did you mean check?); usage: feiqian network [options]"],
    ] as const) {
      const { code, out, err } = await run(args);
      expect([code, out]).to.deep.equal([2, ""]);
      expect(err).to.contain(`feiqian: ${told}`);
    }
    expect((await run(["help", "relay"])).code).to.equal(0);
  });

  it("is told where the relay's address is none, and quotes no password", async () => {
    for (const url of ["nope", "ftp://relay.test", "http://u:hush@relay.test"]) {
      const { code, err } = await run(["--url", url, "liquidity"]);
      expect([code, err]).to.deep.equal([4, "feiqian: --url: an http or https URL without user or password\n"]);
    }
  });

  it("prints help that was asked for, and help alone where a command is missing", async () => {
    expect(await run(["relay", "--help", "--json"])).to.include({ code: 0, err: "" });
    const missing = await run(["relay"]);
    expect(missing.code).to.equal(2);
    expect(missing.err)
      .to.match(/^Usage: feiqian relay /)
      .and.not.contain("feiqian: ");
  });
});

const CONTRACTS = Object.fromEntries(
  ["accessManager", "partnerRegistry", "treasury", "corridorBook", "quoteBook", "transferRegistry"].map(
    (name, index) => [name, `0x${String(index + 1).padStart(40, "0")}`],
  ),
);

describe("a path that the system refuses", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-cli-"));
    await writeFile(join(folder, "password"), "open sesame\n", { mode: 0o600 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is the fault of the path and not of the program, and nothing was sent", async () => {
    const relay = fakeRelay(() => ({ body: {} }));
    const file = join(folder, "password");
    const password = ["--password-file", file];
    const wrong: Readonly<Record<string, readonly string[]>> = {
      "--outbox: a folder that can be written to": [...SEND, "--uetr", UETR, "--outbox", file],
      "--outbox: a folder that can be written": ["send", "--resume", "--outbox", join(file, "inner")],
      "file: a file that does not exist yet": ["keys", "new", "ledger", file, ...password],
      "file: a file that does not exist yet, in a folder that does": [
        "keys",
        "new",
        "peer",
        join(file, "x"),
        ...password,
      ],
    };
    for (const [message, args] of Object.entries(wrong)) {
      const { code, err } = await run(args, relay);
      expect(err).to.match(/ENOTDIR|EEXIST/);
      expect([code, err]).to.satisfy(([c, e]: [number, string]) => c === 4 && e.includes(message), err);
    }
    expect(relay.asked).to.be.empty;
    const answers = fakeRelay(() => ({ body: {} }));
    const kept = await run(["receipt", "get", UETR, "--out", folder], answers);
    expect([kept.code, kept.err]).to.deep.equal([
      4,
      `feiqian: --out: a file that can be written (${folder}: EISDIR)\n`,
    ]);
  });

  it("is named by its option where it has a key", async () => {
    const quote = {
      ...{ provider: 0, taker: 0, sourceCurrency: 0, targetCurrency: 0, rateNumerator: "0", rateDenominator: "0" },
      ...{ capacity: "0", validUntil: 0, maxHold: 0, nonce: "0" },
    };
    const at = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const file = await at("quote", JSON.stringify(quote));
    const addresses = await at("addresses", JSON.stringify({ ...CONTRACTS, tokens: {} }));
    const cancel = ["provider", "cancel-quote", file, "--rpc", "http://127.0.0.1:1", "--addresses", addresses];
    const password = ["--password-file", join(folder, "password")];
    for (const [key, rule] of [
      [join(folder, "none"), "--key: a key file that can be read"],
      [file, "--key: a key file, Web3 Secret Storage version 3"],
    ] as const) {
      const { code, err } = await run([...cancel, "--key", key, ...password]);
      expect([code, err]).to.satisfy(([c, e]: [number, string]) => c === 4 && e.includes(rule), err);
    }
    await writeFile(file, JSON.stringify({ ...quote, provider: "11" }));
    const typed = await run([...cancel, "--key", file, ...password]);
    expect(typed.err).to.equal("feiqian: quote.provider: the number of a partner, or 0 for none\n");
  });
});
