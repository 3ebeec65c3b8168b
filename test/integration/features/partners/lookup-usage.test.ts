import { expect } from "chai";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { countLookup } from "../../../../src/features/partners/lookup-usage.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

describeOnBothDatabases("counting look-ups", (open) => {
  const LIMITS = { perMinute: 5, perDay: 8 };
  const DAY_MS = 86_400_000;
  const MIDNIGHT_MS = 20_000 * DAY_MS;
  let db: Database;
  beforeEach(async () => {
    db = await open();
  });

  it("lets so many through in a minute and on a day, and tells when there are more", async () => {
    const count = (atMs: number, asker = "partner:5") => countLookup(db, asker, LIMITS, MIDNIGHT_MS + atMs);
    for (let done = 0; done < 5; done++) expect(await count(1_000)).to.equal(0);
    expect(await count(1_000)).to.equal(59_000);
    expect(await count(1_000, "partner:6")).to.equal(0);
    for (let done = 0; done < 3; done++) expect(await count(60_000)).to.equal(0);
    // What was refused did not count; what was let through did, by the day.
    expect(await count(60_000)).to.equal(DAY_MS - 60_000);
    expect(await count(DAY_MS)).to.equal(0);
  });

  it("lets no more through for many at the same moment, in several processes", async () => {
    const other = await open({ again: db });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => countLookup(index % 2 ? db : other, "partner:5", LIMITS, MIDNIGHT_MS)),
    );
    expect(answers.filter((waitMs) => waitMs === 0)).to.have.length(5);
  });
});
