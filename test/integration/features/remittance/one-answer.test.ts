import { expect } from "chai";
import type { InjectOptions } from "fastify";
import type { SubmitRequest } from "../../../../src/schema/transfers.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { createSealer, type SealerKeys } from "../../../../src/kernel/store/sealer.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import {
  apiRelay,
  fundedRelay,
  newUetr,
  problemOf,
  setBalance,
  submission,
  submitTo,
  type ApiRelay,
  storedCount,
} from "../../support/api.ts";

describeOnBothDatabases("one answer forever to one UETR", (open) => {
  let db: Database;
  let relay: ApiRelay;
  let headers: { authorization: string };

  beforeEach(async () => {
    db = await open();
    ({ relay, headers } = await fundedRelay(db, ["read", "submit"]));
  });
  afterEach(() => relay.close());

  const post = (payload: SubmitRequest, through = relay) => submitTo(through, headers, payload);

  it("refuses for good what it has refused, though nothing is in the way any more, and whatever is sent under it", async () => {
    const request = submission();
    await setBalance(db, "HKD", 0n);
    const refused = await post(request);
    expect(refused.json()).to.include({ code: "insufficient-liquidity", status: 422, transfer: "none" });
    await relay.close();
    await setBalance(db, "HKD", 10n ** 12n);
    relay = await apiRelay(db);
    for (const again of [request, submission({ uetr: request.uetr, purpose: "GIFT" })]) {
      expect(problemOf(await post(again))).to.deep.equal(problemOf(refused));
    }
    expect(await storedCount(db)).to.equal(0);
  });

  it("promises that nothing will be stored only of what it has written down", async () => {
    const { uetr: _, ...rest } = submission();
    const causes: [object, code: string][] = [
      [{ ...rest, purpose: "gift" }, "invalid-request"],
      [{ ...rest, "\u0000": "\u0000" }, "invalid-request"],
      [{ ...rest, creditor: { alias: { type: "MSISDN", value: "0917" } } }, "invalid-request"],
      [{ ...rest, target: 99 }, "unknown-partner"],
      [{ ...rest, target: 6 }, "corridor-closed"],
      [{ ...rest, amount: { send: { currency: "HKD", minor: "9000000000" } } }, "amount-too-large"],
      [{ ...rest, amount: { quoteId: newUetr() } }, "quote-not-found"],
    ];
    for (const [cause, code] of causes) {
      const uetr = newUetr();
      // Whatever breaks a rule is no request by its type.
      const refused = await post({ ...cause, uetr } as SubmitRequest);
      expect(refused.json()).to.include({ code, transfer: "none" });
      expect(problemOf(await post(submission({ uetr }))), code).to.deep.equal(problemOf(refused));
    }
    expect(await storedCount(db)).to.equal(0);
    for (const unreadable of [{ ...rest }, { ...rest, uetr: newUetr().toUpperCase() }, null, []]) {
      const answer = await post(unreadable as SubmitRequest);
      expect(answer.json()).to.include({ code: "uetr-unreadable", transfer: "unknown" });
    }
  });

  it("looks whether the UETR is stored before it refuses for anything that is in the request", async () => {
    const request = submission();
    await post(request);
    const repeats = [
      { ...request, purpose: "gift" },
      { ...request, extra: 1 },
      { ...request, creditor: { alias: { type: "MSISDN", value: "0917" } } },
      { ...request, target: 99 },
      { ...request, target: 6 },
      { ...request, amount: { send: { currency: "HKD", minor: "9000000000" } } },
      { ...request, amount: { quoteId: newUetr() } },
    ];
    for (const repeat of repeats) {
      const answer = (await post(repeat as SubmitRequest)).json<Record<string, unknown>>();
      expect(answer, JSON.stringify(repeat)).to.include({ code: "uetr-conflict", transfer: "stored" });
      expect(answer["stored"]).to.include({ uetr: request.uetr, status: "received" });
    }
    expect(await refusals()).to.equal(0);
  });

  it("says how the stored transfer stands now, not how it stood", async () => {
    const request = submission();
    await post(request);
    await relay.app.inject({ method: "POST", url: `/v1/transfers/${request.uetr}/cancel`, headers });
    const answer = (await post({ ...request, purpose: "GIFT" })).json<{ stored: object }>();
    expect(answer.stored).to.include({ status: "cancelled", isFinal: true, pacs002: "CANC" });
  });

  it("gives one answer where two contents under one UETR arrive at once and one breaks a rule", async () => {
    const other = await apiRelay(await open({ again: db }));
    try {
      for (let round = 0; round < 10; round++) {
        const request = submission();
        const broken = { ...request, purpose: "gift" };
        const answers = await Promise.all(
          [request, broken, request, broken].map((one, index) => post(one, index < 2 ? relay : other)),
        );
        const fates = answers.map((answer) => {
          const { transfer } = answer.json<{ transfer?: string }>();
          return answer.statusCode === 202 ? "stored" : transfer;
        });
        expect([...new Set(fates)], JSON.stringify(fates)).to.have.length(1);
        expect(fates[0]).to.be.oneOf(["stored", "none"]);
      }
    } finally {
      await other.close();
    }
  });

  async function refusals(): Promise<number> {
    const [row] = await db.query<{ refusals: number }>("SELECT count(*)::integer AS refusals FROM refusals");
    return row?.refusals ?? -1;
  }

  it("keeps a refusal forever: the customer has the money back forever", async () => {
    const request = submission();
    await setBalance(db, "HKD", 0n);
    const refused = await post(request);
    await db.query("UPDATE refusals SET refused_at = refused_at - $1", [10 * 365 * 86_400_000]);
    await post(submission());
    await setBalance(db, "HKD", 10n ** 12n);
    expect(problemOf(await post(request))).to.deep.equal(problemOf(refused));
  });

  it("tells in every answer to a submission what it proves of the transfer, and in no other", async () => {
    const slow = await relay.key(["submit"], { rateLimit: 1 });
    const call = (options: InjectOptions) => relay.app.inject({ headers, ...options });
    const ask = (more: InjectOptions) => call({ method: "POST", url: "/v1/transfers", payload: submission(), ...more });
    const unknown = [
      await ask({ headers: {} }),
      await ask({ headers: await relay.key(["read"]) }),
      (await ask({ headers: slow }), await ask({ headers: slow })),
      await ask({ headers: { ...headers, "content-type": "text/plain" }, payload: "x" }),
      await ask({ payload: { ...submission(), remittance: "x".repeat(70_000) } }),
    ];
    expect(unknown.map((answer) => answer.statusCode)).to.deep.equal([401, 403, 429, 415, 413]);
    for (const answer of unknown) expect(answer.json()).to.include({ transfer: "unknown" });
    const { uetr } = submission();
    for (const url of [`/v1/transfers/${uetr}`, `/v1/transfers/${uetr.toUpperCase()}`, "/v1/events?limit=0"]) {
      expect((await call({ url })).json()).not.to.have.property("transfer");
    }
  });

  describe("where the data key is changed", () => {
    const [old, current] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(8)];
    const withKeys = async (keys: SealerKeys) =>
      apiRelay(await open({ again: db }), { context: { sealer: createSealer(keys) } });

    for (const [when, first, second] of [
      ["by one process before the other", { current, previous: [old] }, { current: old }],
      ["and the old one retired", { current: old }, { current }],
    ] as const) {
      it(`${when}: never takes what it cannot compare for another content`, async () => {
        const [before, after] = [await withKeys(first), await withKeys(second)];
        try {
          const request = submission();
          expect((await post(request, before)).statusCode).to.equal(202);
          for (const repeat of [request, { ...request, purpose: "GIFT" }]) {
            const answer = await post(repeat, after);
            expect(answer.statusCode).to.equal(503);
            expect(answer.headers["retry-after"]).to.match(/^[1-9]/);
            expect(answer.json()).to.include({ code: "content-uncheckable", transfer: "stored" });
            expect(answer.json()).to.have.nested.property("stored.uetr", request.uetr);
          }
          expect((await post(request, before)).headers["idempotent-replayed"]).to.equal("true");
        } finally {
          await Promise.all([before.close(), after.close()]);
        }
      });
    }

    it("in the order that the manual has, both processes compare whatever the other has stored", async () => {
      const phases = [
        [{ current: old }, { current: old, previous: [current] }],
        [
          { current: old, previous: [current] },
          { current, previous: [old] },
        ],
      ] as const;
      for (const phase of phases) {
        const relays = await Promise.all(phase.map(withKeys));
        try {
          for (const one of relays) {
            const request = submission();
            const first = await post(request, one);
            for (const other of relays) expect((await post(request, other)).body).to.equal(first.body);
          }
        } finally {
          await Promise.all(relays.map((one) => one.close()));
        }
      }
    });
  });
});
