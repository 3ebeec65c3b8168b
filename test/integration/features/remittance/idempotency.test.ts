import { expect } from "chai";
import type { SubmitRequest } from "../../../../src/schema/transfers.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { createSealer } from "../../../../src/kernel/store/sealer.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import {
  apiRelay,
  fundedRelay,
  GCASH,
  newUetr,
  problemOf,
  setBalance,
  submission,
  submitTo,
  type ApiRelay,
} from "../../support/api.ts";

const REPEATS = 100;

describeOnBothDatabases("idempotent submission", (open) => {
  let db: Database;
  let relay: ApiRelay;
  let headers: { authorization: string };

  beforeEach(async () => {
    db = await open();
    ({ relay, headers } = await fundedRelay(db, ["read", "submit"]));
  });
  afterEach(() => relay.close());

  const post = (payload: SubmitRequest, through = relay) => submitTo(through, headers, payload);

  async function stored(): Promise<{ transfers: number; reserved: bigint }> {
    const [row] = await db.query<{ transfers: number; reserved: bigint }>(
      `SELECT (SELECT count(*)::integer FROM transfers) AS transfers,
         (SELECT coalesce(sum(reserved), 0) FROM provider_quotes) AS reserved`,
    );
    if (row === undefined) throw new Error("no answer");
    return row;
  }

  it(`stores one transfer for ${REPEATS} concurrent repeats, and answers all the same`, async () => {
    const request = submission();
    const answers = await Promise.all(Array.from({ length: REPEATS }, () => post(request)));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).to.deep.equal(new Set([202]));
    expect(new Set(answers.map(({ body }) => body)).size).to.equal(1);
    const first = answers.filter((answer) => answer.headers["idempotent-replayed"] === undefined);
    expect(first).to.have.length(1);
    const { transfers, reserved } = await stored();
    expect(transfers).to.equal(1);
    expect(reserved).to.equal(BigInt(answers[0]?.json<{ receive: { minor: string } }>().receive.minor ?? 0));
  });

  it("lets one of several contents with the same UETR through, and refuses the others forever", async () => {
    const uetr = newUetr();
    const contents = Array.from({ length: 20 }, (_, index) =>
      submission({ uetr, amount: { send: { currency: "HKD", minor: String(1_000 + (index % 4)) } } }),
    );
    const answers = await Promise.all(contents.map((content) => post(content)));
    const won = answers.find(({ statusCode }) => statusCode === 202)?.body;
    for (const [index, answer] of answers.entries()) {
      const repeated = await post(contents[index] ?? submission());
      expect(repeated.statusCode).to.equal(answer.statusCode);
      if (answer.statusCode === 202) expect(answer.body).to.equal(won);
      else {
        expect(answer.json()).to.include({ code: "uetr-conflict", status: 409, reason: "AM05", field: "uetr" });
        expect(answer.json()).to.have.property("transfer", "stored");
        expect(answer.json())
          .to.have.property("stored")
          .that.deep.includes({ uetr, status: "received", isFinal: false });
      }
    }
    expect(answers.filter(({ statusCode }) => statusCode === 202)).to.have.length(5);
    expect((await stored()).transfers).to.equal(1);
  });

  it("gives the same answer after a restart, when nothing else would be the same any more", async () => {
    const request = submission();
    const before = await post(request);
    await relay.close();
    relay = await apiRelay(db);
    relay.providers.rates = new Map();
    for (const [key, terms] of relay.registry.terms) relay.registry.terms.set(key, { ...terms, open: false });
    await db.query("UPDATE provider_quotes SET valid_until_s = 0");
    await setBalance(db, "HKD", 0n);
    const after = await post(request);
    expect(after.statusCode).to.equal(202);
    expect(after.body).to.equal(before.body);
    expect(after.headers["idempotent-replayed"]).to.equal("true");
  });

  it("gives the same answer from two instances on one database, racing", async () => {
    const other = await apiRelay(await open({ again: db }));
    try {
      const requests = Array.from({ length: 10 }, () => submission());
      const answers = await Promise.all(
        requests.flatMap((request) =>
          Array.from({ length: 10 }, async (_, index) => ({
            uetr: request.uetr,
            answer: await post(request, index % 2 === 0 ? relay : other),
          })),
        ),
      );
      for (const { uetr } of requests) {
        const own = answers.filter((answered) => answered.uetr === uetr).map(({ answer }) => answer);
        expect(new Set(own.map(({ statusCode }) => statusCode))).to.deep.equal(new Set([202]));
        expect(new Set(own.map(({ body }) => body)).size).to.equal(1);
      }
      expect((await stored()).transfers).to.equal(requests.length);
    } finally {
      await other.close();
    }
  });

  it("takes other spellings of one content for the same: order, spaces, defaults, telephone numbers", async () => {
    const amount = { send: { currency: "HKD", minor: "150000" } };
    const request = submission({ amount });
    const first = await post(request);
    const { uetr, ...rest } = request;
    const respelt = {
      ...Object.fromEntries(Object.entries(rest).reverse()),
      ifUnfunded: "fail",
      debtor: { ...request.debtor, name: "\ufeffChan  Tai Man\u200b" },
      creditor: { alias: { value: "+63 (0)917 123-4567", type: "MSISDN" }, name: "Maria Dela\u00a0Cruz " },
      amount: { receiveCurrency: "PHP", ...amount },
      uetr,
    };
    const again = await relay.app.inject({
      method: "POST",
      url: "/v1/transfers",
      headers: { ...headers, "content-type": "application/json; charset=utf-8" },
      payload: JSON.stringify(respelt, null, 4),
    });
    expect(again.statusCode).to.equal(202);
    expect(again.body).to.equal(first.body);
  });

  it("takes composed and decomposed letters for the same", async () => {
    const request = submission({
      remittance: "Cho mẹ, Nguyễn",
      debtor: { ...submission().debtor, name: "Đặng Thị Ánh" },
    });
    const first = await post(request);
    // Its own JSON, in the other normal form.
    const apart = JSON.parse(JSON.stringify(request).normalize("NFD")) as SubmitRequest;
    expect(apart).not.to.deep.equal(request);
    const again = await post(apart);
    expect(again.body).to.equal(first.body);
    expect(again.headers["idempotent-replayed"]).to.equal("true");
  });

  it("takes the currency that was left out for the one that it stood for, in either direction", async () => {
    const received = { currency: "PHP", minor: "150000" };
    for (const [left, right] of [
      [{ receive: received }, { receive: received, sendCurrency: "HKD" }],
      [
        { send: { currency: "HKD", minor: "1000" }, receiveCurrency: "PHP" },
        { send: { currency: "HKD", minor: "1000" } },
      ],
    ] as const) {
      const request = submission({ amount: left });
      const first = await post(request);
      expect(first.statusCode).to.equal(202);
      expect((await post({ ...request, amount: right })).body).to.equal(first.body);
    }
    const request = submission({ target: 1, amount: { send: { currency: "HKD", minor: "1000" } } });
    await post(request);
    const other = { ...request, amount: { ...request.amount, receiveCurrency: "PHP" } };
    expect((await post(other)).json()).to.include({ code: "uetr-conflict" });
  });

  it("takes every other difference for another content", async () => {
    const request = submission();
    await post(request);
    const others: Partial<SubmitRequest>[] = [
      { target: 1, amount: { send: { currency: "HKD", minor: "150000" } } },
      { amount: { receive: { currency: "PHP", minor: "150000" } } },
      { amount: { send: { currency: "HKD", minor: "150001" } } },
      { debtor: { ...request.debtor, name: "Chan Tai Men" } },
      { debtor: { name: request.debtor.name, alias: request.debtor.alias } },
      { creditor: { alias: request.creditor.alias } },
      { purpose: "GIFT" },
      { remittance: "Rent" },
      { ifUnfunded: "wait" },
      { amount: { quoteId: newUetr() } },
    ];
    for (const other of others) {
      const answer = await post({ ...request, ...other });
      expect(answer.statusCode, JSON.stringify(other)).to.equal(409);
    }
    expect((await stored()).transfers).to.equal(1);
  });

  it("keeps the answer when the key that content is compared with is rotated", async () => {
    const request = submission();
    const before = await post(request);
    const [old, current] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(8)];
    const rotated = await apiRelay(db, { context: { sealer: createSealer({ current, previous: [old] }) } });
    try {
      const after = await post(request, rotated);
      expect(after.statusCode).to.equal(202);
      expect(after.body).to.equal(before.body);
      expect((await post({ ...request, purpose: "GIFT" }, rotated)).statusCode).to.equal(409);
    } finally {
      await rotated.close();
    }
  });

  it("never reserves more of a quote than its capacity, whoever draws on it at once", async () => {
    // Enough for ten of them each.
    relay.providers.capacity = 10n * 7_281n;
    const other = await apiRelay(await open({ again: db }));
    other.providers.capacity = relay.providers.capacity;
    try {
      const amount = { send: { currency: "HKD", minor: "1000" } };
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) => post(submission({ amount }), index % 2 === 0 ? relay : other)),
      );
      const accepted = answers.filter(({ statusCode }) => statusCode === 202).length;
      const quotes = await db.query<{ reserved: bigint; capacity: bigint }>(
        "SELECT reserved, capacity FROM provider_quotes",
      );
      for (const { reserved, capacity } of quotes) expect(reserved <= capacity).to.equal(true);
      const [sum] = await db.query<{ total: bigint }>("SELECT coalesce(sum(target_amount), 0) AS total FROM transfers");
      expect(quotes.reduce((total, { reserved }) => total + reserved, 0n)).to.equal(sum?.total);
      expect((await stored()).transfers).to.equal(accepted);
      for (const answer of answers) expect(answer.statusCode).to.be.oneOf([202, 422, 503]);
    } finally {
      await other.close();
    }
  });

  it("takes up again what the providers did not answer to", async () => {
    const request = submission();
    const { rates } = relay.providers;
    relay.providers.rates = new Map();
    expect((await post(request)).statusCode).to.equal(503);
    relay.providers.rates = rates;
    expect((await post(request)).statusCode).to.equal(202);
  });

  /** Another instance on the same database, which waits before it stores a transfer or a refusal until it is let. */
  const heldInstance = async (what: "transfer" | "refusal") => {
    const { promise: isLet, resolve: letGo } = Promise.withResolvers<undefined>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<undefined>();
    const shared = await open({ again: db });
    const wait = async () => {
      reach(undefined);
      await isLet;
    };
    const held: Database = {
      ...shared,
      async query(sql, values) {
        if (what === "transfer" && sql.includes("INSERT INTO transfers")) await wait();
        return shared.query(sql, values);
      },
      async transaction(work) {
        if (what === "refusal") await wait();
        return shared.transaction(work);
      },
    };
    return { instance: await apiRelay(held), reached, letGo: () => letGo(undefined) };
  };

  it("does not accept in one process what another has refused meanwhile", async () => {
    const { instance, reached, letGo } = await heldInstance("transfer");
    try {
      const request = submission();
      const first = post(request, instance);
      await reached;
      await setBalance(db, "HKD", 0n);
      const second = await post(request);
      expect(second.json()).to.include({ code: "insufficient-liquidity" });
      letGo();
      expect(problemOf(await first)).to.deep.equal(problemOf(second));
      expect(await stored()).to.deep.equal({ transfers: 0, reserved: 0n });
    } finally {
      letGo();
      await instance.close();
    }
  });

  it("does not refuse in one process what another has accepted meanwhile", async () => {
    await setBalance(db, "HKD", 0n);
    const { instance, reached, letGo } = await heldInstance("refusal");
    try {
      const request = submission();
      const first = post(request, instance);
      await reached;
      await setBalance(db, "HKD", 10n ** 12n);
      const second = await post(request);
      expect(second.statusCode).to.equal(202);
      letGo();
      const answer = await first;
      expect(answer.statusCode).to.equal(202);
      expect(answer.body).to.equal(second.body);
      expect((await stored()).transfers).to.equal(1);
    } finally {
      letGo();
      await instance.close();
    }
  });

  it("answers all copies of a transfer alike when the money is enough for some transfers only", async () => {
    const other = await apiRelay(await open({ again: db }));
    try {
      const requests = Array.from({ length: 20 }, () => submission());
      await setBalance(db, "HKD", 10n * 150_075n);
      const answers = await Promise.all(
        requests.flatMap((request) =>
          Array.from({ length: 6 }, async (_, index) => ({
            uetr: request.uetr,
            answer: await post(request, index % 2 === 0 ? relay : other),
          })),
        ),
      );
      const statuses = requests.map(
        ({ uetr }) =>
          new Set(answers.filter((answered) => answered.uetr === uetr).map(({ answer }) => answer.statusCode)),
      );
      for (const ofOne of statuses) expect([...ofOne]).to.have.length(1);
      expect((await stored()).transfers).to.equal(statuses.filter((ofOne) => ofOne.has(202)).length);
    } finally {
      await other.close();
    }
  });

  it("stores nothing for what it refuses", async () => {
    const refused = [
      submission({ target: 6 }),
      submission({ target: 99 }),
      submission({ amount: { quoteId: newUetr() } }),
      submission({ amount: { send: { currency: "HKD", minor: "9000000000" } } }),
      submission({ creditor: { alias: { type: "MSISDN", value: "0917" } } }),
    ];
    for (const request of refused) expect((await post(request)).statusCode).to.be.within(400, 499);
    await setBalance(db, "HKD", 150_074n);
    const unfunded = await post(submission({ target: GCASH }));
    expect(unfunded.json()).to.include({ code: "insufficient-liquidity", reason: "AM04", status: 422 });
    expect(await stored()).to.deep.equal({ transfers: 0, reserved: 0n });
  });
});
