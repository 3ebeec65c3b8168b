import { expect } from "chai";
import type { FastifyInstance } from "fastify";
import { compose } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import { eraseByAge } from "../../../../src/features/operators/erasure.ts";
import { reconcile } from "../../../../src/features/reconciliation/reconciler.ts";
import { issueApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { createServer } from "../../../../src/kernel/http/server.ts";
import type { Database, Queryable } from "../../../../src/kernel/store/database.ts";
import { newUetr, submission } from "../../support/api.ts";
import { describeOn, type OpenDatabase } from "../../support/databases.ts";
import { startPair, type Pair } from "../../support/peers.ts";
import { startReceiver } from "../../support/receiver.ts";
import { passTime, standingQuote, type TestRelay } from "../../support/relay-context.ts";
import { ownBatch } from "../../support/relay-batches.ts";
import { loadReceived, loadSent, type History } from "./history.ts";
import { recording, type Cost, type Recorder } from "./statements.ts";

const SMALL: History = { transfers: 10_000, waiting: 100, perBatch: 5 };
/** With what hangs on them, at both relays, half a million rows. */
const LARGE: History = { transfers: transfersAtSize(), waiting: 100, perBatch: 5 };
/** So that what has failed is not due while the test runs. */
const LONGEST_PAUSE_MS = 86_400_000;
const CROWDED: History = { transfers: 60_000, waiting: 50_000, perBatch: 1_000 };

/** How much more a statement may touch: an index that is a level or two deeper, for each row that it looks up. */
const MOST_TIMES = 2;
/** Pages, for statements that touch next to none. */
const LEAST_BUFFERS = 200;
/** A few pages for each row that it gives. */
const PAGES_PER_ROW = 6;
/** Rows that a statement may throw away, whatever is in the store. */
const MOST_DISCARDED = 1_500;
/** A table with more rows than that grows. */
const SMALL_TABLE = 1_000;

/** What statements cost, by who sends them and their text. */
type Costs = ReadonlyMap<string, Cost>;
interface Life {
  readonly costs: Costs;
  /** Tables that grow, by whose they are. */
  readonly growing: readonly string[];
}

/** More where somebody has the time. */
function transfersAtSize(): number {
  const given = process.env["FEIQIAN_AT_SIZE"] ?? "60000";
  if (!/^[1-9][0-9]{4,8}$/.test(given)) throw new Error(`FEIQIAN_AT_SIZE: a number of transfers (given "${given}")`);
  return Number.parseInt(given, 10);
}

describeOn("PostgreSQL", "every statement of a relay", function (open) {
  let small: Costs;
  let large: Costs;
  let crowded: Costs;
  let growing: readonly string[];

  before(async function () {
    this.timeout(600_000);
    ({ costs: small } = await live(open, SMALL));
    ({ costs: large, growing } = await live(open, LARGE));
    ({ costs: crowded } = await live(open, CROWDED));
  });

  it("is looked at", () => {
    expect(large.size).to.be.greaterThan(150);
    expect(growing).to.include.members([
      ...["transfers", "batches", "confirmations", "deliveries"].map((table) => `the source's ${table}`),
      ...["credits", "payloads", "decisions", "events"].map((table) => `the target's ${table}`),
    ]);
  });

  it("reads no table that grows from one end to the other", () => {
    const scans = [...large].flatMap(([sql, cost]) => {
      const read = [...cost.scans].filter((table) => growing.includes(`${sql.split(" ", 2).join(" ")} ${table}`));
      return read.length === 0 ? [] : [`${read.join()} in ${sql}`];
    });
    expect(scans.join("\n\n")).to.equal("");
  });

  it("throws no rows away whose number grows", () => {
    const wasteful = [...large, ...crowded].flatMap(([sql, { discarded }]) =>
      discarded > MOST_DISCARDED ? [`${discarded} rows in ${sql}`] : [],
    );
    expect(wasteful.join("\n\n")).to.equal("");
  });

  it("touches as much with a long history as with a short one", () => {
    expect(growth(small, large).join("\n\n")).to.equal("");
  });

  it("touches as much with fifty thousand things waiting as with a hundred", () => {
    expect(growth(small, crowded).join("\n\n")).to.equal("");
  });
});

function growth(before: Costs, after: Costs): readonly string[] {
  return [...after].flatMap(([sql, { buffers, rows }]) => {
    const least = before.get(sql)?.buffers ?? 0;
    if (buffers <= Math.max(least * MOST_TIMES + LEAST_BUFFERS, rows * PAGES_PER_ROW)) return [];
    return [`${least} pages have become ${buffers} in ${sql}`];
  });
}

/** A pair of relays with a history does all that relays do. */
async function live(open: OpenDatabase, history: History): Promise<Life> {
  const stores: { readonly name: string; readonly recorder: Recorder }[] = [];
  const nowMs = Date.now();
  const openStore = async () => {
    const [name, load] =
      stores.length === 0 ? (["the source's", loadSent] as const) : (["the target's", loadReceived] as const);
    const db = await open();
    await load(db, { ...history, nowMs, dueMs: nowMs + LONGEST_PAUSE_MS });
    const recorder = recording(db);
    stores.push({ name, recorder });
    return recorder.db;
  };
  const pair = await startPair(openStore, { retry: { firstDelayMs: 100, maxDelayMs: LONGEST_PAUSE_MS } });
  try {
    const growing = await Promise.all(
      stores.map(async ({ name, recorder }) => (await largeTables(recorder.db)).map((table) => `${name} ${table}`)),
    );
    await work(pair, history);
    const costs = stores.flatMap(({ name, recorder }) =>
      [...recorder.costs].map(([sql, cost]) => [`${name} ${sql}`, cost] as const),
    );
    return { costs: new Map(costs), growing: growing.flat() };
  } finally {
    await pair.close();
  }
}

async function largeTables(db: Queryable): Promise<readonly string[]> {
  const tables = await db.query<{ name: string }>(
    `SELECT relname::text AS name FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND reltuples > $1`,
    [SMALL_TABLE],
  );
  return tables.map(({ name }) => name);
}

async function work(pair: Pair, { waiting }: History): Promise<void> {
  const { source, target } = pair;
  const receiver = await startReceiver();
  const [from, to] = [await serve(source), await serve(target)];
  try {
    await steps(pair);
    await standingQuote(source);
    await from.call("POST", "/v1/webhooks", { url: receiver.url });
    const uetrs = await takeIn(from);
    for (let pass = 0; pass < 12; pass++) await steps(pair);
    const [first = "", second = ""] = uetrs;
    expect(await from.call("GET", `/v1/transfers/${first}`)).to.include({ status: "credited" });
    expect(receiver.received.length).to.be.greaterThan(uetrs.length);
    await ask(from, first);
    await ask(to, first);
    await giveUp(pair);
    for (const relay of [source, target]) {
      // They go through what waits as well: of so much in so small a store PostgreSQL rather reads all.
      if (waiting > SMALL.waiting) continue;
      await reconcile({ ...relay, db: pages(relay.db) });
      await eraseByAge(relay, relay.clock.nowMs() - 3_600_000);
    }
    for (const api of [from, to]) await api.call("POST", "/v1/erasures", { uetr: second });
  } finally {
    await Promise.all([from.app.close(), to.app.close(), receiver.close()]);
  }
}

const RELAY = await compose(FEATURES);

/** Every step of both relays once. */
async function steps({ source, target }: Pair): Promise<void> {
  for (const relay of [source, target]) {
    for (const { run } of RELAY.steps) await run(relay);
    // Between them, all that waits a moment is due.
    relay.clock.advance(250);
  }
}

interface Api {
  readonly app: FastifyInstance;
  readonly call: (method: "GET" | "POST", url: string, payload?: object) => Promise<object>;
}

async function serve(relay: TestRelay): Promise<Api> {
  const readiness = () => Promise.resolve({ ready: true, reasons: [] });
  const app = await createServer(relay, { ...RELAY.served(relay), readiness });
  const { text } = await issueApiKey(relay, {
    label: "test",
    scopes: ["read", "submit", "operate"],
    rateLimit: 1_000_000,
  });
  return {
    app,
    async call(method, url, payload) {
      const headers = { authorization: `Bearer ${text}` };
      const answer = await app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
      return answer.json();
    },
  };
}

/** Alone, in a stream, again, with another content, refused, cancelled: all that submissions can be. */
async function takeIn({ call }: Api): Promise<readonly string[]> {
  const single = submission();
  const quoted = (await call("POST", "/v1/quotes", {
    target: single.target,
    amount: { send: { currency: "HKD", minor: "150000" } },
  })) as { id: string };
  await call("POST", "/v1/transfers", { ...single, amount: { quoteId: quoted.id } });
  const stream = Array.from({ length: 30 }, () => submission());
  for (const one of stream) await call("POST", "/v1/transfers", one);
  const [again = single, changed = single, ended = single] = stream;
  await call("POST", "/v1/transfers", again);
  await call("POST", "/v1/transfers", { ...changed, purpose: "GIFT" });
  await call("POST", "/v1/transfers", submission({ purpose: "gift" }));
  await call("POST", `/v1/transfers/${ended.uetr}/cancel`);
  return [single, ...stream.slice(3)].map(({ uetr }) => uetr);
}

/** All that can be asked of a relay. */
async function ask({ call }: Api, uetr: string): Promise<void> {
  const paths = [
    `/v1/transfers/${uetr}`,
    `/v1/transfers/${uetr}/receipt`,
    `/v1/transfers/${newUetr()}`,
    "/v1/balances",
    "/v1/corridors",
    "/v1/stats/success",
    "/v1/stats/orders",
    "/v1/participants",
    "/v1/events",
    "/v1/events?type=transfer.settled,credit.posted",
    "/v1/webhooks",
    "/v1/webhooks/deliveries",
    "/v1/webhooks/deliveries?state=due",
    "/v1/audit",
    "/v1/keys",
  ];
  for (const path of paths) {
    expect(await call("GET", path), path).to.satisfy((answer: { code?: string }) => {
      return answer.code === undefined || answer.code === "not-found";
    });
  }
}

/** A batch that is signed and never opened, and one that is opened and never answered. */
async function giveUp(pair: Pair): Promise<void> {
  const { source } = pair;
  await ownBatch(source, { count: 3, quoteValiditySeconds: 5 });
  await passTime(source, 30);
  await steps(pair);
}

/** A few pages of what is gone through from one end to the other: then there seem to be no more. */
function pages(db: Database): Database {
  const times = new Map<string, number>();
  return {
    ...db,
    query(sql, values) {
      const before = times.get(sql) ?? 0;
      times.set(sql, before + 1);
      return before < 3 ? db.query(sql, values) : Promise.resolve([]);
    },
  };
}
