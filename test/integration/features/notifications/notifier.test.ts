import { expect } from "chai";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import type { RelaySettings } from "../../../../src/features/context.ts";
import { eventJson } from "../../../../src/features/notifications/event-json.ts";
import { notifierStep } from "../../../../src/features/notifications/notifier.ts";
import { registerWebhook, replayDelivery } from "../../../../src/features/notifications/webhooks.ts";
import { verifyWebhook, type WebhookBody } from "../../../../sdk/index.ts";
import {
  appendEvents,
  eventsAfter,
  lastEventSeq,
  type EventType,
  type NewEvent,
} from "../../../../src/kernel/store/events.ts";
import { listDeliveries, listWebhooks } from "../../../../src/features/notifications/store.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import {
  answering,
  babbling,
  hanging,
  resetting,
  startReceiver,
  talking,
  type Manner,
  type Received,
  type Receiver,
} from "../../support/receiver.ts";
import {
  acceptTransfers,
  DEFAULTS,
  Killed,
  run,
  standingQuote,
  testRelay,
  type TestRelay,
} from "../../support/relay-context.ts";

const WEBHOOKS: RelaySettings["webhooks"] = { ...DEFAULTS.webhooks, maxAttempts: 3, timeoutMs: 20_000 };
/** Longer than a pass takes on a busy machine. */
const RETRY: RelaySettings["retry"] = { firstDelayMs: 20_000, maxDelayMs: 20_000 };

/** For endpoints that hang. */
function impatient(relay: TestRelay): TestRelay {
  return { ...relay, settings: { ...relay.settings, webhooks: { ...WEBHOOKS, timeoutMs: 300 } } };
}

describeOnBothDatabases("The notifier", (open) => {
  let relay: TestRelay;
  const receivers: Receiver[] = [];

  beforeEach(async () => {
    relay = await testRelay({ db: await open(), settings: { webhooks: WEBHOOKS, retry: RETRY } });
  });
  afterEach(async () => {
    for (const receiver of receivers.splice(0)) await receiver.close();
  });

  async function receiving(manner?: Manner): Promise<Receiver> {
    const receiver = await startReceiver(manner);
    receivers.push(receiver);
    return receiver;
  }

  async function happens(...types: readonly EventType[]): Promise<readonly bigint[]> {
    return write(types.map((type, index) => ({ type, at: relay.clock.nowMs(), data: { index } })));
  }

  /** @returns their numbers */
  async function write(events: readonly NewEvent[]): Promise<readonly bigint[]> {
    const before = await lastEventSeq(relay.db);
    await relay.db.transaction((tx) => appendEvents(tx, events));
    return (await eventsAfter(relay.db, before, events.length)).map(({ seq }) => seq);
  }

  function bodyOf({ headers, body }: Received, secret: string): WebhookBody {
    const verification = verifyWebhook(headers, body, secret, { nowMs: relay.clock.nowMs() });
    if (verification.kind === "refused") throw new Error(`refused: ${verification.refusal}`);
    return verification.body;
  }

  const ids = ({ received }: Receiver) => received.map(({ headers }) => headers["webhook-id"]);
  /** The numbers in the ids. */
  const numbersOf = (receiver: Receiver) => ids(receiver).map((id) => BigInt(String(id).split("_").at(-1) ?? ""));
  const typesSince = async (seq: bigint) => (await eventsAfter(relay.db, seq, 100)).map(({ type }) => type);

  it("delivers what happens after the registration, signed, in order, as the API has it", async () => {
    const receiver = await receiving();
    await happens("transfer.held");
    const { secret } = await registerWebhook(relay, { url: `${receiver.url}/hooks`, types: [] });
    const seqs = await happens("transfer.settled", "credit.posted", "liquidity.low");
    await run(relay, notifierStep);
    await run(relay, notifierStep);

    const stored = await eventsAfter(relay.db, (seqs[0] ?? 0n) - 1n, 10);
    expect(ids(receiver)).to.have.members(stored.map(({ id }) => id));
    const delivered = receiver.received
      .map((one) => bodyOf(one, secret))
      .toSorted((left, right) => left.data.seq - right.data.seq);
    expect(delivered.map(({ data }) => data)).to.deep.equal(stored.map(eventJson));
    expect(delivered.map(({ type }) => type)).to.deep.equal(stored.map(({ type }) => type));
    expect(receiver.received[0]?.path).to.equal("/hooks");
    expect(await listDeliveries(relay.db, "due", 10)).to.deep.equal([]);
  });

  it("says of an own transfer where it stands and what it is worth, and nothing of the people", async () => {
    const receiver = await receiving();
    const quote = await standingQuote(relay);
    const [transfer] = await acceptTransfers(relay, 1, { quote });
    if (transfer === undefined) throw new Error("nothing was accepted");
    const { secret } = await registerWebhook(relay, { url: receiver.url, types: [] });
    const { uetr, sourceAmount, targetAmount } = transfer;
    const ledger = { block: 17, logIndex: 3 };
    await write([{ type: "transfer.rejected", uetr, at: relay.clock.nowMs(), ledger, data: { reason: "AC04" } }]);
    await run(relay, notifierStep);

    const [request] = receiver.received;
    if (request === undefined) throw new Error("nothing was delivered");
    expect(bodyOf(request, secret).data).to.deep.include({
      uetr,
      block: 17,
      logIndex: 3,
      data: { reason: "AC04" },
      transfer: {
        status: "rejected",
        send: { currency: "HKD", minor: String(sourceAmount) },
        receive: { currency: "PHP", minor: String(targetAmount) },
      },
    });
    expect(request.body).to.not.match(/Chan|Maria|\+852|\+639/);
  });

  it("delivers the types that were asked for, to each webhook its own", async () => {
    const [some, all] = [await receiving(), await receiving()];
    await registerWebhook(relay, { url: some.url, types: ["transfer.settled"] });
    await registerWebhook(relay, { url: all.url, types: [] });
    const seqs = await happens("transfer.held", "transfer.settled", "transfer.credited");
    await run(relay, notifierStep);
    expect(numbersOf(some)).to.deep.equal([seqs[1]]);
    expect(numbersOf(all)).to.have.members(seqs);
  });

  for (const [what, manner, error] of [
    ["an error", answering(500), "HTTP 500"],
    ["a redirect", answering(307, { location: "/elsewhere" }), "HTTP 307"],
    ["silence", hanging, "no answer within 300 ms"],
    ["a broken connection", resetting, "ECONNRESET"],
    ["something that is not HTTP", babbling, "HPE_INVALID_CONSTANT"],
  ] as const) {
    it(`takes ${what} for a failure, and delivers again later under the same id`, async () => {
      const receiver = await receiving(manner);
      await registerWebhook(relay, { url: receiver.url, types: [] });
      await happens("transfer.settled");
      const before = relay.clock.nowMs();
      await run(manner === hanging ? impatient(relay) : relay, notifierStep);
      expect(receiver.received).to.have.length(1);
      const [due] = await listDeliveries(relay.db, "due", 10);
      expect(due).to.include({ attempts: 1, lastError: error });
      expect(due?.nextAttemptAt).to.be.greaterThan(before);

      receiver.manner = answering(200);
      relay.clock.advance(60_000);
      await run(relay, notifierStep);
      expect(receiver.received).to.have.length(2);
      expect(new Set(ids(receiver)).size).to.equal(1);
      expect(await listDeliveries(relay.db, "due", 10)).to.deep.equal([]);
    });
  }

  it("takes a 2xx for delivered, however long the endpoint goes on talking", async () => {
    const receiver = await receiving(talking);
    await registerWebhook(relay, { url: receiver.url, types: [] });
    await happens("transfer.settled");
    await run(relay, notifierStep);
    relay.clock.advance(60_000);
    await run(relay, notifierStep);
    expect(receiver.received).to.have.length(1);
  });

  it("does not let an endpoint that hangs hold up another", async () => {
    const [slow, quick] = [await receiving(hanging), await receiving()];
    await registerWebhook(relay, { url: slow.url, types: [] });
    await registerWebhook(relay, { url: quick.url, types: [] });
    await happens("transfer.held");
    const pass = run(
      { ...relay, settings: { ...relay.settings, webhooks: { ...WEBHOOKS, timeoutMs: 2_000 } } },
      notifierStep,
    );
    while (quick.received.length === 0 || slow.received.length === 0) await new Promise(setImmediate);
    // The first is still waited for; what happens now gets to the second all the same.
    await happens("transfer.settled");
    relay.wake("notifier");
    while (quick.received.length < 2) await new Promise(setImmediate);
    expect(slow.received).to.have.length(1);
    await pass;
  });

  it("asks an endpoint that is down once in a while, not for every event", async () => {
    const receiver = await receiving(answering(503));
    await registerWebhook(relay, { url: receiver.url, types: [] });
    await happens(...Array.from({ length: 60 }, () => "transfer.settled" as const));
    await run(relay, notifierStep);
    const first = receiver.received.length;
    expect(first).to.be.lessThan(20);
    await run(relay, notifierStep);
    expect(receiver.received).to.have.length(first);
  });

  it("gives up after the last attempt, tells so, and delivers again on request", async () => {
    const receiver = await receiving(answering(500));
    const { id } = await registerWebhook(relay, { url: receiver.url, types: [] });
    const [seq = 0n] = await happens("transfer.settled");
    for (let attempts = 0; attempts < 5; attempts++) {
      await run(relay, notifierStep);
      relay.clock.advance(60_000);
    }
    expect(receiver.received).to.have.length(WEBHOOKS.maxAttempts);
    const [dead, ...others] = await listDeliveries(relay.db, "dead", 10);
    expect(others).to.deep.equal([]);
    expect(dead).to.include({ webhook: id, attempts: 3, lastError: "HTTP 500" });
    expect(dead?.event.seq).to.equal(seq);
    // Told in the events, and not by webhook, which would never end.
    expect(await typesSince(seq)).to.deep.equal(["webhook.dead"]);
    expect((await relay.metrics.webhooks.get()).values).to.deep.include({ value: 1, labels: { outcome: "dead" } });

    receiver.manner = answering(200);
    const event = dead?.event.id ?? "";
    expect(event).to.match(/^evt_[0-9a-f]{12}_[0-9]+$/);
    expect(await replayDelivery(relay, id, event)).to.equal(true);
    expect(relay.woken).to.include("notifier");
    await run(relay, notifierStep);
    expect(new Set(ids(receiver))).to.deep.equal(new Set([event]));
    expect(receiver.received).to.have.length(WEBHOOKS.maxAttempts + 1);
    expect(await listDeliveries(relay.db, "dead", 10)).to.deep.equal([]);
    expect(await replayDelivery(relay, id, event.replace(/[0-9]+$/, "1000000"))).to.equal(false);
  });

  it("disables an endpoint that says it is gone", async () => {
    const receiver = await receiving(answering(410));
    const { id } = await registerWebhook(relay, { url: receiver.url, types: [] });
    const [seq = 0n] = await happens("transfer.settled");
    await run(relay, notifierStep);
    expect((await listWebhooks(relay.db)).find((webhook) => webhook.id === id)?.disabledAt).to.be.a("number");
    expect(await typesSince(seq)).to.deep.equal(["webhook.disabled"]);
    await happens("transfer.settled");
    relay.clock.advance(60_000);
    await run(relay, notifierStep);
    expect(receiver.received).to.have.length(1);
    const [event] = await eventsAfter(relay.db, seq - 1n, 1);
    expect(await replayDelivery(relay, id, event?.id ?? "")).to.equal(false);
  });

  it("delivers again, under the same id, what it was killed after sending", async () => {
    const receiver = await receiving();
    await registerWebhook(relay, { url: receiver.url, types: [] });
    const [seq] = await happens("transfer.settled");
    relay.killAt("notifier.sent");
    await notifierStep(relay).then(
      () => expect.fail("it was not killed"),
      (failure: unknown) => expect(failure).to.be.instanceOf(Killed),
    );
    expect(receiver.received).to.have.length(1);
    await run(relay, notifierStep);
    expect(numbersOf(receiver)).to.deep.equal([seq, seq]);
    expect(new Set(ids(receiver)).size).to.equal(1);
    await run(relay, notifierStep);
    expect(receiver.received).to.have.length(2);
  });

  it("works off a backlog that is longer than what it plans at once, each event once", async () => {
    const receiver = await receiving();
    await registerWebhook(relay, { url: receiver.url, types: [] });
    const seqs = await happens(...Array.from({ length: 2_100 }, () => "transfer.settled" as const));
    await run(relay, notifierStep);
    expect(ids(receiver)).to.have.length(seqs.length);
    expect(new Set(numbersOf(receiver))).to.deep.equal(new Set(seqs));
  });

  it("keeps secrets sealed, each for its own webhook", async () => {
    const receiver = await receiving();
    const [first, second] = [
      await registerWebhook(relay, { url: receiver.url, types: [] }),
      await registerWebhook(relay, { url: receiver.url, types: [] }),
    ];
    const [row] = await relay.db.query<{ found: boolean }>(
      "SELECT bool_or(position($1::bytea IN sealed_secret) > 0) AS found FROM webhooks",
      [Buffer.from(first.secret.slice("whsec_".length), "base64")],
    );
    expect(row?.found).to.equal(false);
    await relay.db.query(
      "UPDATE webhooks SET sealed_secret = (SELECT sealed_secret FROM webhooks WHERE id = $1::uuid) WHERE id = $2::uuid",
      [first.id, second.id],
    );
    const [seq] = await happens("transfer.settled");
    await run(relay, notifierStep);
    // The one whose secret is its own goes on; the other is told nothing, and why is written down with it.
    expect(numbersOf(receiver)).to.deep.equal([seq]);
    const [broken] = await relay.db.query<{ fault_attempts: number; last_error: string }>(
      "SELECT fault_attempts, last_error FROM webhooks WHERE id = $1::uuid",
      [second.id],
    );
    expect(broken?.fault_attempts).to.equal(1);
    expect(broken?.last_error).to.match(/^SEAL_BROKEN: /);
  });

  it("delivers what is new to an endpoint that cannot take some of the events, however many these are", async () => {
    const receiver = await receiving((response, request) => {
      answering(request.body.includes("transfer.held") ? 500 : 204)(response, request);
    });
    await registerWebhook(relay, { url: receiver.url, types: [] });
    const settings = { ...relay.settings, webhooks: { ...WEBHOOKS, maxAttempts: 1_000 } };
    const stubborn = { ...relay, settings };
    await happens(...Array<EventType>(80).fill("transfer.held"));
    // Until every one has failed several times, and its endpoint looks as if it were down.
    for (let rounds = 0; rounds < 25; rounds++) {
      await run(stubborn, notifierStep);
      relay.clock.advance(20_000);
    }
    const before = receiver.received.length;
    await run(stubborn, notifierStep);
    expect(receiver.received.length, "old ones are due, and fail").to.be.above(before);
    const [good] = await happens("transfer.settled");
    relay.clock.advance(RETRY.firstDelayMs);
    await run(stubborn, notifierStep);
    expect(numbersOf(receiver)).to.include(good);
  });

  for (const url of [
    "http://wallet.example/hook",
    "https://169.254.169.254/latest/meta-data",
    "https://[fe80::1]/hook",
    "https://[::ffff:169.254.169.254]/hook",
    "https://2852039166/hook",
    "https://0.0.0.0/hook",
    "https://user:pass@wallet.example/hook",
    "https://wallet.example/hook#part",
    "ftp://wallet.example/hook",
    "wallet.example",
  ]) {
    it(`does not register ${url}`, async () => {
      const failure: unknown = await registerWebhook(relay, { url, types: [] }).catch((caught: unknown) => caught);
      expect(failure).to.be.instanceOf(InvalidInput).with.property("field", "url");
      expect(await listWebhooks(relay.db)).to.deep.equal([]);
    });
  }

  it("registers plain HTTP where the operator allows it, and does not send there once it is not allowed", async () => {
    const settings = { ...relay.settings, webhooks: { ...WEBHOOKS, allowUnsafeUrls: true } };
    await registerWebhook({ ...relay, settings }, { url: "http://169.254.169.254/hook", types: [] });
    const uetr = parseUetr("eb6305c9-1f7f-49de-aed0-16487c27b42d");
    await write([{ type: "transfer.settled", uetr, at: relay.clock.nowMs(), data: {} }]);
    await run(relay, notifierStep);
    const [due] = await listDeliveries(relay.db, "due", 1);
    expect(due?.lastError).to.match(/https/);
  });
});
