import { expect } from "chai";
import type { Database, Queryable } from "../../../../src/kernel/store/database.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { createSpareSchemas, type SpareSchemas } from "../../support/spare-schemas.ts";

const SCHEMA = "ours";

describeOnBothDatabases("tables that one test after the other gets", (open) => {
  let db: Database;
  let spare: SpareSchemas;

  beforeEach(async () => {
    db = await open({ migrated: false });
    spare = createSpareSchemas();
    await spare.furnish(SCHEMA, db);
  });

  const writeEntry = async (to: Queryable = db): Promise<bigint | undefined> => {
    await to.query("INSERT INTO audit_log (at, actor, action, outcome) VALUES (1, 'test', 'test', 'done')");
    const [last] = await to.query<{ seq: bigint }>("SELECT max(seq) AS seq FROM audit_log");
    return last?.seq;
  };

  it("are empty, and number from one", async () => {
    // What is undone has drawn a number as well.
    const undone = db.transaction(async (tx) => {
      throw new Error(`number ${await writeEntry(tx)}`);
    });
    expect(String(await undone.catch((failure: unknown) => failure))).to.contain("number 1");
    expect(await writeEntry()).to.equal(2n);
    expect(await spare.putBack(SCHEMA, db)).to.equal(true);
    expect([spare.take(), spare.take()]).to.deep.equal([SCHEMA, undefined]);
    expect(await db.query("SELECT FROM audit_log")).to.deep.equal([]);
    expect(await writeEntry()).to.equal(1n);
    expect(await spare.putBack(SCHEMA, db)).to.equal(true);
  });

  const CHANGES: Readonly<Record<string, string>> = {
    "a table": "CREATE TABLE more ()",
    "a column": "ALTER TABLE events ADD COLUMN more text",
    "a column that may be null": "ALTER TABLE events ALTER COLUMN type DROP NOT NULL",
    "a default": "ALTER TABLE events ALTER COLUMN type SET DEFAULT ''",
    "a rule that was dropped": "ALTER TABLE feed_epochs DROP CONSTRAINT feed_epochs_feed_check",
    "an index": "CREATE INDEX more ON events (at)",
    "a function": "CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "a function that does something else":
      "CREATE OR REPLACE FUNCTION open_feed(name text) RETURNS void LANGUAGE sql AS 'SELECT'",
    "a table that is gone": "DROP TABLE feed_epochs",
    "a name": "ALTER TABLE feed_epochs RENAME TO epochs_of_feeds",
    "a migration": "UPDATE migrations SET checksum = ''",
  };
  for (const [what, statement] of Object.entries(CHANGES)) {
    it(`are nobody's any more with another shape: ${what}`, async () => {
      await db.query(statement);
      expect(await spare.putBack(SCHEMA, db)).to.equal(false);
      expect(spare.take()).to.equal(undefined);
    });
  }

  it("are nobody's where they were not made here", async () => {
    expect(await spare.putBack("others", db)).to.equal(false);
  });
});
