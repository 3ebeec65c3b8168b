import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { CALL_BUCKETS, counter, gauge, seconds, type MetricsOf, type MetricSpec, type MetricSpecs } from "./metric.ts";

/** What every relay counts, whatever it can do. */
export const KERNEL_METRICS = {
  ledgerSubmissions: counter("ledger_submissions", "Transactions submitted", ["call", "outcome"]),
  itemFaults: counter("item_faults", "Items on which a step failed; each is tried again, and the others go on", [
    "step",
  ]),
  stepErrors: counter("step_errors", "Passes of a step that failed and are tried again", ["step"]),
  stepSeconds: seconds("step", "Passes of a step", CALL_BUCKETS, ["step"]),
  httpSeconds: seconds("http_request", "Requests to the API", CALL_BUCKETS, ["method", "route", "status"]),
  ledgerEndpoints: gauge(
    "ledger_endpoints",
    "Endpoints of the ledger that are in use, and that were dropped for a lie",
    ["state"],
  ),
  ledgerTokenEndsSeconds: gauge(
    "ledger_token_ends_seconds",
    "When the token for an endpoint of the ledger ends, in seconds since 1970, where it says so (a JWT's exp)",
    ["endpoint"],
  ),
  ledgerDisputes: counter("ledger_disputes", "Contradictions between endpoints, by how they ended", ["outcome"]),
  clockSkewSeconds: gauge(
    "clock_skew_seconds",
    "The least that this relay's clock is ahead of others, negative if behind, by source",
    ["source"],
  ),
  clockBeyondLimit: gauge("clock_beyond_limit", "1 while the clock is so wrong that no transfers are taken"),
  forkDetected: gauge("fork_detected", "1 once the ledger's history is not what it was when it was read"),
  leader: gauge("leader", "1 in the process that runs the steps, of those that share a database"),
};

/** What the features count. Each adds its own where it declares them. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- features add to it, the kernel knows none
export interface FeatureMetrics {}

/** Each relay has its own registry, so that several in one process do not count together. */
export type KernelMetrics = MetricsOf<typeof KERNEL_METRICS> & { readonly registry: Registry };
export type Metrics = KernelMetrics & FeatureMetrics;

export interface MetricsOptions {
  /** The partner's number; on every line. */
  readonly partner: number;
  /** Whether memory, event loop and so on of the process are told, too: by one relay of those that share one. */
  readonly process?: boolean;
}

/** @param ofFeatures what the features of this relay have declared, all of them */
export function createMetrics({ partner, process = false }: MetricsOptions, ofFeatures: MetricSpecs): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ partner: String(partner) });
  if (process) collectDefaultMetrics({ register: registry, prefix: "feiqian_" });
  const made = Object.entries({ ...KERNEL_METRICS, ...ofFeatures }).map(([name, spec]) => [name, make(spec, registry)]);
  // Made of the very specs that the type is made of: the kernel's, and those that each feature has declared.
  return { ...Object.fromEntries(made), registry } as Metrics;
}

function make(spec: MetricSpec, registry: Registry): Counter | Gauge | Histogram {
  const { kind, help } = spec;
  const name = `feiqian_${spec.name}`;
  const common = { help, labelNames: spec.labels, registers: [registry] };
  switch (kind) {
    case "counter":
      return new Counter({ ...common, name: `${name}_total` });
    case "gauge":
      return new Gauge({ ...common, name });
    case "seconds":
      return new Histogram({ ...common, name: `${name}_seconds`, buckets: [...(spec.buckets ?? [])] });
  }
}
