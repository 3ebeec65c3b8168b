import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { SubmitRequest } from "../../../src/schema/transfers.ts";
import type { PartnerId } from "../../../src/domain/partner.ts";
import { systemClock, type Clock } from "../../../src/kernel/clock/clock.ts";
import { loadConfig } from "../../../src/app/config.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";
import type { Readiness } from "../../../src/kernel/telemetry/health.ts";
import { issueApiKey } from "../../../src/kernel/access/api-keys.ts";
import { startRelay, type RunningRelay } from "../../../src/app/relay.ts";
import { emptyDatabase } from "../../../sandbox/databases.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import type { Database } from "../../../src/kernel/store/database.ts";
import { openPgliteSchemas, type PgliteSchemas } from "../../../src/kernel/store/pglite.ts";
import { until } from "../../support/until.ts";
import { run, type Ran } from "../../unit/cli/fixtures.ts";
import { submission } from "../support/api.ts";
import { ALIPAY_HK, fundedLedger, HUB, networkHelpers } from "../support/chain.ts";
import { startHttpNode, type HttpNode } from "../support/http.ts";
import { startHttpWallet, type HttpWallet } from "../support/http-wallet.ts";
import { createOperator, register, type Operator } from "../support/operator.ts";

describe("a relay's life, from its configuration on", function () {
  let node: HttpNode;
  let wallet: HttpWallet;
  let sandbox: Sandbox;
  let stores: PgliteSchemas;
  const operators: Operator[] = [];
  /** What every test has started, whether or not it got as far as stopping it. */
  const started: { stop(): Promise<unknown> }[] = [];

  before(async () => {
    stores = await openPgliteSchemas(undefined, await emptyDatabase());
  });
  after(() => stores.close());
  beforeEach(async () => {
    sandbox = await fundedLedger();
    node = await startHttpNode();
    wallet = await startHttpWallet();
  });
  afterEach(async () => {
    node.fateOf = () => "passed";
    await Promise.all(started.splice(0).map((one) => one.stop()));
    await Promise.all([node.close(), wallet.close()]);
    await Promise.all(operators.splice(0).map((operator) => operator.remove()));
  });

  async function operatorOf(partner: PartnerId): Promise<Operator> {
    const operator = await createOperator(partner, { sandbox, nodeUrl: node.url, walletUrl: wallet.url });
    operators.push(operator);
    return operator;
  }

  interface Starting {
    readonly db?: Database;
    readonly clock?: Clock;
    readonly environment?: Readonly<Record<string, string>>;
  }

  /** A relay that is stopped when the test ends, however that is. */
  function start({ configPath }: Operator, { environment = {}, ...parts }: Starting = {}): Promise<RunningRelay> {
    const starting = loadConfig(configPath, environment).then((config) =>
      startRelay(config, { log: silentLogger, ...parts }),
    );
    // One that does not start has nothing to be stopped.
    started.push({
      stop: () =>
        starting.then(
          (relay) => relay.stop(),
          () => undefined,
        ),
    });
    return starting;
  }

  it("checks, registers, makes its first key, and then pays", async () => {
    const [source, target] = [await operatorOf(ALIPAY_HK), await operatorOf(HUB)];
    const before = await source.feiqian("relay", "check", "--config", source.configPath);
    expect(before.code, before.err).to.equal(9);
    expect(before.out).to.contain("sendKey:").and.to.contain("acceptKey:").and.to.contain("endpoint:");
    const config = `--config ${source.configPath}`;
    expect(before.out).to.contain(`Next: feiqian relay register ${config} --admin FILE --admin-password-file FILE`);
    const registered = await register(source);
    expect(registered.code, registered.err).to.equal(0);
    expect(JSON.parse(registered.out)).to.deep.equal({ registered: ["sendKey", "acceptKey", "endpoint"], left: [] });
    const after = await source.feiqian("relay", "check", "--config", source.configPath, "--json");
    expect(after.code, after.err).to.equal(0);
    expect(JSON.parse(after.out)).to.deep.include({
      differences: [],
      database: "new",
      next: { by: "operator", step: `feiqian relay start ${config}` },
    });
    expect(JSON.parse((await register(source)).out)).to.deep.equal({ registered: [], left: [] });
    expect(await register(target)).to.include({ code: 0 });

    // Straight on the store, as nobody can ask the API for it yet; this store is the embedded one, in the folder.
    const made = await source.feiqian(
      "keys",
      "create",
      "--config",
      source.configPath,
      "--scope",
      "read,submit,operate",
      "--json",
    );
    expect(made.code, made.err).to.equal(0);
    // What the command prints, which is a key's JSON.
    const { key } = JSON.parse(made.out) as { key: string };

    await start(source);
    await start(target, { db: await stores.database("hub") });
    const asWallet = (...args: readonly string[]) =>
      run(args, { fetch, environment: { FEIQIAN_URL: source.url, FEIQIAN_API_KEY: key } });
    const sent = await asWallet(
      ...[
        "send",
        "1",
        "--send",
        "150.00HKD",
        "--currency",
        "HKD",
        "--from",
        "+85291234567",
        "--from-name",
        "Chan Tai Man",
      ],
      ...["--to", "+639171234567", "--watch", "--json"],
    );
    expect(sent.code, sent.err).to.equal(0);
    const lines = sent.out.trim().split("\n}\n").at(-1)?.split("\n") ?? [];
    // Each line is a step of the transfer.
    const steps = lines.map((line) => JSON.parse(line) as { uetr: string; status: string });
    expect(steps.map(({ status }) => status)).to.deep.equal(["received", "batched", "held", "settled", "credited"]);
    const uetr = steps[0]?.uetr ?? "";
    expect([...wallet.posted.values()]).to.have.length(1);

    const receipt = join(source.folder, "receipt.json");
    expect(await asWallet("receipt", "get", uetr, "--disclose", "creditor", "--out", receipt)).to.include({
      code: 0,
    });
    const { transferRegistry } = sandbox.ledger.addresses;
    const verified = await run(["receipt", "verify", receipt, "--rpc", node.url, "--registry", transferRegistry]);
    expect(verified.code, verified.err).to.equal(0);
    expect(verified.out).to.contain("Valid").and.to.contain("+639171234567");
    expect(await asWallet("reconcile")).to.include({ code: 0 });
    const audited = await asWallet("audit");
    expect(audited.out).to.contain("keys.create").and.to.contain("os:operator");
  });

  for (const minutes of [10, -10]) {
    it(`takes no transfers while its clock is ${minutes} minutes off, says why, and goes on when it is right`, async () => {
      const operator = await operatorOf(ALIPAY_HK);
      expect(await register(operator)).to.include({ code: 0 });
      let offMs = minutes * 60_000;
      // Other tests have moved the chain's time: a clock that is right shows that.
      await networkHelpers.mine();
      const chainMs = (await networkHelpers.time.latest()) * 1_000 - Date.now();
      const clock: Clock = { ...systemClock, nowMs: () => Date.now() + chainMs + offMs };
      const db = await stores.database(`clock_${minutes < 0 ? "behind" : "ahead"}`);
      const relay = await start(operator, { db, clock, environment: { FEIQIAN_CLOCK_MAX_SKEW_SECONDS: "15" } });
      const { text: key } = await issueApiKey(
        { db, drawBytes: drawSecurely, clock },
        { label: "test", scopes: ["submit"], rateLimit: 1_000 },
      );
      const amount = { send: { currency: "HKD", minor: "1000" }, receiveCurrency: "HKD" };
      const send = async (body: SubmitRequest) => {
        const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
        const answer = await fetch(`${relay.url}/v1/transfers`, {
          method: "POST",
          headers,
          body: JSON.stringify(body),
        });
        return { status: answer.status, retryAfter: answer.headers.get("retry-after"), text: await answer.text() };
      };
      const isWrong = async () => (await relay.health.readiness()).reasons.some(({ code }) => code === "clock");
      // The ledger is alive: it makes a block now and then.
      const untilOnLedger = (isSo: () => Promise<boolean>) =>
        until(async () => {
          await networkHelpers.mine();
          return isSo();
        });
      await untilOnLedger(isWrong);
      const request = submission({ target: HUB, amount });
      const refused = await send(request);
      expect([refused.status, refused.retryAfter]).to.deep.equal([503, "1"]);
      expect(refused.text).to.match(/clock is (?:59|60)\d seconds/);
      offMs = 0;
      await untilOnLedger(async () => !(await isWrong()) && (await send(request)).status === 202);
    });
  }

  it("says what is for the network's governance to do, before anything of the operator's", async () => {
    const { configPath } = await operatorOf(ALIPAY_HK);
    const environment = { FEIQIAN_PARTNER: "4711" };
    const unknown = await run(["relay", "check", "--config", configPath], { fetch, environment });
    expect(unknown.code, unknown.err).to.equal(9);
    expect(unknown.out).to.contain("Next: ask the network's governance to register the partner");
  });

  it("drains on SIGTERM, and takes no more requests", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    const stops = new Map<string, () => void>();
    started.push({ stop: () => (stops.get("SIGTERM")?.(), ended) });
    const ended = run(["relay", "start", "--config", operator.configPath], {
      fetch,
      environment: {},
      onStop: (signal, listener) => void stops.set(signal, listener),
    });
    let endedEarly: Ran | undefined;
    void ended.then((ran) => (endedEarly = ran));
    await until(async () => {
      expect(endedEarly, "it ended before it was told to").to.equal(undefined);
      return (await statusOf(`${operator.url}/readyz`)) === 200;
    });
    // In this network nobody sells pesos.
    const readiness = (await (await fetch(`${operator.url}/readyz`)).json()) as Readiness;
    expect(readiness.alarms?.map(({ code, detail }) => [code, detail.split(": ")[1]])).to.deep.equal([
      ["prices", "HKD to PHP of partner 4"],
    ]);
    expect(await statusOf(`${operator.url}/livez`)).to.equal(200);
    stops.get("SIGTERM")?.();
    expect(await ended).to.include({ code: 0 });
    expect(await statusOf(`${operator.url}/livez`)).to.equal(undefined);
  });

  it("has its steps run by one process of two, and by the other once that has gone", async () => {
    const [first, second] = [await operatorOf(ALIPAY_HK), await operatorOf(ALIPAY_HK)];
    await copyFile(join(first.folder, "data.key"), join(second.folder, "data.key"));
    const db = await stores.database("shared");
    const leads = async ({ context }: RunningRelay): Promise<boolean> =>
      (await context.metrics.leader.get()).values[0]?.value === 1;
    const one = await start(first, { db });
    await until(() => leads(one));
    const two = await start(second, { db });
    expect(await statusOf(`${two.url}/readyz`)).to.equal(200);
    expect(await leads(two)).to.equal(false);
    await one.stop();
    await until(() => leads(two));
  });

  it("stops its steps and is not ready any more when the ledger's history has changed", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    const db = await stores.database("forked");
    const relay = await start(operator, { db });
    await until(async () => (await db.query("SELECT block FROM ledger_cursor")).length === 1);
    await db.query("UPDATE ledger_cursor SET block_hash = $1", [new Uint8Array(32).fill(1)]);
    // The head of another history is another head.
    await networkHelpers.mine();
    await until(async () => (await statusOf(`${operator.url}/readyz`)) === 503);
    const { reasons } = await relay.health.readiness();
    expect(reasons.map(({ code }) => code)).to.deep.equal(["fork"]);
    expect(await statusOf(`${operator.url}/livez`)).to.equal(200);
    expect((await relay.context.metrics.forkDetected.get()).values[0]?.value).to.equal(1);
  });

  it("waits for a ledger that is not there yet", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    let asked = 0;
    node.fateOf = () => (asked++, "lost before");
    let hasStarted = false;
    const starting = start(operator, { db: await stores.database("patient") }).then(() => (hasStarted = true));
    await until(() => asked > 5);
    expect(hasStarted).to.equal(false);
    node.fateOf = () => "passed";
    await starting;
  });

  it("does not start on a chain that is another one, and closes what it had opened", async () => {
    const operator = await operatorOf(ALIPAY_HK);
    const env = { FEIQIAN_LEDGER_CHAIN_ID: "1", FEIQIAN_LOG_LEVEL: "silent" };
    const failed = await run(["relay", "check", "--config", operator.configPath], { fetch, environment: env });
    expect(failed.code).to.equal(8);
    expect(failed.err).to.contain("chain 31337");
  });
});

async function statusOf(url: string): Promise<number | undefined> {
  const response = await fetch(url).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status;
}
