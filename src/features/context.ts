import type { CommonSettings, Settings } from "../kernel/config/settings.ts";
import type { KernelContext } from "../kernel/context.ts";
import type { Metrics } from "../kernel/telemetry/metrics.ts";
import type { Hex } from "../domain/bytes/hex.ts";
import type { CurrencyCode } from "../domain/currency.ts";
import type { AddCommands } from "../command/act.ts";
import type { Findings } from "../kernel/findings.ts";
import type { LedgerEvent } from "../ledger/events.ts";
import type { Uetr } from "../domain/uetr.ts";
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
import type { Watched } from "./remittance/watched.ts";

/** What the features of a relay work with, besides the kernel. */
export interface RelayContext extends KernelContext {
  /** Whose relay this is. */
  readonly partner: PartnerId;
  readonly settings: RelaySettings;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
  /** How far this process has followed the ledger. */
  readonly watched: Watched;
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
  /** The features' parts in a reconciliation. */
  readonly reconcilers: readonly Reconcile[];
  /** How they erase personal data. */
  readonly erasers: readonly Erase[];
}

/** Does what is due for one relay. */
export type Step = StepOf<RelayContext>["run"];

/** What a feature contributes to a relay. */
export interface RelayFeature extends Feature<RelayWork> {
  /** Commands of `feiqian`: what runs only some of them is loaded by those. */
  readonly commands?: AddCommands;
}

/** What a feature does in a relay. */
export interface RelayWork extends FeatureWork<RelayContext> {
  /** Compares what is its own in the store with the ledger. */
  readonly reconcile?: Reconcile;
  /** Erases personal data that is its own. */
  readonly erase?: Erase;
}

/** How a feature erases personal data. What is unfinished is left, whatever is asked. */
export interface Erase {
  /**
   * Of all that is older than a time, which is not in the future.
   * @param beforeMs milliseconds since the epoch
   * @returns of how much, by what it is
   */
  readonly older: (context: RelayContext, beforeMs: number) => Promise<Readonly<Record<string, number>>>;
  /** Of one transfer, sent or received. */
  readonly transfer: (context: RelayContext, uetr: Uetr) => Promise<Erasure>;
}

/**
 * What became of a wish to erase one transfer: all of it that was here is gone; nothing was erased, for it is in flight;
 * or there is no such transfer.
 */
export type Erasure = "erased" | "in flight" | "unknown";

/** Begins a feature's part in a reconciliation, which tells what it finds. */
export type Reconcile = (context: RelayContext, scope: ReconciliationScope, findings: Findings) => Reconciling;

export interface ReconciliationScope {
  /** Where the ledger has been read to: everything is compared as of there. Undefined where it has not been. */
  readonly cursor: ReconciledBlock | undefined;
  /** What was due before this should be done. Milliseconds. */
  readonly beforeMs: number;
  /** The same for what follows from a settlement, in seconds of block time. */
  readonly settledBefore: number;
  /** What is owed for less than this is under way, not missing. */
  readonly slackSeconds: number;
}

export interface ReconciledBlock {
  readonly block: number;
  /** UTC seconds. */
  readonly timeSeconds: number;
}

/** A feature's part in a reconciliation that is under way. */
export interface Reconciling {
  /** Is shown the ledger's events up to the block, a range at a time, in their order. */
  readonly look?: (events: readonly LedgerEvent[]) => Promise<void>;
  /**
   * Compares what is left, once all events have been shown.
   * @param money undefined where the ledger could not be compared
   * @returns how much it has gone through, by what it is
   */
  readonly finish: (money: ReconciledMoney | undefined) => Promise<Readonly<Record<string, number>>>;
}

/** This partner's money on the ledger, at the block. */
export interface ReconciledMoney {
  /** What a treasury has; undefined where it was not asked. */
  foundIn(treasury: Hex, currency: CurrencyCode): { readonly available: bigint; readonly held: bigint } | undefined;
  /** What a module holds by a treasury's events: what the module's own items hold there, too, where all is sound. */
  heldBy(treasury: Hex, currency: CurrencyCode, module: Hex): bigint;
}

/** The part of a relay's configuration that its steps use: the sections of features, and a little of every relay's own. */
export interface RelaySettings extends Settings, CommonSettings {
  readonly ledger: {
    readonly pollIntervalMs: number;
    /** Blocks on top of the one that is read: 0 where blocks are final, as on a BFT ledger. */
    readonly confirmations: number;
    /** Most blocks read at once. */
    readonly maxBlockRange: number;
    /** Where to begin on an empty store: the block of the deployment. */
    readonly fromBlock: number;
  };
}
