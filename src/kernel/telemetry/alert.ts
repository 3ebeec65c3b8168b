// What an alert is, as data: what whoever counts something declares beside it. What to do about one is in docs/runbooks/,
// which every alert names.

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it has to be so. */
  readonly for: string;
  readonly labels: { readonly severity: Severity };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}

/** Wake somebody; look at it today; know it. */
export type Severity = "critical" | "warning" | "info";

export interface AlertGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

export function rule(
  alert: string,
  severity: Severity,
  expr: string,
  duration: string,
  { runbook, ...annotations }: AlertRule["annotations"],
): AlertRule {
  return {
    alert,
    expr,
    for: duration,
    labels: { severity },
    annotations: { ...annotations, runbook: `docs/runbooks/${runbook}` },
  };
}

/** What thresholds of a relay's alerts follow from. */
export interface Watched {
  /** Between the ledger's blocks when there is nothing to put into one. */
  readonly idleSeconds: number;
}
