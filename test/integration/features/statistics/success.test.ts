import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { compose } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import { dayOf, formatDay, startOf } from "../../../../src/domain/day.ts";
import type { ReasonCode } from "../../../../src/domain/reason.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { issueApiKey } from "../../../../src/kernel/access/api-keys.ts";
import { createServer } from "../../../../src/kernel/http/server.ts";
import { createRandom } from "../../../../src/kernel/random.ts";
import { beatCall, expireCall } from "../../../../src/ledger/calls.ts";
import { formatAddresses } from "../../../../src/ledger/deployment/config-file.ts";
import type { SuccessJson } from "../../../../src/schema/statistics.ts";
import type { Sandbox } from "../../../../sandbox/sandbox.ts";
import { makeBatch, makeSettlement, type OpenableBatch } from "../../../support/batches.ts";
import type { Refusals } from "../../../support/transfers.ts";
import { run as feiqian } from "../../../unit/cli/fixtures.ts";
import {
  CNY_TO_PHP,
  fundedLedger,
  GCASH,
  HKD_TO_HKD,
  HKD_TO_PHP,
  HUB,
  networkHelpers,
  runPastExpiry,
} from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { startHttpNode } from "../../support/http.ts";
import { switched } from "../../support/moving.ts";
import { run, SETTINGS, testRelay, type TestRelay } from "../../support/relay-context.ts";
import { secondRegistry } from "../../support/second-registry.ts";

const CORRIDORS = [HKD_TO_PHP, CNY_TO_PHP, HKD_TO_HKD];
/** The last is none of the network's: the ledger takes any. */
const CODES = ["AC03", "AM04", "RR04", "AB09", "ZZ99" as ReasonCode] as const;
const CLASS_OF: Readonly<Record<string, string>> = {
  AC03: "payee",
  AM04: "liquidity",
  RR04: "compliance",
  AB09: "technical",
  "0x5a5a3939": "untold",
  AB03: "time",
};
const ENDINGS = ["settled", "some rejected", "all rejected", "left open", "ended too late", "expired"] as const;

describeOnBothDatabases("success on the ledger", (open) => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "feiqian-success-"))));
  afterEach(() => rm(folder, { recursive: true }));

  it("is counted the same by three relays, by a stranger, and by who has made the transfers", async function () {
    this.timeout(600_000);
    const sandbox = await fundedLedger();
    const relays = [
      await testRelay({ db: await open(), sandbox }),
      await testRelay({ db: await open(), sandbox, partner: HUB }),
      // It reads everything at the end, and in other ranges.
      await testRelay({
        db: await open(),
        sandbox,
        partner: GCASH,
        settings: { ledger: { ...SETTINGS.ledger, maxBlockRange: 5 } },
      }),
    ];
    const { firstDay, lastDay, expected } = await liveDays(sandbox, async () => {
      for (const relay of relays.slice(0, 2)) await run(relay, watcherStep);
    });
    for (const relay of relays) await run(relay, watcherStep);
    const query = `from=${formatDay(firstDay)}&to=${formatDay(lastDay)}`;
    const [told, ...others] = await Promise.all(relays.map((relay) => ask(relay, query)));
    if (told === undefined) throw new Error("there are three relays");
    for (const other of others) expect(other).to.deep.equal(told);
    expect(await stranger(sandbox, firstDay, lastDay, told.block)).to.deep.equal(told);
    expect(flat(told)).to.deep.equal(expected);
    expect(told.corridors.filter(({ isProvisional }) => isProvisional)).to.deep.equal([]);
    expect(told.total.rate, "of more than thirty").to.match(/^\d\d\.\d\d$/);
    expect(told.corridors.filter(({ rate }) => rate !== undefined)).to.deep.equal([]);
  });

  it("is not told before the ledger has been read, nor while a registry has not been", async () => {
    const sandbox = await fundedLedger();
    const relay = await testRelay({ db: await open(), sandbox });
    const inject = await served(relay);
    expect((await inject("")).json()).to.include({ code: "unavailable", status: 503 });
    await run(relay, watcherStep);
    expect((await inject("")).statusCode).to.equal(200);

    const { moved } = await secondRegistry(sandbox);
    await run(relay, watcherStep);
    const after = switched(relay, moved);
    const injectAfter = await served(after);
    expect((await injectAfter("")).json()).to.include({ code: "unavailable", status: 503 });
    await run(after, watcherStep);
    expect((await injectAfter("")).statusCode).to.equal(200);
  });

  it("is of days that there are, and of no more than fit an answer", async () => {
    const relay = await testRelay({ db: await open() });
    await run(relay, watcherStep);
    const inject = await served(relay);
    for (const [query, field] of [
      ["?from=2026-02-30", "from"],
      ["?to=yesterday", "to"],
      ["?from=2026-11-02&to=2026-11-01", "from"],
      ["?from=2026-01-01&to=2026-04-03", "from"],
      ["?day=2026-01-01", "day"],
    ] as const) {
      const answer = await inject(query);
      expect([query, answer.statusCode], answer.body).to.deep.equal([query, 400]);
      expect(answer.body).to.contain(field);
    }
    expect((await inject("?from=2026-01-01&to=2026-04-02")).statusCode).to.equal(200);
  });

  /** By a node and the addresses' file alone. */
  async function stranger(sandbox: Sandbox, from: number, to: number, block: number): Promise<unknown> {
    const file = join(folder, "addresses.json");
    await writeFile(file, formatAddresses(sandbox.ledger.addresses));
    const node = await startHttpNode();
    try {
      const days = ["--from", formatDay(from), "--to", formatDay(to), "--block", String(block)];
      const ran = await feiqian(["stats", "success", "--json", "--ledger", node.url, "--addresses", file, ...days], {
        fetch,
        environment: {},
      });
      expect(ran.code, ran.err).to.equal(0);
      return JSON.parse(ran.out) as unknown;
    } finally {
      await node.close();
    }
  }
});

/** How many transfers, by day, corridor and outcome. */
type Expected = Readonly<Record<string, number>>;

/**
 * Some days on the ledger: each corridor has batches that end in every way, some of them on another day.
 * @param afterEach is called when a day is over
 */
async function liveDays(
  sandbox: Sandbox,
  afterEach: () => Promise<void>,
): Promise<{ readonly firstDay: number; readonly lastDay: number; readonly expected: Expected }> {
  const courier = await sandbox.submitterOf({ kind: "courier" });
  const random = createRandom("success");
  const expected: Record<string, number> = {};
  const firstDay = dayOf(await networkHelpers.time.latest()) + 1;
  const lastDay = firstDay + 2;
  const late: OpenableBatch[] = [];
  for (let day = firstDay; day <= lastDay; day++) {
    await startDay(sandbox, day);
    for (const [index, corridor] of CORRIDORS.entries()) {
      for (const ending of ENDINGS) {
        const add = (what: string, transfers: number) => {
          const key = `${formatDay(day)} ${corridor.source}-${corridor.target} ${corridor.targetCurrency} ${what}`;
          expected[key] = (expected[key] ?? 0) + transfers;
        };
        const count = 2 + random.below(3);
        const seed = `${day} ${index} ${ending}`;
        const batch = await makeBatch(sandbox, { corridor, count, seed });
        await courier.submit(batch.open);
        add("opened", count);
        if (ending === "left open") add("open", count);
        else if (ending === "ended too late") {
          add("open", count);
          late.push(batch);
        } else if (ending === "expired") {
          // Over midnight where it is the day's last: it belongs to the day on which it was opened.
          if (index === CORRIDORS.length - 1) await startDay(sandbox, day + 1);
          await runPastExpiry(sandbox, batch);
          await courier.submit(expireCall(sandbox.ledger, batch.header));
          add("AB03", count);
        } else {
          const refused = ending === "settled" ? 0 : ending === "some rejected" ? 1 : count;
          const refusals: Record<number, ReasonCode> = {};
          for (let place = 0; place < refused; place++) {
            const code = CODES[random.below(CODES.length)] ?? "AC03";
            refusals[place] = code;
            add(code === ("ZZ99" as ReasonCode) ? "0x5a5a3939" : code, 1);
          }
          await courier.submit(await makeSettlement(sandbox, batch, refusals satisfies Refusals));
          if (count > refused) add("settled", count - refused);
        }
      }
    }
    await afterEach();
  }
  // Three days after the last of them: of the figures of those days nothing changes any more.
  await startDay(sandbox, lastDay + 1);
  await startDay(sandbox, lastDay + 3);
  for (const batch of late) {
    await runPastExpiry(sandbox, batch);
    await courier.submit(expireCall(sandbox.ledger, batch.header));
  }
  return { firstDay, lastDay, expected };
}

/** Goes on to some time in a day, unless it is later already. */
async function startDay({ ledger, submitterOf }: Sandbox, day: number): Promise<void> {
  if ((await networkHelpers.time.latest()) < startOf(day)) await networkHelpers.time.increaseTo(startOf(day) + 5);
  await (await submitterOf({ kind: "courier" })).submit(beatCall(ledger));
}

function flat({ corridors }: SuccessJson): Expected {
  const found: Record<string, number> = {};
  for (const { day, source, target, targetCurrency, opened, settled, open, unpaid, rejected, expired } of corridors) {
    const put = (what: string, transfers: number) => {
      if (transfers > 0) found[`${day} ${source}-${target} ${targetCurrency} ${what}`] = transfers;
    };
    put("opened", opened);
    put("settled", settled);
    put("open", open);
    for (const { reason, class: reasonClass, transfers } of unpaid) {
      put(reason, transfers);
      expect(reasonClass).to.equal(CLASS_OF[reason]);
    }
    expect(opened).to.equal(settled + rejected + expired + open);
  }
  return found;
}

async function served(relay: TestRelay) {
  const composition = await compose(FEATURES);
  const readiness = () => Promise.resolve({ ready: true, reasons: [] });
  const app = await createServer(relay, { ...composition.served(relay), readiness });
  const { text } = await issueApiKey(relay, { label: "test", scopes: ["read"], rateLimit: 1_000 });
  const headers = { authorization: `Bearer ${text}` };
  return (query: string) => app.inject({ method: "GET", url: `/v1/stats/success${query}`, headers });
}

async function ask(relay: TestRelay, query: string): Promise<SuccessJson> {
  const answer = await (await served(relay))(`?${query}`);
  expect(answer.statusCode, answer.body).to.equal(200);
  return answer.json();
}
