import type { RelayFeature } from "../features/context.ts";
import { liquidity } from "../features/liquidity/feature.ts";
import { notifications } from "../features/notifications/feature.ts";
import { operators } from "../features/operators/feature.ts";
import { partners } from "../features/partners/feature.ts";
import { pricing } from "../features/pricing/feature.ts";
import { reconciliation } from "../features/reconciliation/feature.ts";
import { requests } from "../features/requests/feature.ts";
import { remittance } from "../features/remittance/feature.ts";
import { statistics } from "../features/statistics/feature.ts";

/** What a relay can do. A feature's part in it is said in its own folder; here it is only named. */
export const FEATURES: readonly RelayFeature[] = [
  partners,
  pricing,
  liquidity,
  requests,
  remittance,
  statistics,
  notifications,
  operators,
  reconciliation,
];
