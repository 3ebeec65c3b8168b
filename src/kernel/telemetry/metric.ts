import type { Counter, Gauge, Histogram } from "prom-client";

// Metrics as data: what a feature declares, of which a relay that runs makes its own.

type Kind = "counter" | "gauge" | "seconds";

/** A metric before there is one. Labels hold names from short lists only: never a UETR, a batch or a customer. */
export interface MetricSpec<OfKind extends Kind = Kind, Label extends string = string> {
  readonly kind: OfKind;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
  /** Of seconds: up to which of them it is counted by itself. */
  readonly buckets?: readonly number[];
}

/** Metrics by the names that the code has for them. */
export type MetricSpecs = Readonly<Record<string, MetricSpec>>;

type MetricOf<Spec extends MetricSpec> =
  Spec extends MetricSpec<infer OfKind, infer Label>
    ? { counter: Counter<Label>; gauge: Gauge<Label>; seconds: Histogram<Label> }[OfKind]
    : never;

/** What specs become, by the same names. */
export type MetricsOf<Specs extends MetricSpecs> = { readonly [Name in keyof Specs]: MetricOf<Specs[Name]> };

/** Seconds: from what takes a moment to what takes too long. */
export const CALL_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** What only grows; told as feiqian_<name>_total. */
export function counter<Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): MetricSpec<"counter", Label> {
  return { kind: "counter", name, help, labels };
}

/** What goes up and down; told as feiqian_<name>. */
export function gauge<Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): MetricSpec<"gauge", Label> {
  return { kind: "gauge", name, help, labels };
}

/** How long something takes; told as feiqian_<name>_seconds. */
export function seconds<Label extends string = never>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly Label[] = [],
): MetricSpec<"seconds", Label> {
  return { kind: "seconds", name, help, buckets, labels };
}
