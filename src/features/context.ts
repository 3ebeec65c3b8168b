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
import type { LookupLimits } from "./partners/lookup-usage.ts";
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

/** The part of a relay's configuration that its steps use; see app/config-schema.ts for the file. */
export interface RelaySettings {
  readonly batch: {
    readonly maxTransfers: number;
    readonly maxDelayMs: number;
    /** Seconds of ledger time that a batch holds its money for at most. */
    readonly holdSeconds: number;
  };
  readonly quote: {
    /** How long a customer's quote holds. */
    readonly validitySeconds: number;
    /** A provider's quote that ends sooner than this is not drawn on any more. */
    readonly leastValiditySeconds: number;
  };
  /** How far the clock may be off before no transfers are taken; 0: whatever it is. */
  readonly maxSkewSeconds: number;
  /** How long an accepted transfer waits for money or the ledger at most before it fails. */
  readonly transferValiditySeconds: number;
  readonly ledger: {
    readonly pollIntervalMs: number;
    /** Blocks on top of the one that is read: 0 where blocks are final, as on a BFT ledger. */
    readonly confirmations: number;
    /** Most blocks read at once. */
    readonly maxBlockRange: number;
    /** Where to begin on an empty store: the block of the deployment. */
    readonly fromBlock: number;
  };
  readonly webhooks: {
    readonly maxAttempts: number;
    readonly timeoutMs: number;
    /** Plain HTTP to other machines, and link-local addresses: for development networks. False where left out. */
    readonly allowUnsafeUrls?: boolean;
  };
  readonly retry: { readonly firstDelayMs: number; readonly maxDelayMs: number };
  /** Seconds after its expiry at which this relay expires a batch of others, too. */
  readonly sweepOthersAfterSeconds: number;
  /** Per currency: below it, an alarm. Minor units. */
  readonly lowWater: ReadonlyMap<string, bigint>;
  /** Payees that one partner, or one API key, may look up. */
  readonly lookups?: LookupLimits;
  /** What the operator calls partners, by their numbers. */
  readonly partnerNames: ReadonlyMap<string, string>;
}
