import type { Clock } from "./clock/clock.ts";
import type { Logger } from "./telemetry/logger.ts";

/** The part of a process that ends it. */
export interface Stoppable {
  on(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  exit(code: number): void;
}

/** Ended by a signal a second time, or drained for too long. */
const EXIT_FORCED = 1;

/**
 * Drains on SIGTERM or SIGINT, then ends the process: with 0 when drained, and with 1 when that failed, took longer than
 * the limit, or a second signal says not to wait.
 */
export function stopOnSignal(
  drain: () => Promise<void>,
  limitMs: number,
  { log, clock, process }: { readonly log: Logger; readonly clock: Clock; readonly process: Stoppable },
): void {
  let isDraining = false;
  const stop = (signal: string): void => {
    if (isDraining) {
      log.warn({ signal }, "second signal: stopping without waiting");
      process.exit(EXIT_FORCED);
      return;
    }
    isDraining = true;
    log.info({ signal }, "draining");
    const late = clock.sleep(limitMs).then(() => {
      throw new Error(`not drained within ${limitMs} ms`);
    });
    Promise.race([drain(), late]).then(
      () => {
        log.info("drained");
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ error }, "not drained");
        process.exit(EXIT_FORCED);
      },
    );
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
}
