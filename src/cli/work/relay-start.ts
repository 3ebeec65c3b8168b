import { createLogger } from "../../kernel/telemetry/logger.ts";
import { stopOnSignal } from "../../kernel/shutdown.ts";
import { startRelay } from "../../app/relay.ts";
import { configOf } from "../config.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import type { Session } from "../../command/session.ts";

const MS = 1_000;

/** Runs a relay until the process is told to stop. */
export async function start(session: Session): Promise<void> {
  const { io } = session;
  const config = await configOf(session);
  const log = createLogger({ level: config.log.level, fields: { partner: config.partner }, destination: io.out });
  const relay = await startRelay(config, { log, clock: io.clock, fetch: io.fetch, drawBytes: io.drawBytes });
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  stopOnSignal(() => relay.stop(), config.shutdown.drainSeconds * MS, {
    log,
    clock: io.clock,
    process: { on: io.onStop, exit: resolve },
  });
  const code = await ended;
  if (code !== 0) throw new CommandFailure("INTERNAL", "not all that was under way could be ended; see the log");
}
