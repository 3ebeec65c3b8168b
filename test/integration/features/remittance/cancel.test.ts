import { expect } from "chai";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { createServer } from "../../../../src/kernel/http/server.ts";
import { compose } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import type { TransferStatusResponse } from "../../../../src/schema/transfer-status.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import { issueApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { BATCHED } from "../../../../src/features/remittance/store/batch-ranges.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { acceptTransfers, run, standingQuote, testRelay, type TestRelay } from "../../support/relay-context.ts";
import { newUetr } from "../../support/api.ts";

describeOnBothDatabases("cancelling", (open) => {
  let relay: TestRelay;
  let app: FastifyInstance;
  let headers: { authorization: string };
  let onCheckpoint: (name: string) => void;

  beforeEach(async function () {
    onCheckpoint = () => undefined;
    relay = await testRelay({ db: await open(), checkpoint: (name) => onCheckpoint(name) });
    await run(relay, watcherStep);
    app = await createServer(relay, {
      ...(await compose(FEATURES)).served(relay),
      readiness: () => Promise.resolve({ ready: true, reasons: [] }),
    });
    const { text } = await issueApiKey(relay, { label: "t", scopes: ["read", "submit"], rateLimit: 1_000_000 });
    headers = { authorization: `Bearer ${text}` };
  });
  afterEach(() => app.close());

  const cancel = (uetr: string) => app.inject({ method: "POST", url: `/v1/transfers/${uetr}/cancel`, headers });
  const status = async (uetr: string) =>
    (await app.inject({ url: `/v1/transfers/${uetr}`, headers })).json<TransferStatusResponse>();

  async function reserved(): Promise<bigint> {
    const [row] = await relay.db.query<{ reserved: bigint }>("SELECT sum(reserved) AS reserved FROM provider_quotes");
    return row?.reserved ?? -1n;
  }

  it("ends a transfer that waits, gives its quote back, and tells so once", async () => {
    const quote = await standingQuote(relay);
    const [transfer] = await acceptTransfers(relay, 1, { quote });
    if (transfer === undefined) throw new Error("one was accepted");
    expect(await reserved()).to.equal(transfer.targetAmount);
    const first = await cancel(transfer.uetr);
    expect(first.statusCode).to.equal(200);
    expect(first.json()).to.include({ status: "cancelled", pacs002: "CANC", isFinal: true });
    expect(await reserved()).to.equal(0n);
    expect((await cancel(transfer.uetr)).body).to.equal(first.body);
    const events = await eventsAfter(relay.db, 0n, 10);
    expect(events.map(({ type, uetr }) => [type, uetr])).to.deep.equal([["transfer.cancelled", transfer.uetr]]);
    await run(relay, batcherStep);
    expect((await status(transfer.uetr)).status).to.equal("cancelled");
    expect((await cancel(newUetr())).statusCode).to.equal(404);
  });

  /** When the callers and the batcher meet, and how many transfers that lets it take; it is open where they race. */
  const ENCOUNTERS = [
    { at: "callers are answered", batched: 0 },
    { at: "callers begin" },
    { at: "batch.signed" },
    { at: "batcher.stored", batched: 5 },
  ] as const;

  async function meet(at: string, uetrs: readonly Uetr[]): Promise<readonly LightMyRequestResponse[]> {
    const called = Promise.withResolvers<readonly LightMyRequestResponse[]>();
    const call = () => called.resolve(Promise.all(uetrs.map(cancel)));
    onCheckpoint = (name) => {
      if (name === at) call();
    };
    if (at.startsWith("callers")) call();
    if (at === "callers are answered") await called.promise;
    await run(relay, batcherStep);
    return called.promise;
  }

  it("has one winner, the caller or the batcher, and both know who", async () => {
    const quote = await standingQuote(relay);
    let [cancelled, batched] = [0, 0];
    for (const encounter of [...ENCOUNTERS, ...ENCOUNTERS, ...ENCOUNTERS]) {
      // So that the batcher does not wait for more transfers: earlier batches count as on their way no longer.
      relay.clock.advance(1_000);
      const transfers = await acceptTransfers(relay, 5, { quote });
      const before = batched;
      const answers = await meet(
        encounter.at,
        transfers.map(({ uetr }) => uetr),
      );
      for (const [index, answer] of answers.entries()) {
        const now = await status(transfers[index]?.uetr ?? "");
        if (answer.statusCode === 200) {
          cancelled += 1;
          expect(now).to.include({ status: "cancelled" }).and.not.have.property("batch");
        } else {
          batched += 1;
          expect(answer.json()).to.include({ code: "not-cancellable" });
          expect(answer.json()).to.have.nested.property("stored.status", "batched");
          expect(now.status).to.equal("batched");
        }
      }
      if ("batched" in encounter) expect(batched - before, encounter.at).to.equal(encounter.batched);
    }
    const [sums] = await relay.db.query<{ kept: bigint; both: number; headers: bigint }>(
      `SELECT (SELECT coalesce(sum(t.target_amount), 0) FROM ${BATCHED}) AS kept,
         (SELECT count(*)::integer FROM ${BATCHED} WHERE t.ended IS NOT NULL) AS both,
         (SELECT coalesce(sum((header->>'targetTotal')::numeric), 0) FROM batches) AS headers`,
    );
    expect(sums?.both).to.equal(0);
    expect(sums?.headers).to.equal(sums?.kept);
    expect(await reserved()).to.equal(sums?.kept);
    expect(cancelled + batched).to.equal(60);
    const events = await eventsAfter(relay.db, 0n, 1_000, ["transfer.cancelled"]);
    expect(events).to.have.length(cancelled);
  });
});
