import { expect } from "chai";
import { fromHex, type Hex } from "../../../../src/domain/bytes/hex.ts";
import { canonicalDetails, hashDetails } from "../../../../src/domain/details.ts";
import type { BatchPayload, PayloadTransfer } from "../../../../src/domain/payload.ts";
import { beatCall } from "../../../../src/ledger/calls.ts";
import { payloadBytes, sealPayload, openPayload } from "../../../../src/features/remittance/sealed-payload.ts";
import { sealDetails } from "../../../../src/features/remittance/sealed-details.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { courierStep } from "../../../../src/features/remittance/steps/courier.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../../src/features/remittance/steps/settler.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { sealedPayloadOf } from "../../../../src/features/remittance/store/payloads.ts";
import { networkHelpers } from "../../support/chain.ts";
import { describeOn } from "../../support/databases.ts";
import { openedBatch, readLedger, signedBatch, startPair, type Pair } from "../../support/peers.ts";
import { acceptTransfers, Killed, run, standingQuote, type TestRelay } from "../../support/relay-context.ts";

/** Longer than a pass takes on a busy machine: a pause is over once a test says so. */
const RETRY = { firstDelayMs: 20_000, maxDelayMs: 20_000 };

describeOn("PGlite", "responder and settler", (open) => {
  let pair: Pair;
  beforeEach(async () => (pair = await startPair(open, { retry: RETRY })));
  afterEach(() => pair.close());

  const decisions = ({ db }: TestRelay) =>
    db.query<{ rejections: readonly { uetr: string; reason: string }[]; signature: { key: string } }>(
      "SELECT rejections, signature FROM decisions",
    );
  const credits = async ({ db }: TestRelay) =>
    (await db.query<{ uetr: string; amount: bigint }>("SELECT uetr, amount FROM credits ORDER BY uetr")).map(
      ({ uetr, amount }) => [uetr, amount],
    );
  const refusals = async ({ db }: TestRelay) =>
    (await db.query<{ refused: string | null }>("SELECT refused FROM payloads")).map(({ refused }) => refused);
  const statusOf = async ({ db }: TestRelay, batch: Hex) => {
    const [row] = await db.query<{ status: string; rejected: readonly object[] }>(
      "SELECT status, rejected FROM ledger_batches WHERE id = $1",
      [fromHex(batch)],
    );
    return { status: row?.status, rejected: row?.rejected.length };
  };
  const expected = (transfers: readonly { uetr: string; targetAmount: bigint }[]) =>
    transfers
      .map(({ uetr, targetAmount }) => [uetr, targetAmount])
      .sort(([left = ""], [right = ""]) => (left < right ? -1 : 1));

  /** Puts another payload in place of the one that came: what a source might commit to or send instead. */
  async function replacePayload(batch: Hex, change: (payload: BatchPayload) => BatchPayload): Promise<void> {
    const { db, sealer } = pair.target;
    const sealed = await sealedPayloadOf(db, batch);
    const payload = openPayload(sealer, batch, sealed ?? new Uint8Array());
    await db.query("UPDATE payloads SET sealed = $2 WHERE batch = $1", [
      fromHex(batch),
      sealPayload(sealer, batch, payloadBytes(change(payload))),
    ]);
  }

  it("accepts whom the wallet can credit, refuses the others, and the ledger settles so", async () => {
    const { source, target, wallet } = pair;
    const { id, transfers } = await openedBatch(pair, 4);
    const [first, second, ...others] = transfers;
    wallet.checkReason = ({ uetr }) => ({ [first?.uetr ?? ""]: "AC03", [second?.uetr ?? ""]: "no such code" })[uetr];
    await run(target, responderStep);

    const [decision] = await decisions(target);
    expect(decision?.rejections).to.have.deep.members([
      { uetr: first?.uetr, reason: "AC03" },
      { uetr: second?.uetr, reason: "MS03" },
    ]);
    expect(await credits(target)).to.deep.equal(expected(others));
    expect(target.woken).to.include("settler");
    expect(wallet.posted.size).to.equal(0);

    await run(target, settlerStep);
    await readLedger(source, target);
    expect(await statusOf(target, id)).to.deep.equal({ status: "settled", rejected: 2 });
    expect(await statusOf(source, id)).to.deep.equal({ status: "settled", rejected: 2 });
  });

  it("tells the wallet who pays whom, what and why, in its own currency", async () => {
    const { target, wallet } = pair;
    const { transfers } = await openedBatch(pair, 1);
    let seen: unknown;
    wallet.checkReason = (credit) => {
      seen = credit;
      return undefined;
    };
    await run(target, responderStep);
    expect(seen).to.deep.equal({
      uetr: transfers[0]?.uetr,
      creditor: { name: "Maria Dela Cruz", alias: { type: "MSISDN", value: "+639171234567" } },
      debtor: { name: "Chan Tai Man", alias: { type: "MSISDN", value: "+85291234567" } },
      amount: { currency: "PHP", minor: String(transfers[0]?.targetAmount) },
      remittance: { purpose: "FAMI", unstructured: "For Mum" },
    });
  });

  it("refuses all where nobody can be credited: the batch is rejected, and nobody credited", async () => {
    const { target, wallet } = pair;
    const { id } = await openedBatch(pair);
    wallet.checkReason = () => "AC06";
    await run(target, responderStep);
    await run(target, settlerStep);
    await readLedger(target);
    expect(await statusOf(target, id)).to.deep.equal({ status: "rejected", rejected: 3 });
    expect(await credits(target)).to.deep.equal([]);
  });

  it("decides on nothing that is not open on the ledger, or of which there is no payload", async () => {
    const { source, target } = pair;
    await signedBatch(source);
    await run(source, courierStep);
    await run(target, responderStep);
    expect(await decisions(target)).to.deep.equal([]);

    await run(source, openerStep);
    await readLedger(target);
    await target.db.query("DELETE FROM payloads");
    await run(target, responderStep);
    expect(await decisions(target)).to.deep.equal([]);
    await source.db.query("UPDATE batches SET payload_delivered_at = NULL");
    await run(source, courierStep);
    await run(target, responderStep);
    expect(await decisions(target)).to.have.length(1);
  });

  const tampering: Readonly<
    Record<string, (first: PayloadTransfer, others: readonly PayloadTransfer[]) => readonly PayloadTransfer[]>
  > = {
    "a transfer missing": (_first, others) => others,
    "a transfer twice": (first, others) => [first, first, ...others.slice(1)],
    "another amount": (first, others) => [{ ...first, targetAmount: first.targetAmount - 1n }, ...others],
    "another payee": (first, others) => {
      const creditor = { alias: { type: "MSISDN", value: "+639170000000" } };
      return [{ ...first, details: { ...first.details, creditor } }, ...others];
    },
    "another salt": (first, others) => [{ ...first, salt: others[0]?.salt ?? first.salt }, ...others],
  };
  for (const [what, change] of Object.entries(tampering)) {
    it(`never signs for a payload with ${what}, nor asks the wallet about it`, async () => {
      const { target, wallet } = pair;
      const { id } = await openedBatch(pair);
      await replacePayload(id, ({ header, transfers: [first, ...others] }) => {
        if (first === undefined) throw new Error("test set-up: a transfer");
        return { header, transfers: change(first, others) };
      });
      let asked = 0;
      wallet.checkReason = () => {
        asked++;
        return undefined;
      };
      await run(target, responderStep);
      await run(target, responderStep);
      expect(await refusals(target)).to.deep.equal(["mismatch"]);
      expect(await decisions(target)).to.deep.equal([]);
      expect(asked).to.equal(0);
    });
  }

  it("rejects what two batches would credit under one UETR, with AM05", async () => {
    const { target } = pair;
    const { transfers } = await openedBatch(pair);
    const other = "c".repeat(64);
    await target.db.query("INSERT INTO payloads (batch, source, received_at) VALUES (decode($1, 'hex'), 1, 0)", [
      other,
    ]);
    await target.db.query(
      "INSERT INTO decisions (batch, rejections, signature, decided_at) VALUES (decode($1, 'hex'), '[]', '{}', 0)",
      [other],
    );
    await target.db.query(
      "INSERT INTO credits (uetr, source, batch, amount, currency) VALUES ($2, 1, decode($1, 'hex'), 5, 'PHP')",
      [other, transfers[0]?.uetr ?? ""],
    );
    await run(target, responderStep);
    const rejections = (await decisions(target)).flatMap((decision) => decision.rejections);
    expect(rejections).to.deep.equal([{ uetr: transfers[0]?.uetr, reason: "AM05" }]);
    expect(await credits(target)).to.have.length(3);
  });

  it("rejects a transfer whose details do not say who is paid, with FF01", async () => {
    const { source, target } = pair;
    // As a source relay of another make may have it: committed to, and not understood here.
    const details = { debtor: { name: "Chan" }, creditor: {}, remittance: {} };
    await readLedger(source);
    const [transfer] = await acceptTransfers(source, 1, { quote: await standingQuote(source) });
    const uetr = transfer?.uetr ?? ("" as never);
    const salt = `0x${"5a".repeat(32)}` as const;
    await source.db.query("UPDATE transfers SET details_hash = $2, sealed = $3 WHERE uetr = $1", [
      uetr,
      fromHex(hashDetails(details, salt)),
      sealDetails(source.sealer, uetr, { canonical: canonicalDetails(details), salt }),
    ]);
    await run(source, batcherStep);
    await run(source, courierStep);
    await run(source, openerStep);
    await readLedger(target);
    await run(target, responderStep);
    expect((await decisions(target)).flatMap(({ rejections }) => rejections)).to.deep.equal([{ uetr, reason: "FF01" }]);
  });

  const silences: Readonly<Record<string, (wallet: Pair["wallet"], uetr: string) => void>> = {
    "does not answer": (wallet) => void (wallet.fateOf = () => "hangs"),
    "answers 503": (wallet) => void (wallet.fateOf = () => "refused"),
    "answers for some only": (wallet, one) => void (wallet.leaveOut = (uetr) => uetr === one),
  };
  for (const [what, silence] of Object.entries(silences)) {
    it(`decides nothing while the wallet ${what}, and tries again`, async () => {
      const { target, wallet } = pair;
      const { transfers } = await openedBatch(pair);
      silence(wallet, transfers[0]?.uetr ?? "");
      await run(target, responderStep);
      expect(await decisions(target)).to.deep.equal([]);
      expect(target.woken).to.include("responder");
      wallet.fateOf = () => "answered";
      wallet.leaveOut = () => false;
      await run(target, responderStep);
      expect(await decisions(target), "the pause is over").to.deep.equal([]);
      target.clock.advance(RETRY.maxDelayMs);
      await run(target, responderStep);
      expect(await decisions(target)).to.have.length(1);
      expect(await refusals(target)).to.deep.equal([null]);
    });
  }

  it("leaves a batch to expire that is too close to it", async () => {
    const { target } = pair;
    const { id } = await openedBatch(pair);
    const [row] = await target.db.query<{ expires_at_s: bigint }>("SELECT expires_at_s FROM ledger_batches");
    for (let rounds = 0; rounds < 40; rounds++) {
      const left = (row?.expires_at_s ?? 0n) - (await target.ledger.transferRegistry.time({ blockTag: "latest" }));
      if (left < 3n) break;
      await networkHelpers.time.increase(left > 22n ? 20 : left - 2n);
      await (await target.sandbox.submitterOf({ kind: "courier" })).submit(beatCall(target.ledger));
    }
    await run(target, watcherStep);
    await run(target, responderStep);
    expect(await refusals(target)).to.deep.equal(["too late"]);
    expect(await decisions(target)).to.deep.equal([]);
    expect(await statusOf(target, id)).to.deep.equal({ status: "open", rejected: 0 });
  });

  for (const point of ["responder.checked", "responder.decided", "settler.submitted"]) {
    it(`ends the same when it dies at ${point}`, async () => {
      const { target, wallet } = pair;
      const { id, transfers } = await openedBatch(pair);
      const [first] = transfers;
      wallet.checkReason = ({ uetr }) => (uetr === first?.uetr ? "AC04" : undefined);
      target.killAt(point);
      const failure: unknown = await (async () => {
        await run(target, responderStep);
        await run(target, settlerStep);
      })().catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(Killed);
      // The wallet knows better now: what has been decided stays decided.
      wallet.checkReason = () => undefined;
      const wasDecided = (await decisions(target)).length > 0;
      await run(target, responderStep);
      target.clock.advance(20_000);
      await run(target, settlerStep);
      await readLedger(target);
      expect(await statusOf(target, id)).to.deep.equal({ status: "settled", rejected: wasDecided ? 1 : 0 });
      expect(await credits(target)).to.have.length(wasDecided ? 2 : 3);
      await run(target, settlerStep);
    });
  }

  it("signs a decision anew when the key that signed it is no longer the partner's", async () => {
    const { target } = pair;
    const { id } = await openedBatch(pair);
    await run(target, responderStep);
    const old = { key: `0x${"ee".repeat(20)}`, signature: "0x" };
    await target.db.query("UPDATE decisions SET signature = $1::jsonb", [JSON.stringify(old)]);
    await run(target, settlerStep);
    target.clock.advance(20_000);
    await run(target, settlerStep);
    await readLedger(target);
    expect(await statusOf(target, id)).to.deep.equal({ status: "settled", rejected: 0 });
  });
});
