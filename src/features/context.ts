import type { Settings } from "../kernel/config/settings.ts";
import type { KernelContext } from "../kernel/context.ts";
import type { Metrics } from "../kernel/telemetry/metrics.ts";
import type { PartnerId } from "../domain/partner.ts";
import type { Ledger } from "../ledger/contracts.ts";
import type { LedgerKey } from "../ledger/keys/key.ts";
import type { Registry } from "../ledger/registry.ts";
import type { Submitter } from "../ledger/submitter.ts";
import type { Checkpoint } from "../kernel/steps/checkpoint.ts";
import type { Feature, FeatureWork } from "../kernel/feature.ts";
import type { StepOf } from "../kernel/steps/step.ts";
import type { ClockSkew } from "../kernel/clock/clock-skew.ts";
import type { PeerDirectory, PeerKeys } from "./peers/directory.ts";
import type { Outside } from "../kernel/outside/outside.ts";
import type { WalletConnector } from "./wallet/connector.ts";
import type { ProviderClient } from "./pricing/provider-client.ts";

/** What the features of a relay work with, besides the kernel. */
export interface RelayContext extends KernelContext {
  /** Whose relay this is. */
  readonly partner: PartnerId;
  readonly settings: RelaySettings;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  /** Partners and corridors, as the ledger has them. */
  readonly registry: Registry;
  /** The nonce queue of the key that pays for transactions. */
  readonly submitter: Submitter;
  readonly keys: { readonly send: LedgerKey; readonly accept: LedgerKey };
  readonly peerKeys: PeerKeys;
  readonly peers: PeerDirectory;
  /** Reaches what other partners have registered. */
  readonly outside: Outside;
  readonly wallet: WalletConnector;
  readonly providers: ProviderClient;
  /** How far the clock is off. */
  readonly clockSkew: ClockSkew;
  readonly checkpoint: Checkpoint;
}

/** Does what is due for one relay. */
export type Step = StepOf<RelayContext>["run"];

/** What a feature contributes to a relay. */
export type RelayFeature = Feature<RelayContext>;
export type RelayWork = FeatureWork<RelayContext>;

/** The part of a relay's configuration that its steps use: the sections of features, and a little of every relay's own. */
export interface RelaySettings extends Settings {
  readonly ledger: {
    readonly pollIntervalMs: number;
    /** Blocks on top of the one that is read: 0 where blocks are final, as on a BFT ledger. */
    readonly confirmations: number;
    /** Most blocks read at once. */
    readonly maxBlockRange: number;
    /** Where to begin on an empty store: the block of the deployment. */
    readonly fromBlock: number;
  };
  readonly retry: { readonly firstDelayMs: number; readonly maxDelayMs: number };
  /** How far the clock may be off before no transfers are taken; 0: whatever it is. */
  readonly clock: { readonly maxSkewSeconds: number };
}
