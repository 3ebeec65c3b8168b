import type { Erase, Reconcile, RelayContext, RelayFeature } from "../features/context.ts";
import type { ProblemTable } from "../schema/problems.ts";
import type { Settings, SettingSections } from "../kernel/config/settings.ts";
import type { ServerOptions } from "../kernel/http/context.ts";
import { KERNEL_PROBLEMS } from "../kernel/http/problems.ts";
import type { PeerMessage } from "../kernel/peer-message.ts";
import type { StepOf } from "../kernel/steps/step.ts";
import type { MigrationFolder } from "../kernel/store/migrate.ts";
import type { AlertGroup, Watched } from "../kernel/telemetry/alert.ts";
import type { Alarm } from "../kernel/telemetry/health.ts";
import { KERNEL_ALERTS } from "../kernel/telemetry/kernel-alerts.ts";
import type { MetricSpecs } from "../kernel/telemetry/metric.ts";
import { KERNEL_METRICS } from "../kernel/telemetry/metrics.ts";

/** A list of features as one relay. */
export interface Composition {
  readonly steps: readonly StepOf<RelayContext>[];
  readonly reconcilers: readonly Reconcile[];
  readonly erasers: readonly Erase[];
  /** What a server has of them. */
  served(relay: RelayContext): Pick<ServerOptions, "routes" | "eventTypes" | "alarmCodes" | "tags">;
  messages(relay: RelayContext): readonly PeerMessage[];
  alarms(relay: RelayContext): readonly (() => Promise<readonly Alarm[]>)[];
}

/**
 * Loads what features do, and puts it together.
 * @throws Error where two of them contribute the same
 */
export async function compose(features: readonly RelayFeature[]): Promise<Composition> {
  requireDistinct("feature", features.map(nameOf));
  const told = {
    eventTypes: eventTypesOf(features),
    alarmCodes: namesOf(
      "alarm",
      features.map(({ alarms }) => alarms),
    ),
    tags: features.flatMap(({ tags = {} }) =>
      Object.entries(tags).map(([name, description]) => ({ name, description })),
    ),
  };
  metricsOf(features);
  alertsOf(features, { idleSeconds: 0 });
  problemsOf(features);
  settingSectionsOf(features);
  const works = await Promise.all(features.flatMap(({ work }) => (work === undefined ? [] : [work()])));
  const steps = works.flatMap((work) => work.steps ?? []);
  requireDistinct("step", steps.map(nameOf));
  return {
    steps,
    erasers: works.flatMap(({ erase }) => (erase === undefined ? [] : [erase])),
    reconcilers: works.flatMap(({ reconcile }) => (reconcile === undefined ? [] : [reconcile])),
    served: (relay) => ({ routes: works.flatMap(({ routes = [] }) => routes.map((of) => of(relay))), ...told }),
    messages: (relay) => works.flatMap(({ messages }) => messages?.(relay) ?? []),
    alarms: (relay) => works.flatMap(({ alarms }) => (alarms === undefined ? [] : [alarms(relay)])),
  };
}

export function eventTypesOf(features: readonly RelayFeature[]): readonly string[] {
  return namesOf(
    "type of event",
    features.map(({ events }) => events),
  );
}

/** What the features count. That no two metrics are told under one name, their registry sees to. */
export function metricsOf(features: readonly RelayFeature[]): MetricSpecs {
  const specs = features.flatMap(({ metrics = {} }) => Object.entries(metrics));
  requireDistinct("metric", [...Object.keys(KERNEL_METRICS), ...specs.map(([name]) => name)]);
  return Object.fromEntries(specs);
}

/** What somebody is told of a relay with these features, in a network of the plan or watched by itself (deploy/relay). */
export function alertsOf(features: readonly RelayFeature[], watched: Watched): AlertGroup {
  const rules = [...KERNEL_ALERTS, ...features.flatMap(({ alerts }) => alerts?.(watched) ?? [])];
  requireDistinct(
    "alert",
    rules.map(({ alert }) => alert),
  );
  return { name: "relays", rules };
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

/** The features' sections of the configuration. */
export function settingSectionsOf(features: readonly RelayFeature[]): SettingSections {
  const sections = features.flatMap(({ settings = {} }) => Object.entries(settings));
  requireDistinct(
    "section of the configuration",
    sections.map(([name]) => name),
  );
  return Object.fromEntries(sections);
}

/** What the features use of a configuration that has been read. */
export function settingsOf(features: readonly RelayFeature[], config: Settings): Settings {
  const values = new Map(Object.entries(config));
  // The very sections that the type is made of.
  return Object.fromEntries(
    Object.keys(settingSectionsOf(features)).map((name) => [name, values.get(name)]),
  ) as Settings;
}

export function migrationsOf(features: readonly RelayFeature[]): readonly MigrationFolder[] {
  return features.flatMap(({ name, migrations }) =>
    migrations === undefined ? [] : [{ owner: name, folder: migrations }],
  );
}

/** The names in what each contributes. */
function namesOf(what: string, contributed: readonly (object | undefined)[]): readonly string[] {
  const names = contributed.flatMap((each = {}) => Object.keys(each));
  requireDistinct(what, names);
  return names;
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

/** @throws Error naming what is there twice */
export function requireDistinct(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two contribute the ${what} ${twice}`);
}
