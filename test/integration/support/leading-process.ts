// A process that, while it leads, writes down again and again that it does. Started by leading.test.ts with a database.
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { createWake, runSteps } from "../../../src/kernel/steps/loop.ts";
import { fencedDatabase } from "../../../src/app/fenced.ts";
import { startLeader } from "../../../src/app/leader.ts";
import { openPostgres } from "../../../src/kernel/store/postgres.ts";

const [url = ""] = process.argv.slice(2);
const db = await openPostgres(url);
startLeader({
  db,
  clock: systemClock,
  log: silentLogger,
  retryMs: 100,
  lead(lease) {
    const fenced = fencedDatabase(db, lease);
    const run = async (): Promise<boolean> => {
      await fenced.transaction((tx) =>
        tx.query("INSERT INTO ticks (pid, epoch) VALUES ($1, $2)", [process.pid, lease.epoch]),
      );
      return false;
    };
    return runSteps([{ name: "tick", run }], {
      ...{ wake: createWake<"tick">(), clock: systemClock, pollIntervalMs: 5 },
      ...{ retry: { firstDelayMs: 10, maxDelayMs: 100 }, onError: () => undefined },
    });
  },
  onChange: () => undefined,
  onFatal: () => undefined,
});
process.on("disconnect", () => process.exit());
