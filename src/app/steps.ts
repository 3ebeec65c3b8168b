import type { Step, StepName } from "../features/context.ts";
import { pricingStep } from "../features/pricing/pricing.ts";
import { batcherStep } from "../features/remittance/steps/batcher.ts";
import { confirmerStep } from "../features/remittance/steps/confirmer.ts";
import { courierStep } from "../features/remittance/steps/courier.ts";
import { crediterStep } from "../features/remittance/steps/crediter.ts";
import { liquidityStep } from "../features/liquidity/liquidity.ts";
import { notifierStep } from "../features/notifications/notifier.ts";
import { openerStep } from "../features/remittance/steps/opener.ts";
import { resealerStep } from "../features/operators/resealer.ts";
import { responderStep } from "../features/remittance/steps/responder.ts";
import { settlerStep } from "../features/remittance/steps/settler.ts";
import { sweeperStep } from "../features/remittance/steps/sweeper.ts";
import { watcherStep } from "../features/remittance/steps/watcher.ts";

/** Every step of a relay, by its name. */
export const RELAY_STEPS: Readonly<Record<StepName, Step>> = {
  watcher: watcherStep,
  pricing: pricingStep,
  batcher: batcherStep,
  opener: openerStep,
  courier: courierStep,
  responder: responderStep,
  settler: settlerStep,
  crediter: crediterStep,
  confirmer: confirmerStep,
  notifier: notifierStep,
  sweeper: sweeperStep,
  liquidity: liquidityStep,
  resealer: resealerStep,
};

/**
 * How often each step looks for work that nobody has told it of: work of another process on the same database, or that
 * has come due. The watcher goes by the configuration.
 */
export const POLL_INTERVALS_MS: Readonly<Record<Exclude<StepName, "watcher">, number>> = {
  pricing: 1_000,
  batcher: 250,
  opener: 1_000,
  courier: 1_000,
  responder: 500,
  settler: 1_000,
  crediter: 1_000,
  confirmer: 1_000,
  notifier: 1_000,
  sweeper: 2_000,
  liquidity: 2_000,
  resealer: 5_000,
};
