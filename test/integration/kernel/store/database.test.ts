import { expect } from "chai";
import type { Database, Queryable, SqlValue } from "../../../../src/kernel/store/database.ts";
import { codeOf } from "../../../../src/kernel/store/faults.ts";
import { bytesList } from "../../../../src/kernel/store/values.ts";
import { LeaseLost } from "../../../../src/kernel/store/leases.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

const MANY = 50;
const UNIQUE_VIOLATION = "23505";
/** A statement that fails with a code of PostgreSQL. */
const failing = (code: string): string => `DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '${code}'; END $$`;

/** What a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it was not rejected"),
    (failure: unknown) => failure,
  );
}

async function numbers(db: Queryable): Promise<readonly number[]> {
  return (await db.query<{ number: number }>("SELECT number FROM numbers ORDER BY number")).map(({ number }) => number);
}

describeOnBothDatabases("a database", (open) => {
  let db: Database;

  before(async () => {
    db = await open();
    await db.query("CREATE TABLE numbers (number integer PRIMARY KEY)");
  });
  beforeEach(() => db.query("TRUNCATE numbers"));

  const insert = (to: Queryable, ...values: readonly number[]): Promise<unknown> =>
    to.query("INSERT INTO numbers SELECT value::integer FROM jsonb_array_elements_text($1::jsonb) AS value", [
      JSON.stringify(values),
    ]);

  describe("its types", () => {
    const cases: readonly [type: string, given: SqlValue, got: unknown][] = [
      ["integer", -7, -7],
      ["integer", 7n, 7],
      ["bigint", 7, 7n],
      ["bigint", 2n ** 63n - 1n, 2n ** 63n - 1n],
      ["numeric(39)", 2n ** 128n - 1n, 2n ** 128n - 1n],
      ["numeric(39)", "340282366920938463463374607431768211455", 2n ** 128n - 1n],
      ["numeric(39)", 0, 0n],
      ["boolean", true, true],
      ["text", "\\x ' \" 汇款 🙂 \n", "\\x ' \" 汇款 🙂 \n"],
      ["text", "", ""],
      ["bytea", Uint8Array.of(0, 1, 0x27, 0x5c, 0xff), Uint8Array.of(0, 1, 0x27, 0x5c, 0xff)],
      ["bytea", Buffer.from([1, 2]), Uint8Array.of(1, 2)],
      ["bytea", new Uint8Array(), new Uint8Array()],
      ["uuid", "0e5d2f44-13f6-4b7e-8a3e-6f8d1c2b3a49", "0e5d2f44-13f6-4b7e-8a3e-6f8d1c2b3a49"],
      ["text[]", ["a,b", '"', "\\", "{}", "NULL", "", " 汇款 "], ["a,b", '"', "\\", "{}", "NULL", "", " 汇款 "]],
      ["text[]", [], []],
      ["bigint[]", [-1n, 2n ** 63n - 1n], ["-1", "9223372036854775807"]],
      ["bytea[]", bytesList(["0x00275cff", "0x"]), ["\\x00275cff", "\\x"]],
      ["jsonb", '{"a":[1,"2",null,true]}', { a: [1, "2", null, true] }],
      ["jsonb", '"text"', "text"],
      ["jsonb", "[]", []],
      ["bigint", null, null],
      ["bytea", null, null],
      ["jsonb", null, null],
    ];
    for (const [type, given, got] of cases) {
      it(`take ${given === null ? "null" : typeof given} and give ${type} (${String(given)})`, async () => {
        // Arrays are given only, and read as those of text here.
        const read = /^(?:bigint|bytea)\[\]$/.test(type) ? "::text[]" : "";
        const [row] = await db.query<{ value: unknown }>(`SELECT $1::${type}${read} AS value`, [given]);
        expect(row?.value).to.deep.equal(got);
        expect(row?.value?.constructor).to.equal(got?.constructor);
      });
    }

    it("are the same where a statement has no values", async () => {
      const rows = await db.query(
        "SELECT 1 AS i, 2::bigint AS b, 3::numeric AS n, '\\x0102'::bytea AS y, '{}'::jsonb AS j",
      );
      expect(rows).to.deep.equal([{ i: 1, b: 2n, n: 3n, y: Uint8Array.of(1, 2), j: {} }]);
    });

    it("count and sum in bigint", async () => {
      await insert(db, 1, 2, 3);
      const rows = await db.query("SELECT count(*) AS count, sum(number) AS sum FROM numbers WHERE number < $1", [3]);
      expect(rows).to.deep.equal([{ count: 2n, sum: 3n }]);
    });
  });

  it("gives the last result of several statements, and none for those that have none", async () => {
    expect(await db.query("SELECT 1 AS a; SELECT 2 AS b")).to.deep.equal([{ b: 2 }]);
    expect(await db.query("TRUNCATE numbers")).to.deep.equal([]);
    expect(await db.query("UPDATE numbers SET number = $1", [1])).to.deep.equal([]);
  });

  it("fails with PostgreSQL's code, without the values of the statement, and goes on", async () => {
    await insert(db, 1);
    const failure = await rejection(db.query("INSERT INTO numbers SELECT $1 WHERE 'secret' = $2::text", [1, "secret"]));
    expect(codeOf(failure)).to.equal(UNIQUE_VIOLATION);
    expect({ ...(failure as object) }).not.to.have.any.keys("params", "query", "parameters");
    expect(await numbers(db)).to.deep.equal([1]);
  });

  describe("its transactions", () => {
    it("take effect as a whole, and return what their work returns", async () => {
      const result = await db.transaction(async (tx) => {
        await insert(tx, 1);
        await insert(tx, 2);
        return "done";
      });
      expect(result).to.equal("done");
      expect(await numbers(db)).to.deep.equal([1, 2]);
    });

    it("leave nothing behind when their work fails", async () => {
      const wrong = new Error("wrong");
      const work = async (tx: Queryable): Promise<void> => {
        await insert(tx, 1);
        throw wrong;
      };
      expect(await rejection(db.transaction(work))).to.equal(wrong);
      expect(await numbers(db)).to.deep.equal([]);
    });

    it("leave nothing behind, and say so, when their work goes on after a statement failed", async () => {
      await insert(db, 5);
      const failure = await rejection(
        db.transaction(async (tx) => {
          await insert(tx, 1);
          await insert(tx, 5).catch(() => undefined);
        }),
      );
      expect(failure).to.be.instanceOf(Error);
      expect(await numbers(db)).to.deep.equal([5]);
    });

    it("send statements one after the other, those not waited for as well", async () => {
      await db.transaction(async (tx) => {
        void insert(tx, 4);
        await Promise.all([1, 2, 3].map((number) => insert(tx, number)));
        void insert(tx, 5);
      });
      expect(await numbers(db)).to.deep.equal([1, 2, 3, 4, 5]);
    });

    it("take no statements once they have ended", async () => {
      let kept: Queryable | undefined;
      await db.transaction((tx) => Promise.resolve((kept = tx)));
      expect(String(await rejection(kept?.query("SELECT 1") ?? Promise.resolve()))).to.include("has ended");
    });

    it("refuse statements past them, instead of waiting for themselves", async () => {
      const inside = async (past: () => Promise<unknown>): Promise<string> =>
        String(await rejection(db.transaction(() => past())));
      expect(await inside(() => db.query("SELECT 1"))).to.include("inside a transaction");
      expect(await inside(() => db.transaction(() => Promise.resolve()))).to.include("inside a transaction");
      expect(await db.query("SELECT 1 AS one")).to.deep.equal([{ one: 1 }]);
    });

    it("do not mix", async () => {
      await insert(db, 0);
      const add = (): Promise<unknown> =>
        db.transaction((tx) => tx.query("UPDATE numbers SET number = number + $1", [1]));
      await Promise.all(Array.from({ length: MANY }, add));
      expect(await numbers(db)).to.deep.equal([MANY]);
    });

    for (const [name, code] of [
      ["a serialization failure", "40001"],
      ["a deadlock", "40P01"],
    ] as const) {
      it(`are tried again after ${name}`, async () => {
        let attempts = 0;
        await db.transaction(async (tx) => {
          attempts += 1;
          await insert(tx, attempts);
          if (attempts < 3) await tx.query(failing(code));
        });
        expect(await numbers(db)).to.deep.equal([3]);
      });
    }

    it("are tried again where they are one statement, sent alone", async () => {
      await db.query("CREATE SEQUENCE tries");
      // What a sequence has given is not taken back.
      await db.query(`DO $$ BEGIN
        INSERT INTO numbers VALUES (nextval('tries'));
        IF (SELECT max(number) FROM numbers) < 3 THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF;
      END $$`);
      await db.query("DROP SEQUENCE tries");
      expect(await numbers(db)).to.deep.equal([3]);
    });

    it("are not tried forever, and not at all after other failures", async () => {
      for (const [code, expected] of [
        ["40001", 8],
        ["P0001", 1],
      ] as const) {
        let attempts = 0;
        const failure = await rejection(
          db.transaction((tx) => {
            attempts += 1;
            return tx.query(failing(code));
          }),
        );
        expect([codeOf(failure), attempts]).to.deep.equal([code, expected]);
      }
    });
  });

  describe("its leases", () => {
    it("are had by one, until it releases them", async () => {
      const other = await open({ again: db });
      const lease = await db.tryLease("leader");
      expect(lease).not.to.equal(undefined);
      expect(await other.tryLease("leader")).to.equal(undefined);
      expect(await db.tryLease("leader")).to.equal(undefined);

      const another = await other.tryLease("something else");
      expect(another).not.to.equal(undefined);
      await another?.release();

      await lease?.release();
      await lease?.release();
      const next = await other.tryLease("leader");
      expect(next).not.to.equal(undefined);
      // Released long ago: this does not take it away from its new holder.
      await lease?.release();
      expect(await db.tryLease("leader")).to.equal(undefined);
      await next?.release();
    });

    it("end with the database that holds them", async () => {
      const other = await open({ again: db });
      await other.tryLease("closing");
      expect(await db.tryLease("closing")).to.equal(undefined);
      await other.close();
      const lease = await db.tryLease("closing");
      expect(lease).not.to.equal(undefined);
      await lease?.release();
    });

    it("are had by one of many who try at once", async () => {
      const tried = await Promise.all(Array.from({ length: 10 }, () => db.tryLease("race")));
      const held = tried.filter((lease) => lease !== undefined);
      expect(held).to.have.lengthOf(1);
      await held[0]?.release();
    });

    it("have an epoch that rises, and are not held any more once they are released", async () => {
      const first = await db.tryLease("epochs");
      expect([first?.isHeld(), await first?.renew()]).to.deep.equal([true, true]);
      await first?.release();
      const second = await db.tryLease("epochs");
      expect((second?.epoch ?? 0n) > (first?.epoch ?? 0n)).to.equal(true);
      expect([first?.isHeld(), await first?.renew()]).to.deep.equal([false, false]);
      expect([second?.isHeld(), await second?.renew()]).to.deep.equal([true, true]);
      await second?.release();
    });

    it("have a transaction fail that is tied to one which is not held", async () => {
      const lease = await db.tryLease("fence");
      const write = (number: number) =>
        db.transaction(async (tx) => {
          await insert(tx, number);
          await lease?.fence(tx);
        });
      await write(1);
      await lease?.release();
      expect(await rejection(write(2))).to.be.instanceOf(LeaseLost);
      expect(await numbers(db)).to.deep.equal([1]);
    });

    it("of another schema are others", async () => {
      const elsewhere = await open();
      const leases = [await db.tryLease("leader"), await elsewhere.tryLease("leader")];
      expect(leases).not.to.include(undefined);
      for (const lease of leases) await lease?.release();
    });
  });

  it("sees its own schema only", async () => {
    const elsewhere = await open({ migrated: false });
    await elsewhere.query("CREATE TABLE numbers (number integer)");
    await Promise.all([insert(db, 1), insert(elsewhere, 2), insert(db, 3), insert(elsewhere, 4)]);
    expect(await numbers(db)).to.deep.equal([1, 3]);
    expect(await numbers(elsewhere)).to.deep.equal([2, 4]);
  });

  it("answers nothing once it is closed, and can be closed twice", async () => {
    const other = await open({ again: db });
    await Promise.all([other.close(), other.close()]);
    await rejection(other.query("SELECT 1"));
    await rejection(other.transaction(() => Promise.resolve()));
    expect(await db.query("SELECT 1 AS one")).to.deep.equal([{ one: 1 }]);
  });
});
