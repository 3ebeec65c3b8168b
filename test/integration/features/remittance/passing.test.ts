import { expect } from "chai";
import { PROBLEMS, type ProblemCode } from "../../../../sdk/problems.ts";
import type { SubmitRequest } from "../../../../src/schema/transfers.ts";
import { corridorKey } from "../../../../src/domain/corridor.ts";
import type { Registry } from "../../../../src/ledger/registry.ts";
import { systemClock } from "../../../../src/kernel/clock/clock.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { describeOn } from "../../support/databases.ts";
import {
  ALIPAY_HK,
  apiRelay,
  fakeRegistry,
  setBalance,
  submission,
  submitTo,
  TO_PHP,
  type ApiRelay,
} from "../../support/api.ts";

const CLOSED = { open: false, feeBps: 5n, maxPerBatch: 10n ** 9n, maxPerDay: 10n ** 10n };

describeOn("PGlite", "what passes is not refused for good", (open) => {
  let db: Database;
  let relay: ApiRelay;
  let headers: { authorization: string };

  beforeEach(async () => {
    db = await open();
    await begin({});
    await setBalance(db, "HKD", 10n ** 12n);
  });
  afterEach(() => relay.close());

  async function begin(context: NonNullable<Parameters<typeof apiRelay>[1]>["context"] & object): Promise<void> {
    relay = await apiRelay(db, { context });
    headers = await relay.key(["read", "submit"]);
  }

  const post = (payload: SubmitRequest) => submitTo(relay, headers, payload);

  /** Refused for now, told when to come again, and taken once what was in the way is not there any more. */
  async function expectPassing(code: ProblemCode, fix: () => unknown): Promise<void> {
    const request = submission();
    const refused = await post(request);
    expect(refused.json()).to.include({ code, status: 503 });
    expect(PROBLEMS[code].status).to.equal(503);
    expect(refused.headers["retry-after"]).to.match(/^\d+$/);
    await fix();
    expect((await post(request)).statusCode).to.equal(202);
  }

  it("offers that are made, and stale", async () => {
    relay.providers.validSeconds = 5;
    await expectPassing("quotes-unavailable", () => (relay.providers.validSeconds = 600));
  });

  it("offers that are stale beside a standing one that is too small", async () => {
    relay.providers.capacity = 1_000n;
    await post(submission({ amount: { send: { currency: "HKD", minor: "100" } } }));
    relay.providers.validSeconds = 5;
    relay.providers.capacity = 10n ** 12n;
    await expectPassing("quotes-unavailable", () => (relay.providers.validSeconds = 600));
  });

  it("offers that others have reserved", async () => {
    const quotes = relay.providers.quotes.bind(relay.providers);
    // Whatever is offered is drawn on by others before this relay comes to it.
    relay.providers.quotes = async (need) => {
      const offers = await quotes(need);
      const [{ count } = { count: 0 }] = await db.query<{ count: number }>(
        "SELECT count(*)::integer AS count FROM provider_quotes",
      );
      return count === 0 ? offers : [];
    };
    await post(submission({ amount: { send: { currency: "HKD", minor: "100" } } }));
    await db.query("UPDATE provider_quotes SET reserved = capacity");
    await expectPassing("quotes-unavailable", () => db.query("UPDATE provider_quotes SET reserved = 0"));
  });

  it("but a standing, fresh offer that is too small is a no", async () => {
    relay.providers.capacity = 1_000n;
    const request = submission();
    expect((await post(request)).json()).to.include({ code: "no-quote", status: 422 });
    relay.providers.capacity = 10n ** 12n;
    expect((await post(request)).json()).to.include({ code: "no-quote", status: 422 });
  });

  it("money that has not been read yet", async () => {
    await db.query("DELETE FROM balances");
    await expectPassing("unavailable", async () => {
      await setBalance(db, "HKD", 10n ** 12n);
      await relay.close();
      await begin({});
    });
  });

  it("too little money, where the ledger has more than was read of it, or does not answer", async () => {
    await setBalance(db, "HKD", 5n);
    const { ledger } = relay.context;
    const treasury = {
      balanceOf: (partner: number) => Promise.resolve({ available: partner === ALIPAY_HK ? 6n : 10n ** 18n, held: 0n }),
    };
    // As much of the ledger as is asked for here.
    await begin({ ledger: { ...ledger, treasury } as unknown as typeof ledger });
    expect((await post(submission())).json()).to.include({ code: "unavailable" });
    await relay.close();
    const provider = { getBlock: () => Promise.reject(new Error("away")) };
    await begin({ ledger: { ...ledger, provider } as unknown as typeof ledger });
    expect((await post(submission())).json()).to.include({ code: "unavailable" });
    await relay.close();
    await begin({});
    expect((await post(submission())).json()).to.include({ code: "insufficient-liquidity" });
  });

  for (const aheadMs of [600_000, -600_000]) {
    it(`anything while the clock is ${aheadMs / 60_000} minutes off; and what was accepted or refused stays so`, async () => {
      const [accepted, refused] = [submission(), submission({ target: 99 })];
      await post(accepted);
      await post(refused);
      await relay.close();
      let isBeyond = true;
      const clockSkew = { ...relay.context.clockSkew, now: () => ({ aheadMs, by: "ledger", isBeyond }) as const };
      const clock = { ...systemClock, nowMs: () => Date.now() + (isBeyond ? aheadMs : 0) };
      await begin({ clockSkew, clock });
      expect((await post(accepted)).statusCode).to.equal(202);
      expect((await post(refused)).json()).to.include({ code: "unknown-partner" });
      const quote = { target: 4, amount: { send: { currency: "HKD", minor: "1000" } } };
      const quoted = await relay.app.inject({ method: "POST", url: "/v1/quotes", headers, payload: quote });
      expect([quoted.statusCode, quoted.headers["retry-after"]]).to.deep.equal([503, "1"]);
      expect((await post(submission({ target: 99 }))).json()).to.include({ code: "unavailable" });
      await expectPassing("unavailable", () => (isBeyond = false));
    });

    it(`nor while it is ${aheadMs / 60_000} minutes off, and nobody has told yet`, async () => {
      await relay.close();
      const clock = { ...systemClock, nowMs: () => Date.now() + aheadMs };
      await begin({ clock });
      const answer = await post(submission());
      expect(answer.statusCode).to.be.oneOf([202, 503]);
    });
  }

  it("a corridor that was closed when the registry was read", async () => {
    const now = fakeRegistry();
    const before = fakeRegistry();
    before.terms.set(corridorKey(TO_PHP), CLOSED);
    await relay.close();
    await begin({ registry: { read: () => before.read(), refresh: () => now.read() } });
    expect((await post(submission())).statusCode).to.equal(202);
    const quote = { target: 4, amount: { send: { currency: "HKD", minor: "1000" } } };
    const quoted = await relay.app.inject({ method: "POST", url: "/v1/quotes", headers, payload: quote });
    expect(quoted.statusCode).to.equal(201);
  });

  it("a corridor, a partner, a limit of a registry that cannot be read anew", async () => {
    const before = fakeRegistry();
    before.terms.set(corridorKey(TO_PHP), { ...CLOSED, open: true, maxPerBatch: 1n });
    let refresh: Registry["refresh"] = () => Promise.reject(new Error("away"));
    await relay.close();
    await begin({ registry: { read: () => before.read(), refresh: () => refresh() } });
    for (const request of [submission(), submission({ target: 99 }), submission({ target: 6 })]) {
      expect((await post(request)).json()).to.include({ code: "unavailable", status: 503 });
    }
    await expectPassing("unavailable", () => (refresh = () => fakeRegistry().read()));
    refresh = () => before.read();
    expect((await post(submission({ target: 99 }))).json()).to.include({ code: "unknown-partner", status: 422 });
    expect((await post(submission())).json()).to.include({ code: "amount-too-large", status: 422 });
  });
});
