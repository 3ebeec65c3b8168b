import { expect } from "chai";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { fundedRelay, newUetr, storedCount, submission, submitTo, type ApiRelay } from "../../support/api.ts";

const TRANSFERS = 64;

describeOnBothDatabases("submissions one by one, many at a time", (open) => {
  let db: Database;
  let relay: ApiRelay;
  let headers: { authorization: string };
  /** How often transfers are stored. */
  let stores = 0;

  beforeEach(async () => {
    db = await open();
    ({ relay, headers } = await fundedRelay(counting(db), ["read", "submit"]));
    stores = 0;
  });
  afterEach(() => relay.close());

  function counting(store: Database): Database {
    const note = (sql: string) => {
      if (sql.includes("INSERT INTO transfers")) stores++;
    };
    return {
      ...store,
      query(sql, values) {
        note(sql);
        return store.query(sql, values);
      },
      transaction: (work) =>
        store.transaction((tx) =>
          work({
            query(sql, values) {
              note(sql);
              return tx.query(sql, values);
            },
          }),
        ),
    };
  }

  it("shares commits, and gives each its own answer", async () => {
    const requests = Array.from({ length: TRANSFERS }, (_, index) =>
      submission({ uetr: newUetr(), amount: { send: { currency: "HKD", minor: String(1_000 + index) } } }),
    );
    const wrong = submission({ amount: { send: { currency: "HKD", minor: "1" } }, target: 99 });
    const [refused, ...answers] = await Promise.all([wrong, ...requests].map((one) => submitTo(relay, headers, one)));
    expect(refused?.json()).to.include({ code: "unknown-partner" });
    for (const [index, answer] of answers.entries()) {
      expect(answer.statusCode).to.equal(202);
      expect(answer.json()).to.deep.include({
        uetr: requests[index]?.uetr,
        send: { currency: "HKD", minor: String(1_000 + index) },
      });
    }
    expect(await storedCount(db)).to.equal(TRANSFERS);
    expect(stores).to.be.within(1, TRANSFERS / 4);
  });
});
