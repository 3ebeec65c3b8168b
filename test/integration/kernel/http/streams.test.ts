import { once } from "node:events";
import { get, request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { expect } from "chai";
import type { LineResult } from "../../../../src/schema/transfers.ts";
import { rotateApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { createClient } from "../../../../sdk/index.ts";
import { expireApiKey, revokeApiKey } from "../../../../src/kernel/access/store.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { until } from "../../../support/until.ts";
import { describeOn, describeOnBothDatabases } from "../../support/databases.ts";
import { apiRelay, originOf, setBalance, storedCount, submission, type ApiRelay } from "../../support/api.ts";

const lineOf = () => `${JSON.stringify(submission())}\n`;
const idOf = ({ authorization }: { authorization: string }) => /fq_([0-9a-z]+)_/.exec(authorization)?.[1] ?? "";

/** A stream of submissions that is open, with what has been answered on it. */
interface Sending {
  readonly request: ClientRequest;
  readonly results: LineResult[];
  readonly ended: Promise<void>;
}

async function send(relay: ApiRelay, headers: { authorization: string }, first: string): Promise<Sending> {
  const request = httpRequest(`${originOf(relay.app)}/v1/transfers`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-ndjson" },
  });
  request.on("error", () => undefined);
  request.write(first);
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const results: LineResult[] = [];
  const read = async () => {
    for await (const line of createInterface({ input: answer })) results.push(JSON.parse(line) as LineResult);
  };
  return { request, results, ended: read() };
}

/** Events as they come, whole text. */
async function listen(relay: ApiRelay, headers: { authorization: string }) {
  const opened = { text: "", status: 0 };
  const sent = get(`${originOf(relay.app)}/v1/events/stream`, { headers });
  sent.on("error", () => undefined);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  opened.status = answer.statusCode ?? 0;
  // Whichever side ends it; a stream that is cut off is no fault of a test's.
  answer.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    answer.once("close", () => resolve());
  });
  answer.on("data", (chunk: Buffer) => (opened.text += chunk.toString()));
  return { opened, ended, close: () => sent.destroy() };
}

describeOnBothDatabases("streams whose key ends", (open) => {
  let db: Database;
  let relay: ApiRelay;

  beforeEach(async () => {
    db = await open();
    relay = await apiRelay(db);
    await setBalance(db, "HKD", 10n ** 14n);
    await relay.app.listen({ host: "127.0.0.1", port: 0 });
  });
  afterEach(() => relay.close());

  // By another process on the same database: nothing in this one hears of it.
  const endings: Record<string, (id: string) => Promise<unknown>> = {
    "is revoked": (id) => revokeApiKey(db, id, Date.now()),
    expires: (id) => expireApiKey(db, id, Date.now()),
    "is rotated, with an overlap": (id) => rotateApiKey(relay.context, id, 3_600),
  };

  for (const [how, end] of Object.entries(endings)) {
    it(`ends a stream of submissions when its key ${how}, though nothing is sent on it`, async () => {
      const headers = await relay.key(["submit"]);
      const sending = await send(relay, headers, lineOf());
      await until(() => sending.results.length === 1);
      await end(idOf(headers));
      await sending.ended;
      expect(sending.results).to.have.length(2);
      expect(sending.results[1]).to.include({ line: 2, status: 401 });
      expect(sending.results[1]?.problem?.detail).to.match(/^the key (?:was|has) .*nothing was done with this line/);
      sending.request.destroy();
    });

    it(`ends a stream of events when its key ${how}, and says why`, async () => {
      const headers = await relay.key(["read"]);
      const { opened, ended } = await listen(relay, headers);
      await until(() => opened.text !== "");
      await end(idOf(headers));
      await ended;
      expect(opened.text).to.match(/event: problem\ndata: {.*"status":401,.*"detail":"the key (?:was|has) /);
      // What is rotated works beside its successor for the overlap, in streams that are opened anew.
      const again = await listen(relay, headers);
      expect(again.opened.status).to.equal(how.includes("overlap") ? 200 : 401);
      again.close();
    });
  }

  it("stores no line that comes after a second", async () => {
    let offsetMs = 0;
    await relay.close();
    const clock = { ...relay.context.clock, nowMs: () => Date.now() + offsetMs };
    relay = await apiRelay(db, { context: { clock } });
    await relay.app.listen({ host: "127.0.0.1", port: 0 });
    const headers = await relay.key(["submit"]);
    const sending = await send(relay, headers, lineOf());
    await until(() => sending.results.length === 1);
    await revokeApiKey(db, idOf(headers), clock.nowMs());
    offsetMs = 1_000;
    sending.request.write(Array.from({ length: 50 }, lineOf).join(""));
    await sending.ended;
    expect(sending.results.map(({ status }) => status)).to.deep.equal([202, 401]);
    expect(await storedCount(db)).to.equal(1);
    sending.request.destroy();
  });

  it("says 503, and stores nothing, while the store cannot tell whether the key still works", async () => {
    let offsetMs = 0;
    let away = false;
    await relay.close();
    const query = db.query.bind(db);
    relay = await apiRelay(
      {
        ...db,
        query: (sql, values) =>
          away && sql.includes("api_keys")
            ? Promise.reject(Object.assign(new Error("away"), { code: "ECONNREFUSED" }))
            : query(sql, values),
        transaction: db.transaction.bind(db),
      },
      { context: { clock: { ...relay.context.clock, nowMs: () => Date.now() + offsetMs } } },
    );
    await relay.app.listen({ host: "127.0.0.1", port: 0 });
    const sending = await send(relay, await relay.key(["submit"]), lineOf());
    await until(() => sending.results.length === 1);
    away = true;
    offsetMs = 1_000;
    sending.request.write(lineOf());
    await until(() => sending.results.length === 2);
    away = false;
    sending.request.end(lineOf());
    await sending.ended;
    expect(sending.results.map(({ status }) => status)).to.deep.equal([202, 503, 202]);
    expect(await storedCount(db)).to.equal(2);
  });
});

describeOn("PGlite", "limits of streams", (open) => {
  let db: Database;
  let relay: ApiRelay;

  beforeEach(async () => {
    db = await open();
    await setBalance(db, "HKD", 10n ** 14n);
  });
  afterEach(() => relay.close());

  async function start(options: Parameters<typeof apiRelay>[1] = {}): Promise<void> {
    relay = await apiRelay(db, options);
    await relay.app.listen({ host: "127.0.0.1", port: 0 });
  }

  it("counts transfers, not requests: a stream ends at its key's limit and tells when to go on", async () => {
    await start();
    const headers = await relay.key(["submit"], { rateLimit: 5 });
    const sending = await send(relay, headers, Array.from({ length: 12 }, lineOf).join(""));
    sending.request.end();
    // The pauses that are short enough are waited for, by the clock: the first one here is 12 s.
    await until(() => sending.results.length >= 5);
    expect(sending.results.slice(0, 5).map(({ status }) => status)).to.deep.equal([202, 202, 202, 202, 202]);
    expect(await storedCount(db)).to.equal(5);
    const single = await relay.app.inject({ method: "POST", url: "/v1/transfers", headers, payload: submission() });
    expect(single.json()).to.include({ code: "rate-limited" });
    expect(single.json<{ retryAfterSeconds: number }>().retryAfterSeconds).to.be.within(1, 12);
    sending.request.destroy();
  });

  it("goes on more slowly at its limit, and ends where it would have to wait too long", async () => {
    let nowMs = 1_000_000;
    const slept: number[] = [];
    const clock = {
      nowMs: () => nowMs,
      sleep: (durationMs: number) => {
        slept.push(durationMs);
        nowMs += durationMs;
        return Promise.resolve();
      },
    };
    await start({ context: { clock } });
    const headers = await relay.key(["submit"], { rateLimit: 120 });
    const sending = await send(relay, headers, Array.from({ length: 300 }, lineOf).join(""));
    await sending.ended;
    // 120 at once, then two a second for half a minute.
    const last = sending.results.at(-1);
    expect(sending.results).to.have.length(181);
    expect(new Set(sending.results.slice(0, 180).map(({ status }) => status))).to.deep.equal(new Set([202]));
    expect(last).to.include({ line: 181, status: 429 });
    expect(last?.problem).to.include({ code: "rate-limited", retryAfterSeconds: 1 });
    expect(slept).to.have.length(30);
    expect(await storedCount(db)).to.equal(180);
    sending.request.destroy();
  });

  it("is gone on with by the client where it ended, each line answered once", async () => {
    await start();
    const { authorization } = await relay.key(["submit"], { rateLimit: 3_000 });
    const client = createClient({ url: originOf(relay.app), key: authorization.replace("Bearer ", "") });
    const requests = Array.from({ length: 3_100 }, () => submission());
    const results: LineResult[] = [];
    for await (const result of client.submitMany(requests)) results.push(result);
    expect(results.map(({ uetr }) => uetr)).to.deep.equal(requests.map(({ uetr }) => uetr));
    expect(results.map(({ line }) => line)).to.deep.equal(requests.map((_, index) => index + 1));
    expect(await storedCount(db)).to.equal(requests.length);
  });

  it("lets one key have so many streams open, and leaves room for the others", async () => {
    await start({ extras: { streamLimits: { perKey: 2, overall: 3 } } });
    const [one, other] = [await relay.key(["read", "submit"]), await relay.key(["read", "submit"])];
    const held = [await listen(relay, one), await send(relay, one, lineOf())] as const;
    for (const url of ["/v1/events/stream", "/v1/transfers"]) {
      const method = url === "/v1/transfers" ? "POST" : "GET";
      const more = method === "GET" ? {} : { "content-type": "application/x-ndjson" };
      const answer = await relay.app.inject({ method, url, headers: { ...one, ...more } });
      expect(answer.json(), url).to.include({ code: "rate-limited" });
      expect(answer.headers).to.have.property("retry-after");
    }
    const third = await listen(relay, other);
    expect(third.opened.status).to.equal(200);
    expect((await listen(relay, other)).opened.status).to.equal(429);
    // One that is closed makes room.
    held[0].close();
    await until(async () => {
      const next = await listen(relay, one);
      next.close();
      return next.opened.status === 200;
    });
    held[1].request.destroy();
    third.close();
  });
});
