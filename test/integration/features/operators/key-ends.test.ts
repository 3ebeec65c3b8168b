import { expect } from "chai";
import { encodeCall } from "../../../../src/ledger/calls.ts";
import { KEY_PURPOSES } from "../../../../src/ledger/deployment/config.ts";
import { keyEndsStep } from "../../../../src/features/operators/key-ends.ts";
import { issueApiKey, rotateApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { revokeApiKey } from "../../../../src/kernel/access/store.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { ALIPAY_HK } from "../../support/chain.ts";
import { testRelay, type TestRelay } from "../../support/relay-context.ts";

const DAY_MS = 86_400_000;

describeOnBothDatabases("when keys end", (open) => {
  let relay: TestRelay;
  beforeEach(async () => {
    relay = await testRelay({ db: await open() });
  });

  /** What the metric says, by key. */
  async function told(): Promise<Readonly<Record<string, number>>> {
    await relay.registry.refresh();
    expect(await keyEndsStep(relay)).to.equal(false);
    const { values } = await relay.metrics.keyEndsSeconds.get();
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels.key), value]));
  }

  const create = (expiresAt: number | undefined) =>
    issueApiKey(relay, { label: "wallet", scopes: ["read"], rateLimit: 60, expiresAt });

  it("is told of the keys that the ledger knows: as they were granted, and 0 once they may not act", async () => {
    const { partnerRegistry } = relay.ledger.addresses;
    const admin = await relay.sandbox.submitterOf({ kind: "admin", partner: ALIPAY_HK });
    const key = relay.keys.send.address;
    const nowSeconds = Math.floor(relay.clock.nowMs() / 1_000);
    const until = nowSeconds + 86_400;
    const grant = (purposes: number) =>
      admin.submit(encodeCall("partnerRegistry", partnerRegistry, "authorizeKey", [ALIPAY_HK, key, purposes, until]));
    await grant(KEY_PURPOSES.send);
    expect(await told(), "the other purpose was taken").to.deep.equal({ send: until, accept: 0 });
    await grant(KEY_PURPOSES.send | KEY_PURPOSES.accept);
    expect(await told()).to.deep.equal({ send: until, accept: until });
    relay.clock.advance(DAY_MS + 2_000);
    expect(await told()).to.deep.equal({ send: 0, accept: 0 });
    await admin.submit(encodeCall("partnerRegistry", partnerRegistry, "revokeKey", [ALIPAY_HK, key]));
    expect(await told()).to.deep.equal({ send: 0, accept: 0 });
  });

  it("is told of the API key that ends next, unless another has its place, it was revoked, or has ended", async () => {
    const nowMs = Math.floor(relay.clock.nowMs() / 1_000) * 1_000;
    const api = async () => (await told())["api"];
    await create(undefined);
    expect(await api(), "it does not end").to.equal(undefined);
    const later = await create(nowMs + 9 * DAY_MS);
    const sooner = await create(nowMs + 2 * DAY_MS);
    expect(await api()).to.equal((nowMs + 2 * DAY_MS) / 1_000);
    await revokeApiKey(relay.db, sooner.key.id, nowMs);
    expect(await api()).to.equal((nowMs + 9 * DAY_MS) / 1_000);
    const rotated = await rotateApiKey(relay, later.key.id, 60);
    expect(await api(), "its successor ends when it would have").to.equal((nowMs + 9 * DAY_MS) / 1_000);
    if (rotated.kind !== "rotated") throw new Error(rotated.kind);
    await revokeApiKey(relay.db, rotated.issued.key.id, nowMs);
    expect(await api(), "what has no other in its place any more").to.be.closeTo(nowMs / 1_000 + 60, 30);
    relay.clock.advance(10 * DAY_MS);
    expect(await api()).to.equal(undefined);
  });
});
