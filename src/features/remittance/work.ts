import type { RelayWork } from "../context.ts";
import { remittanceMessages } from "./peer-messages.ts";
import { transferRoutes } from "./routes.ts";
import { batcherStep } from "./steps/batcher.ts";
import { confirmerStep } from "./steps/confirmer.ts";
import { courierStep } from "./steps/courier.ts";
import { crediterStep } from "./steps/crediter.ts";
import { openerStep } from "./steps/opener.ts";
import { proposerStep } from "./steps/proposer.ts";
import { responderStep } from "./steps/responder.ts";
import { settlerStep } from "./steps/settler.ts";
import { sweeperStep } from "./steps/sweeper.ts";
import { watcherStep } from "./steps/watcher.ts";
import { unknownSignatureAlarms } from "./unknown-signatures.ts";
import { eraseTransfers } from "./erase.ts";
import { reconcileTransfers } from "./reconcile/reconcile.ts";

export const remittanceWork: RelayWork = {
  steps: [
    { name: "watcher", run: watcherStep, pollIntervalMs: ({ settings }) => settings.ledger.pollIntervalMs },
    { name: "batcher", run: batcherStep, pollIntervalMs: 250 },
    { name: "proposer", run: proposerStep, pollIntervalMs: 1_000 },
    { name: "opener", run: openerStep, pollIntervalMs: 1_000 },
    { name: "courier", run: courierStep, pollIntervalMs: 1_000 },
    { name: "responder", run: responderStep, pollIntervalMs: 500 },
    { name: "settler", run: settlerStep, pollIntervalMs: 1_000 },
    { name: "crediter", run: crediterStep, pollIntervalMs: 1_000 },
    { name: "confirmer", run: confirmerStep, pollIntervalMs: 1_000 },
    { name: "sweeper", run: sweeperStep, pollIntervalMs: 2_000 },
  ],
  routes: [transferRoutes],
  messages: remittanceMessages,
  alarms: (context) => () => unknownSignatureAlarms(context),
  reconcile: reconcileTransfers,
  erase: eraseTransfers,
};
