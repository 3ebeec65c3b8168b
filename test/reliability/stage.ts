import type { SandboxPlace } from "../../scripts/lib/sandbox-ledger.ts";
import { createRandom } from "../../src/kernel/random.ts";
import { renderTable } from "../../src/kernel/table.ts";
import { startPostgres, type PostgresServer } from "../integration/support/postgres.ts";
import { startLoad, type Load } from "./load.ts";
import { createVerifier, type Endings, type Verifier } from "./verify.ts";
import { START_TIMEOUT_MS, startWorld, type CrashWorld } from "./world.ts";

export interface StageOptions {
  readonly seed: string;
  /** Transfers that customers send in a second while a scenario runs. */
  readonly perSecond: number;
  /** What the ledger is deployed on, opened when the tests begin; a chain in this process where it is left out. */
  readonly place?: () => Promise<SandboxPlace>;
  /** How many SIGKILLs there have been, for the table at the end. */
  readonly kills: () => number;
}

/** One world for all scenarios of a file, and what came of each. */
export interface Stage {
  /** Once the tests have begun. */
  opened(): { readonly world: CrashWorld; readonly load: Load };
  /** Runs a scenario under load; at its end, every transfer must have come to a good end. */
  readonly underLoad: (scenario: string, work: () => Promise<void>) => Promise<Endings>;
}

interface Row {
  readonly scenario: string;
  readonly kills: number;
  readonly endings: Endings;
}

const VERIFY_TIMEOUT_MS = 120_000;

/** Opens the world before the tests of a `describe`, in which it is called, and closes it after them. */
export function openStage({ seed, perSecond, place, kills }: StageOptions): Stage {
  const rows: Row[] = [];
  let postgres: PostgresServer | undefined;
  let up: { readonly world: CrashWorld; readonly load: Load; readonly verifier: Verifier } | undefined;
  let hasFailed = false;

  before(async function () {
    // So that what is to be done at the exit is done.
    process.once("SIGTERM", () => process.exit(1));
    postgres = await startPostgres();
    if (postgres === undefined) {
      console.warn("      SKIPPED: these tests need PostgreSQL, which is not installed (Debian: postgresql)");
      this.skip();
    }
    const world = await startWorld(postgres, `feiqian world ${seed}`, await place?.());
    const load = await startLoad(world, createRandom(`feiqian load ${seed}`), perSecond);
    up = { world, load, verifier: createVerifier(world, load) };
  });

  afterEach(function () {
    hasFailed ||= this.currentTest?.state === "failed";
  });

  after(async () => {
    if (rows.length > 0) console.log(tableOf(rows));
    if (up !== undefined) {
      if (hasFailed) console.log(`      the relays' logs and the wallets' journals: ${up.world.folder}`);
      up.load.stop();
      await up.world.stop(hasFailed);
    }
    await postgres?.stop();
  });

  const opened = () => {
    if (up === undefined) throw new Error("the world is not up");
    return up;
  };
  return {
    opened,
    async underLoad(scenario, work) {
      const { world, load, verifier } = opened();
      const before = kills();
      load.resume();
      await work();
      await Promise.all([world.source, world.target].map(({ relay }) => relay.ready(START_TIMEOUT_MS)));
      await load.pause(VERIFY_TIMEOUT_MS);
      const endings = await verifier.verify(VERIFY_TIMEOUT_MS);
      rows.push({ scenario, kills: kills() - before, endings });
      return endings;
    },
  };
}
function tableOf(rows: readonly Row[]): string {
  const all = [...Map.groupBy(rows, ({ scenario }) => scenario)].map(([scenario, same]) => ({
    scenario,
    kills: same.reduce((sum, { kills }) => sum + kills, 0),
    ended: (ending: string) => same.reduce((sum, { endings }) => sum + (endings.get(ending) ?? 0), 0),
  }));
  type Line = (typeof all)[number];
  const count = (title: string) => ({
    title,
    value: ({ ended }: Line) => String(ended(title)),
    align: "right" as const,
  });
  return renderTable(
    [
      { title: "scenario", value: ({ scenario }: Line) => scenario },
      { title: "kills", value: ({ kills }: Line) => String(kills), align: "right" },
      ...["credited", "rejected", "expired", "failed", "cancelled"].map(count),
    ],
    [
      ...all,
      {
        scenario: "all",
        kills: all.reduce((sum, { kills }) => sum + kills, 0),
        ended: (ending) => all.reduce((sum, { ended }) => sum + ended(ending), 0),
      },
    ],
  );
}
