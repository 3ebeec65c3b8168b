import { counter, gauge, seconds, type MetricsOf } from "../../kernel/telemetry/metric.ts";

declare module "../../kernel/telemetry/metrics.ts" {
  interface FeatureMetrics extends MetricsOf<typeof remittanceMetrics> {}
}

/** Seconds: from what a ledger in one process takes to what a customer would call lost. */
const PATH_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300];

export const remittanceMetrics = {
  transfersAccepted: counter("transfers_accepted", "Transfers taken in, answered 202 the first time", ["target"]),
  transfersRefused: counter("transfers_refused", "Submissions refused, by the problem's code", ["code"]),
  transfersEnded: counter("transfers_ended", "Own transfers that got to a final status", ["status"]),
  batchesSigned: counter("batches_signed", "Batches signed as source", ["target"]),
  batchesVoided: counter("batches_voided", "Signed batches that the ledger can never take any more", ["target"]),
  payloads: counter("payloads", "Payloads sent and received", ["direction", "outcome"]),
  proposals: counter("proposals", "Batches proposed before they are signed, sent and received", [
    "direction",
    "outcome",
  ]),
  confirmations: counter("confirmations", "Confirmations of credits sent and received", ["direction", "outcome"]),
  decisions: counter("decisions", "Transfers decided on as target", ["outcome"]),
  credits: counter("credits", "Credits posted to the wallet", ["outcome"]),
  walletCalls: counter("wallet_calls", "Calls of the wallet's connector", ["call", "outcome"]),
  acceptedToCredited: seconds("accepted_to_credited", "From a transfer's acceptance to its credit", PATH_BUCKETS),
  ledgerBlock: gauge("ledger_block", "The block up to which the ledger has been read"),
  ledgerLagBlocks: gauge("ledger_lag_blocks", "Blocks of the ledger that have not been read yet"),
  unknownSignatures: gauge(
    "unknown_signatures",
    "Batches of the last day that were opened, or settled, with this partner's signature and not by this relay",
    ["call"],
  ),
  openBatches: gauge("open_batches", "Open batches with this partner as source or target"),
  waitingTransfers: gauge("waiting_transfers", "Transfers that are in no batch yet"),
  stuckCredits: gauge("stuck_credits", "Credits of settled batches that have failed, or wait for too long"),
};
