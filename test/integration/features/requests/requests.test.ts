import { expect } from "chai";
import type { z } from "zod/v4";
import { utf8 } from "../../../../src/domain/bytes/bytes.ts";
import { toHex } from "../../../../src/domain/bytes/hex.ts";
import { crc16 } from "../../../../src/domain/payment-code/crc16.ts";
import { uetrFromRandom, type Uetr } from "../../../../src/domain/uetr.ts";
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
import { issueApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { problemSchema } from "../../../../src/schema/problems.ts";
import {
  type createRequestSchema,
  paymentRequestSchema,
  resolvedRequestSchema,
  type PaymentRequestJson,
} from "../../../../src/schema/requests.ts";
import type { SubmitRequest } from "../../../../src/schema/transfers.ts";
import { transferStatusSchema } from "../../../../src/schema/transfer-status.ts";
import { beatCall } from "../../../../src/ledger/calls.ts";
import { SOUND } from "../../../unit/domain/published-codes.ts";
import { GCASH } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { startPair, type Pair, type Peer } from "../../support/peers.ts";
import { oneStep, runAll, statuses } from "../../support/proposals.ts";
import { passTime, run, standingQuote, testClock, type TestRelay } from "../../support/relay-context.ts";

type CreateRequest = z.input<typeof createRequestSchema>;

const MARIA = { type: "MSISDN", value: "+639171234567" } as const;
const PRICE = "72500";
const DAY_SECONDS = 86_400;

describeOnBothDatabases("payment requests", (open) => {
  let pair: Pair;
  let keys: ReadonlyMap<TestRelay, string>;

  async function start(settings: Parameters<typeof startPair>[1] = {}): Promise<void> {
    pair = await startPair(open, settings, testClock());
    const issued = [pair.source, pair.target].map(async (relay) => {
      const { text } = await issueApiKey(relay, { label: "wallet", scopes: ["submit", "read"], rateLimit: 1_000_000 });
      return [relay, text] as const;
    });
    keys = new Map(await Promise.all(issued));
    await run(pair.source, watcherStep);
    await standingQuote(pair.source);
  }
  afterEach(() => pair.close());

  const ask = ({ app, relay }: Peer, method: "GET" | "POST", url: string, payload?: object) =>
    app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${keys.get(relay) ?? ""}` },
      ...(payload === undefined ? {} : { payload }),
    });
  const newId = () => uetrFromRandom(pair.source.drawBytes(16));
  const asking = (more: Partial<CreateRequest> = {}): CreateRequest => ({
    id: newId(),
    payee: { name: "Maria's Store", alias: MARIA },
    amount: { currency: "PHP", minor: PRICE },
    reference: "Order 17",
    ...more,
  });
  const create = async (more: Partial<CreateRequest> = {}): Promise<PaymentRequestJson> => {
    const answer = await ask(pair.targetPeer, "POST", "/v1/requests", asking(more));
    expect(answer.statusCode, answer.body).to.equal(201);
    return paymentRequestSchema.parse(answer.json());
  };
  const show = async (id: string) =>
    paymentRequestSchema.parse((await ask(pair.targetPeer, "GET", `/v1/requests/${id}`)).json());
  const cancel = (id: string) => ask(pair.targetPeer, "POST", `/v1/requests/${id}/cancel`);
  const resolve = (code: string) => ask(pair.sourcePeer, "POST", "/v1/requests/resolve", { code });
  const pay = async (id: string, minor = PRICE): Promise<Uetr> => {
    const submission: SubmitRequest = {
      uetr: newId(),
      target: GCASH,
      amount: { receive: { currency: "PHP", minor } },
      debtor: { name: "Chan Tai Man", alias: { type: "MSISDN", value: "+85291234567" } },
      creditor: { name: "Maria's Store", alias: { type: "REQUEST", value: id } },
      purpose: "GDDS",
    };
    const answer = await ask(pair.sourcePeer, "POST", "/v1/transfers", submission);
    expect(answer.statusCode, answer.body).to.equal(202);
    return submission.uetr as Uetr; // as it was drawn
  };
  const becameOf = async (uetr: Uetr): Promise<string> => {
    const answer = await ask(pair.sourcePeer, "GET", `/v1/transfers/${uetr}`);
    const { status, reason } = transferStatusSchema.parse(answer.json());
    return reason === undefined ? status : `${status} ${reason}`;
  };
  const problemOf = (answer: { readonly body: string }) => problemSchema.parse(JSON.parse(answer.body));

  describe("in two steps", () => {
    beforeEach(() => start());

    it("are paid by a code that the payer's wallet has scanned: the payee's wallet is asked for its own customer", async () => {
      const request = await create();
      expect(request).to.include({ status: "open", name: "Maria's Store", reference: "Order 17", single: true });
      const resolved = await resolve(request.code);
      expect(resolved.statusCode, resolved.body).to.equal(200);
      const told = resolvedRequestSchema.parse(resolved.json());
      const { id, name, amount, purpose, reference, single, expiresAt } = request;
      expect(told).to.deep.include({ id, name, amount, purpose, reference, single, status: "open", target: GCASH });
      expect(Math.floor(Date.parse(told.expiresAt ?? "") / 1_000)).to.equal(
        Math.floor(Date.parse(expiresAt ?? "") / 1_000),
      );
      expect(resolved.body, "nothing of who the payee is").not.to.contain("917");

      const uetr = await pay(id);
      const checked: unknown[] = [];
      pair.wallet.checkReason = (credit) => void checked.push(credit);
      await run(pair.source, batcherStep);
      await run(pair.source, courierStep);
      await run(pair.source, openerStep);
      await run(pair.target, watcherStep);
      await run(pair.target, responderStep);
      expect(await show(id)).to.deep.include({ status: "pending", payments: [{ uetr, minor: PRICE }] });
      await runAll(pair);
      expect(await becameOf(uetr)).to.equal("credited");
      expect(checked).to.have.length(1);
      expect(checked[0]).to.deep.include({
        uetr,
        request: id,
        creditor: { name: "Maria's Store", alias: MARIA },
      });
      expect(pair.wallet.posted.get(uetr)).to.deep.include({ request: id });
      const { status, payments } = await show(id);
      expect(status).to.equal("paid");
      expect(payments.map(({ creditedAt }) => typeof creditedAt)).to.deep.equal(["string"]);
      const paid = await eventsAfter(pair.target.db, 0n, 100, ["request.paid"]);
      expect(paid.map((event) => [event.uetr, event.data])).to.deep.equal([
        [uetr, { request: id, amount: { currency: "PHP", minor: PRICE } }],
      ]);
      expect(resolvedRequestSchema.parse((await resolve(request.code)).json()).status).to.equal("paid");

      const again = await pay(id);
      await runAll(pair);
      expect(await becameOf(again)).to.equal("rejected AM05");
      expect(pair.wallet.posted.size).to.equal(1);
    });

    it("are paid by none that they do not ask for, each refused with its reason, and the payer has the money back", async () => {
      const soon = new Date(pair.source.clock.nowMs() + 60_000).toISOString();
      const [wrong, withdrawn, late, twice] = [
        await create(),
        await create(),
        await create({ expiresAt: soon }),
        await create(),
      ];
      expect((await cancel(withdrawn.id)).statusCode).to.equal(200);
      const payments = [
        await pay(wrong.id, "72499"),
        await pay(withdrawn.id),
        await pay(late.id),
        await pay(newId()),
        await pay(twice.id),
        await pay(twice.id),
      ];
      await passTime(pair.source, 120);
      await standingQuote(pair.source);
      await runAll(pair);
      const became = [];
      for (const uetr of payments) became.push(await becameOf(uetr));
      expect(became).to.deep.equal([
        "rejected AM09",
        "rejected MS02",
        "rejected TM01",
        "rejected AC03",
        "credited",
        "rejected AM05",
      ]);
      expect(pair.wallet.posted.size).to.equal(1);
      expect((await show(late.id)).status).to.equal("expired");
      expect((await show(wrong.id)).status).to.equal("open");
    });

    it("that are for many are paid by many, at what each payer says", async () => {
      const { id, code } = await create({ single: false, amount: { currency: "PHP" } });
      expect(resolvedRequestSchema.parse((await resolve(code)).json()).amount).to.deep.equal({ currency: "PHP" });
      const uetrs = [await pay(id, "100"), await pay(id, "250")];
      await runAll(pair);
      for (const uetr of uetrs) expect(await becameOf(uetr)).to.equal("credited");
      const { status, payments } = await show(id);
      expect(status).to.equal("open");
      expect(payments.map(({ minor }) => minor).sort()).to.deep.equal(["100", "250"]);
      expect((await cancel(id)).statusCode).to.equal(200);
      expect((await show(id)).status).to.equal("cancelled");
    });

    it("that are paid once are free again once a batch has expired with its payment", async () => {
      const { id } = await create({
        expiresAt: new Date(pair.source.clock.nowMs() + DAY_SECONDS * 2_000).toISOString(),
      });
      const first = await pay(id);
      await run(pair.source, batcherStep);
      await run(pair.source, courierStep);
      await run(pair.source, openerStep);
      await run(pair.target, watcherStep);
      await run(pair.target, responderStep);
      expect((await show(id)).status).to.equal("pending");
      expect(problemOf(await cancel(id)).code).to.equal("request-not-cancellable");
      const courier = await pair.source.sandbox.submitterOf({ kind: "courier" });
      // Ledger time goes on by no more than the grace from one beat to the next.
      for (let beats = 0; beats < 40; beats++) {
        await passTime(pair.source, 20);
        await courier.submit(beatCall(pair.source.ledger));
      }
      for (const relay of [pair.source, pair.target]) await run(relay, watcherStep);
      await run(pair.source, sweeperStep);
      for (const relay of [pair.source, pair.target]) await run(relay, watcherStep);
      expect(await becameOf(first)).to.equal("expired AB03");
      expect((await show(id)).status).to.equal("open");
      await standingQuote(pair.source);
      const second = await pay(id);
      await runAll(pair);
      expect(await becameOf(second)).to.equal("credited");
    });

    it("are made once for an id, and refused where nobody could pay them", async () => {
      const given = asking();
      const make = (more: object = {}) => ask(pair.targetPeer, "POST", "/v1/requests", { ...given, ...more });
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
        [{ payee: { name: "M", alias: { type: "REQUEST", value: newId() } } }, "invalid-request", "payee.alias.type"],
        [{ payee: { name: "M", alias: { type: "MSISDN", value: "917" } } }, "invalid-request", "payee.alias.value"],
        [{ id: "17" }, "invalid-request", "id"],
      ];
      for (const [more, code, field] of refusals) {
        const answer = await ask(pair.targetPeer, "POST", "/v1/requests", { ...asking(), ...more });
        expect(problemOf(answer), JSON.stringify(more)).to.include({ code, field });
      }
      expect(problemOf(await ask(pair.targetPeer, "GET", `/v1/requests/${newId()}`)).code).to.equal(
        "request-not-found",
      );
      expect(problemOf(await cancel(newId())).code).to.equal("request-not-found");
    });

    it("cannot pay, and are no customers that can be looked up", async () => {
      const { id } = await create();
      const alias = { type: "REQUEST", value: id };
      const paying = await ask(pair.sourcePeer, "POST", "/v1/transfers", {
        uetr: newId(),
        target: GCASH,
        amount: { receive: { currency: "PHP", minor: PRICE } },
        debtor: { name: "Nobody", alias },
        creditor: { alias: MARIA },
        purpose: "GDDS",
      });
      expect(problemOf(paying)).to.include({ code: "invalid-request", field: "debtor.alias.type" });
      const lookup = await ask(pair.sourcePeer, "POST", "/v1/payees/lookup", { target: GCASH, alias });
      expect(problemOf(lookup)).to.include({ code: "invalid-request", field: "alias.type" });
    });

    describe("codes that others have made", () => {
      /** The text with something changed, and a CRC that fits. */
      const forged = (code: string, from: string, to: string) => {
        const covered = code.replace(from, to).slice(0, -4);
        expect(covered).not.to.equal(code.slice(0, -4));
        return `${covered}${crc16(utf8(covered)).toString(16).toUpperCase().padStart(4, "0")}`;
      };

      it("are believed nothing: what they say otherwise than the payee's partner is refused", async () => {
        const { id, code } = await create();
        const cheaper = await resolve(forged(code, "5406725.00", "5406625.00"));
        expect(problemOf(cheaper)).to.include({ code: "code-altered", field: "code" });
        expect(problemOf(await resolve(forged(code, "5406725.00", "")))).to.include({ code: "code-altered" });
        const other = await resolve(forged(code, id, newId()));
        expect(problemOf(other)).to.include({ code: "request-not-found", field: "code" });
        const nobody = await resolve(forged(code, `0101${GCASH}`, "01019"));
        expect(nobody.statusCode, nobody.body).to.be.oneOf([422, 503]);
        expect(problemOf(await resolve(code.replace("725.00", "625.00")))).to.include({ field: "code.63" });
        // The name is told by the payee's partner, whatever is printed.
        const renamed = await resolve(forged(code, "5913Maria's Store", "5913Mario's Store"));
        expect(resolvedRequestSchema.parse(renamed.json()).name).to.equal("Maria's Store");
        const foreign = SOUND.find(({ of }) => of === "QRIS")?.text ?? "";
        expect(problemOf(await resolve(foreign))).to.deep.include({ code: "invalid-request", field: "code" });
      });

      it("are nothing without the signature of a key that may accept for the payee's partner", async () => {
        const { code } = await create();
        const stranger = pair.source.keys.accept;
        const { keys: own } = pair.target;
        // The relay's own way to sign, with the key of another partner.
        Object.assign(pair.target.keys, { accept: stranger });
        const answer = await resolve(code);
        expect(problemOf(answer)).to.include({ code: "partner-unavailable", field: "code" });
        Object.assign(pair.target.keys, own);
      });

      it("are asked for no more often than payees are", async () => {
        const { code } = await create();
        await pair.target.db.query("UPDATE lookup_usage SET in_day = 100000000");
        expect((await resolve(code)).statusCode).to.equal(200);
        await pair.target.db.query("UPDATE lookup_usage SET in_day = 100000000");
        expect(problemOf(await resolve(code)).code).to.equal("rate-limited");
      });
    });

    it("are paid once by two who pay at the same moment", async () => {
      const { id } = await create();
      const { db, sealer } = pair.target;
      const paying = (): WalletCredit => ({
        uetr: newId(),
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

    it("are erased when nobody can pay them any more, and not before their payee is credited", async () => {
      const [paid, left, over] = [await create(), await create({ single: false }), await create()];
      await cancel(over.id);
      await pay(paid.id);
      const { db, clock } = pair.target;
      const erase = () => eraseRequestsBefore(db, clock.nowMs() + 1, clock.nowMs());
      await run(pair.source, batcherStep);
      await run(pair.source, courierStep);
      await run(pair.source, openerStep);
      await run(pair.target, watcherStep);
      await run(pair.target, responderStep);
      expect(await erase(), "the one that was withdrawn").to.equal(1);
      await runAll(pair);
      expect(await erase(), "the one that is paid").to.equal(1);
      expect(await erase()).to.equal(0);
      expect((await show(left.id)).status).to.equal("open");
      expect(problemOf(await ask(pair.targetPeer, "GET", `/v1/requests/${paid.id}`)).code).to.equal("erased");
      expect(problemOf(await resolve(paid.code)).code).to.equal("request-not-found");
    });
  });

  describe("in one step", () => {
    beforeEach(() => start(oneStep()));

    it("are locked by held money alone: one that is paid once goes in two steps, others in one", async () => {
      const [many, once] = [await create({ single: false }), await create()];
      const first = await pay(many.id);
      await runAll(pair);
      expect(await becameOf(first)).to.equal("credited");
      const acceptances = async () =>
        (
          await pair.source.db.query<{ is: boolean }>(
            "SELECT acceptance IS NOT NULL AS is FROM batches ORDER BY signed_at",
          )
        ).map((row) => row.is);
      expect(await acceptances()).to.deep.equal([true]);
      const second = await pay(once.id);
      await run(pair.source, batcherStep);
      await run(pair.source, proposerStep);
      expect((await show(once.id)).status, "nothing is held").to.equal("open");
      await runAll(pair);
      expect(await becameOf(second)).to.equal("credited");
      expect(await acceptances()).to.deep.equal([true, false]);
      expect(await statuses(pair.source)).to.deep.equal(["settled", "settled"]);
    });
  });
});
