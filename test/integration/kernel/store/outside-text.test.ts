import { expect } from "chai";
import { storable } from "../../../../src/domain/storable.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { appendEvents, eventsAfter } from "../../../../src/kernel/store/events.ts";
import { recordFault, stepFaults } from "../../../../src/kernel/store/step-faults.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

describeOnBothDatabases("Text from outside in the store", (open) => {
  let db: Database;
  beforeEach(async () => (db = await open()));

  const texts: Readonly<Record<string, string>> = {
    "a\0b": "a\uFFFDb",
    "a\ud800b": "a\uFFFDb",
    "\udc00": "\uFFFD",
    "\u{1F600}": "\u{1F600}",
    "a\\u0000b": "a\\u0000b",
    陳大文: "陳大文",
  };
  for (const [given, stored] of Object.entries(texts)) {
    it(`fails no statement, in JSON or as text: ${JSON.stringify(given)}`, async () => {
      await recordFault(db, "batcher", "x", { attempts: 1, dueAt: 1, error: given });
      expect((await stepFaults(db, "batcher")).get("x")?.error).to.equal(stored);
      const others = { type: "transfer.held" as const, at: 1, data: { text: "of others" } };
      await db.transaction((tx) => appendEvents(tx, [others, { type: "credit.posted", at: 1, data: { text: given } }]));
      expect((await eventsAfter(db, 0n, 10)).map(({ data }) => data["text"])).to.deep.equal(["of others", stored]);
      expect(storable(given)).to.equal(stored);
    });
  }
});
