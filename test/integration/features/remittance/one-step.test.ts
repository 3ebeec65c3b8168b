import { expect } from "chai";
import { readBalances } from "../../../../src/features/liquidity/store.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { makeOneStep } from "../../../support/batches.ts";
import { FUNDS, GCASH } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { ownBatch } from "../../support/relay-batches.ts";
import { run, testRelay, type TestRelay } from "../../support/relay-context.ts";

describeOnBothDatabases("a batch in one step", (open) => {
  it("tells of a batch that opens and settles in one call as of one that did in two", async () => {
    const source = await testRelay({ db: await open() });
    const target = await testRelay({ db: await open(), sandbox: source.sandbox, partner: GCASH });
    for (const relay of [source, target]) await run(relay, watcherStep);
    const ofPartner = async ({ db }: TestRelay, currency: string) =>
      (await readBalances(db)).find((each) => each.currency === currency);
    const before = await ofPartner(target, "PHP");
    const batch = await ownBatch(source, { count: 2 });
    const courier = await source.sandbox.submitterOf({ kind: "courier" });
    await courier.submit(await makeOneStep(source.sandbox, batch));
    for (const relay of [source, target]) await run(relay, watcherStep);

    const uetrs = batch.transfers.map(({ uetr }) => uetr);
    expect((await eventsAfter(source.db, 0n, 100)).map(({ type, uetr }) => [type, uetr])).to.deep.equal([
      ...uetrs.map((uetr) => ["transfer.held", uetr]),
      ...uetrs.map((uetr) => ["transfer.settled", uetr]),
    ]);
    for (const { db } of [source, target]) {
      expect(await db.query("SELECT status FROM ledger_batches")).to.deep.equal([{ status: "settled" }]);
    }
    const { sourceTotal, targetTotal, fee } = batch.header;
    expect(await ofPartner(source, "HKD")).to.include({ available: FUNDS - sourceTotal - fee, held: 0n });
    expect(await ofPartner(target, "PHP")).to.include({
      available: (before?.available ?? 0n) + targetTotal,
      held: 0n,
    });
  });
});
