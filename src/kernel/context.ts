import type { ProblemTable } from "../schema/problems.ts";
import type { Clock } from "./clock/clock.ts";
import type { Sealer } from "./store/sealer.ts";
import type { Database } from "./store/database.ts";
import type { Wake } from "./steps/loop.ts";
import type { StepName } from "./steps/step.ts";
import type { Logger } from "./telemetry/logger.ts";
import type { KernelMetrics } from "./telemetry/metrics.ts";
import type { Tracer } from "./telemetry/tracing.ts";

/** What every part of a relay works with. All that is not of this process arrives here, so that tests can decide it. */
export interface KernelContext {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** Random bytes that cannot be guessed. */
  readonly drawBytes: (length: number) => Uint8Array;
  readonly log: Logger;
  readonly metrics: KernelMetrics;
  /** What can be answered with instead of what was asked for. */
  readonly problems: ProblemTable;
  readonly tracer: Tracer;
  /** Tells a step of this process that there may be work for it. */
  readonly wake: Wake<StepName>;
}
