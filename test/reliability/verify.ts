import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import type { EventJson } from "../../src/schema/network.ts";
import type { TransferStatusName } from "../../src/domain/lifecycle.ts";
import type { Uetr } from "../../src/domain/uetr.ts";
import { parsePostings, type Posting } from "../../sandbox/wallet/books.ts";
import { readJournal } from "../../sandbox/wallet/journal.ts";
import { reconcile } from "../../sandbox/day/reconciliation.ts";
import { readSentBatches } from "../../sandbox/day/sent-batches.ts";
import { openPostgres } from "../../src/kernel/store/postgres.ts";
import type { Load, Sent } from "./load.ts";
import type { CrashPartner, CrashWorld } from "./world.ts";

/** How many transfers ended how. */
export type Endings = ReadonlyMap<string, number>;

export interface Verifier {
  /**
   * Waits until every transfer has ended and everybody who is to be told of it has been, and holds the relays' answers,
   * the wallets' books, the webhooks and the ledger against each other.
   * @returns how those ended that were not verified before
   * @throws Error, or chai's, for anything that is not as promised
   */
  verify(timeoutMs: number): Promise<Endings>;
}

const ENDED: readonly TransferStatusName[] = ["credited", "rejected", "expired", "failed", "cancelled"];
const POLL_MS = 200;
const AT_ONCE = 16;
const PAGE = 1_000;

export function createVerifier(world: CrashWorld, load: Load): Verifier {
  const endings = new Map<Uetr, TransferStatusName>();
  const followers = [world.source, world.target].map((partner) => ({ partner, follow: followEvents(partner) }));
  return {
    async verify(timeoutMs) {
      const until = Date.now() + timeoutMs;
      const before = new Set(endings.keys());
      await untilEnded(world, load, endings, until);
      for (const { partner, follow } of followers) await untilDelivered(partner, follow, until);
      await untilRefunded(world, endings, until);

      expect(load.failures, "requests that the relay failed at").to.deep.equal([]);
      await verifyBooks(world, load, endings);
      for (const { relay } of [world.source, world.target]) {
        expect(relay.failures(), relay.name).to.deep.equal([]);
        expect(await readFaults(relay.logPath), `${relay.name}: faults in its log`).to.deep.equal([]);
      }
      for (const { client, relay } of [world.source, world.target]) {
        const { differences } = await client.ask("POST /v1/reconciliations");
        expect(differences, `${relay.name}: reconciliation`).to.deep.equal([]);
      }
      await verifyLedger(world, load);
      const fresh = [...endings].filter(([uetr]) => !before.has(uetr)).map(([, ending]) => ending);
      return new Map([...Map.groupBy(fresh, (ending) => ending)].map(([ending, all]) => [ending, all.length]));
    },
  };
}

/** Until the relay says of every accepted transfer that it has ended; once it has, it says so forever. */
async function untilEnded(
  { source: { client } }: CrashWorld,
  { sent }: Load,
  endings: Map<Uetr, TransferStatusName>,
  until: number,
): Promise<void> {
  const stands = new Map<Uetr, string>();
  const look = async (uetr: Uetr): Promise<void> => {
    const { status } = await client.transfer(uetr);
    stands.set(uetr, status);
    if (ENDED.includes(status)) endings.set(uetr, status);
  };
  for (;;) {
    const open = [...sent].filter(([uetr, { outcome }]) => outcome === "accepted" && !endings.has(uetr));
    if (open.length === 0) return;
    for (let from = 0; from < open.length; from += AT_ONCE) {
      await Promise.all(open.slice(from, from + AT_ONCE).map(([uetr]) => look(uetr)));
    }
    const left = open.map(([uetr]) => uetr).filter((uetr) => !endings.has(uetr));
    if (left.length > 0 && Date.now() > until) {
      throw new Error(
        `without an end: ${left
          .slice(0, 10)
          .map((uetr) => `${uetr} (${stands.get(uetr)})`)
          .join(", ")}`,
      );
    }
    if (left.length > 0) await delay(POLL_MS);
  }
}

/** @returns all events of the relay's API so far, each time that it is called */
function followEvents({ client, relay }: CrashPartner): () => Promise<readonly EventJson[]> {
  const events: EventJson[] = [];
  return async () => {
    for (;;) {
      const after = events.at(-1)?.id ?? "0";
      const page = await client.eventsPage({ after, limit: PAGE });
      const seqs = page.events.map(({ seq }) => seq);
      expect(seqs, `${relay.name}: events in order`).to.deep.equal([...seqs].sort((left, right) => left - right));
      events.push(...page.events);
      if (page.events.length === 0) return events;
    }
  };
}

/** Until the receiver has every event of the API, and no other. */
async function untilDelivered(
  { relay, receiver, client }: CrashPartner,
  follow: () => Promise<readonly EventJson[]>,
  until: number,
): Promise<void> {
  for (;;) {
    const due = await client.deliveries("due", PAGE);
    const ids = (await follow()).map(({ id }) => id);
    const missing = ids.filter((id) => !receiver.received.has(id));
    if (missing.length === 0 && due.length === 0) {
      expect(
        [...receiver.received.keys()].filter((id) => !ids.includes(id)),
        `${relay.name}: webhooks of no event`,
      ).to.be.empty;
      expect(receiver.refused(), `${relay.name}: webhooks that are not signed well`).to.equal(0);
      expect(await client.deliveries("dead", PAGE), `${relay.name}: dead letters`).to.be.empty;
      return;
    }
    if (Date.now() > until) {
      throw new Error(`${relay.name}: webhooks not delivered: ${missing.slice(0, 10).join(", ")}; ${due.length} due`);
    }
    await delay(POLL_MS);
  }
}

async function untilRefunded(
  { source }: CrashWorld,
  endings: ReadonlyMap<Uetr, TransferStatusName>,
  until: number,
): Promise<void> {
  const { books } = source.wallet;
  for (;;) {
    const missing = [...endings].filter(([uetr, ending]) => ending !== "credited" && !books.refunds.has(uetr));
    if (missing.length === 0) return;
    if (Date.now() > until) throw new Error(`not refunded: ${missing.map((entry) => entry.join(" ")).join(", ")}`);
    await delay(POLL_MS);
  }
}

/** The wallets' own journals: one debit each, and either one refund of all of it or one credit of what was promised. */
async function verifyBooks(
  { source, target }: CrashWorld,
  { sent }: Load,
  endings: ReadonlyMap<Uetr, TransferStatusName>,
): Promise<void> {
  await Promise.all([source.wallet.books.flush(), target.wallet.books.flush()]);
  const own = parsePostings(await readJournal(source.journalPath));
  const others = parsePostings(await readJournal(target.journalPath));
  const byUetr = Map.groupBy([...own, ...others], ({ uetr }) => uetr);
  expect(
    [...byUetr.keys()].filter((uetr) => !sent.has(uetr)),
    "postings of unknown transfers",
  ).to.be.empty;
  const wrong = [...sent].flatMap(([uetr, transfer]) => {
    const found = describePostings(byUetr.get(uetr) ?? []);
    const expected = expectedPostings(transfer, endings.get(uetr), byUetr.get(uetr) ?? []);
    return found === expected
      ? []
      : [`${uetr} ${endings.get(uetr) ?? transfer.outcome}: ${found} instead of ${expected}`];
  });
  expect(wrong, "the wallets' books").to.deep.equal([]);
}

function describePostings(postings: readonly Posting[]): string {
  return postings
    .map(({ kind, amountMinor, customer }) => `${kind} ${amountMinor} ${customer}`)
    .sort()
    .join(", ");
}

function expectedPostings(
  { order, receiveMinor }: Sent,
  ending: string | undefined,
  found: readonly Posting[],
): string {
  const debited = found.find(({ kind }) => kind === "debit")?.amountMinor;
  const debit = `debit ${debited} ${order.debtor.phone}`;
  if (ending === "credited") return [`credit ${receiveMinor} ${order.creditor.phone}`, debit].join(", ");
  return [debit, `refund ${debited} ${order.debtor.phone}`].join(", ");
}

/** What a relay's log must not have, whatever happens around it. */
async function readFaults(logPath: string): Promise<readonly string[]> {
  const lines = (await readFile(logPath, "utf8")).split("\n");
  return lines.filter((line) => /"level":"fatal"|"message":"a request failed"/.test(line));
}

/** From the ledger's events and balances, the source relay's store and the wallets' books: every minor unit is there. */
async function verifyLedger({ sandbox, source, target, movements }: CrashWorld, { sent }: Load): Promise<void> {
  const db = await openPostgres(source.databaseUrl);
  try {
    const day = {
      orders: [...sent.values()].map(({ order }) => order),
      batches: await readSentBatches(db),
      books: new Map([source, target].map(({ id, wallet }) => [id, wallet.books])),
    };
    const { currencies, balanceDifferences, unaccounted } = await reconcile(sandbox, day, movements);
    expect(
      currencies.filter(({ difference, held }) => difference !== 0n || held !== 0n).map(String),
      "currencies that do not add up",
    ).to.be.empty;
    expect(
      balanceDifferences.map(
        ({ partner, currency, expected, found }) => `${partner} ${currency}: ${found} instead of ${expected}`,
      ),
      "balances on the ledger",
    ).to.be.empty;
    expect(unaccounted, "transfers unaccounted for").to.be.empty;
  } finally {
    await db.close();
  }
}
