import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { migrationsOf } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import { fromHex, type Hex } from "../../../../src/domain/bytes/hex.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import { openDetails } from "../../../../src/features/remittance/sealed-details.ts";
import { statusOf } from "../../../../src/features/remittance/status.ts";
import { deliveriesDue, listDeliveries, listWebhooks } from "../../../../src/features/notifications/store.ts";
import { batchesToOpen } from "../../../../src/features/remittance/store/batches.ts";
import { sealedTransfersOf } from "../../../../src/features/remittance/store/batch-transfers.ts";
import { batchesToDecide, payloadsToSend } from "../../../../src/features/remittance/store/payloads.ts";
import { findRefusals } from "../../../../src/features/remittance/store/refusals.ts";
import { findTransfers } from "../../../../src/features/remittance/store/transfers.ts";
import { countWaiting, waitingGroups } from "../../../../src/features/remittance/store/waiting-transfers.ts";
import { crediterStep } from "../../../../src/features/remittance/steps/crediter.ts";
import { auditAfter } from "../../../../src/kernel/access/audit-store.ts";
import { usableApiKeys } from "../../../../src/kernel/access/store.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { migrate } from "../../../../src/kernel/store/migrate.ts";
import { createSealer } from "../../../../src/kernel/store/sealer.ts";
import { GCASH } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { run, testRelay } from "../../support/relay-context.ts";

const MIGRATIONS = new URL("../../../../src/kernel/store/migrations/", import.meta.url);
const FIRST_VERSION = ["0001-relay.sql", "0002-refusals.sql"];
/** The data keys of the relays that wrote these databases. */
const DATA_KEYS = {
  source: "0x0c5028c3bbc9bd4066860e438159624a637da68b81ba5c3c48819d364d798c8d",
  target: "0xcdcea4dacd2655062d521fa5bf906a94c4b99c18ad451425982b0a548e8285e2",
} as const;
/** A day after that: all that is to be tried again is due. */
const LATER_MS = 1_795_993_200_000 + 86_400_000;
const WEBHOOK = "9b1de2a4-5a86-4f6e-9f0b-3b8f1f6b6a01";
const REFUSED = parseUetr("2f0c0c9e-7d7c-4c41-8c0c-0f8a6f5f0a01");

describeOnBothDatabases("a database of an earlier version", (open) => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-upgrade-"));
    for (const name of FIRST_VERSION) await copyFile(new URL(name, MIGRATIONS), join(folder, name));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** As it was left, and then brought up to this version. */
  async function upgraded(whose: keyof typeof DATA_KEYS): Promise<Database> {
    const db = await open({ migrated: false });
    await migrate(db, [], { folder: pathToFileURL(`${folder}/`) });
    await db.query(await readFile(new URL(`${whose}.sql`, import.meta.url), "utf8"));
    const before = await counts(db);
    const applied = await migrate(db, migrationsOf(FEATURES));
    expect(applied).to.include("0003-refusals-for-good.sql").and.not.to.include.members(FIRST_VERSION);
    // Of three refusals, one is of a transfer that was accepted, and two are of one UETR.
    expect(await counts(db)).to.deep.equal(whose === "source" ? { ...before, refusals: 1 } : before);
    return db;
  }
  const sealerOf = (whose: keyof typeof DATA_KEYS) => createSealer({ current: fromHex(DATA_KEYS[whose], 32, "key") });

  it("tells of every transfer how it stands, and of all else what it had", async () => {
    const db = await upgraded("source");
    const rows = await db.query<{ uetr: string; sealed: Uint8Array }>(
      "SELECT uetr, sealed FROM transfers ORDER BY seq",
    );
    const uetrs = rows.map(({ uetr }) => parseUetr(uetr));
    const stored = await findTransfers(db, NOWHERE, uetrs);
    const told = uetrs.flatMap((uetr) => stored.get(uetr) ?? []).map((record) => statusOf(record));
    expect(told.map(({ status, reason }) => (reason === undefined ? status : `${status} ${reason}`))).to.deep.equal([
      ...["credited", "rejected AC04", "credited"],
      ...["settled", "settled"],
      ...["held", "held"],
      ...["batched", "batched"],
      ...["received", "failed AM04", "cancelled"],
    ]);
    const sealer = sealerOf("source");
    for (const { uetr, sealed } of rows) {
      expect(openDetails(sealer, parseUetr(uetr), sealed).details.creditor["name"]).to.equal("Maria Dela Cruz");
    }
    expect([...(await findRefusals(db, [REFUSED, ...uetrs]))]).to.deep.equal([
      [REFUSED, { code: "limit-exceeded", detail: "too much" }],
    ]);
    expect((await usableApiKeys(db, LATER_MS)).map(({ id, scopes }) => [id, scopes])).to.deep.equal([
      ["k3y", ["transfers:write", "transfers:read"]],
    ]);
    expect((await auditAfter(db, 0n, 10)).map(({ action, outcome }) => [action, outcome])).to.deep.equal([
      ["keys.create", "done"],
    ]);
    const [webhook] = await listWebhooks(db);
    expect(webhook).to.include({ id: WEBHOOK, url: "https://wallet.example/hooks" });
  });

  it("counts how the transfers ended that it had read of", async () => {
    const db = await upgraded("source");
    const sums = await db.query<{ outcome: string; transfers: bigint }>(
      "SELECT outcome, sum(transfers) AS transfers FROM success_sums WHERE source = 7 AND target = 4 GROUP BY outcome ORDER BY outcome",
    );
    // 0x41433034 is AC04, of the one that was rejected.
    expect(sums.map(({ outcome, transfers }) => [outcome, transfers])).to.deep.equal([
      ["0x41433034", 1n],
      ["opened", 7n],
      ["settled", 4n],
    ]);
  });

  it("counts what became of orders that never came onto the ledger, and whom it knows to be credited", async () => {
    const db = await upgraded("source");
    const sums = await db.query<{ target: number; outcome: string; reason: string; orders: bigint }>(
      "SELECT target, outcome, reason, orders FROM order_sums ORDER BY outcome",
    );
    expect(sums.map(({ target, outcome, reason, orders }) => [target, outcome, reason, orders])).to.deep.equal([
      [4, "cancelled", "", 1n],
      [4, "credited", "", 2n],
      [4, "failed", "AM04", 1n],
      [0, "refused", "limit-exceeded", 1n],
    ]);
  });

  it("goes on with what was under way", async () => {
    const db = await upgraded("source");
    const [unopened, ...others] = await batchesToOpen(db, LATER_MS, 10);
    expect(others).to.deep.equal([]);
    expect(unopened?.header.count).to.equal(2);
    expect((await payloadsToSend(db, LATER_MS, 10)).map(({ id }) => id)).to.deep.equal([unopened?.id]);
    expect(unopened && (await sealedTransfersOf(db, unopened.id))).to.have.length(2);
    expect(await waitingGroups(db, 10)).to.have.length(1);
    expect(await countWaiting(db)).to.equal(1);
    const events = await eventsAfter(db, 0n, 100);
    const due = await deliveriesDue(db, WEBHOOK, LATER_MS, 100);
    const dead = await listDeliveries(db, "dead", 10);
    expect(due.length, "one was delivered, and one given up").to.equal(events.length - 2);
    expect(dead).to.have.length(1);
  });

  it("has its customers credited, each once, and the rest decided", async () => {
    const db = await upgraded("target");
    const relay = await testRelay({ db, partner: GCASH, sealer: sealerOf("target") });
    const owed = await db.query<{ uetr: string; amount: bigint }>(
      "SELECT uetr, amount FROM credits WHERE credited_at IS NULL ORDER BY uetr",
    );
    await run(relay, crediterStep);
    await run(relay, crediterStep);
    const credited = [...relay.wallet.credits.values()].map(({ uetr, amount }) => [uetr, amount.minor] as const);
    expect(credited.toSorted(([left], [right]) => (left < right ? -1 : 1))).to.deep.equal(
      owed.map(({ uetr, amount }) => [uetr, amount]),
    );
    expect(owed).to.have.length(2);
    const [undecided, ...others] = await batchesToDecide(db, GCASH, LATER_MS, 10);
    expect(others).to.deep.equal([]);
    expect(undecided?.header.count).to.equal(2);
  });
});

/** Where the money is that these stores have not read again. */
const NOWHERE: Hex = `0x${"00".repeat(20)}`;

/** Not what was there, but what it comes to; and money, which is read again. */
const DERIVED: readonly string[] = [
  "migrations",
  "waiting",
  "waiting_sums",
  "batch_ranges",
  "balances",
  "success_sums",
  "order_sums",
];

/** Rows of every table that had any. */
async function counts(db: Database): Promise<Readonly<Record<string, number>>> {
  const tables = await db.query<{ name: string }>(
    "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1",
  );
  const counted: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await db.query<{ rows: number }>(`SELECT count(*)::integer AS rows FROM ${name}`);
    if (row !== undefined && row.rows > 0 && !DERIVED.includes(name)) counted[name] = row.rows;
  }
  return counted;
}
