import { expect } from "chai";
import { RelayProblem, RelayUnreachable } from "../../../sdk/index.ts";
import type { LineResult, SubmitRequest } from "../../../src/schema/transfers.ts";
import {
  answering,
  hanging,
  resetting,
  startReceiver,
  type Manner,
  type Receiver,
} from "../../integration/support/receiver.ts";
import {
  acceptanceOf,
  accepting,
  clientOf,
  collect,
  failureOf,
  inTurn,
  json,
  KEY,
  problem,
  requestOf,
} from "./support.ts";

describe("The relay's client", function () {
  let relay: Receiver;
  beforeEach(async () => {
    relay = await startReceiver();
  });
  afterEach(() => relay.close());

  it("submits with its key, and says whether the answer is one that was given before", async () => {
    relay.manner = accepting;
    const request = requestOf();
    expect(await clientOf(relay).submit(request)).to.deep.equal({
      acceptance: acceptanceOf(request.uetr),
      replayed: false,
    });
    expect(relay.received[0]?.headers.authorization).to.equal(`Bearer ${KEY}`);
    relay.manner = json(202, acceptanceOf(request.uetr), { "idempotent-replayed": "true" });
    expect((await clientOf(relay).submit(request)).replayed).to.equal(true);
  });

  for (const [what, manner] of [
    ["the connection broke", resetting],
    ["no answer came in time", hanging],
    ["the relay failed", problem(500, "internal")],
    ["the relay is stopping", problem(503, "unavailable")],
    ["a proxy answered", answering(502)],
  ] as const) {
    it(`submits the same again when ${what}`, async () => {
      relay.manner = inTurn(manner, manner, accepting);
      const request = requestOf();
      const { acceptance } = await clientOf(relay, manner === hanging ? { timeoutMs: 300 } : {}).submit(request);
      expect(acceptance.uetr).to.equal(request.uetr);
      expect(relay.received.map(({ body }) => body)).to.deep.equal(Array(3).fill(JSON.stringify(request)));
    });
  }

  it("asks a route of the document by its name, with what its path, query and body are given", async () => {
    relay.manner = inTurn(
      json(200, { entries: [], next: "0" }),
      json(200, { erased: 1, payloads: 0, later: true }),
      answering(204),
    );
    const client = clientOf(relay);
    expect(await client.ask("GET /v1/audit", { query: { after: "0", limit: undefined } })).to.deep.equal({
      entries: [],
      next: "0",
    });
    // What a later version adds is left out.
    expect(await client.ask("POST /v1/erasures", { body: { uetr: "u" } })).to.deep.equal({ erased: 1, payloads: 0 });
    await client.ask("DELETE /v1/webhooks/{id}", { path: { id: "a/../b?c" } });
    expect(relay.received.map(({ method, path, body }) => [method, path, body])).to.deep.equal([
      ["GET", "/v1/audit?after=0", ""],
      ["POST", "/v1/erasures", '{"uetr":"u"}'],
      ["DELETE", "/v1/webhooks/a%2F..%2Fb%3Fc", ""],
    ]);
  });

  it("asks again only what the document says changes nothing the second time", async () => {
    relay.manner = resetting;
    const client = clientOf(relay, { retries: 1 });
    const attempts = async (work: Promise<unknown>) => {
      const before = relay.received.length;
      expect(await failureOf(work)).to.be.instanceOf(RelayUnreachable);
      return relay.received.length - before;
    };
    expect(await attempts(client.ask("GET /v1/keys"))).to.equal(2);
    expect(await attempts(client.ask("POST /v1/reconciliations"))).to.equal(2);
    // A second key would be made, and its secret told to nobody.
    expect(await attempts(client.ask("POST /v1/keys", { body: { label: "till", scopes: ["read"] } }))).to.equal(1);
    expect(await attempts(client.ask("DELETE /v1/keys/{id}", { path: { id: "k" } }))).to.equal(1);
  });

  it("takes an answer that is not as the document says for none", async () => {
    relay.manner = json(200, { balances: [{ available: 1 }] });
    expect(await failureOf(clientOf(relay).ask("GET /v1/balances"))).to.be.instanceOf(RelayUnreachable);
  });

  it("gives up after as many repetitions as it was told", async () => {
    relay.manner = resetting;
    const failure = await failureOf(clientOf(relay, { retries: 2 }).submit(requestOf()));
    expect(failure).to.be.instanceOf(RelayUnreachable).with.property("attempts", 3);
    expect(relay.received).to.have.length(3);
    relay.manner = problem(503, "unavailable");
    expect(await failureOf(clientOf(relay, { retries: 0 }).balances())).to.be.instanceOf(RelayProblem);
  });

  it("waits as long as a limit asks for", async () => {
    relay.manner = inTurn(problem(429, "rate-limited", {}, { "retry-after": "1" }), accepting);
    const before = performance.now();
    // At most forty times the first delay.
    await clientOf(relay, { firstDelayMs: 10 }).submit(requestOf());
    expect(performance.now() - before).to.be.within(390, 15_000);
  });

  it("hands a refusal on at once, with all that it says", async () => {
    relay.manner = problem(409, "uetr-conflict", { field: "uetr", reason: "AM05" });
    const failure = await failureOf(clientOf(relay).submit(requestOf()));
    expect(failure).to.be.instanceOf(RelayProblem);
    expect(failure).to.include({
      code: "uetr-conflict",
      status: 409,
      field: "uetr",
      reason: "AM05",
      instance: "req-1",
    });
    expect(relay.received).to.have.length(1);
  });

  it("says what a refusal proves of the transfer only where the relay itself does", async () => {
    const fateOf = async (manner: Manner) => {
      relay.manner = manner;
      const failure = await failureOf(clientOf(relay, { retries: 0 }).submit(requestOf()));
      expect(failure).to.be.instanceOf(RelayProblem);
      return (failure as RelayProblem).transfer;
    };
    for (const transfer of ["none", "stored", "unknown"]) {
      expect(await fateOf(problem(422, "no-quote", { transfer }))).to.equal(transfer);
    }
    // An older relay does not say, a newer one something else, and a proxy is none.
    expect(await fateOf(problem(422, "no-quote"))).to.equal("unknown");
    expect(await fateOf(problem(422, "no-quote", { transfer: "halved" }))).to.equal("unknown");
    expect(await fateOf(json(422, { code: "no-quote", transfer: "none" }))).to.equal("unknown");
    expect(await fateOf(problem(400, "no-quote", { status: 422, transfer: "none" }))).to.equal("unknown");
    for (const status of [400, 401, 403, 404, 409, 410, 413, 422, 429, 503]) {
      expect(await fateOf(answering(status))).to.equal("unknown");
    }
  });

  it("does not take a proxy's word for the relay's", async () => {
    relay.manner = answering(404);
    expect(await failureOf(clientOf(relay).transfer("x"))).to.include({ code: "not-the-relay", status: 404 });
    // A problem that is of another status than its answer is somebody else's, passed on.
    relay.manner = json(422, {
      ...JSON.parse("{}"),
      type: "urn:x",
      title: "t",
      status: 400,
      detail: "d",
      instance: "i",
      code: "c",
    });
    expect(await failureOf(clientOf(relay).balances())).to.include({ code: "not-the-relay" });
    relay.manner = json(200, { hello: "world" });
    expect(await failureOf(clientOf(relay).balances())).to.be.instanceOf(RelayUnreachable);
    relay.manner = answering(302, { location: "https://elsewhere.example/" });
    expect(await failureOf(clientOf(relay, { retries: 0 }).balances())).to.be.instanceOf(RelayUnreachable);
  });

  it("does not repeat what would be done twice", async () => {
    relay.manner = resetting;
    expect(await failureOf(clientOf(relay).createWebhook({ url: "https://wallet.example" }))).to.be.instanceOf(
      RelayUnreachable,
    );
    expect(relay.received).to.have.length(1);
  });

  it("sees that a cancellation whose answer was lost has been made", async () => {
    const { uetr, ...rest } = acceptanceOf("eb6305c9-1f7f-49de-aed0-16487c27b42d");
    const cancelled = { ...rest, uetr, status: "cancelled", pacs002: "CANC", isFinal: true, steps: [] };
    relay.manner = (response, request) => {
      const posts = relay.received.filter(({ path }) => path.endsWith("/cancel")).length;
      if (!request.path.endsWith("/cancel")) json(200, cancelled)(response, request);
      else if (posts === 1) resetting(response, request);
      else problem(409, "not-cancellable", { stored: cancelled })(response, request);
    };
    expect(await clientOf(relay).cancel(uetr)).to.deep.equal(cancelled);
    relay.manner = problem(409, "not-cancellable", { stored: { ...cancelled, status: "settled" } });
    expect(await failureOf(clientOf(relay).cancel(uetr))).to.have.nested.property("stored.status", "settled");
  });

  it("asks for what is disclosed, and for nothing unless told", async () => {
    relay.manner = json(200, { format: "feiqian-receipt/1" });
    await clientOf(relay).receipt("u", ["debtor", "remittance"]);
    await clientOf(relay).receipt("u");
    expect(relay.received.map(({ path }) => path)).to.deep.equal([
      "/v1/transfers/u/receipt?disclose=debtor%2Cremittance",
      "/v1/transfers/u/receipt",
    ]);
  });

  describe("submitting many", () => {
    const linesOf = (body: string) =>
      body
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as SubmitRequest);
    const resultOf = ({ uetr }: SubmitRequest, index: number): LineResult => {
      return { line: index + 1, uetr, status: 202, acceptance: acceptanceOf(uetr) };
    };
    const answeringLines =
      (atMost = Infinity): Manner =>
      (response, { body }) => {
        const results = linesOf(body).map(resultOf).slice(0, atMost);
        response.writeHead(200, { "content-type": "application/x-ndjson" });
        response.end(results.map((result) => `${JSON.stringify(result)}\n`).join(""));
      };

    it("sends chunk after chunk, and gives each its own result in order", async () => {
      relay.manner = answeringLines();
      const requests = Array.from({ length: 1_201 }, () => requestOf());
      let taken = 0;
      let mostAhead = 0;
      const source = (function* () {
        for (const request of requests) {
          taken++;
          yield request;
        }
      })();
      const results: LineResult[] = [];
      for await (const result of clientOf(relay).submitMany(source)) {
        mostAhead = Math.max(mostAhead, taken - results.length);
        results.push(result);
      }
      expect(results.map(({ uetr }) => uetr)).to.deep.equal(requests.map(({ uetr }) => uetr));
      expect(results.map(({ line }) => line)).to.deep.equal(requests.map((_, index) => index + 1));
      expect(relay.received.map(({ body }) => linesOf(body).length)).to.deep.equal([500, 500, 201]);
      // Nothing is read ahead of what is kept in memory.
      expect(mostAhead).to.equal(500);
    });

    it("sends a chunk again whose answer broke off, with or without a sign of it", async () => {
      const brokenOff: Manner = (response) => {
        response.writeHead(200, { "content-type": "application/x-ndjson" });
        response.write(`${JSON.stringify(resultOf(requestOf(), 0))}\n`, () => response.destroy());
      };
      relay.manner = inTurn(brokenOff, answeringLines(2), answeringLines());
      const requests = [requestOf(), requestOf(), requestOf()];
      const results = await collect(clientOf(relay).submitMany(requests));
      expect(results.map(({ uetr }) => uetr)).to.deep.equal(requests.map(({ uetr }) => uetr));
      expect(new Set(relay.received.map(({ body }) => body)).size).to.equal(1);
      expect(relay.received).to.have.length(3);
    });

    it("gives up on answers that are always cut short", async () => {
      relay.manner = answeringLines(1);
      expect(await failureOf(collect(clientOf(relay).submitMany([requestOf(), requestOf()])))).to.be.instanceOf(
        RelayUnreachable,
      );
    });

    it("sends nothing for nothing", async () => {
      expect(await collect(clientOf(relay).submitMany([]))).to.deep.equal([]);
      expect(relay.received).to.deep.equal([]);
    });
  });
});
