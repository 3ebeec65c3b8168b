import { once } from "node:events";
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { PROBLEMS, type ProblemCode } from "../../../../sdk/problems.ts";
import type { LineResult } from "../../../../src/schema/transfers.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { apiRelay, fundedRelay, newUetr, storedCount, submission, submitTo, type ApiRelay } from "../../support/api.ts";

describeOnBothDatabases("a stream of submissions", (open) => {
  let db: Database;
  let relay: ApiRelay;
  let headers: { authorization: string };
  /** How many transfers were stored beside the streams that are looked at. */
  let others: number;

  beforeEach(async () => {
    db = await open();
    ({ relay, headers } = await fundedRelay(db, ["submit"]));
    others = 0;
    await relay.app.listen({ host: "127.0.0.1", port: 0 });
  });
  afterEach(() => relay.close());

  function connect(): ClientRequest {
    // Listening on TCP, so the address is not a path.
    const { port } = relay.app.server.address() as AddressInfo;
    return httpRequest({
      host: "127.0.0.1",
      port,
      path: "/v1/transfers",
      method: "POST",
      headers: { ...headers, "content-type": "application/x-ndjson" },
    });
  }

  async function stream(body: string | Buffer): Promise<readonly LineResult[]> {
    const sent = connect();
    sent.end(body);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    expect(answer.statusCode).to.equal(200);
    expect(answer.headers["content-type"]).to.equal("application/x-ndjson");
    return readAll(answer);
  }

  async function readAll(answer: IncomingMessage): Promise<LineResult[]> {
    const results: LineResult[] = [];
    for await (const line of createInterface({ input: answer })) results.push(JSON.parse(line) as LineResult);
    return results;
  }

  it("answers each line in order, and stores what it accepts", async () => {
    const requests = Array.from({ length: 1_500 }, () => submission());
    const results = await stream(requests.map((request) => `${JSON.stringify(request)}\n`).join(""));
    expect(results.map(({ uetr }) => uetr)).to.deep.equal(requests.map(({ uetr }) => uetr));
    expect(results.map(({ line }) => line)).to.deep.equal(requests.map((_, index) => index + 1));
    expect(new Set(results.map(({ status }) => status))).to.deep.equal(new Set([202]));
    expect(await storedCount(db)).to.equal(requests.length);
    const [quote] = await db.query<{ reserved: bigint }>("SELECT max(reserved) AS reserved FROM provider_quotes");
    expect(quote?.reserved).to.equal(
      results.reduce((sum, { acceptance }) => sum + BigInt(acceptance?.receive.minor ?? 0), 0n),
    );
  });

  it("does not let bad lines hurt the others", async () => {
    const good = submission();
    const conflicting = { ...good, purpose: "GIFT" };
    const lines: [text: string | Buffer, status: number, code?: string][] = [
      [JSON.stringify(good), 202],
      ["{", 400, "malformed-request"],
      ['{"uetr":1,"uetr":2}', 400, "malformed-request"],
      ["\ufeff[]", 400, "uetr-unreadable"],
      [JSON.stringify({ ...submission(), target: 0 }), 400, "invalid-request"],
      [JSON.stringify(submission({ target: 6 })), 422, "corridor-closed"],
      [JSON.stringify(submission({ amount: { quoteId: newUetr() } })), 422, "quote-not-found"],
      [JSON.stringify({ ...submission(), remittance: "x".repeat(20_000) }), 413, "payload-too-large"],
      [JSON.stringify(good), 202],
      [JSON.stringify(conflicting), 409, "uetr-conflict"],
      [`${JSON.stringify(submission())}\r`, 202],
      ["null", 400, "uetr-unreadable"],
      [JSON.stringify({ ...good, target: 0 }), 409, "uetr-conflict"],
    ];
    const body = Buffer.concat(lines.flatMap(([text]) => [Buffer.from(text), Buffer.from("\n")]));
    const results = await stream(body);
    expect(results.map(({ status, problem }) => [status, problem?.code])).to.deep.equal(
      lines.map(([, status, code]) => [status, code]),
    );
    for (const { problem } of results.filter((result) => result.problem !== undefined)) {
      expect(problem?.transfer, problem?.code).to.equal(PROBLEMS[problem?.code as ProblemCode].transfer);
      expect(problem?.stored?.uetr, problem?.code).to.equal(problem?.transfer === "stored" ? good.uetr : undefined);
    }
    expect(results[8]).to.include({ replayed: true });
    expect(results[8]?.acceptance).to.deep.equal(results[0]?.acceptance);
    expect(await storedCount(db)).to.equal(2);
  });

  it("takes nothing of what comes with bytes that are not UTF-8: lines that are, by chance, say something else", async () => {
    const line = (name: string) =>
      Buffer.from(`${JSON.stringify(submission({ debtor: debtorCalled(name) }))}\n`, "latin1");
    // Three names in GBK. The second is "叶梅", and reads "Ҷ÷" in UTF-8.
    const [first, second, third] = [line("Li"), line("\xd2\xb6\xc3\xb7"), line("\xc0\xee")];
    for (const body of [Buffer.concat([first, second, third]), Buffer.concat([first, second, third.subarray(0, -1)])]) {
      const results = await stream(body);
      expect(results.map(({ line: at, status }) => [at, status])).to.deep.equal([[1, 400]]);
      expect(results[0]?.problem).to.include({ code: "malformed-request" });
      expect(results[0]?.problem?.detail).to.match(
        /stops being UTF-8; convert all of it: nothing was done with this line/,
      );
    }
    expect(await storedCount(db)).to.equal(0);
    const cut = await stream(Buffer.concat([Buffer.from(`${JSON.stringify(submission())}\n`), Buffer.of(0xe9)]));
    expect(cut.at(-1)).to.include({ line: 2, status: 400 });
  });

  const debtorCalled = (name: string) => ({ name, alias: { type: "ALIAS" as const, value: "x" } });

  it("takes a byte order mark before it, and before its lines", async () => {
    const [first, second] = [submission(), submission()];
    const results = await stream(`\ufeff${JSON.stringify(first)}\n\ufeff${JSON.stringify(second)}\n`);
    expect(results.map(({ status }) => status)).to.deep.equal([202, 202]);
  });

  it("skips empty lines, counts them, and takes a last line without its end", async () => {
    const [first, last] = [submission(), submission()];
    const results = await stream(`\n \r\n${JSON.stringify(first)}\n\n${JSON.stringify(last)}`);
    expect(results.map(({ line, uetr }) => [line, uetr])).to.deep.equal([
      [3, first.uetr],
      [5, last.uetr],
    ]);
    expect(await stream("")).to.deep.equal([]);
  });

  it("answers while the stream is open, however its bytes are cut", async () => {
    const sent = connect();
    const request = submission({ debtor: { name: "陳大文", alias: { type: "ALIAS", value: "大文😀" } } });
    for (const byte of Buffer.from(`${JSON.stringify(request)}\n`)) {
      sent.write(Buffer.of(byte));
      if (byte % 7 === 0) await turn();
    }
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    const lines = createInterface({ input: answer })[Symbol.asyncIterator]();
    expect(JSON.parse((await lines.next()).value ?? "")).to.include({ line: 1, uetr: request.uetr, status: 202 });
    sent.write(`${JSON.stringify(submission())}\n`);
    expect(JSON.parse((await lines.next()).value ?? "")).to.include({ line: 2, status: 202 });
    sent.end();
    expect((await lines.next()).done).to.equal(true);
  });

  it("reads no further than its results are taken", async () => {
    const sent = connect();
    sent.flushHeaders();
    sent.once("response", (answer: IncomingMessage) => answer.pause());
    // A refusal fills the way back as well as an acceptance does, and costs less.
    const lines = () => [JSON.stringify(submission()), ...Array.from({ length: 49 }, () => "{}"), ""].join("\n");
    let written = 0;
    for (let stalled = false; !stalled && written < 6_000;) {
      written += 8;
      if (sent.write(Array.from({ length: 8 }, lines).join(""))) continue;
      stalled = await standsStill(() => !sent.writableNeedDrain);
    }
    expect((await storedCount(db)) - others).to.be.below(written);
    sent.on("error", () => undefined);
    sent.destroy();
  });

  /**
   * True once nothing more is stored of a stream: whatever had been on its way in this process would have come through
   * while so many other transfers did. False where it goes on.
   */
  async function standsStill(goesOn: () => boolean = () => false): Promise<boolean> {
    for (let before = -1, rounds = 0; rounds < 40; rounds++) {
      if (goesOn()) return false;
      expect((await submitTo(relay, headers, submission())).statusCode).to.equal(202);
      others++;
      const ofStream = (await storedCount(db)) - others;
      if (ofStream !== before) rounds = 0;
      before = ofStream;
    }
    return true;
  }

  it("keeps what it accepted when the caller is gone, and takes the rest again", async () => {
    const requests = Array.from({ length: 2_000 }, () => submission());
    const sent = connect();
    sent.on("error", () => undefined);
    for (const request of requests) sent.write(`${JSON.stringify(request)}\n`);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    answer.on("error", () => undefined);
    const lines = createInterface({ input: answer })[Symbol.asyncIterator]();
    const seen: LineResult[] = [];
    for (let index = 0; index < 10; index++) seen.push(JSON.parse((await lines.next()).value ?? "") as LineResult);
    sent.destroy();
    // What had been read by then is being stored, and counts as kept.
    await standsStill();
    const kept = (await storedCount(db)) - others;
    expect(kept).to.be.at.least(10);
    const results = await stream(requests.map((request) => `${JSON.stringify(request)}\n`).join(""));
    expect((await storedCount(db)) - others).to.equal(requests.length);
    expect(results.filter(({ replayed }) => replayed === true).length).to.equal(kept);
    for (const [index, one] of seen.entries()) expect(results[index]?.acceptance).to.deep.equal(one.acceptance);
  });

  it("ends when the relay is stopping, and tells from which line on to send again", async () => {
    const sent = connect();
    const requests = Array.from({ length: 20 }, () => submission());
    sent.write(`${JSON.stringify(requests[0])}\n`);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    const closed = relay.app.close();
    const results = await readAll(answer);
    sent.destroy();
    await closed;
    const accepted = results.filter(({ status }) => status === 202).length;
    expect(results.at(-1)).to.deep.include({ line: accepted + 1, status: 503 });
    expect(await storedCount(db)).to.equal(accepted);
  });

  it("answers lines with 503 while the database is away, and goes on after", async () => {
    const query = db.query.bind(db);
    let away = true;
    const gone = () => Promise.reject(Object.assign(new Error("away"), { code: "ECONNREFUSED" }));
    await relay.close();
    relay = await apiRelay({
      ...db,
      query: (sql, values) => (away && !sql.includes("api_keys") ? gone() : query(sql, values)),
      transaction: (work) => (away ? gone() : db.transaction(work)),
    });
    await relay.app.listen({ host: "127.0.0.1", port: 0 });
    const sent = connect();
    const request = submission();
    sent.write(`${JSON.stringify(request)}\n`);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    const lines = createInterface({ input: answer })[Symbol.asyncIterator]();
    expect(JSON.parse((await lines.next()).value ?? "")).to.include({ line: 1, status: 503, uetr: request.uetr });
    away = false;
    sent.end(`${JSON.stringify(request)}\n`);
    expect(JSON.parse((await lines.next()).value ?? "")).to.include({ line: 2, status: 202 });
  });
});
