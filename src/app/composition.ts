import type { RelayContext, RelayFeature } from "../features/context.ts";
import type { ProblemTable } from "../schema/problems.ts";
import type { ServerOptions } from "../kernel/http/context.ts";
import { KERNEL_PROBLEMS } from "../kernel/http/problems.ts";
import type { PeerMessage } from "../kernel/peer-message.ts";
import type { StepOf } from "../kernel/steps/step.ts";
import type { MigrationFolder } from "../kernel/store/migrate.ts";
import type { Standing } from "../kernel/telemetry/health.ts";
import type { MetricSpecs } from "../kernel/telemetry/metric.ts";
import { KERNEL_METRICS } from "../kernel/telemetry/metrics.ts";

/** A list of features as one relay. */
export interface Composition {
  readonly steps: readonly StepOf<RelayContext>[];
  /** What a server has of them. */
  served(relay: RelayContext): Pick<ServerOptions, "routes" | "eventTypes">;
  messages(relay: RelayContext): readonly PeerMessage[];
  standings(relay: RelayContext): readonly (() => Promise<Standing>)[];
}

/**
 * Loads what features do, and puts it together.
 * @throws Error where two of them contribute the same
 */
export async function compose(features: readonly RelayFeature[]): Promise<Composition> {
  requireDistinct("feature", features.map(nameOf));
  const eventTypes = eventTypesOf(features);
  metricsOf(features);
  problemsOf(features);
  const works = await Promise.all(features.flatMap(({ work }) => (work === undefined ? [] : [work()])));
  const steps = works.flatMap((work) => work.steps ?? []);
  requireDistinct("step", steps.map(nameOf));
  return {
    steps,
    served: (relay) => ({ routes: works.flatMap(({ routes = [] }) => routes.map((of) => of(relay))), eventTypes }),
    messages: (relay) => works.flatMap(({ messages }) => messages?.(relay) ?? []),
    standings: (relay) => works.flatMap(({ standing }) => (standing === undefined ? [] : [standing(relay)])),
  };
}

export function eventTypesOf(features: readonly RelayFeature[]): readonly string[] {
  const types = features.flatMap(({ events = {} }) => Object.keys(events));
  requireDistinct("type of event", types);
  return types;
}

/** What the features count. That no two metrics are told under one name, their registry sees to. */
export function metricsOf(features: readonly RelayFeature[]): MetricSpecs {
  const specs = features.flatMap(({ metrics = {} }) => Object.entries(metrics));
  requireDistinct("metric", [...Object.keys(KERNEL_METRICS), ...specs.map(([name]) => name)]);
  return Object.fromEntries(specs);
}

/** What can be answered with: the kernel's problems, and those of the features. */
export function problemsOf(features: readonly RelayFeature[]): ProblemTable {
  const entries = [KERNEL_PROBLEMS, ...features.map(({ problems = {} }) => problems)].flatMap(Object.entries);
  requireDistinct(
    "problem",
    entries.map(([code]) => code),
  );
  // Each that the type has is declared by the kernel, or by one of the features, from the very value that is here.
  return Object.fromEntries(entries) as ProblemTable;
}

export function migrationsOf(features: readonly RelayFeature[]): readonly MigrationFolder[] {
  return features.flatMap(({ name, migrations }) =>
    migrations === undefined ? [] : [{ owner: name, folder: migrations }],
  );
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

/** @throws Error naming what is there twice */
function requireDistinct(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two features contribute the ${what} ${twice}`);
}
