import { expect } from "chai";
import type { ProblemJson } from "../../../../src/schema/problems.ts";
import type { SubmitRequest } from "../../../../src/schema/transfers.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import { cancelTransfer } from "../../../../src/features/remittance/store/transfers.ts";
import { failWaiting } from "../../../../src/features/remittance/store/waiting-transfers.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import {
  apiRelay,
  fundedRelay,
  GCASH,
  newUetr,
  storedCount,
  submission,
  submitTo,
  type ApiRelay,
} from "../../support/api.ts";

const TOO_MUCH = { send: { currency: "HKD", minor: "1000000000000000" } };

describeOnBothDatabases("an order that is tried again", (open) => {
  let db: Database;
  let relay: ApiRelay;
  let headers: { authorization: string };

  beforeEach(async () => {
    db = await open();
    ({ relay, headers } = await fundedRelay(db, ["read", "submit"]));
  });
  afterEach(() => relay.close());

  const post = (payload: SubmitRequest, through = relay) => submitTo(through, headers, payload);

  async function accepted(more: Partial<SubmitRequest> = {}): Promise<string> {
    const request = submission(more);
    const answer = await post(request);
    expect(answer.statusCode, answer.body).to.equal(202);
    return request.uetr;
  }

  async function refusedWith(code: string, more: Partial<SubmitRequest> = {}): Promise<string> {
    const request = submission(more);
    const answer = await post(request);
    expect(answer.json<ProblemJson>(), answer.body).to.include({ code, transfer: "none" });
    return request.uetr;
  }

  async function failed(more: Partial<SubmitRequest> = {}): Promise<string> {
    const uetr = await accepted(more);
    await db.transaction((tx) => failWaiting(tx, [parseUetr(uetr)], "AM04", Date.now()));
    return uetr;
  }

  async function notRetryable(retryOf: string, why: string): Promise<string> {
    const request = submission({ retryOf });
    const answer = await post(request);
    expect(answer.statusCode, answer.body).to.equal(409);
    const { code, transfer, field, detail } = answer.json<ProblemJson>();
    expect({ code, transfer, field }).to.deep.equal({ code: "not-retryable", transfer: "none", field: "retryOf" });
    expect(detail).to.contain(why);
    expect((await post(request)).json<ProblemJson>().detail, "it stands").to.equal(detail);
    return request.uetr;
  }

  it("is taken after it has failed, was cancelled or was refused: a chain of attempts", async () => {
    const first = await failed();
    const second = await refusedWith("amount-too-large", { retryOf: first, amount: TOO_MUCH });
    const third = await accepted({ retryOf: second });
    await db.transaction((tx) => cancelTransfer(tx, parseUetr(third), Date.now()));
    const last = submission({ retryOf: third });
    expect((await post(last)).statusCode).to.equal(202);
    const again = await post(last);
    expect([again.statusCode, again.headers["idempotent-replayed"]]).to.deep.equal([202, "true"]);
    const { retryOf: _, ...without } = last;
    for (const other of [without, { ...last, retryOf: first }]) {
      expect((await post(other)).json<ProblemJson>()).to.include({ code: "uetr-conflict", transfer: "stored" });
    }
    expect(await links()).to.deep.equal(
      new Map([
        [first, second],
        [second, third],
        [third, last.uetr],
      ]),
    );
  });

  it("is not taken while it may be paid, when it was, twice, nor of what is not known", async () => {
    const under = await accepted();
    await notRetryable(under, "it may be paid yet");
    await notRetryable(newUetr(), "no such attempt");
    const own = newUetr();
    expect((await post(submission({ uetr: own, retryOf: own }))).json<ProblemJson>().code).to.equal("not-retryable");
    const first = await failed();
    const second = await accepted({ retryOf: first });
    await notRetryable(first, second);
    await notRetryable(second, "it may be paid yet");
    expect(await links()).to.deep.equal(new Map([[first, second]]));
    expect((await post(submission({ retryOf: "no UETR" }))).json<ProblemJson>()).to.include({
      code: "invalid-request",
      field: "retryOf",
    });
  });

  it("is not paid twice by trying again what was refused as it could not be tried again", async () => {
    const under = await accepted();
    const second = await notRetryable(under, "it may be paid yet");
    const third = await notRetryable(second, "it was no attempt");
    await notRetryable(third, "it was no attempt");
    expect(await storedCount(db)).to.equal(1);
  });

  it("is judged before the form of its next attempt, which stays one of its attempts", async () => {
    const broken = { purpose: "family" };
    await refusedWith("not-retryable", { ...broken, retryOf: await accepted() });
    const first = await failed();
    const second = await refusedWith("invalid-request", { ...broken, retryOf: first });
    const unreadable = { name: "Chan Tai Man", alias: { type: "MSISDN", value: "by telephone" } } as const;
    await notRetryable(first, second);
    const third = await refusedWith("invalid-request", { debtor: unreadable, retryOf: second });
    await accepted({ retryOf: third });
  });

  it("is taken once, of many that come at once, in a stream or one by one", async () => {
    const first = await failed();
    const other = await apiRelay(await open({ again: db }));
    try {
      const answers = await Promise.all(
        Array.from({ length: 24 }, (_, index) =>
          post(
            submission({ retryOf: first, ...(index % 3 === 0 ? { amount: TOO_MUCH } : {}) }),
            index % 2 === 0 ? relay : other,
          ),
        ),
      );
      const problems = answers.map((answer) => answer.json<Partial<ProblemJson>>());
      const taken = problems.filter(({ code }) => code !== "not-retryable");
      expect(taken, JSON.stringify(problems)).to.have.length(1);
      expect((await links()).size).to.equal(1);
    } finally {
      await other.close();
    }
    const next = await failed();
    const lines = [submission({ retryOf: next }), submission({ retryOf: next }), submission()];
    const answer = await relay.app.inject({
      method: "POST",
      url: "/v1/transfers",
      headers: { ...headers, "content-type": "application/x-ndjson" },
      payload: lines.map((line) => JSON.stringify(line)).join("\n"),
    });
    const results = answer.body
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { status: number });
    expect(results.map(({ status }) => status)).to.deep.equal([202, 409, 202]);
  });

  it("does not have what is stored with it refused", async () => {
    const attempts = await Promise.all(Array.from({ length: 6 }, () => failed()));
    const other = await apiRelay(await open({ again: db }));
    try {
      const retries = attempts.flatMap((retryOf) => [submission({ retryOf }), submission({ retryOf, target: GCASH })]);
      const alone = Array.from({ length: 12 }, () => submission());
      const answers = await Promise.all(
        [...retries, ...alone].map((request, index) => post(request, index % 2 === 0 ? relay : other)),
      );
      const codes = answers.map(({ statusCode }) => statusCode);
      expect(codes.slice(0, retries.length).filter((code) => code === 202)).to.have.length(attempts.length);
      expect(new Set(codes.slice(retries.length))).to.deep.equal(new Set([202]));
    } finally {
      await other.close();
    }
  });

  async function links(): Promise<ReadonlyMap<string, string>> {
    const rows = await db.query<{ earlier: string; later: string }>("SELECT earlier, later FROM retries");
    return new Map(rows.map(({ earlier, later }) => [earlier, later]));
  }
});
