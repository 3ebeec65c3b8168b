import type { RelayContext, RelayFeature } from "../features/context.ts";
import { liquidity } from "../features/liquidity/feature.ts";
import { notifications } from "../features/notifications/feature.ts";
import { operators } from "../features/operators/feature.ts";
import { partners } from "../features/partners/feature.ts";
import { pricing } from "../features/pricing/feature.ts";
import { reconciliation } from "../features/reconciliation/feature.ts";
import { remittance } from "../features/remittance/feature.ts";
import type { ServerOptions } from "../kernel/http/context.ts";
import type { PeerMessage } from "../kernel/peer-message.ts";
import type { MigrationFolder } from "../kernel/store/migrate.ts";

/** What a relay can do. A feature's part in it is said in its own folder; here it is only named. */
export const FEATURES: readonly RelayFeature[] = [
  partners,
  pricing,
  liquidity,
  remittance,
  notifications,
  operators,
  reconciliation,
];

/** What a server has of the features. */
export function servedBy(
  features: readonly RelayFeature[],
  relay: RelayContext,
): Pick<ServerOptions, "routes" | "eventTypes"> {
  return {
    routes: features.flatMap(({ routes = [] }) => routes.map((of) => of(relay))),
    eventTypes: eventTypesOf(features),
  };
}

export function messagesOf(features: readonly RelayFeature[], relay: RelayContext): readonly PeerMessage[] {
  return features.flatMap(({ messages }) => messages?.(relay) ?? []);
}

export function eventTypesOf(features: readonly RelayFeature[]): readonly string[] {
  return features.flatMap(({ events = {} }) => Object.keys(events));
}

export function migrationsOf(features: readonly RelayFeature[]): readonly MigrationFolder[] {
  return features.flatMap(({ name, migrations }) =>
    migrations === undefined ? [] : [{ owner: name, folder: migrations }],
  );
}
