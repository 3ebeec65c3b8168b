import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { expect } from "chai";
import { issueApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { revokeApiKey } from "../../../../src/kernel/access/store.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import type { ApiKeyJson, NewKeyJson } from "../../../../src/schema/operator.ts";
import { until } from "../../../support/until.ts";
import { describeOn, describeOnBothDatabases } from "../../support/databases.ts";
import { testClock, type TestClock } from "../../support/relay-context.ts";
import { originOf, apiRelay, setBalance, submission, type ApiRelay } from "../../support/api.ts";

interface AuditEntry {
  readonly actor: string;
  readonly action: string;
  readonly subject?: string;
  readonly outcome: string;
  readonly data: Record<string, unknown>;
}

describeOnBothDatabases("rotations of one key at the same moment", (open) => {
  it("make one successor, and tell the others which", async () => {
    const db = await open();
    const other = await open({ again: db });
    const relays = [await apiRelay(db), await apiRelay(other)] as const;
    const headers = await relays[0].key(["read", "operate"]);
    const payload = { label: "a", scopes: ["read"] };
    const made = await relays[0].app.inject({ method: "POST", url: "/v1/keys", headers, payload });
    const { id } = made.json<NewKeyJson>();
    const rotate = async (relay: ApiRelay) =>
      relay.app.inject({ method: "POST", url: `/v1/keys/${id}/rotate`, headers, payload: {} });
    const rotations = await Promise.all([...relays, ...relays, ...relays, ...relays].map(rotate));
    const done = rotations.filter((answer) => answer.statusCode === 201);
    expect(done).to.have.length(1);
    const successor = done[0]?.json<NewKeyJson>().id ?? "";
    for (const answer of rotations.filter((one) => one !== done[0])) {
      expect(answer.json()).to.include({ code: "already-rotated", status: 409 });
      expect(answer.json<{ detail: string }>().detail).to.contain(successor);
    }
    const [row] = await db.query<{ count: number }>("SELECT count(*)::integer AS count FROM api_keys");
    expect(row?.count).to.equal(3);
    for (const relay of relays) await relay.close();
  });
});

describeOn("PGlite", "API keys", (open) => {
  let db: Database;
  let relay: ApiRelay;
  let operator: { authorization: string };

  beforeEach(async () => {
    db = await open();
    relay = await apiRelay(db, { extras: { failuresPerMinute: 20 } });
    operator = await relay.key(["read", "operate"]);
    await setBalance(db, "HKD", 10n ** 12n);
  });
  afterEach(() => relay.close());

  const get = (url: string, headers?: { authorization: string }) => relay.app.inject({ url, headers: { ...headers } });
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
  const send = (method: "POST" | "DELETE", url: string, payload?: object, headers = operator) =>
    relay.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });

  async function audit(): Promise<readonly AuditEntry[]> {
    return (await get("/v1/audit?limit=1000", operator)).json<{ entries: AuditEntry[] }>().entries;
  }

  it("refuses what is no key, a wrong secret, and an unknown id, all alike", async () => {
    const { key } = (await send("POST", "/v1/keys", { label: "a", scopes: ["read"] })).json<NewKeyJson>();
    const [, id = "", secret = ""] = /^fq_([0-9a-z]+)_(.+)$/.exec(key) ?? [];
    const wrong = [
      undefined,
      "Basic abc",
      "Bearer",
      "Bearer x",
      `Bearer fq_${id}_${secret.slice(1)}A`,
      `Bearer fq_00_${secret}`,
      `Bearer ${key}A`,
      `Bearer fq_${id}_${"A".repeat(43)}`,
    ];
    const answers = await Promise.all(
      wrong.map((authorization) =>
        relay.app.inject({ url: "/v1/corridors", headers: authorization ? { authorization } : {} }),
      ),
    );
    for (const answer of answers) {
      expect(answer.statusCode).to.equal(401);
      expect(answer.headers["www-authenticate"]).to.match(/^Bearer/);
      expect({ ...answer.json<object>(), instance: "" }).to.deep.equal({ ...answers[0]?.json<object>(), instance: "" });
    }
    expect((await get("/v1/corridors", bearer(key))).statusCode).to.equal(200);
  });

  it("keeps no key, only the hash of one", async () => {
    const { key } = (await send("POST", "/v1/keys", { label: "a", scopes: ["read"] })).json<NewKeyJson>();
    const secret = key.split("_").slice(2).join("_");
    const tables = ["api_keys", "audit_log"];
    const dump = await Promise.all(
      tables.map((table) => db.query<{ row: string }>(`SELECT ${table}::text AS row FROM ${table}`)),
    );
    expect(JSON.stringify(dump)).not.to.contain(secret);
    expect(JSON.stringify(dump)).not.to.contain(Buffer.from(secret).toString("hex"));
    expect((await get("/v1/keys", operator)).body).not.to.contain(secret);
  });

  it("lets each scope do its own and nothing else", async () => {
    const tries = {
      read: () => ({ url: "/v1/participants", method: "GET" as const }),
      submit: () => ({ url: "/v1/transfers", method: "POST" as const, payload: submission() }),
      operate: () => ({ url: "/v1/keys", method: "GET" as const }),
    };
    for (const scope of ["read", "submit", "operate"] as const) {
      const headers = await relay.key([scope]);
      for (const [needed, request] of Object.entries(tries)) {
        const answer = await relay.app.inject({ ...request(), headers });
        expect(answer.statusCode < 300, `${scope} for ${needed}: ${answer.statusCode}`).to.equal(needed === scope);
        if (needed !== scope) expect(answer.json()).to.include({ code: "forbidden", status: 403 });
      }
    }
    const [row] = await db.query<{ count: number }>("SELECT count(*)::integer AS count FROM transfers");
    expect(row?.count).to.equal(1);
  });

  it("rotates with an overlap: both keys work until it is over", async () => {
    let offsetMs = 0;
    const clock = { ...relay.context.clock, nowMs: () => Date.now() + offsetMs };
    await relay.close();
    relay = await apiRelay(db, { context: { clock } });
    const old = (
      await send("POST", "/v1/keys", { label: "wallet", scopes: ["read"], rateLimit: 77 })
    ).json<NewKeyJson>();
    const rotated = await send("POST", `/v1/keys/${old.id}/rotate`, { overlapSeconds: 60 });
    expect(rotated.statusCode).to.equal(201);
    const next = rotated.json<NewKeyJson>();
    expect(next).to.include({ label: "wallet", rateLimit: 77 });
    expect(next.id).not.to.equal(old.id);
    for (const { key } of [old, next]) expect((await get("/v1/corridors", bearer(key))).statusCode).to.equal(200);
    offsetMs = 61_000;
    expect((await get("/v1/corridors", bearer(old.key))).statusCode).to.equal(401);
    expect((await get("/v1/corridors", bearer(next.key))).statusCode).to.equal(200);
    // What has ended has no successor, and rotating does not bring it back.
    expect((await send("POST", `/v1/keys/${old.id}/rotate`, { overlapSeconds: 60 })).statusCode).to.equal(404);
    expect((await get("/v1/corridors", bearer(old.key))).statusCode).to.equal(401);
  });

  it("gives the successor of a key the expiry that the key had", async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const old = (await send("POST", "/v1/keys", { label: "a", scopes: ["read"], expiresAt })).json<NewKeyJson>();
    const next = (await send("POST", `/v1/keys/${old.id}/rotate`, { overlapSeconds: 60 })).json<NewKeyJson>();
    expect(next.expiresAt).to.equal(expiresAt);
  });

  it("lets a key hand out no more than it has: scopes, rate and time", async () => {
    const expiresAt = Date.now() + 3_600_000;
    const maker = await relay.key(["read", "operate"], { rateLimit: 100, expiresAt });
    const make = async (more: object) => send("POST", "/v1/keys", { label: "a", scopes: ["read"], ...more }, maker);
    for (const [field, more] of [
      ["scopes", { scopes: ["read", "submit"] }],
      ["rateLimit", { rateLimit: 101 }],
      ["expiresAt", { expiresAt: new Date(expiresAt + 1_000).toISOString() }],
    ] as const) {
      expect((await make(more)).json(), field).to.include({ code: "forbidden", field });
    }
    // What is left out is as the maker has it.
    expect((await make({})).json()).to.include({ rateLimit: 100, expiresAt: new Date(expiresAt).toISOString() });
    // A rotation hands out a key as well: only who has as much may ask for it.
    const wallet = await relay.key(["submit"], { rateLimit: 10 });
    const [, id = ""] = /fq_([0-9a-z]+)_/.exec(wallet.authorization) ?? [];
    expect((await send("POST", `/v1/keys/${id}/rotate`, {}, maker)).json()).to.include({
      code: "forbidden",
      field: "scopes",
    });
    expect((await get("/v1/keys", operator)).json<{ keys: ApiKeyJson[] }>().keys).to.have.length(4);
  });

  it("looks at the key again once a body has arrived that took its time", async () => {
    let offsetMs = 0;
    const clock = { ...relay.context.clock, nowMs: () => Date.now() + offsetMs };
    await relay.close();
    let looked = 0;
    const query = db.query.bind(db);
    const watched: Database = {
      ...db,
      query: (sql, values) => {
        if (sql.startsWith("SELECT") && sql.includes("api_keys")) looked++;
        return query(sql, values);
      },
      transaction: db.transaction.bind(db),
    };
    relay = await apiRelay(watched, { context: { clock } });
    await relay.app.listen({ host: "127.0.0.1", port: 0 });
    const wallet = await relay.key(["submit"]);
    const body = JSON.stringify(submission());
    const sent = httpRequest(`${originOf(relay.app)}/v1/transfers`, {
      method: "POST",
      headers: { ...wallet, "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) },
    });
    const answered = once(sent, "response") as Promise<[IncomingMessage]>;
    sent.write(body.slice(0, 10));
    // Its head has arrived, and the key was found good.
    await until(() => looked === 1);
    // Revoked by another process on the same database, a while after.
    const [, id = ""] = /fq_([0-9a-z]+)_/.exec(wallet.authorization) ?? [];
    await revokeApiKey(db, id, clock.nowMs());
    offsetMs = 1_500;
    sent.end(body.slice(10));
    const [answer] = await answered;
    answer.resume();
    expect(answer.statusCode).to.equal(401);
    const [row] = await db.query<{ count: number }>("SELECT count(*)::integer AS count FROM transfers");
    expect(row?.count).to.equal(0);
  });

  it("does not let a rotation put an earlier expiry off", async () => {
    const expiresAt = new Date(Date.now() + 600_000).toISOString();
    const old = (await send("POST", "/v1/keys", { label: "a", scopes: ["read"], expiresAt })).json<NewKeyJson>();
    await send("POST", `/v1/keys/${old.id}/rotate`, { overlapSeconds: 3_600 });
    const { keys } = (await get("/v1/keys", operator)).json<{ keys: ApiKeyJson[] }>();
    expect(keys.find(({ id }) => id === old.id)?.expiresAt).to.equal(expiresAt);
  });

  it("revokes at once, and for good", async () => {
    const { id, key } = (await send("POST", "/v1/keys", { label: "a", scopes: ["read"] })).json<NewKeyJson>();
    expect((await get("/v1/corridors", bearer(key))).statusCode).to.equal(200);
    const first = await send("DELETE", `/v1/keys/${id}`);
    expect((await get("/v1/corridors", bearer(key))).statusCode).to.equal(401);
    // Repeated, it answers the same.
    expect((await send("DELETE", `/v1/keys/${id}`)).json()).to.deep.equal(first.json());
    expect((await send("DELETE", "/v1/keys/0000")).statusCode).to.equal(404);
  });

  /** On a clock that stands: no limit is given back while requests take their time. */
  async function restartOn(database: Database): Promise<TestClock> {
    const clock = testClock(Date.now());
    await relay.close();
    relay = await apiRelay(database, { extras: { failuresPerMinute: 20 }, context: { clock } });
    return clock;
  }

  it("counts requests by key: the limit of one does not touch the other", async () => {
    await restartOn(db);
    const slow = await relay.key(["read"], { rateLimit: 5 });
    const answers = [];
    for (let index = 0; index < 7; index++) answers.push(await get("/v1/corridors", slow));
    expect(answers.map(({ statusCode }) => statusCode)).to.deep.equal([200, 200, 200, 200, 200, 429, 429]);
    const refused = answers[6];
    expect(refused?.json()).to.include({ code: "rate-limited", status: 429 });
    expect(Number.parseInt(String(refused?.headers["retry-after"]), 10)).to.be.within(1, 60);
    expect((await get("/v1/corridors", operator)).statusCode).to.equal(200);
  });

  it("slows down who sends no valid keys, and nobody who has one, from whatever address", async () => {
    await restartOn(db);
    const guesses = await Promise.all(Array.from({ length: 20 }, () => get("/v1/corridors")));
    expect(guesses.every(({ statusCode }) => statusCode === 401)).to.equal(true);
    const next = await get("/v1/corridors");
    expect(next.statusCode).to.equal(429);
    expect(next.headers).to.have.property("retry-after");
    for (const remoteAddress of ["127.0.0.1", "10.0.0.2"]) {
      const answer = await relay.app.inject({ url: "/v1/corridors", headers: operator, remoteAddress });
      expect(answer.statusCode).to.equal(200);
    }
    expect((await relay.app.inject({ url: "/v1/corridors", remoteAddress: "10.0.0.2" })).statusCode).to.equal(401);
  });

  it("asks the store for no key that is guessed, once who guesses is slowed down", async () => {
    const made = (await send("POST", "/v1/keys", { label: "a", scopes: ["read"] })).json<NewKeyJson>();
    const [, id = "", secret = ""] = /^fq_([0-9a-z]+)_(.+)$/.exec(made.key) ?? [];
    const wrongSecret = `fq_${id}_${secret.startsWith("A") ? "B" : "A"}${secret.slice(1)}`;
    const guess = (index: number) => (index % 2 === 0 ? wrongSecret : `fq_${index}_${secret}`);
    let queries = 0;
    const counting: Database = { ...db, query: (sql, values) => (queries++, db.query(sql, values)) };
    const clock = await restartOn(counting);
    for (let index = 0; index < 21; index++) await get("/v1/corridors", bearer(guess(index)));
    queries = 0;
    const answers = [];
    for (let index = 0; index < 100; index++) answers.push(await get("/v1/corridors", bearer(guess(index))));
    expect(answers.every(({ statusCode }) => statusCode === 429)).to.equal(true);
    expect(queries, "one, for the list of all keys").to.be.at.most(1);
    expect((await get("/v1/corridors", bearer(made.key))).statusCode, "who has a key").to.equal(200);
    await revokeApiKey(db, id, Date.now());
    // As long as any list of keys is used.
    clock.advance(10_000);
    await until(async () => (await get("/v1/corridors", bearer(made.key))).statusCode === 429);
  });

  it("knows new keys at an address that is slowed down, though the clock was set back", async () => {
    const clock = await restartOn(db);
    for (let index = 0; index < 21; index++) await get("/v1/corridors", bearer("fq_00_wrong"));
    // By another process: this one knows its own at once.
    const create = () =>
      issueApiKey(relay.context, { label: "a", scopes: ["read"], rateLimit: 60, expiresAt: undefined });
    const first = await create();
    expect((await get("/v1/corridors", bearer(first.text))).statusCode).to.equal(200);
    clock.advance(-3_600_000);
    const second = await create();
    expect((await get("/v1/corridors", bearer(second.text))).statusCode).to.equal(200);
  });

  it("writes every operator action down, also those that fail, and no secret", async () => {
    const made = (await send("POST", "/v1/keys", { label: "a", scopes: ["read"] })).json<NewKeyJson>();
    await send("POST", "/v1/keys", { label: "b", scopes: ["all"] });
    await send("DELETE", "/v1/keys/0000");
    await send("POST", "/v1/keys", { label: "c", scopes: ["read"] }, bearer(made.key));
    await send("POST", `/v1/keys/${made.id}/rotate`, {});
    await send("POST", "/v1/webhooks", { url: "ftp://example.org" });
    await send("POST", "/v1/erasures", { uetr: "eb6305c9-1f7f-49de-aed0-16487c27b42d" });
    const entries = (await audit()).map(({ action, outcome }) => `${action} ${outcome}`);
    expect(entries).to.deep.equal([
      "keys.create done",
      "keys.create invalid-request",
      "keys.revoke not-found",
      "keys.create forbidden",
      "keys.rotate done",
      "webhooks.create invalid-request",
      "erasures.run not-found",
    ]);
    const [first, , , forbidden] = await audit();
    expect(first).to.deep.include({ subject: made.id, data: { label: "a", scopes: ["read"] } });
    expect(forbidden?.actor).to.equal(made.id);
  });

  it("leaves a trace of an action that was cut short", async () => {
    const { id } = (await send("POST", "/v1/keys", { label: "a", scopes: ["read"] })).json<NewKeyJson>();
    const query = db.query.bind(db);
    const dying = await apiRelay({
      ...db,
      query: (sql, values) =>
        sql.includes("UPDATE audit_log") ? Promise.withResolvers<never>().promise : query(sql, values),
      transaction: db.transaction.bind(db),
    });
    void dying.app.inject({ method: "DELETE", url: `/v1/keys/${id}`, headers: operator });
    let entry: AuditEntry | undefined;
    await until(async () => (entry = (await audit()).find(({ action }) => action === "keys.revoke")) !== undefined);
    expect(entry).to.include({ subject: id, outcome: "begun" });
  });
});
