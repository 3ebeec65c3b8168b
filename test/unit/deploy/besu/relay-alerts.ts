import type { RelayAlerts } from "../../../../deploy/besu/alerts.ts";
import { alertsOf } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";

/** What relays with all features are watched for. */
export const RELAY_ALERTS: RelayAlerts = (watched) => alertsOf(FEATURES, watched);
