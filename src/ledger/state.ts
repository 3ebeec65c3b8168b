import { ZeroAddress, type BlockTag } from "ethers";
import { normalizeHex, type Hex } from "../domain/bytes/hex.ts";
import { corridorId, type Corridor, type CorridorTerms } from "../domain/corridor.ts";
import { currencyOf, type CurrencyCode } from "../domain/currency.ts";
import { parseBatchStatus, type BatchStatus } from "../domain/lifecycle.ts";
import type { PartnerId } from "../domain/partner.ts";
import { ABI } from "./abi.ts";
import { registryAt, treasuryAt, type BatchRegistry, type ClockTerms, type Ledger } from "./contracts.ts";
import { KEY_PURPOSES, PARTNER_ROLES } from "./deployment/config.ts";
import { decodeLedgerError, type LedgerError } from "./errors.ts";
import { MODULE_STATUSES } from "./statuses.ts";
import { FailoverProvider } from "./rpc/failover-provider.ts";

// The ledger's state at a block that is always named: what a node takes for "now" when it is left out may be a block
// that does not exist yet, and answers that belong together have to be of one block.

/** A block, by what tells it from every other. */
export interface BlockHead {
  readonly number: number;
  readonly hash: Hex;
  /** The hash of the block before. */
  readonly parent: Hex;
  /** UTC seconds. */
  readonly timeSeconds: number;
}

/** A block's head; undefined where the node does not have it. */
export async function blockHead(ledger: Ledger, block: number | "latest"): Promise<BlockHead | undefined> {
  const found = await ledger.provider.getBlock(block);
  const hash = found?.hash ?? undefined;
  if (found === null || hash === undefined) return undefined;
  return {
    number: found.number,
    hash: normalizeHex(hash, 32),
    parent: normalizeHex(found.parentHash, 32),
    timeSeconds: found.timestamp,
  };
}

/** @throws Error when the node has no block at all, or does not answer */
export async function latestHead(ledger: Ledger): Promise<BlockHead> {
  const head = await blockHead(ledger, "latest");
  if (head === undefined) throw new Error("the ledger's node has no blocks");
  return head;
}

/**
 * Reads that have to fit together: all by one endpoint. Another one may be some blocks behind, and answers that there is
 * nothing in blocks that it does not have.
 * @throws Error when they were not; they are to be done again
 */
export async function fromOneEndpoint<Result>(ledger: Ledger, read: () => Promise<Result>): Promise<Result> {
  const { provider } = ledger;
  const switches = () => (provider instanceof FailoverProvider ? provider.switches : 0);
  const before = switches();
  const result = await read();
  if (switches() !== before) throw new Error("the ledger's endpoint changed while it was read");
  return result;
}

/** A partner's money in one currency, in minor units. */
export interface LedgerBalance {
  readonly currency: CurrencyCode;
  readonly available: bigint;
  readonly held: bigint;
}

/** @param ledger or one of its treasuries; of a ledger the one where new batches take their money from */
export async function balancesAt(
  { treasury }: Pick<BatchRegistry, "treasury">,
  partner: PartnerId,
  currencies: readonly CurrencyCode[],
  blockTag: BlockTag,
): Promise<readonly LedgerBalance[]> {
  return Promise.all(
    currencies.map(async (currency) => {
      const { available, held } = await treasury.balanceOf(partner, currencyOf(currency).numeric, { blockTag });
      return { currency, available, held };
    }),
  );
}

/** Where a partner's money may go while the partner is not active. */
export interface ExitAccount {
  readonly current: Hex | undefined;
  /** What takes its place, and from which block time on, UTC seconds. */
  readonly next: { readonly account: Hex; readonly fromSeconds: number } | undefined;
}

export async function exitAccountAt(
  { partnerRegistry }: Pick<Ledger, "partnerRegistry">,
  partner: PartnerId,
  blockTag: BlockTag,
): Promise<ExitAccount> {
  const { current, next, from } = await partnerRegistry.exitAccountOf(partner, { blockTag });
  const [now, later] = [current, next].map((account) => (account === ZeroAddress ? undefined : normalizeHex(account)));
  return { current: now, next: later === undefined ? undefined : { account: later, fromSeconds: seconds(from) } };
}

/** What an account has to pay for gas with, and what the block asked for each unit of it at least, in wei. */
export async function gasMoneyAt(
  { provider }: Pick<Ledger, "provider">,
  account: Hex,
  block: BlockHead,
): Promise<{ readonly balance: bigint; readonly baseFee: bigint }> {
  const [balance, found] = await Promise.all([
    provider.getBalance(account, block.number),
    provider.getBlock(block.number),
  ]);
  return { balance, baseFee: found?.baseFeePerGas ?? 0n };
}

/** More in one call would take long for a node to answer. */
const STATUSES_A_CALL = 200;

/** Where batches of one registry are in their life cycle, in the order asked for. */
export async function statusesAt(
  { transferRegistry, chain, provider }: BatchRegistry,
  batchIds: readonly Hex[],
  blockTag: BlockTag,
): Promise<readonly BatchStatus[]> {
  const { transferRegistry: abi } = ABI;
  const statuses: BatchStatus[] = [];
  for (let from = 0; from < batchIds.length; from += STATUSES_A_CALL) {
    const calls = batchIds
      .slice(from, from + STATUSES_A_CALL)
      .map((id) => transferRegistry.interface.encodeFunctionData("statusOf", [id]));
    const data = abi.encodeFunctionData("multicall", [calls]);
    const answer = await provider.call({ to: chain.transferRegistry, data, blockTag });
    // multicall returns bytes[], one for each call.
    const results = abi.decodeFunctionResult("multicall", answer).getValue("results") as readonly string[];
    statuses.push(...results.map((result) => parseBatchStatus(BigInt(result))));
  }
  return statuses;
}

/** The same of batches of any registry, by their ids. */
export async function statusesIn(
  ledger: Pick<Ledger, "registries">,
  batches: readonly { readonly id: Hex; readonly registry: Hex | undefined }[],
  blockTag: BlockTag,
): Promise<ReadonlyMap<Hex, BatchStatus>> {
  const found = new Map<Hex, BatchStatus>();
  for (const [registry, list] of Map.groupBy(batches, (batch) => registryAt(ledger, batch.registry))) {
    const ids = list.map(({ id }) => id);
    for (const [index, status] of (await statusesAt(registry, ids, blockTag)).entries()) {
      const id = ids[index];
      if (id !== undefined) found.set(id, status);
    }
  }
  return found;
}

/** What the ledger asks of a corridor's next batch. Minor units. */
export interface CorridorState extends CorridorTerms {
  /** Sum of the source totals opened during the block's UTC day. */
  readonly openedToday: bigint;
}

const SECONDS_A_DAY = 86_400;

export async function corridorAt(ledger: Ledger, corridor: Corridor, block: BlockHead): Promise<CorridorState> {
  const id = corridorId(corridor);
  const at = { blockTag: block.number };
  const [terms, openedToday] = await Promise.all([
    ledger.corridorBook.termsOf(id, at),
    ledger.corridorBook.drawnOn(id, Math.floor(block.timeSeconds / SECONDS_A_DAY), at),
  ]);
  const { open, feeBps, maxPerBatch, maxPerDay } = terms;
  return { open, feeBps, maxPerBatch, maxPerDay, openedToday };
}

/**
 * Why a provider may not sell with a key: its standing, its role, what the key was granted.
 * @returns undefined where it may
 */
export async function whyNotSellAt(
  { partnerRegistry }: Ledger,
  provider: number,
  quoteKey: Hex,
  block: BlockHead,
): Promise<LedgerError | undefined> {
  const [role, purpose] = [PARTNER_ROLES.liquidityProvider, KEY_PURPOSES.quote];
  try {
    await partnerRegistry.checkAuthority(provider, role, quoteKey, purpose, provider, { blockTag: block.number });
    return undefined;
  } catch (failure) {
    const refusal = decodeLedgerError(failure);
    if (refusal === undefined) throw failure;
    return refusal;
  }
}

/** A registry's ledger time, and what it is made of; UTC seconds. See docs/architecture.md, Ledger time. */
export interface ClockState extends ClockTerms {
  /** Ledger time at the block's timestamp. */
  readonly timeSeconds: number;
  /** Block time of the last beat that was written down. */
  readonly lastBeatSeconds: number;
}

export async function clockAt({ transferRegistry, clockTerms }: BatchRegistry, block: BlockHead): Promise<ClockState> {
  const at = { blockTag: block.number };
  const [time, beat, terms] = await Promise.all([
    transferRegistry.time(at),
    transferRegistry.lastBeat(at),
    clockTerms(block.number),
  ]);
  return { timeSeconds: seconds(time), lastBeatSeconds: seconds(beat.beatAt), ...terms };
}

/** A registry's ledger time as of a block, UTC seconds. */
export async function ledgerTimeAt({ transferRegistry }: BatchRegistry, blockTag: BlockTag): Promise<number> {
  return seconds(await transferRegistry.time({ blockTag }));
}

/** Each registry's ledger time as of a block, in the order of the ledger's registries: each has a clock of its own. */
export async function ledgerTimesAt(
  { registries }: Pick<Ledger, "registries">,
  blockTag: BlockTag,
): Promise<readonly RegistryTime[]> {
  return Promise.all(
    registries.map(async (registry) => ({
      registry: registry.chain.transferRegistry,
      timeSeconds: await ledgerTimeAt(registry, blockTag),
    })),
  );
}

/**
 * Whether a registry takes new batches: it is not paused, its treasury lets it hold money, and the books let it draw. They
 * ask the treasury that they were made with, which is another one where a new treasury has come.
 */
export async function opensAt(
  { treasury, corridorBook, quoteBook, transferRegistry, chain, provider }: BatchRegistry,
  blockTag: BlockTag,
): Promise<boolean> {
  const at = { blockTag };
  const ofBooks = await Promise.all([corridorBook.treasury(at), quoteBook.treasury(at)]);
  const asked = [treasury, ...ofBooks.map((address) => treasuryAt(address, provider))];
  const [isPaused, ...statuses] = await Promise.all([
    transferRegistry.paused(at),
    ...asked.map((each) => each.statusOfModule(chain.transferRegistry, at)),
  ]);
  return !isPaused && statuses.every((status) => status === BigInt(MODULE_STATUSES.active));
}

/**
 * Whether a registry is seen to open and settle a batch in one call. One of an earlier release never will be; but neither is
 * one that does at a node which has not got to its deployment.
 */
export async function hasOneStep({ chain, provider }: BatchRegistry, blockTag: BlockTag): Promise<boolean> {
  const selector = ABI.transferRegistry.getFunction("openAndSettle")?.selector;
  // A contract goes to its functions by their selectors, which are in its code.
  return (
    selector !== undefined && (await provider.getCode(chain.transferRegistry, blockTag)).includes(selector.slice(2))
  );
}

/** What a registry's clock says, UTC seconds. */
export interface RegistryTime {
  readonly registry: Hex;
  readonly timeSeconds: number;
}

function seconds(value: bigint): number {
  return Number.parseInt(String(value), 10);
}
