import { expect } from "chai";
import { loadConfig } from "../../../src/app/config.ts";
import { FEATURES } from "../../../src/app/features.ts";
import { startRelay, type RunningRelay } from "../../../src/app/relay.ts";
import { issueApiKey } from "../../../src/kernel/access/api-keys.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { emptyDatabase } from "../../../sandbox/empty-database.ts";
import { openPgliteSchemas, type PgliteSchemas } from "../../../src/kernel/store/pglite.ts";
import { until } from "../../support/until.ts";
import { ALIPAY_HK, fundedLedger } from "../support/chain.ts";
import { startHttpNode, type HttpNode } from "../support/http.ts";
import { startHttpWallet, type HttpWallet } from "../support/http-wallet.ts";
import { createOperator, register, type Operator } from "../support/operator.ts";
import { greetings } from "./greetings/feature.ts";

describe("a feature that a relay did not have", () => {
  let stores: PgliteSchemas;
  let node: HttpNode;
  let wallet: HttpWallet;
  let operator: Operator;
  let relay: RunningRelay;
  let headers: { readonly authorization: string };

  before(async () => {
    stores = await openPgliteSchemas(undefined, await emptyDatabase());
    const sandbox = await fundedLedger();
    node = await startHttpNode();
    wallet = await startHttpWallet();
    operator = await createOperator(ALIPAY_HK, { sandbox, nodeUrl: node.url, walletUrl: wallet.url });
    expect(await register(operator)).to.include({ code: 0 });
    const config = await loadConfig(operator.configPath, {});
    const db = await stores.database("greetings");
    relay = await startRelay(config, { db, log: silentLogger, features: [...FEATURES, greetings] });
    const key = await issueApiKey(relay.context, {
      label: "test",
      scopes: ["read", "submit"],
      rateLimit: 6_000,
    });
    headers = { authorization: `Bearer ${key.text}` };
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
});
