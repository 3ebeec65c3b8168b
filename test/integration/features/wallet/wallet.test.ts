import { expect } from "chai";
import Fastify, { type FastifyReply } from "fastify";
import { Webhook } from "standardwebhooks";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import { systemClock } from "../../../../src/kernel/clock/clock.ts";
import { createRandom } from "../../../../src/kernel/random.ts";
import { httpWallet, WalletError, type SettledCredit } from "../../../../src/features/wallet/connector.ts";
import { WALLET_SECRET } from "../../support/http-wallet.ts";

const UETRS = ["eb6305c9-1f7f-49de-aed0-16487c27b42d", "0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10"] as const;
const [FIRST, SECOND] = UETRS;
const STRANGER = "5e1fc2c8-90c5-4a8f-8d6d-3f0a4f9b7a11";
const CREDITS: readonly SettledCredit[] = UETRS.map((uetr) => ({
  uetr: parseUetr(uetr),
  batchId: `0x${"ab".repeat(32)}`,
  debtor: { name: "Chan Tai Man", nameLocal: "陳大文", alias: { type: "MSISDN", value: "+85291234567" } },
  creditor: { alias: { type: "EMAIL", value: "maria@mail.example" } },
  amount: { minor: 2n ** 64n, currency: parseCurrency("PHP").code },
  remittance: { purpose: "FAMI" },
}));
const credited = (uetr: string) => ({
  uetr,
  status: "credited",
  reference: "R1",
  creditedAt: "2026-11-22T16:30:00+08:00",
});

describe("the connector of a wallet", () => {
  const app = Fastify({ forceCloseConnections: true });
  const seen: { path: string; headers: Record<string, string>; text: string }[] = [];
  let answer: (reply: FastifyReply, path: string) => unknown;
  let url = "";

  before(async () => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => done(null, body));
    app.all("/base/*", async (request, reply) => {
      // A string, as it was asked for; Node's headers that matter here are text.
      const [text, headers] = [request.body as string, request.headers as Record<string, string>];
      seen.push({ path: request.url, headers, text });
      return answer(reply, request.url);
    });
    url = await app.listen({ port: 0, host: "127.0.0.1" });
  });
  beforeEach(() => void seen.splice(0));
  after(() => app.close());

  const random = createRandom("requests");
  const wallet = () =>
    httpWallet({
      url: `${url}/base`,
      secret: WALLET_SECRET,
      fetch,
      timeoutMs: 2_000,
      clock: systemClock,
      drawBytes: (length) => random.bytes(length),
    });
  const failureOf = async (work: Promise<unknown>): Promise<WalletError> => {
    const failure: unknown = await work.catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(WalletError);
    return failure as WalletError; // as just seen
  };

  it("signs each request as a Standard Webhook with an id of its own, and sends amounts as text", async () => {
    answer = () => ({ results: UETRS.map(credited) });
    const results = await wallet().credit(CREDITS);
    await wallet().credit(CREDITS);
    expect(results).to.deep.equal(
      UETRS.map((uetr) => ({ uetr, status: "credited", reference: "R1", creditedAtMs: Date.UTC(2026, 10, 22, 8, 30) })),
    );
    const [first, second] = seen;
    if (first === undefined || second === undefined) throw new Error("no requests");
    expect(first.path).to.equal("/base/credits");
    expect(first.headers["webhook-id"]).not.to.equal(second.headers["webhook-id"]);
    const body = new Webhook(WALLET_SECRET).verify(first.text, first.headers);
    expect(body).to.deep.equal({
      version: 1,
      credits: CREDITS.map(({ amount, ...credit }) => ({
        ...credit,
        amount: { currency: "PHP", minor: String(amount.minor) },
      })),
    });
    expect(() => new Webhook(WALLET_SECRET).verify(`${first.text} `, first.headers)).to.throw();
  });

  it("tells what the wallet says, and takes a refusal for one whatever its code", async () => {
    answer = (_reply, path) => {
      if (path.endsWith("lookup")) return { found: true, name: "Maria Dela Cruz" };
      return {
        results: [
          { uetr: FIRST, accept: true, more: 1 },
          { uetr: SECOND, accept: false, reason: "OUR-OWN" },
        ],
      };
    };
    expect(await wallet().lookup({ type: "EMAIL", value: "maria@mail.example" })).to.deep.equal({
      found: true,
      name: "Maria Dela Cruz",
    });
    expect(await wallet().check(CREDITS)).to.deep.equal([
      { uetr: FIRST, accept: true },
      { uetr: SECOND, accept: false, reason: "MS03" },
    ]);
    expect(JSON.parse(seen[1]?.text ?? "")).not.to.have.nested.property("credits[0].batchId");
  });

  it("tells which versions a wallet speaks that does not speak this one's, and nothing else of what it says", async () => {
    answer = (reply) =>
      reply.code(400).send({ code: "unsupported-version", versions: [2, 3], name: "Maria Dela Cruz" });
    expect((await failureOf(wallet().check(CREDITS))).message).to.equal(
      "/credits/check: answered 400: the wallet speaks versions 2, 3 of the connector, and this relay 1",
    );
    answer = (reply) => reply.code(400).send({ code: "unsupported-version", versions: ["Maria"] });
    expect((await failureOf(wallet().check(CREDITS))).message).to.equal("/credits/check: answered 400");
  });

  describe("of one that takes batches", () => {
    const CHECKED = { uetr: FIRST, accept: false, reason: "AC06" };
    /** As its wallet answers, by the path; those for one by one say that it takes batches. */
    const saying = (answers: Readonly<Record<string, object>>) => (_reply: FastifyReply, path: string) => {
      const found = Object.entries(answers).find(([end]) => path.endsWith(end))?.[1];
      return found ?? { batches: 2, results: path.endsWith("check") ? [CHECKED] : UETRS.map(credited) };
    };
    const paths = () => seen.map(({ path }) => path.replace("/base", ""));
    const postedAt = "2026-11-22T16:30:00+08:00";
    const alike = { status: "credited", reference: "B1", creditedAtMs: Date.UTC(2026, 10, 22, 8, 30) };

    it("asks it for batches once it has said so, and takes what is not named as accepted and as posted", async () => {
      answer = saying({
        "/batches/check": { count: 2, results: [CHECKED] },
        "/batches/credit": { count: 2, reference: "B1", creditedAt: postedAt, results: [] },
      });
      const connector = wallet();
      expect(connector.mostCredits).to.equal(100);
      await connector.credit(CREDITS);
      expect(await connector.check(CREDITS)).to.deep.equal([CHECKED, { uetr: SECOND, accept: true }]);
      expect(await connector.credit(CREDITS)).to.deep.equal(UETRS.map((uetr) => ({ uetr, ...alike })));
      expect(paths()).to.deep.equal(["/credits", "/batches/check", "/batches/credit"]);
      const { batchId, credits } = JSON.parse(seen[2]?.text ?? "") as { batchId: string; credits: object[] };
      expect([batchId, credits.length]).to.deep.equal([CREDITS[0]?.batchId, 2]);
      expect(credits[0]).not.to.have.property("batchId");
    });

    it("goes by the results that it gives apart, and leaves out what it cannot read of them", async () => {
      const apart = [{ ...credited(FIRST) }, { uetr: SECOND, status: "perhaps" }];
      answer = saying({ "/batches/credit": { count: 2, reference: "B1", creditedAt: postedAt, results: apart } });
      const connector = wallet();
      await connector.credit(CREDITS);
      expect(await connector.credit(CREDITS)).to.deep.equal([{ uetr: FIRST, ...alike, reference: "R1" }]);
    });

    const unusable: Readonly<Record<string, object>> = {
      "is for another number of credits": { count: 1, reference: "B1", creditedAt: postedAt, results: [] },
      "does not say for how many": { reference: "B1", creditedAt: postedAt, results: [] },
      "names no reference": { count: 2, creditedAt: postedAt, results: [] },
      "has a result of nobody's": { count: 2, reference: "B1", creditedAt: postedAt, results: [{ status: "refused" }] },
      "has one of somebody else's": { count: 2, reference: "B1", creditedAt: postedAt, results: [credited(STRANGER)] },
      "has two for one": {
        ...{ count: 2, reference: "B1", creditedAt: postedAt },
        results: [credited(FIRST), credited(FIRST)],
      },
    };
    for (const [what, answered] of Object.entries(unusable)) {
      it(`knows nothing by an answer that ${what}, and asks one by one the next time`, async () => {
        answer = saying({ "/batches/credit": answered });
        const connector = wallet();
        await connector.credit(CREDITS);
        await failureOf(connector.credit(CREDITS));
        expect(await connector.credit(CREDITS)).to.have.length(2);
        expect(paths()).to.deep.equal(["/credits", "/batches/credit", "/credits"]);
      });
    }

    it("asks one by one for more than it takes, for credits of two batches, and where what it says is no number of them", async () => {
      for (const batches of [1, 0, -1, 1.5, 10_001, "many"]) {
        answer = () => ({ batches, results: UETRS.map(credited) });
        const connector = wallet();
        await connector.credit(CREDITS);
        await connector.credit(CREDITS);
      }
      answer = saying({});
      const connector = wallet();
      await connector.credit(CREDITS);
      await connector.credit(CREDITS.map((each, index) => ({ ...each, batchId: `0x${String(index).repeat(64)}` })));
      expect(new Set(paths())).to.deep.equal(new Set(["/credits"]));
    });
  });

  it("tells no results where the wallet gives none", async () => {
    answer = () => ({ results: [] });
    expect(await wallet().check(CREDITS)).to.deep.equal([]);
  });

  it("goes by every result that is as it should be, whatever stands beside it or in it that is for reading only", async () => {
    const long = `${"x".repeat(139)}\u{1F600}`;
    const results = [
      { ...credited(FIRST), reference: "a\0b\ud800c", creditedAt: "0001-01-01T00:00:00Z" },
      { uetr: SECOND, status: "perhaps" },
      { uetr: STRANGER.toUpperCase() },
      null,
    ];
    answer = () => ({ results });
    const uetr = parseUetr(FIRST);
    const told = { uetr, status: "credited", reference: "a\uFFFDb\uFFFDc", creditedAtMs: undefined };
    expect(await wallet().credit(CREDITS)).to.deep.equal([told]);
    answer = () => ({ results: [{ ...credited(FIRST), reference: long, creditedAt: 8.64e15 }] });
    expect(await wallet().credit(CREDITS)).to.deep.equal([{ ...told, reference: `${"x".repeat(139)}\uFFFD` }]);
  });

  const nonsense: Readonly<Record<string, (reply: FastifyReply) => unknown>> = {
    "answers with an error": (reply) => reply.code(500).send({ name: "Maria Dela Cruz" }),
    "refuses the signature": (reply) => reply.code(401).send(),
    "sends elsewhere": (reply) => reply.redirect("/base/other", 307),
    "answers with something else": () => "Maria Dela Cruz",
    "leaves out what must be there": () => ({ credits: [] }),
    "answers for a transfer it was not asked about": () => ({ results: [credited(STRANGER)] }),
    "answers twice for one transfer": () => ({ results: [credited(FIRST), credited(FIRST)] }),
    "answers without end": () => ({ results: [], more: "Maria".repeat(400_000) }),
    "hangs up": (reply) => {
      reply.hijack();
      reply.raw.destroy();
      return undefined;
    },
    "does not answer": () => Promise.withResolvers().promise,
  };
  for (const [what, say] of Object.entries(nonsense)) {
    it(`fails, and can be asked again, when the wallet ${what}; without quoting it`, async () => {
      answer = say;
      const failure = await failureOf(wallet().credit(CREDITS));
      for (let error: unknown = failure; error instanceof Error; error = error.cause) {
        expect(error.message).not.to.contain("Maria");
      }
      expect(seen.filter(({ path }) => path !== "/base/credits")).to.deep.equal([]);
      answer = () => ({ results: UETRS.map(credited) });
      expect(await wallet().credit(CREDITS)).to.have.length(2);
    });
  }
});
