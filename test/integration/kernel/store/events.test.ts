import { expect } from "chai";
import { toHex } from "../../../../src/domain/bytes/hex.ts";
import { uetrFromRandom } from "../../../../src/domain/uetr.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import {
  appendEvents,
  eventsAfter,
  lastEventSeq,
  type EventType,
  type NewEvent,
} from "../../../../src/kernel/store/events.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";

const MANY = 1_000;
const WRITERS = 12;
const ROUNDS = 10;

const numbered = (type: EventType, number: number): NewEvent => ({ type, at: 0, data: { number } });
const append = (db: Database, events: readonly NewEvent[]): Promise<void> =>
  db.transaction((tx) => appendEvents(tx, events));

describeOnBothDatabases("events", (open) => {
  let db: Database;

  beforeEach(async () => {
    db = await open();
  });

  it("come back as they were written", async () => {
    const full: NewEvent = {
      type: "transfer.settled",
      uetr: uetrFromRandom(new Uint8Array(16).fill(9)),
      batch: toHex(new Uint8Array(32).fill(0xab)),
      at: 1_790_000_000_123,
      ledger: { block: 12_345_678_901, logIndex: 0 },
      data: { reason: "AC03", nested: { list: [1, "2", null] }, text: "汇款 \\ \" '" },
    };
    const bare: NewEvent = { type: "liquidity.low", at: 1, data: {} };
    await append(db, [full, bare]);
    const stored = await eventsAfter(db, 0n, 10);
    expect(stored.map(({ id }) => id.replace(/_[0-9a-f]{12}_/, "_*_"))).to.deep.equal(["evt_*_1", "evt_*_2"]);
    expect(stored).to.deep.equal([
      { id: stored[0]?.id, seq: 1n, ...full },
      { id: stored[1]?.id, seq: 2n, uetr: undefined, batch: undefined, ledger: undefined, ...bare },
    ]);
  });

  it("are numbered in the order in which they are given", async () => {
    await append(
      db,
      Array.from({ length: MANY }, (_, number) => numbered("transfer.held", number)),
    );
    const stored = await eventsAfter(db, 0n, MANY);
    expect(stored.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: MANY }, (_, number) => BigInt(number + 1)));
    expect(stored.map(({ data }) => data["number"])).to.deep.equal(Array.from({ length: MANY }, (_, number) => number));
    expect(await lastEventSeq(db)).to.equal(BigInt(MANY));
  });

  it("come in pages, of all types or of some", async () => {
    await append(
      db,
      Array.from({ length: 10 }, (_, number) =>
        numbered((["transfer.held", "credit.posted", "webhook.dead"] as const)[number % 3] ?? "credit.stuck", number),
      ),
    );
    const numbersAfter = async (...query: [bigint, number, string[]?]): Promise<unknown[]> =>
      (await eventsAfter(db, ...query)).map(({ data }) => data["number"]);
    expect(await numbersAfter(0n, 4)).to.deep.equal([0, 1, 2, 3]);
    expect(await numbersAfter(4n, 100)).to.deep.equal([4, 5, 6, 7, 8, 9]);
    expect(await numbersAfter(0n, 3, ["credit.posted", "webhook.dead"])).to.deep.equal([1, 2, 4]);
    expect(await numbersAfter(5n, 100, ["credit.posted"])).to.deep.equal([7]);
    expect(await numbersAfter(0n, 100, [])).to.deep.equal([]);
    expect(await numbersAfter(10n, 100)).to.deep.equal([]);
  });

  it("are none of a transaction that fails, and none where none are given", async () => {
    await append(db, []);
    await db
      .transaction(async (tx) => {
        await appendEvents(tx, [numbered("transfer.held", 1)]);
        throw new Error("wrong");
      })
      .catch(() => undefined);
    expect(await eventsAfter(db, 0n, 10)).to.deep.equal([]);
    expect(await lastEventSeq(db)).to.equal(0n);
  });

  it("are all seen by a reader who asks for what comes after the last", async () => {
    const reader = await open({ again: db });
    let writing = true;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let round = 0; round < ROUNDS; round++) {
        await db.transaction(async (tx) => {
          await appendEvents(tx, [numbered("transfer.held", writer), numbered("transfer.held", writer)]);
          // The commit comes later than the number, by more or less.
          await tx.query("SELECT pg_sleep($1::float8)", [((writer + round) % 4) / 1_000]);
        });
      }
    });
    const written = Promise.all(writers).finally(() => (writing = false));
    const seen: bigint[] = [];
    for (let again = true; again;) {
      again = writing;
      const page = await eventsAfter(reader, seen.at(-1) ?? 0n, 7);
      seen.push(...page.map(({ seq }) => seq));
      again ||= page.length > 0;
    }
    await written;
    const all = (await eventsAfter(db, 0n, MANY)).map(({ seq }) => seq);
    expect(all).to.have.lengthOf(2 * WRITERS * ROUNDS);
    expect(seen).to.deep.equal(all);
  });
});
