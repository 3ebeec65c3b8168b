import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { Webhook } from "standardwebhooks";
import { parseAlias } from "../../../../src/domain/alias.ts";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { parseUetr, type Uetr } from "../../../../src/domain/uetr.ts";
import { systemClock } from "../../../../src/kernel/clock/clock.ts";
import {
  httpWallet,
  WalletError,
  type SettledCredit,
  type WalletConnector,
} from "../../../../src/features/wallet/connector.ts";
import { openBooks, type WalletBooks } from "../../../../sandbox/wallet/books.ts";
import { startWalletServer, type WalletServer } from "../../../../sandbox/wallet/wallet-server.ts";
import { parseWallet } from "../../../../sandbox/wallet/wallets.ts";

const GCASH = parseWallet("GCash");
const PHP = parseCurrency("PHP").code;
const MARIA = "+639171234567";
const [FIRST, SECOND] = [
  parseUetr("0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10"),
  parseUetr("5d3c9f8e-62b7-4c1a-8e0f-2b9a7d6c5e41"),
];
const secret = () => `whsec_${randomBytes(32).toString("base64")}`;

describe("the sandbox's wallet", () => {
  const [connectorSecret, webhookSecret] = [secret(), secret()];
  let books: WalletBooks;
  let server: WalletServer;
  let relay: WalletConnector;

  const connect = (withSecret = connectorSecret, timeoutMs = 5_000) =>
    httpWallet({
      url: server.url,
      secret: withSecret,
      fetch,
      timeoutMs,
      clock: systemClock,
      drawBytes: (length) => randomBytes(length),
    });

  beforeEach(async () => {
    const maria = { name: "Maria Dela Cruz", nameLocal: "Maria Dela Cruz", phone: MARIA, openingMinor: 10_000n };
    books = openBooks({ wallet: GCASH.id, currency: PHP, holders: [maria], clock: systemClock });
    server = await startWalletServer({ wallet: GCASH, books, secret: connectorSecret, clock: systemClock });
    server.trustWebhooks(webhookSecret);
    relay = connect();
  });
  afterEach(() => server.stop());

  const credit = (change: Partial<SettledCredit> = {}): SettledCredit => ({
    uetr: FIRST,
    batchId: `0x${"b".repeat(64)}`,
    debtor: { name: "Chan Tai Man", alias: parseAlias({ type: "MSISDN", value: "+85251234567" }) },
    creditor: { alias: parseAlias({ type: "MSISDN", value: MARIA }) },
    amount: { minor: 500n, currency: PHP },
    remittance: { purpose: "FAMI" },
    ...change,
  });
  const toStranger = { creditor: { alias: parseAlias({ type: "MSISDN", value: "+639170000000" }) } };
  const balance = () => books.accountOf(MARIA)?.balanceMinor;
  const failureOf = (asking: Promise<unknown>) =>
    asking.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );

  it("finds its customers by their mobile numbers, and nobody else", async () => {
    expect(await relay.lookup(parseAlias({ type: "MSISDN", value: MARIA }))).to.deep.equal({
      found: true,
      name: "Maria Dela Cruz",
    });
    for (const alias of [
      parseAlias({ type: "MSISDN", value: "+639170000000" }),
      parseAlias({ type: "ACCOUNT_ID", value: MARIA }),
    ]) {
      expect(await relay.lookup(alias)).to.deep.equal({ found: false, reason: "BE23" });
    }
  });

  it("refuses a later version of the connector with its own, and does nothing", async () => {
    const signer = new Webhook(connectorSecret);
    const ask = (version: object) => {
      const text = JSON.stringify({ ...version, credits: [] });
      const headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": String(Math.floor(Date.now() / 1_000)),
        "webhook-signature": signer.sign("msg_1", new Date(), text),
      };
      return fetch(`${server.url}/credits/check`, { method: "POST", headers, body: text });
    };
    const refused = await ask({ version: 2 });
    expect([refused.status, await refused.json()]).to.deep.equal([400, { code: "unsupported-version", versions: [1] }]);
    for (const spoken of [{ version: 1 }, {}]) expect((await ask(spoken)).status).to.equal(200);
  });

  it("tells whom it could credit, without doing so", async () => {
    const { code } = parseCurrency("HKD");
    const results = await relay.check([
      credit(),
      credit({ uetr: SECOND, ...toStranger }),
      credit({ uetr: parseUetr("7b0f0a43-1c5e-4a53-a8f9-0e0f6f5a2d11"), amount: { minor: 1n, currency: code } }),
    ]);
    const judged = results.map((result) => (result.accept ? "accept" : result.reason));
    expect([judged, balance()]).to.deep.equal([["accept", "AC03", "AG03"], 10_000n]);
    await relay.credit([credit()]);
    expect(await relay.check([credit()])).to.deep.equal([{ uetr: FIRST, accept: false, reason: "AM05" }]);
  });

  it("credits once, and gives a repeat the first answer", async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => relay.credit([credit()])));
    expect(first?.[0]).to.deep.include({ uetr: FIRST, status: "credited", reference: "4-C-1" });
    for (const other of others) expect(other).to.deep.equal(first);
    expect([balance(), books.credits.get(FIRST)]).to.deep.equal([10_500n, 500n]);
  });

  it("refuses another content under a UETR it has credited (AM05), and whom it does not know (AC03)", async () => {
    await relay.credit([credit()]);
    const others: readonly Partial<SettledCredit>[] = [
      { amount: { minor: 501n, currency: PHP } },
      { batchId: `0x${"c".repeat(64)}` },
      toStranger,
    ];
    for (const change of others) {
      expect(await relay.credit([credit(change)])).to.deep.equal([{ uetr: FIRST, status: "refused", reason: "AM05" }]);
    }
    const [stranger] = await relay.credit([credit({ uetr: SECOND, ...toStranger })]);
    expect(stranger).to.deep.equal({ uetr: SECOND, status: "refused", reason: "AC03" });
    expect(balance()).to.equal(10_500n);
  });

  it("takes whole batches, posts each UETR once whichever request asks for it, and has the first answer for a repeat", async () => {
    const [third, fourth] = ["7b0f0a43-1c5e-4a53-a8f9-0e0f6f5a2d11", "2f1f0a43-1c5e-4a53-a8f9-0e0f6f5a2d12"].map(
      (text) => parseUetr(text),
    );
    if (third === undefined || fourth === undefined) throw new Error("test set-up: UETRs");
    const [alone] = await relay.credit([credit()]);
    expect(relay.mostCredits).to.equal(1_000);
    const batch = [
      credit(),
      credit({ uetr: SECOND }),
      credit({ uetr: third }),
      credit({ uetr: fourth, ...toStranger }),
    ];
    expect(await relay.check(batch)).to.deep.equal([
      { uetr: FIRST, accept: false, reason: "AM05" },
      { uetr: SECOND, accept: true },
      { uetr: third, accept: true },
      { uetr: fourth, accept: false, reason: "AC03" },
    ]);
    const byUetr = async () => new Map((await relay.credit(batch)).map((result) => [result.uetr, result]));
    const answered = await byUetr();
    expect(answered.get(FIRST)).to.deep.equal(alone);
    expect(answered.get(fourth)).to.deep.equal({ uetr: fourth, status: "refused", reason: "AC03" });
    expect(answered.get(SECOND)).to.deep.include({ status: "credited", reference: "4-C-2" });
    expect(answered.get(third)).to.deep.equal({ ...answered.get(SECOND), uetr: third });
    // Its answer was lost: it is asked again, in the other form.
    server.faults.loseNext = 1;
    expect(await failureOf(relay.credit(batch))).to.be.instanceOf(WalletError);
    expect(await byUetr()).to.deep.equal(answered);
    expect(await byUetr()).to.deep.equal(answered);
    expect([balance(), books.credits.size]).to.deep.equal([11_500n, 3]);
  });

  it("listens to nobody who does not have its secret, or has changed what was signed", async () => {
    const stranger = connect(secret());
    expect(await failureOf(stranger.credit([credit()]))).to.be.instanceOf(WalletError);
    const at = new Date();
    const signature = new Webhook(connectorSecret).sign("msg_1", at, JSON.stringify({ credits: [] }));
    const stamp = String(Math.floor(at.getTime() / 1_000));
    const headers = { "webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": signature };
    const body = JSON.stringify({ credits: [{ uetr: FIRST }] });
    const changed = await fetch(`${server.url}/credits`, {
      method: "POST",
      body,
      headers: { ...headers, "content-type": "application/json" },
    });
    expect([changed.status, balance()]).to.deep.equal([401, 10_000n]);
  });

  describe("refunds", () => {
    const tell = async (type: string, uetr: Uetr = FIRST, withSecret = webhookSecret) => {
      const at = new Date();
      const event = { id: "evt_3f9c2a71b04e_1", seq: 1, type, at: at.toISOString(), uetr, data: { reason: "AC03" } };
      const body = JSON.stringify({ type, timestamp: at.toISOString(), data: event });
      const answer = await fetch(`${server.url}/webhooks`, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          "webhook-id": "evt_1",
          "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
          "webhook-signature": new Webhook(withSecret).sign("evt_1", at, body),
        },
      });
      return answer.status;
    };
    beforeEach(() => books.debit({ uetr: FIRST, customer: MARIA, amountMinor: 700n, text: "to Chan Tai Man" }));

    for (const ending of ["rejected", "expired", "failed", "cancelled"]) {
      it(`once, what is ${ending}`, async () => {
        for (let told = 0; told < 3; told++) expect(await tell(`transfer.${ending}`)).to.equal(204);
        expect([balance(), books.postingOf("refund", FIRST)?.text]).to.deep.equal([10_000n, `${ending} AC03`]);
        expect(server.notices.get(FIRST)).to.equal(`transfer.${ending}`);
      });
    }

    it("nothing that is on its way, that it did not debit, or that nobody it trusts tells it", async () => {
      expect(await tell("transfer.settled")).to.equal(204);
      expect(await tell("transfer.expired", SECOND)).to.equal(204);
      expect(await tell("transfer.expired", FIRST, secret())).to.equal(401);
      expect(await tell("transfer.expired", FIRST, connectorSecret)).to.equal(401);
      expect([balance(), books.refunds.size]).to.deep.equal([9_300n, 0]);
    });
  });

  describe("can be told to fail:", () => {
    it("offline, nobody gets through", async () => {
      server.faults.offline = true;
      expect(await failureOf(relay.credit([credit()]))).to.be.instanceOf(WalletError);
      expect(balance()).to.equal(10_000n);
      server.faults.offline = false;
      expect(await relay.credit([credit()])).to.have.length(1);
    });

    it("failing, it does nothing", async () => {
      server.faults.failNext = 2;
      for (let asked = 0; asked < 2; asked++) {
        expect(await failureOf(relay.credit([credit()]))).to.be.instanceOf(WalletError);
      }
      expect(balance()).to.equal(10_000n);
      expect((await relay.credit([credit()]))[0]?.status).to.equal("credited");
    });

    it("losing answers, it has done what it was asked, and says so when asked again", async () => {
      server.faults.loseNext = 1;
      expect(await failureOf(relay.credit([credit()]))).to.be.instanceOf(WalletError);
      expect(balance()).to.equal(10_500n);
      expect((await relay.credit([credit()]))[0]?.status).to.equal("credited");
      expect(balance()).to.equal(10_500n);
    });

    it("slow, it answers after its caller has gone", async () => {
      server.faults.delayMs = 400;
      expect(await failureOf(connect(connectorSecret, 100).credit([credit()]))).to.be.instanceOf(WalletError);
      server.faults.delayMs = 0;
      expect((await relay.credit([credit()]))[0]?.status).to.equal("credited");
      expect(balance()).to.equal(10_500n);
    });
  });
});
