import { expect } from "chai";
import type { FastifyInstance } from "fastify";
import { createServer } from "../../../../src/kernel/http/server.ts";
import { compose } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import { problemSchema } from "../../../../src/schema/problems.ts";
import { issueApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { auditAfter } from "../../../../src/kernel/access/audit-store.ts";
import { GCASH } from "../../support/chain.ts";
import { describeOn } from "../../support/databases.ts";
import { startPair, type Pair } from "../../support/peers.ts";
import { testClock, type TestRelay } from "../../support/relay-context.ts";

const MARIA = "+639171234567";
const NOBODY = "+639170000000";
const DAY_SECONDS = 86_400;
/** Of today, by UTC: nothing here may depend on when it runs, and the clock stands. */
const NOON_MS = (Math.floor(Date.now() / 1_000 / DAY_SECONDS) + 0.5) * DAY_SECONDS * 1_000;

describeOn("PGlite", "payees that a wallet looks up at another partner", (open) => {
  let pair: Pair;
  let app: FastifyInstance;
  let key: Awaited<ReturnType<typeof issueApiKey>>;

  beforeEach(async () => {
    const clock = testClock(NOON_MS);
    pair = await startPair(open, { lookups: { perMinute: 4, perDay: 6 } }, clock);
    app = await createServer(pair.source, {
      ...(await compose(FEATURES)).served(pair.source),
      readiness: () => Promise.resolve({ ready: true, reasons: [] }),
    });
    key = await newKey();
  });
  afterEach(async () => {
    await app.close();
    await pair.close();
  });

  const newKey = () => issueApiKey(pair.source, { label: "wallet", scopes: ["submit"], rateLimit: 1_000_000 });
  const lookup = (value: string, { text } = key) =>
    app.inject({
      method: "POST",
      url: "/v1/payees/lookup",
      headers: { authorization: `Bearer ${text}` },
      payload: { target: GCASH, alias: { type: "MSISDN", value } },
    });
  const audit = ({ db }: TestRelay) => auditAfter(db, 0n, 100);
  const limited = (answer: Awaited<ReturnType<typeof lookup>>) => {
    expect(answer.statusCode, answer.body).to.equal(429);
    const problem = problemSchema.parse(answer.json());
    expect(problem.code).to.equal("rate-limited");
    const seconds = Number.parseInt(answer.headers["retry-after"] ?? "", 10);
    expect(problem.retryAfterSeconds).to.equal(seconds);
    expect(answer.body).not.to.contain(MARIA.slice(1));
    return { seconds, detail: problem.detail };
  };

  it("are written down at the relay that asks: whose key, where, and whom, without telling who that is", async () => {
    expect((await lookup(MARIA)).json()).to.deep.include({ name: "M**** D*** C***" });
    expect((await lookup(NOBODY)).statusCode).to.equal(404);
    expect((await lookup("+63 (0) 917 123 4567")).statusCode).to.equal(200);
    expect((await lookup("917")).statusCode).to.equal(400);
    const entries = await audit(pair.source);
    expect(entries.map(({ actor, action, outcome }) => [actor, action, outcome])).to.deep.equal([
      [key.key.id, "payees.lookup", "done"],
      [key.key.id, "payees.lookup", "payee-not-found"],
      [key.key.id, "payees.lookup", "done"],
      [key.key.id, "payees.lookup", "invalid-request"],
    ]);
    const [maria, nobody, spelled, invalid] = entries;
    expect(maria).to.deep.include({ data: { target: GCASH } });
    expect(maria?.subject).to.match(/^0x[0-9a-f]{72}$/);
    expect(spelled?.subject, "the same person, spelled otherwise").to.equal(maria?.subject);
    expect(nobody?.subject).to.match(/^0x/).and.not.equal(maria?.subject);
    expect(invalid?.subject).to.equal(undefined);
    const told = entries.map(({ subject, data }) => ({ subject, data }));
    expect(JSON.stringify(told)).not.to.match(/917|Maria/);
    const { registry } = pair.source.metrics;
    expect(await registry.metrics()).to.match(/lookups_total\{direction="sent",outcome="found"[^}]*\} 2\n/);
  });

  it("are refused with the wait that the other relay asks for once it answers no more", async () => {
    expect((await lookup(MARIA)).statusCode).to.equal(200);
    await pair.target.db.query("UPDATE lookup_usage SET in_day = 10000");
    const { seconds, detail } = limited(await lookup(MARIA));
    // Not a number of its own: what is left of the day.
    expect(seconds).to.equal(DAY_SECONDS / 2);
    expect(detail).to.contain(`partner ${GCASH}`);
    expect((await audit(pair.source)).map(({ outcome }) => outcome)).to.deep.equal(["done", "rate-limited"]);
    expect(await audit(pair.target)).to.have.length(1);
  });

  it("are so many of a key, and those beyond are asked of nobody", async () => {
    const { source, target } = pair;
    await source.db.query("INSERT INTO lookup_usage (asker, minute, in_minute, day, in_day) VALUES ($1, 0, 0, $2, 6)", [
      `key:${key.key.id}`,
      Math.floor(source.clock.nowMs() / (DAY_SECONDS * 1_000)),
    ]);
    const { seconds, detail } = limited(await lookup(MARIA));
    expect(seconds).to.equal(DAY_SECONDS / 2);
    expect(detail).to.contain("the API key");
    expect((await audit(source)).map(({ outcome }) => outcome)).to.deep.equal(["rate-limited"]);
    expect(await audit(target)).to.deep.equal([]);
    expect((await lookup(MARIA, await newKey())).statusCode, "another key's").to.equal(200);
  });
});
