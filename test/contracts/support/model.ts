import type { BatchHeader } from "../../../src/domain/batch.ts";
import type { Hex } from "../../../src/domain/bytes/hex.ts";
import { networkFeeUp, type CorridorTerms } from "../../../src/domain/corridor.ts";
import { BatchStatus, transition, type BatchOperation } from "../../../src/domain/lifecycle.ts";
import { MAX_HOLD_SECONDS, whyNotOpen, type OpeningContext, type OpeningRefusal } from "../../../src/domain/opening.ts";
import { quoteMismatch, type Quote } from "../../../src/domain/quote.ts";
import { settle as settleOutcome, type Rejection } from "../../../src/domain/settlement.ts";
import { balanceKey, type Balance } from "./balances.ts";
import { dayOf } from "./clock.ts";
import { BEAT_INTERVAL, GRACE, HUB, ModuleStatus, PartnerStatus, Purpose, Role, fail } from "./network.ts";

const USED_UP = 2n ** 128n - 1n;

export type KeyName = "send" | "accept" | "quote" | "fund";
export type Move = "suspend" | "freeze" | "reactivate";

/** What the ledger answers a call with: undefined when it does what it is asked, or the error and its values. */
export type Refused = { readonly error: string; readonly values: readonly unknown[] } | undefined;

/**
 * The ledger as the domain sees it: what partners, corridors, quotes, batches and balances are. It is changed by the
 * functions below, one for each call of the ledger. The life cycle, the rules of opening and what a settlement comes to
 * are the domain's; this adds who may do what, and the money.
 */
export interface Model {
  /** UTC seconds of the block that the next call is in. */
  wall: number;
  beatTime: number;
  beatAt: number;
  paused: boolean;
  module: bigint;
  readonly registry: string;
  readonly partners: Map<number, { status: bigint; roles: bigint }>;
  /** Keys that may act, as `keyName`. Their addresses are what the errors have. */
  readonly keys: Map<string, { readonly address: string; granted: boolean }>;
  readonly corridors: Map<bigint, CorridorTerms>;
  readonly opened: Map<bigint, { readonly day: number; readonly total: bigint }>;
  readonly drawn: Map<Hex, bigint>;
  readonly batches: Map<Hex, BatchStatus>;
  readonly balances: Map<string, Balance>;
}

export function keyName(partner: number, name: KeyName): string {
  return `${partner}.${name}`;
}

/** UTC seconds of ledger time at the next call. */
export function modelTime({ wall, beatTime, beatAt }: Model): number {
  return beatTime + Math.min(wall - beatAt, GRACE);
}

/** `beat`, and what every batch operation does on its way. */
export function applyBeat(model: Model): Refused {
  const now = modelTime(model);
  if (model.wall - model.beatAt < BEAT_INTERVAL) return undefined;
  model.beatTime = now;
  model.beatAt = model.wall;
  return undefined;
}

export interface Opening {
  readonly header: BatchHeader;
  readonly batchId: Hex;
  readonly quoteId: Hex;
  readonly corridor: bigint;
}

export function applyOpen(model: Model, opening: Opening): Refused {
  const refused = openingRefused(model, opening) ?? holdsRefused(model, opening);
  if (refused !== undefined) return refused;
  hold(model, opening);
  return undefined;
}

/** @param acceptedUntil UTC seconds of block time */
export function applyOpenAndSettle(model: Model, opening: Opening, acceptedUntil: number): Refused {
  const { header, batchId } = opening;
  const refused =
    openingRefused(model, opening) ??
    (model.wall > acceptedUntil
      ? { error: "TransferRegistry_AcceptanceExpired", values: [model.wall, acceptedUntil] }
      : undefined) ??
    keyRefused(model, header.target, "accept") ??
    holdsRefused(model, opening);
  if (refused !== undefined) return refused;
  hold(model, opening);
  return applySettle(model, batchId, header, []);
}

/** Everything that can speak against a batch but for the money. */
function openingRefused(model: Model, opening: Opening): Refused {
  const { header, batchId } = opening;
  if (model.paused) return { error: "EnforcedPause", values: [] };
  const status = illegalStatus(model, batchId, "open");
  if (status !== undefined) return status;
  const context = openingContext(model, opening);
  const refusal = whyNotOpen(header, context);
  if (refusal !== undefined && OF_THE_BATCH.has(refusal)) return openingError(refusal, opening, context);
  if (model.module !== ModuleStatus.Active) {
    return { error: "ForModules_NotActive", values: [model.registry, model.module] };
  }
  if (refusal !== undefined && OF_THE_CORRIDOR.has(refusal)) return openingError(refusal, opening, context);
  const standing = walletsRefused(model, header);
  if (standing !== undefined) return standing;
  if (refusal !== undefined) return openingError(refusal, opening, context);
  return sellerRefused(model, header);
}

function holdsRefused(model: Model, { header }: Opening): Refused {
  const exchanges = header.sourceCurrency !== header.targetCurrency;
  return (
    insufficient(model, header.source, header.sourceCurrency, header.sourceTotal + header.fee) ??
    (exchanges ? insufficient(model, header.quote.provider, header.targetCurrency, header.targetTotal) : undefined)
  );
}

function hold(model: Model, opening: Opening): void {
  const { header, batchId, quoteId, corridor } = opening;
  const context = openingContext(model, opening);
  const held = header.sourceTotal + header.fee;
  applyBeat(model);
  model.batches.set(batchId, BatchStatus.Open);
  model.opened.set(corridor, { day: dayOf(model.wall), total: context.openedToday + header.sourceTotal });
  change(model, header.source, header.sourceCurrency, -held, held);
  if (header.sourceCurrency === header.targetCurrency) return;
  model.drawn.set(quoteId, context.drawn + header.targetTotal);
  change(model, header.quote.provider, header.targetCurrency, -header.targetTotal, header.targetTotal);
}

export function applySettle(
  model: Model,
  batchId: Hex,
  header: BatchHeader,
  rejections: readonly Rejection[],
): Refused {
  const operation = rejections.length === header.count ? "rejectAll" : "settle";
  const status = illegalStatus(model, batchId, operation);
  if (status !== undefined) return status;
  const now = modelTime(model);
  if (now >= header.expiresAt) return { error: "TransferRegistry_Expired", values: [now, header.expiresAt] };
  const target = partnerOf(model, header.target);
  if (target.status === PartnerStatus.Frozen) return notActive(model, header.target);
  const key = keyRefused(model, header.target, "accept");
  if (key !== undefined) return key;
  const outcome = settleOutcome(header, rejections);
  if (outcome.kind === "refused") return settlementError(outcome.refusal, header, rejections);
  if (model.module === ModuleStatus.None) return moduleRefused(model);

  applyBeat(model);
  model.batches.set(batchId, outcome.status);
  const { settledSource, settledTarget, feeCharged, sourceRefund, providerRefund } = outcome;
  const { source, target: targetId, sourceCurrency, targetCurrency, quote } = header;
  change(model, source, sourceCurrency, sourceRefund, -(header.sourceTotal + header.fee));
  change(model, HUB, sourceCurrency, feeCharged, 0n);
  change(model, quote.provider === 0 ? targetId : quote.provider, sourceCurrency, settledSource, 0n);
  if (quote.provider === 0) return undefined;
  change(model, quote.provider, targetCurrency, providerRefund, -header.targetTotal);
  change(model, targetId, targetCurrency, settledTarget, 0n);
  return undefined;
}

export function applyExpire(model: Model, batchId: Hex, header: BatchHeader): Refused {
  const status = illegalStatus(model, batchId, "expire");
  if (status !== undefined) return status;
  const now = modelTime(model);
  if (now < header.expiresAt) return { error: "TransferRegistry_NotExpired", values: [now, header.expiresAt] };
  if (model.module === ModuleStatus.None) return moduleRefused(model);
  applyBeat(model);
  model.batches.set(batchId, BatchStatus.Expired);
  const held = header.sourceTotal + header.fee;
  change(model, header.source, header.sourceCurrency, held, -held);
  if (header.quote.provider === 0) return undefined;
  change(model, header.quote.provider, header.targetCurrency, header.targetTotal, -header.targetTotal);
  return undefined;
}

export function applyCancelQuote(model: Model, quoteId: Hex, provider: number): Refused {
  const key = keyRefused(model, provider, "quote");
  if (key !== undefined) return key;
  model.drawn.set(quoteId, USED_UP);
  return undefined;
}

export function applyDeposit(model: Model, partner: number, currency: number, amount: bigint): Refused {
  const key = keyRefused(model, partner, "fund");
  if (key !== undefined) return key;
  if (amount === 0n) return { error: "Treasury_ZeroAmount", values: [] };
  change(model, partner, currency, amount, 0n);
  return undefined;
}

export function applyWithdraw(model: Model, partner: number, currency: number, amount: bigint): Refused {
  const refused = keyRefused(model, partner, "fund") ?? notActive(model, partner);
  if (refused !== undefined) return refused;
  if (amount === 0n) return { error: "Treasury_ZeroAmount", values: [] };
  const short = insufficient(model, partner, currency, amount);
  if (short !== undefined) return short;
  change(model, partner, currency, -amount, 0n);
  return undefined;
}

export function applyMove(model: Model, partner: number, move: Move): Refused {
  const entry = partnerOf(model, partner);
  const next = { suspend: PartnerStatus.Suspended, freeze: PartnerStatus.Frozen, reactivate: PartnerStatus.Active }[
    move
  ];
  const allowed = move === "suspend" ? entry.status === PartnerStatus.Active : entry.status !== next;
  if (!allowed) return { error: "PartnerRegistry_IllegalStatus", values: [partner, entry.status, next] };
  entry.status = next;
  return undefined;
}

export function applyPause(model: Model, paused: boolean): Refused {
  if (model.paused === paused) return { error: paused ? "EnforcedPause" : "ExpectedPause", values: [] };
  model.paused = paused;
  return undefined;
}

export function applyModule(model: Model, status: bigint): Refused {
  if (model.module === status) {
    return { error: "Treasury_IllegalModuleStatus", values: [model.registry, status, status] };
  }
  model.module = status;
  return undefined;
}

export function applyClose(model: Model, corridor: bigint): Refused {
  const terms = model.corridors.get(corridor) ?? fail(`no corridor ${corridor}`);
  if (!terms.open) return { error: "CorridorBook_Closed", values: [corridor] };
  model.corridors.set(corridor, { ...terms, open: false });
  return undefined;
}

function openingContext(model: Model, { corridor, quoteId }: Opening): OpeningContext {
  const opened = model.opened.get(corridor);
  return {
    terms: model.corridors.get(corridor) ?? fail(`no corridor ${corridor}`),
    openedToday: opened?.day === dayOf(model.wall) ? opened.total : 0n,
    drawn: model.drawn.get(quoteId) ?? 0n,
    ledgerTime: modelTime(model),
    blockTime: model.wall,
  };
}

/** What the ledger looks at before it asks the corridor book, and what that looks at. Who takes part comes after. */
const OF_THE_BATCH: ReadonlySet<OpeningRefusal> = new Set(["EMPTY_BATCH", "EXPIRED", "HOLD_TOO_LONG"]);
const OF_THE_CORRIDOR: ReadonlySet<OpeningRefusal> = new Set([
  "CORRIDOR_CLOSED",
  "BATCH_LIMIT_EXCEEDED",
  "DAY_LIMIT_EXCEEDED",
  "FEE_MISMATCH",
]);

function walletsRefused(model: Model, { source, target }: BatchHeader): Refused {
  return (
    participantRefused(model, source, Role.wallet) ??
    participantRefused(model, target, Role.wallet) ??
    keyRefused(model, source, "send")
  );
}

function sellerRefused(model: Model, { quote }: BatchHeader): Refused {
  if (quote.provider === 0) return undefined;
  return participantRefused(model, quote.provider, Role.provider) ?? keyRefused(model, quote.provider, "quote");
}

function openingError(
  refusal: OpeningRefusal,
  { header, corridor, quoteId }: Opening,
  { terms, openedToday, drawn, ledgerTime, blockTime }: OpeningContext,
): Refused {
  const { count, sourceTotal, targetTotal, fee, expiresAt, quote } = header;
  const hold = expiresAt - ledgerTime;
  const errors: Record<OpeningRefusal, () => [error: string, ...values: unknown[]]> = {
    EMPTY_BATCH: () => ["TransferRegistry_EmptyBatch", count, sourceTotal, targetTotal],
    EXPIRED: () => ["TransferRegistry_Expired", ledgerTime, expiresAt],
    HOLD_TOO_LONG: () => ["TransferRegistry_HoldTooLong", hold, MAX_HOLD_SECONDS],
    CORRIDOR_CLOSED: () => ["CorridorBook_Closed", corridor],
    BATCH_LIMIT_EXCEEDED: () => ["CorridorBook_BatchLimitExceeded", corridor, sourceTotal, terms.maxPerBatch],
    FEE_MISMATCH: () => ["TransferRegistry_FeeMismatch", fee, networkFeeUp(sourceTotal, terms.feeBps)],
    DAY_LIMIT_EXCEEDED: () => ["CorridorBook_DayLimitExceeded", corridor, openedToday, sourceTotal, terms.maxPerDay],
    RATE_EXCEEDED: () => [
      header.sourceCurrency === header.targetCurrency ? "TransferRegistry_RateExceeded" : "QuoteBook_RateExceeded",
      sourceTotal,
      targetTotal,
    ],
    QUOTE_NOT_NEEDED: () => ["TransferRegistry_QuoteNotNeeded", quote.provider],
    QUOTE_MISMATCH: () => ["QuoteBook_Mismatch", ...mismatchOf(header)],
    QUOTE_EXPIRED: () => ["QuoteBook_Expired", blockTime, quote.validUntil],
    QUOTE_HOLD_TOO_LONG: () => ["QuoteBook_HoldTooLong", hold, quote.maxHold],
    QUOTE_USED_UP: () => ["QuoteBook_UsedUp", quoteId, drawn, targetTotal, quote.capacity],
  };
  const [error, ...values] = errors[refusal]();
  return { error, values };
}

function mismatchOf({ quote, ...header }: BatchHeader): readonly unknown[] {
  const field = quoteMismatch(quote, header) ?? fail("a quote that fits");
  const { source: taker, sourceCurrency, targetCurrency } = header;
  const expected: Partial<Record<keyof Quote, number>> = { taker, sourceCurrency, targetCurrency };
  return [field, quote[field], expected[field] ?? 0];
}

function settlementError(refusal: string, header: BatchHeader, rejections: readonly Rejection[]): Refused {
  const left = (total: bigint, amount: (rejection: Rejection) => bigint) => {
    const rest = rejections.reduce((sum, rejection) => sum - amount(rejection), total);
    return rest < 0n ? 0n : rest;
  };
  const source = left(header.sourceTotal, ({ transfer }) => transfer.sourceAmount);
  const target = left(header.targetTotal, ({ transfer }) => transfer.targetAmount);
  if (refusal === "RATE_EXCEEDED") return { error: "TransferRegistry_RateExceeded", values: [source, target] };
  return { error: "TransferRegistry_TotalsMismatch", values: [rejections.length, source, target] };
}

function illegalStatus(model: Model, batchId: Hex, operation: BatchOperation): Refused {
  const current = model.batches.get(batchId) ?? BatchStatus.None;
  const next = transition(current, operation);
  if (next.kind === "moved") return undefined;
  return { error: "TransferRegistry_IllegalStatus", values: [batchId, current, next.allowed[0]] };
}

function participantRefused(model: Model, partner: number, needed: bigint): Refused {
  const inactive = notActive(model, partner);
  if (inactive !== undefined) return inactive;
  const { roles } = partnerOf(model, partner);
  if ((roles & needed) === needed) return undefined;
  return { error: "PartnerRegistry_RoleMissing", values: [partner, roles, needed] };
}

function notActive(model: Model, partner: number): Refused {
  const { status } = partnerOf(model, partner);
  if (status === PartnerStatus.Active) return undefined;
  return { error: "PartnerRegistry_PartnerNotActive", values: [partner, status] };
}

function keyRefused(model: Model, partner: number, name: KeyName): Refused {
  const key = model.keys.get(keyName(partner, name)) ?? fail(`no key ${keyName(partner, name)}`);
  if (key.granted) return undefined;
  return { error: "PartnerRegistry_KeyNotAuthorized", values: [partner, key.address, Purpose[name]] };
}

function moduleRefused({ registry, module }: Model): Refused {
  return { error: "Treasury_ModuleNotAuthorized", values: [registry, module] };
}

function insufficient(model: Model, partner: number, currency: number, amount: bigint): Refused {
  const available = model.balances.get(balanceKey(partner, currency))?.available ?? 0n;
  if (available >= amount) return undefined;
  return { error: "Treasury_InsufficientAvailable", values: [partner, currency, available, amount] };
}

function change({ balances }: Model, partner: number, currency: number, available: bigint, held: bigint): void {
  const key = balanceKey(partner, currency);
  const was = balances.get(key) ?? { available: 0n, held: 0n };
  balances.set(key, { available: was.available + available, held: was.held + held });
}

function partnerOf({ partners }: Model, partner: number): { status: bigint; roles: bigint } {
  return partners.get(partner) ?? fail(`no partner ${partner}`);
}
