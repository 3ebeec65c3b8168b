import { expect } from "chai";
import { loadConfig } from "../../../src/app/config.ts";
import { configKeys } from "../../../src/app/config-reference.ts";
import { configSchemaOf } from "../../../src/app/config-schema.ts";
import type { ConfigError } from "../../../src/kernel/config-error.ts";
import { FEATURES } from "../../../src/app/features.ts";
import { startRelay, type RunningRelay } from "../../../src/app/relay.ts";
import { issueApiKey } from "../../../src/kernel/access/api-keys.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { emptyDatabase } from "../../../sandbox/databases.ts";
import { openPgliteSchemas, type PgliteSchemas } from "../../../src/kernel/store/pglite.ts";
import { run } from "../../unit/cli/fixtures.ts";
import { until } from "../../support/until.ts";
import { ALIPAY_HK, fundedLedger } from "../support/chain.ts";
import { startHttpNode, type HttpNode } from "../support/http.ts";
import { startHttpWallet, type HttpWallet } from "../support/http-wallet.ts";
import { createOperator, register, type Operator } from "../support/operator.ts";
import { greetings } from "./greetings/feature.ts";

describe("a feature that a relay did not have", () => {
  /** The one list that it is put into. */
  const features = [...FEATURES, greetings];
  let stores: PgliteSchemas;
  let node: HttpNode;
  let wallet: HttpWallet;
  let operator: Operator;
  let relay: RunningRelay;
  let headers: { readonly authorization: string };
  let environment: Readonly<Record<string, string>>;

  before(async () => {
    stores = await openPgliteSchemas(undefined, await emptyDatabase());
    const sandbox = await fundedLedger();
    node = await startHttpNode();
    wallet = await startHttpWallet();
    operator = await createOperator(ALIPAY_HK, { sandbox, nodeUrl: node.url, walletUrl: wallet.url });
    expect(await register(operator)).to.include({ code: 0 });
    const config = await loadConfig(operator.configPath, { FEIQIAN_GREETINGS_MOST_LETTERS: "20" }, features);
    const db = await stores.database("greetings");
    relay = await startRelay(config, { db, log: silentLogger, features });
    const key = await issueApiKey(relay.context, {
      label: "test",
      scopes: ["read", "submit", "operate"],
      rateLimit: 6_000,
    });
    headers = { authorization: `Bearer ${key.text}` };
    environment = { FEIQIAN_URL: relay.url, FEIQIAN_API_KEY: key.text };
  });
  after(async () => {
    await relay.stop();
    await Promise.all([node.close(), wallet.close(), operator.remove(), stores.close()]);
  });

  const ask = async (path: string, init: { method?: string; body?: string; headers?: Record<string, string> } = {}) => {
    const answer = await fetch(`${relay.url}${path}`, { ...init, headers: { ...headers, ...init.headers } });
    return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>> };
  };

  it("has its table, its route and its step, which writes an event of its own", async () => {
    const sent = await ask("/v1/greetings", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "恭喜發財" }),
    });
    expect(sent).to.deep.equal({ status: 202, body: { text: "恭喜發財" } });
    await until(async () => {
      const { body } = await ask("/v1/greetings");
      return JSON.stringify(body) === JSON.stringify({ greetings: [{ text: "恭喜發財", isSent: true }] });
    });
    const { body } = await ask("/v1/events?type=greeting.sent");
    expect(body["events"]).to.have.length(1);
  });

  it("is asked for with a key that has the scope, by its schema alone", async () => {
    const json = { "content-type": "application/json" };
    const wrong = await ask("/v1/greetings", { method: "POST", headers: json, body: JSON.stringify({ text: "" }) });
    expect(wrong.body).to.include({ code: "invalid-request", field: "text" });
    expect((await fetch(`${relay.url}/v1/greetings`)).status).to.equal(401);
  });

  it("is in the API's document, with its event", async () => {
    const { body } = await ask("/openapi.json");
    expect(body["paths"]).to.have.property("/v1/greetings");
    expect(body["webhooks"]).to.have.property("greeting.sent");
    expect(JSON.stringify(body["components"])).to.include('"greeting.sent"');
    expect(body["tags"]).to.deep.include({ name: "greetings", description: "Good wishes" });
    expect(JSON.stringify(body["paths"])).to.include('"ungreeted"');
  });

  it("answers other relays behind the same door as the others", async () => {
    const answer = await ask("/peer/v1/greetings", {
      method: "POST",
      headers: { "content-type": "application/jose" },
      body: "a.b.c.d.e",
    });
    expect(answer.body).to.include({ status: 401, code: "unauthenticated" });
  });

  it("has its say in whether the relay can work", async () => {
    const { body } = await ask("/readyz");
    expect(body["alarms"]).to.deep.include({ code: "ungreeted", detail: "nobody greets for nothing" });
  });

  it("has settings, which the file and the environment give, and the reference and the chart describe", async () => {
    expect(relay.context.settings.greetings).to.deep.equal({ mostLetters: 20 });
    const wrong = loadConfig(operator.configPath, { FEIQIAN_GREETINGS_MOST_LETTERS: "0" }, features);
    const failure: unknown = await wrong.catch((thrown: unknown) => thrown);
    expect((failure as ConfigError).problems).to.deep.equal([
      { key: "greetings.mostLetters", rule: "an integer from 1 to 100" },
    ]);
    const described = configKeys(configSchemaOf(features)).find(({ path }) => path[0] === "greetings");
    expect(described?.description).to.equal("The longest greeting that is taken.");
  });

  it("has problems of its own, with their status, which are in the API's document", async () => {
    const { status, body } = await ask("/v1/greetings", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "a greeting of more than twenty letters" }),
    });
    expect(status).to.equal(422);
    expect(body).to.include({ code: "greeting-too-long", field: "text", detail: "at most 20 letters" });
    const { body: document } = await ask("/openapi.json");
    expect(JSON.stringify(document["components"])).to.include('"greeting-too-long"');
    expect(JSON.stringify(document["paths"])).to.include("A problem: greeting-too-long");
  });

  it("has a command, which reaches its route, and metrics of what its step has done", async () => {
    const counted = async () =>
      /^feiqian_greetings_sent_total\{.*\} (\d+)$/m.exec(await (await fetch(`${relay.url}/metrics`)).text())?.[1];
    const before = await counted();
    const ran = await run(["greet", "hello"], { environment, fetch, features });
    expect(ran).to.deep.equal({ code: 0, out: "greeted: hello\n", err: "" });
    await until(async () => (await counted()) === String(BigInt(before ?? 0) + 1n));
    const refused = await run(["greet", "hello to everybody who listens"], { environment, fetch, features });
    expect(refused).to.include({ code: 4 });
    expect(refused.err).to.include("[greeting-too-long, text]");
    expect((await run(["greet", "hello"], { environment, fetch })).code, "without the feature").to.equal(2);
  });

  it("compares what is its own when the relay is reconciled", async () => {
    // Caught up with the ledger, of which it is shown what the relay has read.
    const report = async () => (await ask("/v1/reconciliations", { method: "POST" })).body;
    await until(async () => (await report())["block"] !== undefined);
    expect((await report())["differences"]).to.deep.equal([]);
    const checked = (await report())["checked"] as Readonly<Record<string, number>>;
    expect(checked["ledgerEvents"]).to.be.greaterThan(0);
    expect(checked).to.include.keys("batches", "events", "greetings");
    await relay.context.db.query("INSERT INTO greetings (text, sent_at) VALUES ('nobody', 1)");
    const ran = await run(["reconcile"], { environment, fetch, features });
    expect(ran).to.include({ code: 9 });
    expect(ran.out).to.match(/greeting +nobody +It was sent, and not told\./);
  });

  it("erases what is its own with the others", async () => {
    await relay.context.db.query("INSERT INTO greetings (text, sent_at) VALUES ('long ago', 1)");
    const erase = (body: object) =>
      ask("/v1/erasures", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const nobodys = await erase({ uetr: "eb6305c9-1f7f-49de-aed0-16487c27b42d" });
    expect(nobodys.body).to.include({ status: 404, code: "not-found" });
    const answer = await erase({ acceptedBefore: "2020-01-01T00:00:00.000Z" });
    expect(answer).to.deep.equal({ status: 200, body: { erased: 0, payloads: 0 } });
    expect(JSON.stringify((await ask("/v1/greetings")).body)).not.to.include("long ago");
  });
});
