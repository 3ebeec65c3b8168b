import { expect } from "chai";
import { toHex } from "../../../../src/domain/bytes/hex.ts";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import type { WalletCredit } from "../../../../src/features/wallet/connector.ts";
import { judgePayments, takeRequests, type JudgedPayment } from "../../../../src/features/requests/payments.ts";
import { eraseRequestsBefore } from "../../../../src/features/requests/store.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { courierStep } from "../../../../src/features/remittance/steps/courier.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { proposerStep } from "../../../../src/features/remittance/steps/proposer.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { sweeperStep } from "../../../../src/features/remittance/steps/sweeper.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { reconcile } from "../../../../src/features/reconciliation/reconciler.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { beatCall } from "../../../../src/ledger/calls.ts";
import { resolvedRequestSchema } from "../../../../src/schema/requests.ts";
import { GCASH } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import type { Pair } from "../../support/peers.ts";
import { oneStep, runAll, statuses } from "../../support/proposals.ts";
import { passTime, run, standingQuote } from "../../support/relay-context.ts";
import { MARIA, PRICE, problemOf, startRequests, type Requests } from "../../support/requests.ts";

const DAY_SECONDS = 86_400;

describeOnBothDatabases("payment requests", (open) => {
  let requests: Requests;
  let pair: Pair;
  afterEach(() => pair.close());

  const start = async (settings?: Parameters<typeof startRequests>[1]) => {
    requests = await startRequests(open, settings);
    ({ pair } = requests);
  };

  describe("in two steps", () => {
    beforeEach(() => start());

    it("are paid by a code that the payer's wallet has scanned: the payee's wallet is asked for its own customer", async () => {
      const request = await requests.create();
      expect(request).to.include({ status: "open", name: "Maria's Store", reference: "Order 17", single: true });
      const resolved = await requests.resolve(request.code);
      expect(resolved.statusCode, resolved.body).to.equal(200);
      const told = resolvedRequestSchema.parse(resolved.json());
      const { id, name, amount, purpose, reference, single, expiresAt } = request;
      expect(told).to.deep.include({ id, name, amount, purpose, reference, single, status: "open", target: GCASH });
      expect(Math.floor(Date.parse(told.expiresAt ?? "") / 1_000)).to.equal(
        Math.floor(Date.parse(expiresAt ?? "") / 1_000),
      );
      expect(resolved.body, "nothing of who the payee is").not.to.contain(MARIA.value.slice(1));

      const uetr = await requests.pay(id);
      const checked: unknown[] = [];
      pair.wallet.checkReason = (credit) => void checked.push(credit);
      await run(pair.source, batcherStep);
      await run(pair.source, courierStep);
      await run(pair.source, openerStep);
      await run(pair.target, watcherStep);
      await run(pair.target, responderStep);
      expect(await requests.show(id)).to.deep.include({ status: "pending", payments: [{ uetr, minor: PRICE }] });
      await runAll(pair);
      expect(await requests.becameOf(uetr)).to.equal("credited");
      expect(checked).to.have.length(1);
      expect(checked[0]).to.deep.include({
        uetr,
        request: id,
        creditor: { name: "Maria's Store", alias: MARIA },
      });
      expect(pair.wallet.posted.get(uetr)).to.deep.include({ request: id });
      const { status, payments } = await requests.show(id);
      expect(status).to.equal("paid");
      expect(payments.map(({ creditedAt }) => typeof creditedAt)).to.deep.equal(["string"]);
      const paid = await eventsAfter(pair.target.db, 0n, 100, ["request.paid"]);
      expect(paid.map((event) => [event.uetr, event.data])).to.deep.equal([
        [uetr, { request: id, amount: { currency: "PHP", minor: PRICE } }],
      ]);
      expect(resolvedRequestSchema.parse((await requests.resolve(request.code)).json()).status).to.equal("paid");

      const again = await requests.pay(id);
      await runAll(pair);
      expect(await requests.becameOf(again)).to.equal("rejected AM05");
      expect(pair.wallet.posted.size).to.equal(1);
    });

    it("are paid by none that they do not ask for, each refused with its reason, and the payer has the money back", async () => {
      const soon = new Date(pair.source.clock.nowMs() + 60_000).toISOString();
      const [wrong, withdrawn, late, twice] = [
        await requests.create(),
        await requests.create(),
        await requests.create({ expiresAt: soon }),
        await requests.create(),
      ];
      expect((await requests.cancel(withdrawn.id)).statusCode).to.equal(200);
      const payments = [
        await requests.pay(wrong.id, "72499"),
        await requests.pay(withdrawn.id),
        await requests.pay(late.id),
        await requests.pay(requests.newId()),
        await requests.pay(twice.id),
        await requests.pay(twice.id),
      ];
      await passTime(pair.source, 120);
      await standingQuote(pair.source);
      await runAll(pair);
      const became = [];
      for (const uetr of payments) became.push(await requests.becameOf(uetr));
      expect(became).to.deep.equal([
        "rejected AM09",
        "rejected MS02",
        "rejected TM01",
        "rejected AC03",
        "credited",
        "rejected AM05",
      ]);
      expect(pair.wallet.posted.size).to.equal(1);
      expect((await requests.show(late.id)).status).to.equal("expired");
      expect((await requests.show(wrong.id)).status).to.equal("open");
    });

    it("that are for many are paid by many, at what each payer says", async () => {
      const { id, code } = await requests.create({ single: false, amount: { currency: "PHP" } });
      expect(resolvedRequestSchema.parse((await requests.resolve(code)).json()).amount).to.deep.equal({
        currency: "PHP",
      });
      const uetrs = [await requests.pay(id, "100"), await requests.pay(id, "250")];
      await runAll(pair);
      for (const uetr of uetrs) expect(await requests.becameOf(uetr)).to.equal("credited");
      const { status, payments } = await requests.show(id);
      expect(status).to.equal("open");
      expect(payments.map(({ minor }) => minor).sort()).to.deep.equal(["100", "250"]);
      expect((await requests.cancel(id)).statusCode).to.equal(200);
      expect((await requests.show(id)).status).to.equal("cancelled");
    });

    it("that are paid once are free again once a batch has expired with its payment", async () => {
      const { id } = await requests.create({
        expiresAt: new Date(pair.source.clock.nowMs() + DAY_SECONDS * 2_000).toISOString(),
      });
      const first = await requests.pay(id);
      await run(pair.source, batcherStep);
      await run(pair.source, courierStep);
      await run(pair.source, openerStep);
      await run(pair.target, watcherStep);
      await run(pair.target, responderStep);
      expect((await requests.show(id)).status).to.equal("pending");
      expect(problemOf(await requests.cancel(id)).code).to.equal("request-not-cancellable");
      const courier = await pair.source.sandbox.submitterOf({ kind: "courier" });
      // Ledger time goes on by no more than the grace from one beat to the next.
      for (let beats = 0; beats < 40; beats++) {
        await passTime(pair.source, 20);
        await courier.submit(beatCall(pair.source.ledger));
      }
      for (const relay of [pair.source, pair.target]) await run(relay, watcherStep);
      await run(pair.source, sweeperStep);
      for (const relay of [pair.source, pair.target]) await run(relay, watcherStep);
      expect(await requests.becameOf(first)).to.equal("expired AB03");
      expect((await requests.show(id)).status).to.equal("open");
      await standingQuote(pair.source);
      const second = await requests.pay(id);
      await runAll(pair);
      expect(await requests.becameOf(second)).to.equal("credited");
    });

    it("are made once for an id, and refused where nobody could pay them", async () => {
      const given = requests.asking();
      const make = (more: object = {}) => requests.ask(pair.targetPeer, "POST", "/v1/requests", { ...given, ...more });
      const first = await make();
      expect(first.statusCode).to.equal(201);
      const spelled = { ...given.payee, name: "  Maria's   Store" };
      const again = await make({ payee: spelled });
      expect(again.headers["idempotent-replayed"]).to.equal("true");
      expect(again.json()).to.deep.equal(first.json());
      for (const other of [
        { amount: { currency: "PHP", minor: "72501" } },
        { reference: "Order 18" },
        { single: false },
        { payee: { ...given.payee, alias: { type: "MSISDN", value: "+639170000000" } } },
      ]) {
        expect(problemOf(await make(other)), JSON.stringify(other)).to.include({
          code: "request-conflict",
          field: "id",
        });
      }
      const refusals: readonly (readonly [object, string, string])[] = [
        [{ amount: { currency: "USD", minor: "1" } }, "corridor-closed", "amount.currency"],
        [{ amount: { currency: "PHP", minor: "0" } }, "invalid-request", "amount.minor"],
        [{ amount: { currency: "PHP", minor: "1".repeat(20) } }, "invalid-request", "code.54"],
        [{ expiresAt: "2021-01-01T00:00:00.000Z" }, "invalid-request", "expiresAt"],
        [
          { payee: { name: "M", alias: { type: "REQUEST", value: requests.newId() } } },
          "invalid-request",
          "payee.alias.type",
        ],
        [{ payee: { name: "M", alias: { type: "MSISDN", value: "917" } } }, "invalid-request", "payee.alias.value"],
        [{ id: "17" }, "invalid-request", "id"],
      ];
      for (const [more, code, field] of refusals) {
        const answer = await requests.ask(pair.targetPeer, "POST", "/v1/requests", { ...requests.asking(), ...more });
        expect(problemOf(answer), JSON.stringify(more)).to.include({ code, field });
      }
      expect(problemOf(await requests.ask(pair.targetPeer, "GET", `/v1/requests/${requests.newId()}`)).code).to.equal(
        "request-not-found",
      );
      expect(problemOf(await requests.cancel(requests.newId())).code).to.equal("request-not-found");
    });

    it("cannot pay, and are no customers that can be looked up", async () => {
      const { id } = await requests.create();
      const alias = { type: "REQUEST", value: id };
      const paying = await requests.ask(pair.sourcePeer, "POST", "/v1/transfers", {
        uetr: requests.newId(),
        target: GCASH,
        amount: { receive: { currency: "PHP", minor: PRICE } },
        debtor: { name: "Nobody", alias },
        creditor: { alias: MARIA },
        purpose: "GDDS",
      });
      expect(problemOf(paying)).to.include({ code: "invalid-request", field: "debtor.alias.type" });
      const lookup = await requests.ask(pair.sourcePeer, "POST", "/v1/payees/lookup", { target: GCASH, alias });
      expect(problemOf(lookup)).to.include({ code: "invalid-request", field: "alias.type" });
    });

    it("are paid once by two who pay at the same moment", async () => {
      const { id } = await requests.create();
      const { db, sealer } = pair.target;
      const paying = (): WalletCredit => ({
        uetr: requests.newId(),
        amount: { minor: BigInt(PRICE), currency: parseCurrency("PHP").code },
        debtor: { name: "Chan Tai Man", alias: MARIA },
        creditor: { alias: { type: "REQUEST", value: id } },
        remittance: { purpose: "GDDS" },
      });
      const judged: JudgedPayment[] = [];
      for (const credit of [paying(), paying()]) {
        const payment = (await judgePayments({ db, sealer, clock: pair.target.clock }, [credit])).get(credit.uetr);
        if (typeof payment !== "object") throw new Error("it can be paid");
        judged.push(payment);
      }
      // As two decisions do, each with the credit that it promises.
      const taken = await Promise.all(
        judged.map((payment) =>
          db.transaction(async (tx) => {
            const batch = toHex(pair.source.drawBytes(32));
            await tx.query(
              "INSERT INTO credits (uetr, source, batch, amount, currency) VALUES ($1::uuid, 7, $2, $3, 'PHP')",
              [payment.uetr, Buffer.from(batch.slice(2), "hex"), payment.amount],
            );
            return takeRequests(tx, batch, [payment]);
          }),
        ),
      );
      expect(taken.toSorted()).to.deep.equal([false, true]);
    });

    it("are reconciled with what was credited: a payment of another amount, a second one, and one for nothing are found", async () => {
      const [paid, many] = [await requests.create(), await requests.create({ single: false })];
      const uetrs = [await requests.pay(paid.id), await requests.pay(many.id), await requests.pay(many.id)];
      await runAll(pair);
      const { db } = pair.target;
      const found = async () => {
        const { differences, checked } = await reconcile(pair.target, { slackMs: 3_600_000 });
        expect(checked).to.include({ requestPayments: 3 });
        const ofRequests = differences.filter(({ kind }) => kind === "request");
        return ofRequests.map(({ subject, sentence }) => [subject, sentence.replace(/[0-9a-f-]{36}/g, "…")]);
      };
      expect(await found()).to.deep.equal([]);
      await db.query("UPDATE request_payments SET amount = 1 WHERE uetr = $1::uuid", [uetrs[1] ?? ""]);
      const written = `The transfer … pays ${PRICE} PHP, and 1 is written down, in minor units.`;
      expect(await found()).to.deep.equal([[many.id, written]]);
      await db.query("UPDATE requests SET amount = 2 WHERE id = $1::uuid", [many.id]);
      const asks = `The transfer … pays ${PRICE} PHP, and it asks for 2 PHP, in minor units.`;
      expect(await found()).to.have.deep.members([
        [many.id, written],
        [many.id, asks],
        [many.id, asks],
      ]);
      const nowhere = requests.newId();
      await db.query("UPDATE request_payments SET amount = $2, request = $1::uuid WHERE request = $3::uuid", [
        paid.id,
        BigInt(PRICE),
        many.id,
      ]);
      const again = [paid.id, "The transfer … pays it, and so does another one before it."];
      expect(await found()).to.deep.equal([again, again]);
      await db.query("UPDATE request_payments SET request = $1::uuid WHERE uetr <> $2::uuid", [
        nowhere,
        uetrs[0] ?? "",
      ]);
      const nobody = [nowhere, "The transfer … pays it, and there is no such request."];
      expect(await found()).to.deep.equal([nobody, nobody]);
    });

    it("are erased when nobody can pay them any more, and not before their payee is credited", async () => {
      const [paid, left, over] = [
        await requests.create(),
        await requests.create({ single: false }),
        await requests.create(),
      ];
      await requests.cancel(over.id);
      await requests.pay(paid.id);
      const { db, clock } = pair.target;
      const erase = (days = 2) => {
        const nowMs = clock.nowMs();
        return eraseRequestsBefore(db, nowMs + 1, nowMs + days * DAY_SECONDS * 1_000);
      };
      await run(pair.source, batcherStep);
      await run(pair.source, courierStep);
      await run(pair.source, openerStep);
      await run(pair.target, watcherStep);
      await run(pair.target, responderStep);
      expect(await erase(0), "what was judged before may still be on its way").to.equal(0);
      expect(await erase(), "the one that was withdrawn").to.equal(1);
      await runAll(pair);
      expect(await erase(), "the one that is paid").to.equal(1);
      expect(await erase()).to.equal(0);
      expect((await requests.show(left.id)).status).to.equal("open");
      expect(problemOf(await requests.ask(pair.targetPeer, "GET", `/v1/requests/${paid.id}`)).code).to.equal("erased");
      expect(problemOf(await requests.resolve(paid.code)).code).to.equal("request-not-found");
    });
  });

  describe("in one step", () => {
    beforeEach(() => start(oneStep()));

    it("are locked by held money alone: one that is paid once goes in two steps, others in one", async () => {
      const [many, once] = [await requests.create({ single: false }), await requests.create()];
      const first = await requests.pay(many.id);
      await runAll(pair);
      expect(await requests.becameOf(first)).to.equal("credited");
      const acceptances = async () =>
        (
          await pair.source.db.query<{ is: boolean }>(
            "SELECT acceptance IS NOT NULL AS is FROM batches ORDER BY signed_at",
          )
        ).map((row) => row.is);
      expect(await acceptances()).to.deep.equal([true]);
      const second = await requests.pay(once.id);
      await run(pair.source, batcherStep);
      await run(pair.source, proposerStep);
      expect((await requests.show(once.id)).status, "nothing is held").to.equal("open");
      await runAll(pair);
      expect(await requests.becameOf(second)).to.equal("credited");
      expect(await acceptances()).to.deep.equal([true, false]);
      expect(await statuses(pair.source)).to.deep.equal(["settled", "settled"]);
    });
  });
});
