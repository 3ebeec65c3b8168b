import { rename } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { PartnerId } from "../../../src/domain/partner.ts";
import { encodeCall } from "../../../src/ledger/calls.ts";
import { loadConfig } from "../../../src/app/config.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { startRelay, type RunningRelay } from "../../../src/app/relay.ts";
import type { Database } from "../../../src/kernel/store/database.ts";
import { openDatabase } from "../../../src/kernel/store/open.ts";
import { run } from "../../unit/cli/fixtures.ts";
import { ALIPAY_HK, fundedLedger, HUB } from "../support/chain.ts";
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
});
