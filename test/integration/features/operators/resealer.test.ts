import { expect } from "chai";
import { registerWebhook } from "../../../../src/features/notifications/webhooks.ts";
import { openDetails } from "../../../../src/features/remittance/sealed-details.ts";
import { openPayload, payloadBytes, sealPayload } from "../../../../src/features/remittance/sealed-payload.ts";
import { resealerStep } from "../../../../src/features/operators/resealer.ts";
import { claimStore, whoseStore, type StoreOwner } from "../../../../src/kernel/store/identity.ts";
import { insertPayload, sealedPayloadOf } from "../../../../src/features/remittance/store/payloads.ts";
import { keyUses, rowsSealedUnder, replaceSealed, resealed } from "../../../../src/kernel/store/sealed-rows.ts";
import { createSealer } from "../../../../src/kernel/store/sealer.ts";
import { makeBatch } from "../../../support/batches.ts";
import { HKD_TO_HKD } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { acceptTransfers, Killed, run, testRelay, type TestRelay } from "../../support/relay-context.ts";

const [OLD, NEW, OTHER] = [1, 2, 3].map((seed) => new Uint8Array(32).fill(seed));
const OWNER: StoreOwner = {
  partner: 7,
  chainId: 31_337n,
  genesis: `0x${"ab".repeat(32)}`,
  contracts: {
    accessManager: `0x${"12".repeat(20)}`,
    partnerRegistry: `0x${"23".repeat(20)}`,
    treasury: `0x${"34".repeat(20)}`,
    transferRegistry: `0x${"45".repeat(20)}`,
  },
  registries: [`0x${"45".repeat(20)}`],
};

describeOnBothDatabases("the rotation of the data key", (open) => {
  const before = createSealer({ current: OLD ?? new Uint8Array() });
  const rotated = createSealer({ current: NEW ?? new Uint8Array(), previous: [OLD ?? new Uint8Array()] });
  const after = createSealer({ current: NEW ?? new Uint8Array() });
  let relay: TestRelay;
  let webhook: string;
  let batch: Awaited<ReturnType<typeof makeBatch>>;
  let transfers: Awaited<ReturnType<typeof acceptTransfers>>;

  /** One of everything that is sealed, under the old key. */
  beforeEach(async () => {
    relay = await testRelay({ db: await open(), sealer: before });
    transfers = await acceptTransfers(relay, 250, { corridor: HKD_TO_HKD });
    await relay.db.query("UPDATE transfers SET content_mac = $1", [before.mac(new Uint8Array(1))]);
    webhook = (await registerWebhook(relay, { url: "https://wallet.example/hooks", types: [] })).id;
    batch = await makeBatch(relay.sandbox);
    const { id, header } = batch;
    const sealed = sealPayload(before, id, payloadBytes({ header, transfers: batch.transfers }));
    await insertPayload(
      relay.db,
      {
        batch: id,
        registry: relay.ledger.chain.transferRegistry,
        source: header.source,
        sealed,
        expiresAtSeconds: header.expiresAt,
        delivered: true,
      },
      1,
    );
    expect(await claimStore(relay.db, OWNER, before, 1)).to.deep.equal([]);
  });

  const needing = async (sealer: typeof before) => {
    const name = Buffer.from(sealer.currentKey).toString("hex");
    const uses = await keyUses(relay.db, Number.MAX_SAFE_INTEGER);
    return Object.fromEntries(uses.filter(({ key }) => key === name).map(({ table, rows }) => [table, rows]));
  };
  const submissions = async (sealer: typeof before) => {
    const name = Buffer.from(sealer.currentKey).toString("hex");
    const uses = await keyUses(relay.db, 0);
    return uses.filter(({ use, key }) => use === "mac" && key === name).map(({ table, rows }) => [table, rows]);
  };
  const ALL = { transfers: 250, payloads: 1, webhooks: 1, store_identity: 1 };

  it("seals everything anew, after which the old key is needed for nothing", async () => {
    expect(await needing(before)).to.deep.equal(ALL);
    await run({ ...relay, sealer: rotated }, resealerStep);
    expect([await needing(before), await needing(after)]).to.deep.equal([{}, ALL]);
    // A MAC is of what the wallet sent, which is not kept: it stays under its key, and counts while it may be repeated.
    expect([await submissions(before), await submissions(after)]).to.deep.equal([[["transfers", 250]], []]);

    const [first] = transfers;
    const [row] = await relay.db.query<{ sealed: Uint8Array }>("SELECT sealed FROM transfers WHERE uetr = $1::uuid", [
      first?.uetr ?? "",
    ]);
    expect(openDetails(after, first?.uetr as never, row?.sealed as never).details).to.have.property("debtor"); // it is there
    const payload = await sealedPayloadOf(relay.db, batch.id);
    expect(openPayload(after, batch.id, payload as never).transfers).to.have.length(3); // it is there
    expect(await whoseStore(relay.db, OWNER, after)).to.deep.equal([]);
    expect(webhook).not.to.equal("");
  });

  it("goes on where it was killed, and does not touch what is sealed already", async () => {
    relay.killAt("resealer.replaced", 100);
    expect(await resealerStep({ ...relay, sealer: rotated }).catch((failure: unknown) => failure)).to.be.instanceOf(
      Killed,
    );
    const done = await needing(after);
    expect(done["transfers"]).to.be.within(97, 100);
    await run({ ...relay, sealer: rotated }, resealerStep);
    expect(await needing(after)).to.deep.equal(ALL);
    expect(await resealerStep({ ...relay, sealer: rotated })).to.equal(false);
  });

  it("leaves erased what is erased meanwhile, and changed what is changed", async () => {
    const [row] = await rowsSealedUnder(relay.db, "transfers", before.currentKey, undefined, 1);
    if (row === undefined) throw new Error("test set-up: a row");
    await relay.db.query("UPDATE transfers SET sealed = NULL");
    expect(await replaceSealed(relay.db, "transfers", row, resealed(rotated, "transfers", row))).to.equal(false);
    expect((await needing(after))["transfers"]).to.equal(undefined);
  });

  it("tells of what cannot be opened, and is held up by nothing of it", async () => {
    await relay.db.query(
      "UPDATE transfers SET sealed = set_byte(sealed, length(sealed) - 1, (get_byte(sealed, length(sealed) - 1) + 1) % 256) WHERE seq <= 150",
    );
    await run({ ...relay, sealer: rotated }, resealerStep);
    expect([await needing(before), await needing(after)]).to.deep.equal([
      { transfers: 150 },
      { ...ALL, transfers: 100 },
    ]);
    const { values } = await relay.metrics.sealBroken.get();
    expect(values.find(({ labels }) => labels["table"] === "transfers")?.value).to.equal(150);
  });

  it("leaves the database with its owner: another partner, chain, contracts or key are told, with what to do", async () => {
    const keysOf = async (owner: Partial<StoreOwner>, sealer = before) => {
      const found = await whoseStore(relay.db, { ...OWNER, ...owner }, sealer);
      return found === "new" ? found : found.map(({ key }) => key);
    };
    expect(await keysOf({})).to.deep.equal([]);
    expect(await keysOf({ partner: 4 })).to.deep.equal(["partner"]);
    expect(await keysOf({ chainId: 1n })).to.deep.equal(["ledger.chainId"]);
    expect(await keysOf({ genesis: `0x${"cd".repeat(32)}` })).to.deep.equal(["ledger.chainId"]);
    expect(await keysOf({ genesis: undefined })).to.deep.equal([]);
    for (const name of Object.keys(OWNER.contracts)) {
      const contracts = { ...OWNER.contracts, [name]: `0x${"56".repeat(20)}` };
      expect(await keysOf({ contracts }), name).to.deep.equal(["ledger.addresses"]);
    }
    const other = createSealer({ current: OTHER ?? new Uint8Array() });
    expect(await keysOf({}, other)).to.deep.equal(["dataKey"]);
    expect(await keysOf({}, rotated)).to.deep.equal([]);
    // A claim does not change whose it is.
    expect(await claimStore(relay.db, { ...OWNER, partner: 4 }, before, 1)).to.have.length(1);
    expect(await keysOf({})).to.deep.equal([]);
  });

  it("adopts a database from before there were claims, unless what is in it is another's", async () => {
    await relay.db.query("DELETE FROM store_identity");
    const other = createSealer({ current: OTHER ?? new Uint8Array() });
    expect((await claimStore(relay.db, OWNER, other, 1)).map(({ key }) => key)).to.deep.equal(["dataKey"]);
    await relay.db.query(
      `INSERT INTO batches (id, target, header, send_signature, quote_signature, signed_at)
       VALUES ('\\x01', 4, '{"source": 7}', '{}', '{}', 1)`,
    );
    expect((await claimStore(relay.db, { ...OWNER, partner: 9 }, before, 1)).map(({ key }) => key)).to.deep.equal([
      "partner",
    ]);
    expect(await claimStore(relay.db, OWNER, before, 1)).to.deep.equal([]);
    expect(await whoseStore(relay.db, OWNER, before)).to.deep.equal([]);
    expect(await whoseStore(await open({ migrated: false }), OWNER, before)).to.equal("new");
  });
});
