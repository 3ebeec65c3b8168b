import { connect, type AddressInfo } from "node:net";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { expect } from "chai";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { PROBLEMS, type ProblemCode } from "../../../../sdk/problems.ts";
import { problemSchema } from "../../../../src/schema/problems.ts";
import { corridorKey } from "../../../../src/domain/corridor.ts";
import { createLogger } from "../../../../src/kernel/telemetry/logger.ts";
import { tracerTo } from "../../../../src/kernel/telemetry/tracing.ts";
import { batchAll } from "../../support/relay-batches.ts";
import type { PayeeLookup } from "../../../../src/features/wallet/connector.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { requestProblems } from "../../support/request-problems.ts";
import { describeOn } from "../../support/databases.ts";
import {
  ALIPAY_HK,
  apiRelay,
  fundedRelay,
  newUetr,
  setBalance,
  submission,
  TO_PHP,
  type ApiRelay,
} from "../../support/api.ts";

describeOn("PGlite", "problems of the API", (open) => {
  const reached = new Set<string>();
  let db: Database;
  let relay: ApiRelay;
  let headers: { authorization: string };
  let lookup: () => Promise<PayeeLookup>;

  beforeEach(async () => {
    db = await open();
    const wallet = { lookup: () => lookup() };
    // Only the wallet's lookup is asked for here.
    const context = { wallet: wallet as never };
    ({ relay, headers } = await fundedRelay(db, ["read", "submit", "operate"], { context }));
  });
  afterEach(() => relay.close());

  it("logs no part of a path that anybody can choose, and no trace and no metric has one", async () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const spans = new InMemorySpanExporter();
    const tracer = tracerTo(new SimpleSpanProcessor({ exporter: spans }), "test");
    await relay.close();
    relay = await apiRelay(db, { context: { log: createLogger({ level: "debug", destination }), tracer } });
    const phone = "+85291234567";
    const paths = [
      `/v1/transfers/${phone}`,
      `/v1/transfers/${phone}/receipt?disclose=${phone}`,
      `/v1/quotes/${phone}`,
      `/v1/${phone}`,
      `/v1/transfers/${phone}%zz`,
      `/v1/transfers/${phone.repeat(40)}`,
    ];
    for (const url of paths) expect((await call({ url })).statusCode, url).to.be.within(400, 499);
    for (const url of [`/v1/keys/${phone}`, `/v1/webhooks/${phone}`]) {
      expect((await call({ method: "DELETE", url })).statusCode, url).to.equal(400);
    }
    const uetr = newUetr();
    await call({ url: `/v1/transfers/${uetr}` });
    const told = [...lines, await relay.context.metrics.registry.metrics(), JSON.stringify(spans.getFinishedSpans())];
    expect(told.join("\n")).not.to.contain(phone.slice(1));
    expect(lines.join("\n"), "what is a UETR is told").to.contain(uetr);
    await tracer.close();
  });

  const call = (options: InjectOptions) => relay.app.inject({ headers, ...options });
  const submit = (payload: object) => call({ method: "POST", url: "/v1/transfers", payload });

  function expectProblem(answer: LightMyRequestResponse, code: ProblemCode, field?: string): void {
    expect(answer.headers["content-type"], answer.body).to.match(/^application\/problem\+json/);
    const problem = problemSchema.parse(answer.json());
    expect(problem).to.include({ code, status: PROBLEMS[code].status, type: `urn:feiqian:problem:${code}` });
    expect(answer.statusCode).to.equal(problem.status);
    expect(problem.instance).to.match(/^urn:feiqian:request:req_/);
    if (field !== undefined) expect(problem.field).to.equal(field);
    reached.add(code);
  }

  it("malformed-request", async () => {
    const json = { ...headers, "content-type": "application/json" };
    for (const payload of ["{", '{"uetr":1,"uetr":1}', "", "\ufeff\ufeff{}", Buffer.from([0x22, 0xff, 0x22])]) {
      const answer = await call({ method: "POST", url: "/v1/transfers", headers: json, payload });
      expectProblem(answer, payload === "" ? "uetr-unreadable" : "malformed-request");
      expect(answer.json()).to.include({ transfer: "unknown" });
    }
    expectProblem(await call({ url: "/v1/transfers/%zz" }), "malformed-request");
  });

  it("invalid-request, naming the field and never its value", async () => {
    const good = submission();
    const { purpose: _, ...rest } = good;
    const secret = "Zyxwvut";
    const bad: [payload: object, field: string][] = [
      [rest, "purpose"],
      [{ ...good, extra: 1 }, "body"],
      [{ ...good, target: "4" }, "target"],
      [{ ...good, amount: { send: { currency: "HKD", minor: 150000 } } }, "amount.send.minor"],
      [{ ...good, amount: { send: { currency: "XXX", minor: "1" } } }, "amount.send.currency"],
      [{ ...good, amount: { send: { currency: "HKD", minor: "0" } } }, "amount.send.minor"],
      [
        { ...good, amount: { send: { currency: "HKD", minor: "340282366920938463463374607431768211456" } } },
        "amount.send.minor",
      ],
      [{ ...good, amount: {} }, "amount"],
      [{ ...good, amount: { ...good.amount, quoteId: newUetr() } }, "amount"],
      [{ ...good, debtor: { ...good.debtor, name: `${secret}\ud800` } }, "debtor.name"],
      [{ ...good, debtor: { ...good.debtor, name: `${secret}\u0000` } }, "debtor.name"],
      [{ ...good, debtor: { ...good.debtor, name: secret.repeat(100) } }, "debtor.name"],
      [{ ...good, creditor: { alias: { type: "MSISDN", value: secret } } }, "creditor.alias.value"],
      [{ ...good, remittance: "" }, "remittance"],
    ];
    for (const [payload, field] of bad) {
      const answer = await submit({ ...payload, uetr: newUetr() });
      expectProblem(answer, "invalid-request");
      expect(answer.json()).to.include({ transfer: "none" });
      expect(answer.json<{ field: string }>().field.startsWith(field), answer.body).to.equal(true);
      expect(answer.body).not.to.contain(secret);
    }
    for (const url of [
      "/v1/events?limit=0",
      "/v1/events?limit=1&limit=2",
      "/v1/events?x=1",
      "/v1/transfers/1",
      "/v1/quotes/x",
    ]) {
      expectProblem(await call({ url }), "invalid-request");
    }
  });

  it("already-rotated", async () => {
    const operator = await relay.key(["operate"]);
    const rotate = async (key: { authorization: string }) => {
      const [, id = ""] = /fq_([0-9a-z]+)_/.exec(key.authorization) ?? [];
      return call({ method: "POST", url: `/v1/keys/${id}/rotate`, headers: operator, payload: {} });
    };
    const key = await relay.key(["operate"]);
    expect((await rotate(key)).statusCode).to.equal(201);
    expectProblem(await rotate(key), "already-rotated");
  });

  it("uetr-unreadable", async () => {
    const good = submission();
    const { uetr, ...rest } = good;
    for (const payload of [
      rest,
      { ...good, uetr: uetr.toUpperCase() },
      { ...good, uetr: 1 },
      { ...good, uetr: ` ${uetr}` },
      [],
    ]) {
      const answer = await submit(payload);
      expectProblem(answer, "uetr-unreadable", "uetr");
      expect(answer.json()).to.include({ transfer: "unknown" });
    }
  });

  it("content-uncheckable", async () => {
    const request = submission();
    await submit(request);
    await relay.close();
    relay = await apiRelay(db, { dataKey: new Uint8Array(32).fill(9) });
    const answer = await submit(request);
    expectProblem(answer, "content-uncheckable", "uetr");
    expect(answer.headers["retry-after"]).to.equal("1");
  });

  it("unauthorized, forbidden, rate-limited", async () => {
    expectProblem(await call({ url: "/v1/balances", headers: {} }), "unauthorized");
    expectProblem(await call({ url: "/v1/balances", headers: await relay.key(["submit"]) }), "forbidden");
    const slow = await relay.key(["read"], { rateLimit: 1 });
    await call({ url: "/v1/balances", headers: slow });
    expectProblem(await call({ url: "/v1/balances", headers: slow }), "rate-limited");
  });

  it("not-found and method-not-allowed", async () => {
    expectProblem(await call({ url: "/v1/nothing" }), "not-found");
    expectProblem(await call({ url: "/other/v2/transfers" }), "not-found");
    expectProblem(await call({ url: `/v1/transfers/${newUetr()}` }), "not-found");
    expectProblem(await call({ method: "POST", url: `/v1/transfers/${newUetr()}/cancel` }), "not-found");
    expectProblem(await call({ url: `/v1/transfers/${newUetr()}/receipt` }), "not-found");
    expectProblem(await call({ url: `/v1/quotes/${newUetr()}` }), "not-found");
    const answer = await call({ method: "DELETE", url: "/v1/transfers" });
    expectProblem(answer, "method-not-allowed");
    expect(answer.headers["allow"]).to.equal("POST");
    expectProblem(await call({ method: "PUT", url: `/v1/keys/ab` }), "method-not-allowed");
  });

  it("unsupported-version, with the versions that are spoken, and nothing told of the transfer", async () => {
    for (const url of ["/v2/transfers", `/v2/transfers/${newUetr()}`, "/v10/quotes?any=thing"]) {
      const refused = await call({ method: "POST", url, payload: submission() });
      expectProblem(refused, "unsupported-version");
      expect(refused.json())
        .to.deep.include({ versions: [1] })
        .and.not.have.property("transfer", "none");
    }
  });

  it("payload-too-large, unsupported-media-type, uri-too-long", async () => {
    expectProblem(await submit({ ...submission(), remittance: "x".repeat(70_000) }), "payload-too-large");
    for (const type of [
      "text/plain",
      "application/xml",
      "application/jsonx",
      "nonsense",
      "multipart/form-data; boundary=x",
    ]) {
      const typed = { ...headers, "content-type": type };
      expectProblem(
        await call({ method: "POST", url: "/v1/transfers", headers: typed, payload: "{}" }),
        "unsupported-media-type",
      );
    }
    expectProblem(await call({ url: `/v1/transfers/${"a".repeat(300)}` }), "uri-too-long");
  });

  it("payee-not-found and partner-unavailable", async () => {
    const payload = { target: ALIPAY_HK, alias: { type: "MSISDN", value: "+85291234567" } };
    const ask = () => call({ method: "POST", url: "/v1/payees/lookup", payload });
    lookup = () => Promise.resolve({ found: false, reason: "BE23" });
    const unknown = await ask();
    expectProblem(unknown, "payee-not-found", "alias");
    expect(unknown.json()).to.include({ reason: "BE23" });
    lookup = () => Promise.reject(new Error("no answer"));
    expectProblem(await ask(), "partner-unavailable", "target");
    lookup = () => Promise.resolve({ found: true, name: "Chan Tai Man" });
    expect((await ask()).json()).to.deep.include({ name: "C*** T** M**", target: ALIPAY_HK });
  });

  it("uetr-conflict, not-retryable", async () => {
    const first = submission();
    await submit(first);
    expectProblem(await submit({ ...first, purpose: "GIFT" }), "uetr-conflict", "uetr");
    expectProblem(await submit(submission({ retryOf: first.uetr })), "not-retryable", "retryOf");
  });

  it("unknown-partner, corridor-closed and the corridor's limits", async () => {
    expectProblem(await submit(submission({ target: 99 })), "unknown-partner", "target");
    expectProblem(await submit(submission({ target: 6 })), "corridor-closed");
    const closed = await submit(submission({ amount: { send: { currency: "PHP", minor: "1000" } } }));
    expectProblem(closed, "corridor-closed");
    expect(closed.json<{ detail: string }>().detail).to.match(
      /from PHP to PHP .* open to this partner: HKD to PHP; nothing will be stored/,
    );
    const much = { send: { currency: "HKD", minor: String(10n ** 9n + 1n) } };
    expectProblem(await submit(submission({ amount: much })), "amount-too-large", "amount");
    relay.providers.rates = new Map([[11, 1n]]);
    await db.query("DELETE FROM provider_quotes");
    expectProblem(
      await submit(submission({ amount: { send: { currency: "HKD", minor: "999" } } })),
      "amount-too-small",
      "amount",
    );
  });

  it("the problems of quotes", async () => {
    const ask = async () => {
      const payload = { target: 4, amount: { receive: { currency: "PHP", minor: "100000" } } };
      return (await call({ method: "POST", url: "/v1/quotes", payload })).json<{ id: string }>().id;
    };
    expectProblem(await submit(submission({ amount: { quoteId: newUetr() } })), "quote-not-found", "amount.quoteId");
    const quoteId = await ask();
    expectProblem(await submit(submission({ target: 1, amount: { quoteId } })), "quote-mismatch", "target");
    await db.query("UPDATE quotes SET expires_at = 1");
    expectProblem(await submit(submission({ amount: { quoteId } })), "quote-expired", "amount.quoteId");
    const another = await ask();
    await db.query("UPDATE provider_quotes SET reserved = capacity");
    relay.providers.rates = new Map([[11, 7_000n]]);
    expectProblem(await submit(submission({ amount: { quoteId: another } })), "quote-used-up", "amount.quoteId");
    // At a price as good as the one that was promised, it is taken.
    relay.providers.rates = new Map([[11, 7_281n]]);
    expect((await submit(submission({ amount: { quoteId: another } }))).statusCode).to.equal(202);
    relay.providers.capacity = 1_000n;
    await db.query("UPDATE provider_quotes SET reserved = capacity");
    expectProblem(await submit(submission()), "no-quote", "amount");
    relay.providers.rates = new Map();
    await db.query("UPDATE provider_quotes SET valid_until_s = 1");
    const away = await submit(submission());
    expectProblem(away, "quotes-unavailable");
  });

  it("insufficient-liquidity, told before anything is stored; unless it is to wait", async () => {
    await setBalance(db, "HKD", 150_074n);
    expectProblem(await submit(submission()), "insufficient-liquidity");
    const waiting = submission({ ifUnfunded: "wait" });
    expect((await submit(waiting)).statusCode).to.equal(202);
    const status = (await call({ url: `/v1/transfers/${waiting.uetr}` })).json<{ status: string; pacs002: string }>();
    expect(status).to.include({ status: "waiting", pacs002: "PDNG", isFinal: false });
    await setBalance(db, "HKD", 150_075n);
    expect((await call({ url: `/v1/transfers/${waiting.uetr}` })).json()).to.include({
      status: "received",
      pacs002: "RCVD",
    });
  });

  it("not-cancellable, receipt-not-ready, not-final, erased", async () => {
    const request = submission();
    await submit(request);
    expectProblem(await call({ url: `/v1/transfers/${request.uetr}/receipt` }), "receipt-not-ready");
    expectProblem(await call({ method: "POST", url: "/v1/erasures", payload: { uetr: request.uetr } }), "not-final");
    await db.query(
      `INSERT INTO batches (id, target, header, send_signature, quote_signature, signed_at)
       VALUES ($1, 4, '{}', '{}', '{}', 1)`,
      [new Uint8Array(32).fill(1)],
    );
    await batchAll({ db }, new Uint8Array(32).fill(1));
    const answer = await call({ method: "POST", url: `/v1/transfers/${request.uetr}/cancel` });
    expectProblem(answer, "not-cancellable");
    expect(answer.json()).to.have.nested.property("stored.status", "batched");
  });

  it("erased, where details are to be disclosed; the receipt can be had without", async () => {
    const request = submission();
    await submit(request);
    const batch = new Uint8Array(32).fill(2);
    await db.query(
      `INSERT INTO batches (id, target, header, send_signature, quote_signature, signed_at, on_ledger)
       VALUES ($1, 4, '{}', '{}', '{}', 1, true)`,
      [batch],
    );
    const zero = { provider: 0, taker: 0, rateNumerator: "0", rateDenominator: "0", capacity: "0", validUntil: 0 };
    const header = {
      ...{ source: 7, target: 4, sourceCurrency: 344, targetCurrency: 608, count: 1, sourceTotal: "150000" },
      ...{ targetTotal: "1", fee: "75", expiresAt: 1, root: `0x${"00".repeat(32)}` },
      quote: { ...zero, sourceCurrency: 0, targetCurrency: 0, maxHold: 0, nonce: "0" },
    };
    await db.query(
      `INSERT INTO ledger_batches (id, source, target, header, expires_at_s, status, opened_block, opened_log,
         opened_time_s, opened_transaction, final_block, final_log, final_time_s, final_transaction)
       VALUES ($1, 7, 4, $2::jsonb, 1, 'settled', 1, 0, 1, $1, 2, 0, 2, $1)`,
      [batch, JSON.stringify(header)],
    );
    await batchAll({ db }, batch);
    // A receipt is made with the registry's chain.
    const chain = { chainId: 1n, transferRegistry: `0x${"11".repeat(20)}`, quoteBook: `0x${"12".repeat(20)}` };
    Object.assign(relay.context, { ledger: { ...relay.context.ledger, chain, registries: [{ chain }] } });
    const url = `/v1/transfers/${request.uetr}/receipt`;
    expect((await call({ url: `${url}?disclose=creditor` })).json<{ disclosed: object[] }>().disclosed).to.have.length(
      1,
    );
    const erasure = { method: "POST", url: "/v1/erasures", payload: { uetr: request.uetr } } as const;
    // Settled, but the payee is not known to be credited.
    expectProblem(await call(erasure), "not-final");
    await db.query("INSERT INTO confirmations SELECT seq, seq, 1 FROM transfers WHERE uetr = $1::uuid", [request.uetr]);
    expect((await call(erasure)).json()).to.include({ erased: 1 });
    expectProblem(await call({ url: `${url}?disclose=creditor` }), "erased");
    expect((await call({ url })).statusCode).to.equal(200);
  });

  it("request-conflict, request-not-found, request-not-cancellable and code-altered", async () => {
    for (const [code, answer] of await requestProblems(relay, call)) expectProblem(answer, code);
  });

  it("invalid-request for an erasure up to a time in the future", async () => {
    const acceptedBefore = new Date(relay.context.clock.nowMs() + 1_000).toISOString();
    const answer = await call({ method: "POST", url: "/v1/erasures", payload: { acceptedBefore } });
    expectProblem(answer, "invalid-request");
    expect(answer.json()).to.include({ field: "acceptedBefore" });
  });

  it("cursor-lost, for what this database has never told", async () => {
    const answer = await call({ url: "/v1/events?after=evt_0123456789ab_7" });
    expectProblem(answer, "cursor-lost");
    expect(answer.json()).to.include({ field: "after", goOn: "0" });
    expectProblem(await call({ url: "/v1/audit?after=aud_0123456789ab_7" }), "cursor-lost");
    expectProblem(await call({ url: "/v1/audit?after=evt_0123456789ab_7" }), "invalid-request");
  });

  it("unavailable without a database, internal for anything else, and nothing of what it was", async () => {
    const failing = async (failure: Error) => {
      const broken = await apiRelay({
        ...db,
        query: (sql, values) => (sql.includes("api_keys") ? db.query(sql, values) : Promise.reject(failure)),
        transaction: () => Promise.reject(failure),
      });
      const answers = [
        await broken.app.inject({ method: "POST", url: "/v1/transfers", headers, payload: submission() }),
        await broken.app.inject({ url: "/v1/balances", headers }),
      ];
      await broken.close();
      return answers;
    };
    for (const answer of await failing(Object.assign(new Error("at host db-one"), { code: "ECONNREFUSED" }))) {
      expectProblem(answer, "unavailable");
      expect(answer.headers["retry-after"]).to.match(/^\d+$/);
      expect(answer.body).not.to.contain("db-one");
    }
    for (const answer of await failing(new Error("Chan Tai Man"))) {
      expectProblem(answer, "internal");
      expect(answer.body).not.to.contain("Chan");
    }
  });

  it("request-timeout, headers-too-large, and what is no HTTP at all", async () => {
    await relay.app.listen({ host: "127.0.0.1", port: 0 });
    // Listening on TCP, so the address is not a path.
    const { port } = relay.app.server.address() as AddressInfo;
    const raw = (text: string) =>
      new Promise<string>((resolve, reject) => {
        let answer = "";
        const socket = connect(port, "127.0.0.1", () => socket.write(text));
        socket.on("data", (data: Buffer) => (answer += data.toString("utf8")));
        socket.on("close", () => resolve(answer));
        socket.on("error", reject);
      });
    const large = await raw(`GET /livez HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`);
    expect(large).to.match(/^HTTP\/1\.1 431 /);
    expect(large).to.contain('"code":"headers-too-large"');
    const nonsense = await raw("NONSENSE\r\n\r\n");
    expect(nonsense).to.match(/^HTTP\/1\.1 400 /);
    expect(nonsense).to.contain('"code":"malformed-request"');
    reached.add("headers-too-large");
    relay.app.server.emit("clientError", Object.assign(new Error("late"), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), {
      writable: true,
      end: (text: string) => {
        expect(text).to.match(/^HTTP\/1\.1 408 [^]*"code":"request-timeout"/);
        reached.add("request-timeout");
      },
    });
  });

  it("tells of an open corridor at once when its terms change", async () => {
    relay.registry.terms.set(corridorKey(TO_PHP), { open: false, feeBps: 5n, maxPerBatch: 1n, maxPerDay: 1n });
    expectProblem(await submit(submission()), "corridor-closed");
  });

  it("has reached every problem there is", () => {
    expect([...reached].sort()).to.deep.equal(Object.keys(PROBLEMS).sort());
  });
});
