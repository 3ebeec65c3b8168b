import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** Seconds: from what a ledger in one process takes to what a customer would call lost. */
const PATH_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300];
const CALL_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/**
 * What a relay counts. Each relay has its own registry, so that several in one process do not count together. Labels
 * hold names from short lists only: never a UETR, a batch or a customer.
 */
export type Metrics = ReturnType<typeof createMetrics>;

export interface MetricsOptions {
  /** The partner's number; on every line. */
  readonly partner: number;
  /** Whether memory, event loop and so on of the process are told, too: by one relay of those that share one. */
  readonly process?: boolean;
}

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- Metrics is this function's result: a list of names kept twice would only go out of step
export function createMetrics({ partner, process = false }: MetricsOptions) {
  const registry = new Registry();
  registry.setDefaultLabels({ partner: String(partner) });
  if (process) collectDefaultMetrics({ register: registry, prefix: "feiqian_" });
  const { counter, gauge, seconds } = makersOf(registry);
  return {
    registry,
    transfersAccepted: counter("transfers_accepted", "Transfers taken in, answered 202 the first time", ["target"]),
    transfersRefused: counter("transfers_refused", "Submissions refused, by the problem's code", ["code"]),
    transfersEnded: counter("transfers_ended", "Own transfers that got to a final status", ["status"]),
    batchesSigned: counter("batches_signed", "Batches signed as source", ["target"]),
    batchesVoided: counter("batches_voided", "Signed batches that the ledger can never take any more", ["target"]),
    ledgerSubmissions: counter("ledger_submissions", "Transactions submitted", ["call", "outcome"]),
    payloads: counter("payloads", "Payloads sent and received", ["direction", "outcome"]),
    confirmations: counter("confirmations", "Confirmations of credits sent and received", ["direction", "outcome"]),
    lookups: counter("lookups", "Payees looked up at other partners, and by them", ["direction", "outcome"]),
    decisions: counter("decisions", "Transfers decided on as target", ["outcome"]),
    credits: counter("credits", "Credits posted to the wallet", ["outcome"]),
    walletCalls: counter("wallet_calls", "Calls of the wallet's connector", ["call", "outcome"]),
    providerFailures: counter("provider_failures", "Quotes that were not delivered", ["provider", "reason"]),
    providersPassedOver: gauge("provider_passed_over", "1 while one is passed over", ["provider", "pair", "reason"]),
    corridorPriced: gauge("corridor_priced", "1 while a price can be given in an open corridor", ["target", "pair"]),
    providerQuotes: counter("provider_quotes", "Quotes asked of liquidity providers", ["outcome"]),
    webhooks: counter("webhooks", "Webhook deliveries", ["outcome"]),
    resealed: counter("resealed", "Rows encrypted again under the current data key", ["table"]),
    sealBroken: gauge("seal_broken", "Rows that should be encrypted again and cannot be decrypted", ["table"]),
    itemFaults: counter("item_faults", "Items on which a step failed; each is tried again, and the others go on", [
      "step",
    ]),
    stepErrors: counter("step_errors", "Passes of a step that failed and are tried again", ["step"]),
    stepSeconds: seconds("step", "Passes of a step", CALL_BUCKETS, ["step"]),
    httpSeconds: seconds("http_request", "Requests to the API", CALL_BUCKETS, ["method", "route", "status"]),
    acceptedToCredited: seconds("accepted_to_credited", "From a transfer's acceptance to its credit", PATH_BUCKETS),
    ledgerBlock: gauge("ledger_block", "The block up to which the ledger has been read"),
    ledgerLagBlocks: gauge("ledger_lag_blocks", "Blocks of the ledger that have not been read yet"),
    ledgerEndpoints: gauge(
      "ledger_endpoints",
      "Endpoints of the ledger that are in use, and that were dropped for a lie",
      ["state"],
    ),
    ledgerDisputes: counter("ledger_disputes", "Contradictions between endpoints, by how they ended", ["outcome"]),
    clockSkewSeconds: gauge(
      "clock_skew_seconds",
      "The least that this relay's clock is ahead of others, negative if behind, by source",
      ["source"],
    ),
    clockBeyondLimit: gauge("clock_beyond_limit", "1 while the clock is so wrong that no transfers are taken"),
    forkDetected: gauge("fork_detected", "1 once the ledger's history is not what it was when it was read"),
    unknownSignatures: gauge(
      "unknown_signatures",
      "Batches of the last day that were opened, or settled, with this partner's signature and not by this relay",
      ["call"],
    ),
    openBatches: gauge("open_batches", "Open batches with this partner as source or target"),
    waitingTransfers: gauge("waiting_transfers", "Transfers that are in no batch yet"),
    stuckCredits: gauge("stuck_credits", "Credits of settled batches that have failed, or wait for too long"),
    availableMinor: gauge("available_minor", "Money on the ledger that is free to send, in minor units", ["currency"]),
    heldMinor: gauge("held_minor", "Money on the ledger that open batches hold, in minor units", ["currency"]),
    lowWater: gauge("low_water", "1 while a currency's available money is below its alarm", ["currency"]),
    leader: gauge("leader", "1 in the process that runs the steps, of those that share a database"),
    reconciliationDifferences: gauge("reconciliation_differences", "Differences that the last reconciliation found"),
  };
}

/** What makes metrics of one registry. */
function makersOf(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter<Label>({ name: `feiqian_${name}_total`, help, labelNames, registers });
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge<Label>({ name: `feiqian_${name}`, help, labelNames, registers });
  const seconds = <Label extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ) => new Histogram<Label>({ name: `feiqian_${name}_seconds`, help, labelNames, buckets, registers });
  return { counter, gauge, seconds };
}
