import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { batchId } from "../../../../src/domain/batch.ts";
import type { Hex } from "../../../../src/domain/bytes/hex.ts";
import { toHex } from "../../../../src/domain/bytes/hex.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import type { BatchPayload } from "../../../../src/domain/payload.ts";
import { PAYEE, payloadOf } from "../../support/peers.ts";
import { PeerError, peerClient } from "../../../../src/features/peers/client.ts";
import { decryptAnswer, encryptTo, type MessageType } from "../../../../src/features/peers/encryption.ts";
import { MAX_BODY_BYTES } from "../../../../src/features/peers/messages.ts";
import { signRequest } from "../../../../src/features/peers/signatures.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../../src/features/remittance/steps/settler.ts";
import { auditAfter } from "../../../../src/kernel/access/audit-store.ts";
import { transferStatusSchema } from "../../../../src/schema/transfer-status.ts";
import { statusOf } from "../../../../src/features/remittance/status.ts";
import { findTransfer } from "../../../../src/features/remittance/store/transfers.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { governedCall } from "../../support/governance.ts";
import { describeOn } from "../../support/databases.ts";
import { openedBatch, readLedger, signedBatch, startPair, type Pair } from "../../support/peers.ts";
import { run, type TestRelay } from "../../support/relay-context.ts";

const DANA = parsePartnerId(6);

describeOn("PGlite", "what relays take of each other", (open) => {
  let pair: Pair;
  let batch: Hex;
  let payload: BatchPayload;
  beforeEach(async () => {
    pair = await startPair(open);
    ({ id: batch } = await signedBatch(pair.source));
    payload = await payloadOf(pair.source, batch);
  });
  afterEach(() => pair.close());

  interface Sending {
    readonly path?: string;
    readonly type?: MessageType;
    readonly subject?: string;
    readonly message?: object;
    /** In place of the encrypted message. */
    readonly body?: Uint8Array;
    readonly contentType?: string;
    /** What is changed after signing. */
    readonly tamper?: (request: { headers: Record<string, string>; body: Uint8Array }) => void;
    /** Who says to have sent it, and with whose key. */
    readonly from?: TestRelay;
    readonly as?: typeof DANA;
  }

  /** Sends a message as the source's relay does, but for what is said otherwise. */
  async function send(sending: Sending = {}): Promise<Response> {
    const { path = "/peer/v1/payloads", type = "feiqian-payload+jwe", subject = batch, message = payload } = sending;
    const { target, targetPeer } = pair;
    const { from = pair.source, as = from.partner, contentType = "application/jose" } = sending;
    const envelope = { type, from: as, to: target.partner, subject };
    const key = createPublicKey(target.peerKeys.encryption);
    const body = sending.body ?? Buffer.from(await encryptTo(key, message, envelope));
    const request = { method: "POST", url: targetPeer.url + path };
    const signer = { partner: as, key: from.peerKeys.signing };
    const headers = await signRequest(
      { ...request, headers: { "content-type": contentType }, body },
      signer,
      Date.now(),
    );
    const sent = { headers, body };
    sending.tamper?.(sent);
    return fetch(request.url, { method: "POST", headers: sent.headers, body: new Uint8Array(sent.body) });
  }

  const payloads = () => pair.target.db.query<{ batch: Uint8Array }>("SELECT batch FROM payloads");
  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code; // a problem document

  async function expectRefused(status: number, code: string, sending: Sending): Promise<void> {
    const response = await send(sending);
    expect(response.status, JSON.stringify(Object.keys(sending))).to.equal(status);
    expect(response.headers.get("content-type")).to.contain("application/problem+json");
    const text = await response.text();
    expect(text).to.contain(`"code":"${code}"`);
    expect(text).not.to.match(/Maria|6391712/);
    expect(await payloads()).to.deep.equal([]);
  }

  it("a payload is stored once, however often it is sent, also when a recorded request is sent again", async () => {
    let recorded: { headers: Record<string, string>; body: Uint8Array } | undefined;
    expect((await send({ tamper: (request) => (recorded = request) })).status).to.equal(202);
    expect((await send()).status).to.equal(202);
    const replayed = await fetch(`${pair.targetPeer.url}/peer/v1/payloads`, {
      method: "POST",
      headers: recorded?.headers ?? {},
      body: new Uint8Array(recorded?.body ?? []),
    });
    expect(replayed.status).to.equal(202);
    expect(await payloads()).to.have.length(1);
  });

  it("a version that it does not speak is refused with those that it does", async () => {
    const refused = await send({ path: "/peer/v2/payloads" });
    expect(refused.status).to.equal(404);
    expect(await refused.json()).to.deep.include({ code: "unsupported-version", versions: [1] });
    expect(await payloads()).to.deep.equal([]);
  });

  it("members that a later version has added are ignored", async () => {
    const transfers = payload.transfers.map((transfer) => ({ ...transfer, urgency: "high" }));
    expect((await send({ message: { ...payload, transfers, corridorNote: { since: 2 } } })).status).to.equal(202);
    expect((await send()).status, "the same without them").to.equal(202);
    expect(await payloads()).to.have.length(1);
  });

  it("another payload for the same batch is a conflict, and the first one stays", async () => {
    expect((await send()).status).to.equal(202);
    const [first, ...others] = payload.transfers;
    const response = await send({
      message: { ...payload, transfers: [{ ...first, salt: `0x${"00".repeat(32)}` }, ...others] },
    });
    expect([response.status, await codeOf(response)]).to.deep.equal([409, "payload-conflict"]);
    expect((await send()).status, "the first one again").to.equal(202);
  });

  it("nothing is done for a request that is not signed, or not as it was sent", async () => {
    const without = (name: string) => (request: { headers: Record<string, string> }) => {
      request.headers = Object.fromEntries(
        Object.entries(request.headers).filter(([header]) => header.toLowerCase() !== name),
      );
    };
    const refused = (tamper: NonNullable<Sending["tamper"]>) => expectRefused(401, "unauthenticated", { tamper });
    await refused(without("signature"));
    await refused(without("signature-input"));
    await refused(without("content-digest"));
    await refused((request) => (request.body = Buffer.from("another body")));
    await refused((request) => {
      request.body = Buffer.concat([request.body, Buffer.from(" ")]);
    });
    await refused((request) => (request.headers["content-digest"] = "sha-256=:AAAA:"));
  });

  it("nothing is done for a partner who has no relay in the registry, or for one with another's key", async () => {
    await expectRefused(401, "unauthenticated", { as: DANA });
    await expectRefused(401, "unauthenticated", { as: pair.target.partner });
    const { privateKey } = generateKeyPairSync("ed25519");
    await expectRefused(401, "unauthenticated", {
      from: { ...pair.source, peerKeys: { ...pair.source.peerKeys, signing: privateKey } },
    });
  });

  it("a request that was signed for another path, or another relay, is refused", async () => {
    let recorded: { headers: Record<string, string>; body: Uint8Array } | undefined;
    await send({ path: "/peer/v1/payload", tamper: (request) => (recorded = request) });
    const elsewhere = await fetch(`${pair.targetPeer.url}/peer/v1/payloads`, {
      method: "POST",
      headers: recorded?.headers ?? {},
      body: new Uint8Array(recorded?.body ?? []),
    });
    expect(elsewhere.status).to.equal(401);
    await send({ tamper: (request) => (recorded = request) });
    const other = await fetch(`${pair.sourcePeer.url}/peer/v1/payloads`, {
      method: "POST",
      headers: recorded?.headers ?? {},
      body: new Uint8Array(recorded?.body ?? []),
    });
    expect(other.status).to.equal(401);
  });

  it("a payload is refused that is not for this relay, not the sender's, or under another batch's id", async () => {
    const { header, transfers } = payload;
    const moved = { ...header, target: DANA };
    const { chain } = pair.target.ledger;
    await expectRefused(403, "wrong-sender", {
      message: { header: moved, transfers },
      subject: batchId(moved, chain),
    });
    const taken = { ...header, source: DANA };
    await expectRefused(403, "wrong-sender", {
      message: { header: taken, transfers },
      subject: batchId(taken, chain),
    });
    await expectRefused(403, "wrong-sender", { subject: `0x${"ab".repeat(32)}` });
  });

  it("what cannot be read is refused, without quoting it", async () => {
    await expectRefused(400, "malformed-message", { body: Buffer.from("not a JWE") });
    await expectRefused(400, "malformed-message", { type: "feiqian-lookup+jwe" });
    await expectRefused(400, "malformed-message", { message: { ...payload, transfers: [] } });
    await expectRefused(400, "malformed-message", {
      message: { ...payload, transfers: payload.transfers.map((each) => ({ ...each, uetr: "Maria" })) },
    });
    await expectRefused(415, "unsupported-media-type", { contentType: "application/json" });
  });

  it("a body that is too large is refused by its announced length", async () => {
    const path = "/peer/v1/lookups";
    const body = Buffer.alloc(MAX_BODY_BYTES.lookup + 1, "a");
    await expectRefused(413, "payload-too-large", { path, type: "feiqian-lookup+jwe", body });
  });

  it("a flood that no partner signed costs the ledger no question, and does not shut out who has been heard", async () => {
    expect((await send()).status).to.equal(202);
    let questions = 0;
    const provider = pair.target.ledger.provider;
    const call = provider.call.bind(provider);
    provider.call = (transaction) => {
      questions++;
      return call(transaction);
    };
    const flood = Array.from({ length: 200 }, (_, index) => send({ as: parsePartnerId(1_000 + index) }));
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    provider.call = call;
    expect(statuses.filter((status) => status === 401)).to.have.length.at.least(60);
    expect(new Set(statuses)).to.deep.equal(new Set([401, 429]));
    expect(questions).to.be.below(10);
    expect((await send()).status).to.equal(202);
  });

  it("payloads of batches that are not on the ledger are taken up to a number, and again once they are", async () => {
    const { target, source } = pair;
    await target.db.query(
      `INSERT INTO payloads (batch, source, sealed, received_at)
       SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), $1, '\\x00', 0 FROM generate_series(1, 1000) n`,
      [source.partner],
    );
    const refused = await send();
    expect(refused.status).to.equal(429);
    expect(refused.headers.get("retry-after")).to.match(/^[0-9]+$/);
    expect(await codeOf(refused)).to.equal("rate-limited");
    await target.db.query("DELETE FROM payloads WHERE batch = decode(lpad('1', 64, '0'), 'hex')");
    expect((await send()).status).to.equal(202);
  });

  describe("a payee", () => {
    it("is looked up so often by a partner, and it is written down who asked for whom, without telling who that is", async () => {
      const audit = async (relay: TestRelay) =>
        (await auditAfter(relay.db, 0n, 100)).map(({ seq: _, at: __, ...rest }) => rest);
      await lookup("+639171234567");
      await lookup("+639170000000");
      await lookup("+639171234567");
      const entries = await audit(pair.target);
      expect(entries.map(({ actor, action, outcome }) => [actor, action, outcome])).to.deep.equal([
        ["partner:7", "payees.lookup", "found"],
        ["partner:7", "payees.lookup", "not-found"],
        ["partner:7", "payees.lookup", "found"],
      ]);
      expect(entries[0]?.subject)
        .to.match(/^0x[0-9a-f]{72}$/)
        .and.equal(entries[2]?.subject);
      expect(entries[1]?.subject).not.to.equal(entries[0]?.subject);
      expect(JSON.stringify(entries)).not.to.match(/6391712|Maria/);
      await pair.target.db.query("UPDATE lookup_usage SET in_day = 10000");
      const refused: unknown = await lookup("+639171234567").catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(PeerError).and.include({ status: 429, problem: "rate-limited" });
      expect((refused as PeerError).retryAfterSeconds).to.be.within(1, 86_400);
      expect(await audit(pair.target)).to.have.length(3);
    });

    const lookup = (value: string) => peerClient(pair.source).lookup(pair.target.partner, { ...PAYEE, value });

    it("is looked up at the partner's wallet, and comes with a masked name", async () => {
      expect(await lookup("+639171234567")).to.deep.equal({ found: true, name: "M**** D*** C***" });
      expect(await lookup("+639170000000")).to.deep.equal({ found: false, reason: "BE23" });
    });

    it("is not told in the clear, nor to anybody but who asked", async () => {
      const answerKey = `0x${"11".repeat(32)}`;
      const response = await send({
        path: "/peer/v1/lookups",
        type: "feiqian-lookup+jwe",
        subject: "0x01",
        message: { alias: PAYEE, answerKey },
      });
      const jwe = await response.text();
      expect(jwe).not.to.match(/M\*/);
      const envelope = { type: "feiqian-answer+jwe", from: pair.target.partner, to: pair.source.partner } as const;
      const { message } = await decryptAnswer(new Uint8Array(32).fill(0x11), jwe, envelope);
      expect(message).to.deep.equal({ found: true, name: "M**** D*** C***" });
    });

    it("cannot be looked up while the wallet does not answer, or by a partner that is suspended", async () => {
      pair.wallet.fateOf = () => "refused";
      const away: unknown = await lookup("+639171234567").catch((error: unknown) => error);
      expect(away).to.be.instanceOf(PeerError).and.include({ code: "UNREACHABLE", problem: "wallet-unavailable" });
      pair.wallet.fateOf = () => "answered";
      const guardian = await pair.source.sandbox.submitterOf({ kind: "guardian" });
      await guardian.submit(governedCall(pair.source.sandbox, "partnerRegistry", "suspend", [pair.source.partner]));
      const suspended: unknown = await lookup("+639171234567").catch((error: unknown) => error);
      expect(suspended).to.be.instanceOf(PeerError).and.include({ code: "REFUSED", problem: "sender-not-active" });
    });

    it("cannot be looked up at a partner without a relay", async () => {
      const failure: unknown = await peerClient(pair.source)
        .lookup(DANA, PAYEE)
        .catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(PeerError).and.include({ code: "NO_RELAY" });
    });

    it("that does not keep to the alias' rule is refused without being quoted", async () => {
      await expectRefused(400, "malformed-message", {
        path: "/peer/v1/lookups",
        type: "feiqian-lookup+jwe",
        message: { alias: { type: "MSISDN", value: "63917123456789012" }, answerKey: `0x${"11".repeat(32)}` },
      });
    });
  });

  describe("a confirmation", () => {
    const NOBODY = "eb6305c9-1f7f-49de-aed0-16487c27b42d";
    const confirm = (id: Hex, uetrs: readonly string[], from = pair.target) => {
      const credits = uetrs.map((uetr) => ({ uetr, creditedAt: 1_790_000_000_000 }));
      // UETRs of transfers, or what is to be refused as none.
      const confirmation = { credits } as unknown as Parameters<ReturnType<typeof peerClient>["sendConfirmation"]>[2];
      return peerClient(from).sendConfirmation(pair.source.partner, id, confirmation);
    };
    const problemOf = async (work: Promise<void>) => {
      const failure: unknown = await work.catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(PeerError);
      return (failure as PeerError).problem; // as just seen
    };
    const confirmations = () =>
      pair.source.db.query(
        "SELECT t.uetr FROM confirmations c JOIN transfers t ON t.seq BETWEEN c.first_seq AND c.last_seq",
      );

    it("is written down once, and told as an event once", async () => {
      const { source, target } = pair;
      const { id, transfers } = await openedBatch(pair);
      await run(target, responderStep);
      await run(target, settlerStep);
      await readLedger(source);
      const uetrs = transfers.map(({ uetr }) => uetr);
      await confirm(id, uetrs.slice(1));
      await confirm(id, uetrs);
      await confirm(id, uetrs);
      expect(await confirmations()).to.have.length(3);
      expect(await eventsAfter(source.db, 0n, 100, ["transfer.credited"])).to.have.length(3);
    });

    it("is taken whatever time it tells: one that cannot be is when it was told", async () => {
      const { id, transfers } = await openedBatch(pair);
      await run(pair.target, responderStep);
      await run(pair.target, settlerStep);
      await readLedger(pair.source);
      for (const [index, { uetr }] of transfers.entries()) {
        const creditedAt = [8.64e15, -62_135_596_800_000, 2 ** 60][index] ?? 0;
        const before = pair.source.clock.nowMs();
        await peerClient(pair.target).sendConfirmation(pair.source.partner, id, { credits: [{ uetr, creditedAt }] });
        const record = await findTransfer(pair.source.db, pair.source.ledger.addresses.treasury, uetr);
        if (record === undefined) throw new Error("no transfer");
        expect(record.creditedAt).to.be.at.least(before);
        expect(transferStatusSchema.safeParse(statusOf(record)).success).to.equal(true);
      }
    });

    it("is refused as a whole for what has not settled, was refunded, or is not the sender's to confirm", async () => {
      const { source, target, wallet } = pair;
      const { id, transfers } = await openedBatch(pair);
      const [refunded = "", ...credited] = transfers.map(({ uetr }) => uetr);
      wallet.checkReason = ({ uetr }) => (uetr === refunded ? "AC03" : undefined);
      expect(await problemOf(confirm(id, credited))).to.equal("not-settled");
      await run(target, responderStep);
      await run(target, settlerStep);
      expect(await problemOf(confirm(id, credited)), "not read yet").to.equal("not-settled");
      await readLedger(source);
      for (const uetrs of [
        [...credited, refunded],
        [...credited, NOBODY],
        [...credited, ...credited],
      ]) {
        expect(await problemOf(confirm(id, uetrs))).to.equal("wrong-sender");
      }
      expect(await problemOf(confirm(toHex(new Uint8Array(32)), credited))).to.equal("wrong-sender");
      expect(await problemOf(confirm(id, credited, source)), "the source itself").to.equal("wrong-sender");
      expect(await problemOf(confirm(id, ["no uetr"]))).to.equal("malformed-message");
      expect(await confirmations()).to.deep.equal([]);
      await confirm(id, credited);
      expect(await confirmations()).to.have.length(2);
    });
  });
});
