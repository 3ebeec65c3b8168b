import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { expect } from "chai";
import fc from "fast-check";
import hre from "hardhat";
import { deployLedger } from "../../../../ignition/deploy.ts";
import { SCOPES } from "../../../../src/schema/operator.ts";
import { problemSchema } from "../../../../src/schema/problems.ts";
import { lineResultSchema } from "../../../../src/schema/transfers.ts";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { formatAddresses } from "../../../../src/ledger/deployment/config-file.ts";
import { keyInMemory } from "../../../../src/ledger/keys/signing-key.ts";
import { systemClock } from "../../../../src/kernel/clock/clock.ts";
import { parseConfigFile } from "../../../../src/app/config.ts";
import { silentLogger } from "../../../../src/kernel/telemetry/logger.ts";
import { createMetrics } from "../../../../src/kernel/telemetry/metrics.ts";
import { metricsOf } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import { issueApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { generatePeerKeys, publicPeerKeys } from "../../../../src/features/peers/keys.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { serveChain } from "../../../../sandbox/chain-server.ts";
import { PROVIDERS, sandboxConfig, sandboxKeys } from "../../../../sandbox/network.ts";
import { fund } from "../../../../sandbox/funding.ts";
import { freePorts } from "../../../../deploy/bft/ports.ts";
import { emptyDatabase } from "../../../../sandbox/databases.ts";
import { openSandbox, registerEndpoint, type Sandbox } from "../../../../sandbox/sandbox.ts";
import { startRelay, type RunningRelay } from "../../../../src/app/relay.ts";
import type { Database } from "../../../../src/kernel/store/database.ts";
import { migrate } from "../../../../src/kernel/store/migrate.ts";
import { openPgliteSchemas } from "../../../../src/kernel/store/pglite.ts";
import { createSealer } from "../../../../src/kernel/store/sealer.ts";
import {
  operationsOf,
  requestTo,
  send,
  type Answer,
  type OpenApi,
  type Operation,
  type Request,
} from "./fuzz-requests.ts";
import { ALIPAY_HK, fakeProviders, GCASH, setBalance, submission } from "../../support/api.ts";

const SEED = Number.parseInt(process.env["FEIQIAN_FUZZ_SEED"] ?? String(randomBytes(4).readUInt32BE()), 10);
const RUNS = Number.parseInt(process.env["FEIQIAN_FUZZ_RUNS"] ?? "80", 10);
const TIMEOUT_MS = 120_000;
/** What the API takes of a body that is not a stream. */
const BODY_LIMIT_BYTES = 65_536;
const DOCUMENT = "docs/openapi.json";
/**
 * Tables that requests may change though they are refused: the audit log tells of refusals, and providers' standing
 * quotes belong to the relay, not to who has asked. What is reserved of a quote is compared. A refusal that stands is
 * written down before it is told, and counted: of the sums of orders those of no refusal are compared.
 */
const EXEMPT = new Set(["audit_log", "order_sums", "provider_funds", "provider_quotes", "refusals"]);
/** What an operation counts whatever comes of it, as the look-ups of who guesses at numbers: after it has been judged. */
const COUNTED: Readonly<Record<string, { readonly table: string; readonly statuses: readonly number[] }>> = {
  "POST /v1/payees/lookup": { table: "lookup_usage", statuses: [404, 503] },
  "POST /v1/requests/resolve": { table: "lookup_usage", statuses: [404, 503] },
  "POST /v1/bills/lookup": { table: "lookup_usage", statuses: [404, 503] },
  "GET /v1/billers/{partner}": { table: "lookup_usage", statuses: [503] },
};

/** Those of the routes between relays do not name the request. */
const anyProblem = problemSchema.partial({ instance: true });

describe("the API, given what nobody should send", function () {
  // The committed document: what callers go by.
  const document = JSON.parse(readFileSync(DOCUMENT, "utf8")) as OpenApi;
  const stops: (() => Promise<unknown>)[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  let relay: RunningRelay;
  let db: Database;
  let base: URL;
  let key: (scopes: readonly (typeof SCOPES)[number][], more?: { expiresAt?: number }) => Promise<string>;
  let ids: Ids;
  let unusable: readonly string[];

  before(async () => {
    console.log(`      to repeat these requests: FEIQIAN_FUZZ_SEED=${SEED} FEIQIAN_FUZZ_RUNS=${RUNS}`);
    ({ relay, db } = await startRelays(stops));
    base = new URL(relay.url);
    key = async (scopes, more = {}) => {
      const { text } = await issueApiKey(relay.context, { label: "fuzz", scopes, rateLimit: 10_000_000, ...more });
      return `Bearer ${text}`;
    };
    const full = await key(SCOPES);
    ids = await makeThings(base, agent, full);
    unusable = [
      ...[
        "",
        "Bearer",
        "Bearer ",
        "bearer x",
        "Basic Zm9vOmJhcg==",
        "Bearer fq_1_2",
        `Bearer fq_${"0".repeat(16)}_${"A".repeat(43)}`,
      ],
      ...[`${full}x`, full.slice(0, -1), `Bearer ${"y".repeat(6_000)}`, await key(["read"]), await key(["submit"])],
      await key(SCOPES, { expiresAt: systemClock.nowMs() - 1 }),
    ];
  });

  after(async () => {
    agent.destroy();
    for (const stop of stops.reverse()) await stop();
  });

  for (const operation of operationsOf(document)) {
    it(`${operation.name}: no 5xx, no silence, problem documents, and nothing changed by what is refused`, async () => {
      // A key of its own, for requests can be about the key itself.
      const callers = { full: await key(SCOPES), others: unusable };
      const requests = requestTo(operation, document, callers, (name) => ids[name] ?? ["1"], BODY_LIMIT_BYTES);
      const look = fingerprints(db);
      let before = await look();
      const check = async (request: Request): Promise<void> => {
        const answer = await send(base, agent, request, TIMEOUT_MS);
        expectAnswered(request, answer);
        const after = await look();
        const changed = [...after].filter(([table, rows]) => before.get(table) !== rows).map(([table]) => table);
        before = after;
        const counted = COUNTED[operation.name];
        const unexplained = counted?.statuses.includes(answer.status)
          ? changed.filter((table) => table !== counted.table)
          : changed;
        if (isRefusal(answer)) expect(unexplained, `changed by ${answer.status} ${answer.text}`).to.deep.equal([]);
        if (answer.type.startsWith("application/x-ndjson")) expectLines(answer);
      };
      await fc.assert(fc.asyncProperty(requests, check), { seed: SEED, numRuns: RUNS, endOnFailure: false });
    });
  }

  it("what is no resource at all", async () => {
    const operation: Operation = { name: "", method: "POST", path: "/{anything}", parameters: [], bodies: new Map() };
    const callers = { full: await key(SCOPES), others: unusable };
    const paths = [
      "v1",
      "v1/transfers/",
      "peer/v1/payloads",
      "peer/v1/confirmations",
      "peer/v1/lookups",
      "v2",
      "//",
      ".git",
    ];
    const before = await fingerprint(db);
    const requests = requestTo(operation, document, callers, () => paths, BODY_LIMIT_BYTES);
    const check = async (request: Request): Promise<void> => {
      expectAnswered(request, await send(base, agent, request, TIMEOUT_MS));
    };
    await fc.assert(fc.asyncProperty(requests, check), { seed: SEED, numRuns: RUNS });
    expect(await fingerprint(db)).to.deep.equal(before);
  });

  it("still serves what is right, afterwards", async () => {
    const authorization = await key(SCOPES);
    const body = Buffer.from(JSON.stringify(submission()));
    const headers = { authorization, "content-type": "application/json" };
    const answer = await send(
      base,
      agent,
      { from: "127.0.0.1", method: "POST", target: "/v1/transfers", headers, body },
      TIMEOUT_MS,
    );
    expect(answer.status, answer.text).to.equal(202);
  });
});

type Ids = Readonly<Record<string, readonly string[]>>;

const OTHERS_SILENT = ["partner-unavailable", "quotes-unavailable"];

function isRefusal({ status }: Answer): boolean {
  return status >= 400;
}

function expectAnswered({ method, target }: Request, { status, type, text }: Answer): void {
  const where = `${method} ${target.slice(0, 200)}: ${status} ${text.slice(0, 500)}`;
  // That somebody else did not answer in time is told as it is, and is not this relay's failure.
  if (status === 503) expect(JSON.parse(text), where).to.have.property("code").that.is.oneOf(OTHERS_SILENT);
  else expect(status, where).to.be.below(500);
  expect(status, where).to.be.at.least(200);
  // Who is not listened to any more finds nothing.
  expect(status, where).to.not.equal(429);
  // HEAD has no body.
  if (status < 400 || method === "HEAD") return;
  expect(type, where).to.match(/^application\/problem\+json\b/);
  const problem = anyProblem.safeParse(JSON.parse(text));
  expect(problem.success, where).to.be.true;
  expect(problem.data?.status, where).to.equal(status);
}

function expectLines({ text }: Answer): void {
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const result = lineResultSchema.parse(JSON.parse(line));
    expect(result.status, line.slice(0, 500)).to.be.below(500);
    expect(result.acceptance === undefined, line.slice(0, 500)).to.equal(result.status >= 400);
  }
}

/** Goes through all tables again only where something was written: what does not move the log changes no table. */
function fingerprints(db: Database): () => Promise<ReadonlyMap<string, string>> {
  let logged: string | undefined;
  let last: ReadonlyMap<string, string> = new Map();
  return async () => {
    const [row] = await db.query<{ end: string }>('SELECT pg_current_wal_insert_lsn()::text AS "end"');
    if (row === undefined || row.end !== logged) last = await fingerprint(db);
    logged = row?.end;
    return last;
  };
}

/** Of each table: how many rows, and a digest of them all. */
async function fingerprint(db: Database): Promise<ReadonlyMap<string, string>> {
  const tables = await db.query<{ name: string }>(
    `SELECT table_name::text AS name FROM information_schema.tables
     WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1`,
  );
  const digests = tables
    .filter(({ name }) => !EXEMPT.has(name))
    .map(({ name }) => digestOf(name, "t::text", `"${name}" t`));
  const reserved = digestOf(
    "provider_quotes.reserved",
    "encode(id, 'hex') || reserved",
    "provider_quotes WHERE reserved > 0",
  );
  const ended = digestOf("order_sums", "s::text", "order_sums s WHERE outcome <> 'refused'");
  const rows = await db.query<{ name: string; digest: string }>([...digests, reserved, ended].join(" UNION ALL "));
  return new Map(rows.map(({ name, digest }) => [name, digest]));
}

function digestOf(name: string, row: string, from: string): string {
  return `SELECT '${name}' AS name, count(*) || ' ' || md5(coalesce(string_agg(${row}, '|' ORDER BY ${row}), '')) AS digest FROM ${from}`;
}

/** Things whose ids requests are about. */
async function makeThings(base: URL, agent: Agent, authorization: string): Promise<Ids> {
  const post = async (target: string, sent: unknown): Promise<Record<string, unknown>> => {
    const headers = { authorization, "content-type": "application/json" };
    const answer = await send(
      base,
      agent,
      { from: "127.0.0.1", method: "POST", target, headers, body: Buffer.from(JSON.stringify(sent)) },
      TIMEOUT_MS,
    );
    expect(answer.status, answer.text).to.be.within(200, 299);
    return JSON.parse(answer.text) as Record<string, unknown>;
  };
  const transfers = [submission(), submission(), submission({ ifUnfunded: "wait" })];
  for (const transfer of transfers) await post("/v1/transfers", transfer);
  const cancelled = transfers[0]?.uetr ?? "";
  await post(`/v1/transfers/${cancelled}/cancel`, {});
  const quote = await post("/v1/quotes", { target: GCASH, amount: { send: { currency: "HKD", minor: "1000" } } });
  const webhook = await post("/v1/webhooks", { url: "http://127.0.0.1:9/never" });
  const created = await post("/v1/keys", { label: "to be fuzzed", scopes: ["read"] });
  const unknown = "00000000-0000-4000-8000-000000000000";
  return {
    uetr: [...transfers.map(({ uetr }) => uetr), unknown],
    id: [String(quote["id"]), String(webhook["id"]), String(created["id"]), unknown],
    event: ["1", "0", "999999999"],
  };
}

/** The relay under test and one that it asks for payees, with a ledger, and without their steps, once that is read: only requests act. */
async function startRelays(stops: (() => Promise<unknown>)[]): Promise<{ relay: RunningRelay; db: Database }> {
  const connection = await hre.network.create({
    override: { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true },
  });
  stops.push(() => connection.close());
  const config = sandboxConfig(sandboxKeys());
  const addresses = await deployLedger(connection, config);
  const node = await serveChain(connection.provider);
  stops.push(() => node.stop());
  const sandbox = await openSandbox(connection.ethers.provider, addresses, config);
  // Who has none of the money sells none.
  const php = parseCurrency("PHP").code;
  await fund(
    sandbox,
    PROVIDERS.map(({ id }) => ({ partner: id, currency: php, amountMinor: 10n ** 15n })),
  );
  const store = await openPgliteSchemas(undefined, await emptyDatabase());
  stops.push(() => store.close());
  const [port = 0, otherPort = 0] = await freePorts(2);
  const common = { sandbox, rpcUrl: node.url, stops };
  await startIdle({ ...common, partner: GCASH, port: otherPort, db: await store.database("target") });
  const db = await store.database("source");
  const relay = await startIdle({ ...common, partner: ALIPAY_HK, port, db });
  // What it tells of the ledger it has read of it.
  while (await watcherStep(relay.context));
  await setBalance(db, "HKD", 10n ** 12n, sandbox.ledger.addresses.treasury);
  return { relay, db };
}

interface IdleRelay {
  readonly sandbox: Sandbox;
  readonly rpcUrl: string;
  readonly stops: (() => Promise<unknown>)[];
  readonly partner: typeof GCASH;
  readonly port: number;
  readonly db: Database;
}

/** A relay whose steps never run: another has the lease. */
async function startIdle({ sandbox, rpcUrl, stops, partner, port, db }: IdleRelay): Promise<RunningRelay> {
  const url = `http://127.0.0.1:${port}`;
  await migrate(db);
  const lease = await db.tryLease("relay.steps");
  expect(lease, "the lease of the steps").to.not.be.undefined;
  const peerKeys = generatePeerKeys();
  await registerEndpoint(sandbox, partner, { url, ...publicPeerKeys(peerKeys) });
  const operator = keyInMemory(sandbox.keys.walletOf({ kind: "operator", partner }).privateKey);
  const inHand = { keystore: "in this process" };
  const file = {
    partner,
    api: { port, publicUrl: url },
    ledger: { rpcUrls: [rpcUrl], addresses: {} },
    keys: { send: inHand, accept: inHand, transactions: inHand },
    peer: { keys: inHand.keystore },
    registry: { trustedNetworks: ["127.0.0.0/8"] },
    wallet: { url: "http://127.0.0.1:9" },
    // Other tests may have moved the chain's time.
    clock: { maxSkewSeconds: 0 },
  };
  const {
    keys: _keys,
    peer: _peer,
    database: _database,
    dataKey: _dataKey,
    wallet: _wallet,
    ...parsed
  } = parseConfigFile(JSON.stringify(file));
  const relay = await startRelay(
    { ...parsed, ledger: { ...parsed.ledger, addressesJson: formatAddresses(sandbox.ledger.addresses) } },
    {
      db,
      sealer: createSealer({ current: new Uint8Array(32).fill(7) }),
      keys: { send: operator, accept: operator, transactions: operator },
      peerKeys,
      providers: fakeProviders((provider) => sandbox.keys.addressOf({ kind: "operator", partner: provider })),
      wallet: {
        mostCredits: 100,
        lookup: ({ value }) =>
          Promise.resolve(
            value.endsWith("7") ? { found: true, name: "Maria Dela Cruz" } : { found: false, reason: "BE23" },
          ),
        check: () => Promise.reject(new Error("nothing is credited here")),
        credit: () => Promise.reject(new Error("nothing is credited here")),
        billers: () => Promise.resolve([]),
        findBill: () => Promise.resolve(undefined),
      },
      metrics: createMetrics({ partner, process: false }, metricsOf(FEATURES)),
      log: silentLogger,
    },
  );
  stops.push(() => relay.stop());
  return relay;
}
