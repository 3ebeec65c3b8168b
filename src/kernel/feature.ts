import type { ProblemEntries } from "../schema/problems.ts";
import type { SettingRule, SettingSections } from "./config/settings.ts";
import type { RoutesOf } from "./http/context.ts";
import type { PeerMessage } from "./peer-message.ts";
import type { StepOf } from "./steps/step.ts";
import type { EventTypes } from "./store/events.ts";
import type { AlertRule, Watched } from "./telemetry/alert.ts";
import type { Alarm, Alarms } from "./telemetry/health.ts";
import type { MetricSpecs } from "./telemetry/metric.ts";

/**
 * Something a relay can do, as a value: all that it contributes to the relay. A relay is a list of them (app/features.ts);
 * the kernel knows none. What it is made of here is also read where no relay runs, by commands and documents: what a
 * feature does is in its work, which is loaded where a relay runs.
 */
export interface Feature<Work> {
  /** As its folder is called. */
  readonly name: string;
  /** A folder of SQL files 0001-name.sql, …, applied in this order after those of the features before it in the list. */
  readonly migrations?: URL;
  /** The types of events that it writes, and what each says. */
  readonly events?: Readonly<Partial<EventTypes>>;
  /** What it has an operator look at, on /readyz, and what each says. */
  readonly alarms?: Readonly<Partial<Alarms>>;
  /** What it answers with instead of what was asked for. */
  readonly problems?: ProblemEntries;
  /** What it counts, by the names that its code has for it. */
  readonly metrics?: MetricSpecs;
  /** What somebody is told of what it counts. */
  readonly alerts?: (watched: Watched) => readonly AlertRule[];
  /** Its sections of the configuration, and what holds between keys. */
  readonly settings?: SettingSections;
  readonly settingRules?: readonly SettingRule[];
  /** Groups of routes in the API's document, and what each is for. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly work?: () => Promise<Work>;
}

/** What a feature does in a relay that runs. */
export interface FeatureWork<Context> {
  readonly steps?: readonly StepOf<Context>[];
  /** What callers with an API key can ask for. */
  readonly routes?: readonly ((context: Context) => RoutesOf)[];
  /** What it answers to other partners' relays. */
  readonly messages?: (context: Context) => readonly PeerMessage[];
  /** Looks for what needs an operator now; asked often. */
  readonly alarms?: (context: Context) => () => Promise<readonly Alarm[]>;
}
