import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { corridorId } from "../../../src/domain/corridor.ts";
import type { PartnerId } from "../../../src/domain/partner.ts";
import { encodeCall } from "../../../src/ledger/calls.ts";
import { loadConfig } from "../../../src/app/config.ts";
import { createLogger, silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { startRelay, type RunningRelay } from "../../../src/app/relay.ts";
import type { Database } from "../../../src/kernel/store/database.ts";
import { systemClock, type Clock } from "../../../src/kernel/clock/clock.ts";
import { until } from "../../support/until.ts";
import { openDatabase } from "../../../src/kernel/store/open.ts";
import { run, type Ran } from "../../unit/cli/fixtures.ts";
import { ALIPAY_HK, freshLedger, fundedLedger, GCASH, HUB, networkHelpers, PROVIDER } from "../support/chain.ts";
import { startHttpNode, type HttpNode } from "../support/http.ts";
import { createOperator, register, type Operator } from "../support/operator.ts";

interface Migration {
  readonly name: string;
  readonly checksum: Uint8Array;
}

async function onDatabase<Result>(folder: string, work: (db: Database) => Promise<Result>): Promise<Result> {
  const db = await openDatabase({ folder });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** Nobody asks the wallet for anything here. */
const NO_WALLET = "http://127.0.0.1:9";

describe("what a relay's operator is told before it is started", function () {
  this.timeout(300_000);
  let node: HttpNode;
  let sandbox: Sandbox;
  const operators: Operator[] = [];
  const relays: Promise<RunningRelay>[] = [];

  beforeEach(async () => {
    sandbox = await fundedLedger();
    node = await startHttpNode();
  });
  afterEach(async () => {
    await stopAll();
    await node.close();
    await Promise.all(operators.splice(0).map((operator) => operator.remove()));
  });

  async function operatorOf(partner: PartnerId): Promise<Operator> {
    const operator = await createOperator(partner, { sandbox, nodeUrl: node.url, walletUrl: NO_WALLET });
    operators.push(operator);
    return operator;
  }

  /** A relay that has started on its own embedded database, and made it its own. */
  async function startOnce({ configPath }: Operator): Promise<void> {
    const starting = loadConfig(configPath, {}).then((config) => startRelay(config, { log: silentLogger }));
    relays.push(starting);
    await starting;
    await stopAll();
  }

  function registerExit(operator: Operator, account: string): Promise<Ran> {
    return register(operator, "--exit-account", account);
  }

  async function stopAll(): Promise<void> {
    const stopping = relays.splice(0).map((starting) => starting.then((relay) => relay.stop()));
    await Promise.allSettled(stopping);
  }

  it("that the database is another partner's, of which nothing is changed", async () => {
    const [owner, other] = [await operatorOf(ALIPAY_HK), await operatorOf(HUB)];
    await startOnce(owner);
    // By mistake, the other's configuration leads to the first one's database; and its program is of a later version.
    const database = join(owner.folder, "feiqian-data");
    const environment = { FEIQIAN_DATABASE_FOLDER: database };
    const last = await onDatabase(database, async (db) => {
      const [row] = await db.query<Migration>(
        "DELETE FROM migrations WHERE name = (SELECT max(name) FROM migrations) RETURNING name, checksum",
      );
      if (row === undefined) throw new Error("nothing was migrated");
      return row;
    });
    for (const command of ["check", "start"]) {
      const { code, err } = await run(["relay", command, "--config", other.configPath], { fetch, environment });
      expect(code, command).to.equal(3);
      expect(err).to.contain("partner: the database is that of partner 7").and.to.contain("database.url");
    }
    for (const command of [
      ["relay", "data-keys"],
      ["keys", "create", "--scope", "operate"],
      ["keys", "list"],
    ]) {
      const { code, err } = await run([...command, "--config", other.configPath], { environment });
      expect(code, command.join(" ")).to.equal(3);
      expect(err).to.contain("partner: the database is that of partner 7");
    }
    await onDatabase(database, async (db) => {
      const names = await db.query("SELECT FROM migrations WHERE name = $1", [last.name]);
      expect(names, "migrated by others").to.deep.equal([]);
      await db.query("INSERT INTO migrations (name, checksum) VALUES ($1, $2)", [last.name, last.checksum]);
    });
    const own = await owner.feiqian("relay", "check", "--config", owner.configPath, "--json");
    expect(JSON.parse(own.out)).to.include({ database: "own" });
  });

  it("what still needs which data key, once there is a new one", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    const { folder, configPath, feiqian } = operator;
    const [current, previous] = [join(folder, "data.key"), join(folder, "old.key")];
    const nothing = await feiqian("relay", "data-keys", "--config", configPath);
    expect(nothing).to.include({ code: 0, err: "" });
    expect(nothing.out.trim()).to.equal("Nothing is sealed.");
    await startOnce(operator);

    const before = await feiqian("relay", "data-keys", "--config", configPath);
    expect(before.code, before.err).to.equal(0);
    const [titles, , row] = before.out.split("\n");
    expect(titles?.trim().split(/ {2,}/)).to.deep.equal(["table", "for", "key", "which is", "rows"]);
    expect(row?.trim()).to.match(/^store_identity +sealed data +[0-9a-f]{8} +current +1$/);

    await rename(current, previous);
    expect(await feiqian("keys", "new", "data", current)).to.include({ code: 0 });
    const unknown = await feiqian("relay", "data-keys", "--config", configPath, "--json");
    expect(unknown.code).to.equal(9);
    expect(JSON.parse(unknown.out)).to.have.nested.property("uses[0].is", "not configured");
    const environment = { FEIQIAN_DATA_KEY_PREVIOUS_FILES: previous };
    const rotated = await run(["relay", "data-keys", "--config", configPath, "--json"], { environment });
    expect(rotated.code).to.equal(9);
    expect(rotated.err).to.contain("1 rows still need a key that is not the current one");
    expect(JSON.parse(rotated.out)).to.have.property("needOldKeys", 1);
    expect(JSON.parse(rotated.out)).to.have.nested.property("uses[0].is", "previousFiles.0");
  });

  it("that governance has to make the partner active again, before anything of the operator's", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    expect(await register(operator)).to.include({ code: 0 });
    const guardian = await sandbox.submitterOf({ kind: "guardian" });
    const { partnerRegistry } = sandbox.ledger.addresses;
    await guardian.submit(encodeCall("partnerRegistry", partnerRegistry, "suspend", [ALIPAY_HK]));
    const suspended = await operator.feiqian("relay", "check", "--config", operator.configPath, "--json");
    expect(suspended.code, suspended.err).to.equal(9);
    expect(JSON.parse(suspended.out)).to.deep.include({
      differences: [{ what: "status", detail: "the partner is suspended" }],
      next: {
        by: "governance",
        step: "ask the network's governance to make the partner active again, then run feiqian relay check again",
      },
    });
  });

  interface Told {
    readonly differences: readonly { readonly what: string; readonly detail: string }[];
    readonly warnings: readonly { readonly what: string; readonly detail: string; readonly toDo: string }[];
    readonly next: { readonly by: string; readonly step: string };
  }

  async function toldBy(operator: Operator, environment: Readonly<Record<string, string>> = {}, code = 0) {
    const ran = await run(["relay", "check", "--config", operator.configPath, "--json"], { fetch, environment });
    expect(ran.code, ran.err).to.equal(code);
    // What the command prints; each test looks at what it needs of it.
    return JSON.parse(ran.out) as Told;
  }

  const days = (count: number) => count * 86_400;

  it("that there is no exit account, how to register one, and when it counts", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    expect(await register(operator)).to.include({ code: 0 });
    const text = await operator.feiqian("relay", "check", "--config", operator.configPath);
    expect(text.code, "a relay works without one").to.equal(0);
    expect(text.out).to.match(
      /^Warning, exitAccount: there is no exit account: nobody can take the partner's money out/m,
    );
    expect(text.out).to.contain("--exit-account ADDRESS").and.to.contain("counts after 14 days");
    const { warnings, next } = await toldBy(operator);
    expect(warnings.map(({ what }) => what)).to.deep.equal(["exitAccount"]);
    expect(next.step).to.match(/^feiqian relay start /);

    const account = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    for (const wrong of [account.replace("5a", "5A"), account.slice(0, -1), `0x${"0".repeat(40)}`]) {
      const refused = await registerExit(operator, wrong);
      expect(refused.code, wrong).to.equal(4);
      expect(refused.err).to.contain("--exit-account:");
    }
    // Whoever has this machine, or the admin's key, must not have the exit.
    const admin = sandbox.keys.addressOf({ kind: "admin", partner: ALIPAY_HK });
    for (const name of ["send", "accept", "transactions", "admin"]) {
      const file = await readFile(join(operator.folder, `${name}.json`), "utf8");
      const { address } = JSON.parse(file) as { address: string };
      if (name === "admin") expect(`0x${address.toLowerCase()}`).to.equal(admin.toLowerCase());
      const refused = await registerExit(operator, `0x${address}`);
      expect(refused.code, name).to.equal(4);
      expect(refused.err, name).to.contain("an account that nothing else uses");
    }
    const done = await registerExit(operator, account);
    expect(done.code, done.err).to.equal(0);
    expect(JSON.parse(done.out)).to.deep.equal({ registered: ["exitAccount"], left: [] });
    expect(JSON.parse((await registerExit(operator, account.toLowerCase())).out)).to.have.deep.property(
      "registered",
      [],
    );
    const [pending] = (await toldBy(operator)).warnings;
    expect(pending?.detail).to.match(/^0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed is the exit account from 20\d\d-/);
    expect(pending?.detail).to.contain("until then there is none");
    await networkHelpers.time.increase(days(14));
    expect((await toldBy(operator)).warnings).to.deep.equal([]);

    // Whoever changes it is seen as long as it can be taken back.
    expect(await registerExit(operator, `0x${"9".repeat(40)}`)).to.include({ code: 0 });
    expect((await toldBy(operator)).warnings[0]?.detail).to.contain(`until then it is ${account.toLowerCase()}`);
    expect(JSON.parse((await registerExit(operator, account)).out)).to.have.deep.property("registered", [
      "exitAccount",
    ]);
  });

  it("again every day, while it runs", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    expect(await register(operator)).to.include({ code: 0 });
    const told: string[] = [];
    const log = createLogger({ level: "warn", destination: { write: (line) => void told.push(line) } });
    // Days are short, and all else takes its time.
    const sleep: Clock["sleep"] = (ms, signal) => systemClock.sleep(ms === 86_400_000 ? 10 : ms, signal);
    const config = await loadConfig(operator.configPath, {});
    relays.push(startRelay(config, { log, clock: { ...systemClock, sleep } }));
    await Promise.all(relays);
    await until(() => Promise.resolve(told.filter((line) => line.includes("there is no exit account")).length > 2));
    await stopAll();
    expect(told.filter((line) => line.includes("cannot be compared"))).to.deep.equal([]);
  });

  it("that a key ends soon, which the next registration renews", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    const short = await register(operator, "--days", "29");
    expect(short.code, short.err).to.equal(0);
    const { warnings } = await toldBy(operator);
    expect(warnings.map(({ what }) => what)).to.deep.equal(["exitAccount", "sendKey", "acceptKey"]);
    expect(warnings[1]?.detail).to.match(/^0x[0-9a-f]{40} may send until 20\d\d-.* only$/);
    expect(warnings[1]?.toDo).to.contain("feiqian relay register");
    const renewed = await register(operator);
    expect(JSON.parse(renewed.out)).to.deep.include({ registered: ["sendKey", "acceptKey"] });
    expect((await toldBy(operator)).warnings.map(({ what }) => what)).to.deep.equal(["exitAccount"]);
    expect(JSON.parse((await register(operator)).out)).to.deep.include({ registered: [] });
  });

  it("that a token for the ledger ends soon, or has ended", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    expect(await register(operator)).to.include({ code: 0 });
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const [url] = (await loadConfig(operator.configPath, {})).ledger.rpcUrls;
    const path = join(operator.folder, "token");
    const toldOf = async (token: string) => {
      await writeFile(path, token, { mode: 0o600 });
      const environment = { FEIQIAN_LEDGER_TOKEN_FILES: JSON.stringify({ [url ?? ""]: path }) };
      return (await toldBy(operator, environment)).warnings.filter(({ what }) => what === "ledgerToken");
    };
    const jwt = (exp: number) => `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.c2ln`;
    expect(await toldOf(jwt(nowSeconds + days(31)))).to.deep.equal([]);
    expect(await toldOf("opaque")).to.deep.equal([]);
    const [soon] = await toldOf(jwt(nowSeconds + days(29)));
    expect(soon?.detail).to.match(/^the token for 127\.0\.0\.1:\d+ ends: 20\d\d-/);
    expect(soon?.toDo).to.contain("ledger.tokenFiles");
    expect((await toldOf(jwt(nowSeconds - days(1))))[0]?.detail).to.contain(" has ended: 20");
  });

  it("what else it lacks on the ledger: corridors, money, gas, a registry that opens, the role of a wallet", async () => {
    const operator = await operatorOf(GCASH);
    expect(await register(operator)).to.include({ code: 0 });
    const whatIsMissing = async (environment = {}) =>
      (await toldBy(operator, environment)).warnings.map(({ what }) => what).filter((what) => what !== "exitAccount");
    expect(await whatIsMissing(), "it is paid only").to.deep.equal([]);
    expect(await whatIsMissing({ FEIQIAN_LEDGER_PRIORITY_FEE_WEI: "1" })).to.deep.equal(["gas"]);

    const risk = await sandbox.submitterOf({ kind: "guardian" });
    const { corridorBook, transferRegistry } = sandbox.ledger.addresses;
    for (const { corridor } of sandbox.config.corridors.filter(({ corridor: { target } }) => target === GCASH)) {
      await risk.submit(encodeCall("corridorBook", corridorBook, "closeCorridor", [corridorId(corridor)]));
    }
    expect(await whatIsMissing()).to.deep.equal(["corridors"]);
    await risk.submit(encodeCall("transferRegistry", transferRegistry, "pause", []));
    expect(await whatIsMissing()).to.deep.equal(["registry", "corridors"]);

    sandbox = await freshLedger();
    const sender = await operatorOf(ALIPAY_HK);
    expect(await register(sender)).to.include({ code: 0 });
    const [, money] = (await toldBy(sender)).warnings;
    expect(money?.detail).to.equal("nothing is available of HKD: no transfer in it can be sent");
    // A provider's partner has no wallet's role.
    const { differences, next } = await toldBy(await operatorOf(PROVIDER), {}, 9);
    expect(differences[0]?.what).to.equal("role");
    expect(next.step).to.contain("give the partner the role of a wallet");
    expect(next.by).to.equal("governance");
  });
});
