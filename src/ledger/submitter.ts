import { Transaction, type Provider, type Signer, type TransactionReceipt, type TransactionRequest } from "ethers";
import { normalizeHex, type Hex } from "../domain/bytes/hex.ts";
import { steadyClock, type SteadyClock } from "../kernel/clock/clock.ts";
import { broadcast, isKnown, isSuperseded, type SignedTransaction } from "./rpc/broadcast.ts";
import { decodeLedgerError } from "./errors.ts";
import { fillGaps } from "./nonce-gaps.ts";

/** A call of one of the ledger's contracts. */
export interface Call {
  readonly to: Hex;
  readonly data: Hex;
}

export interface SubmitterOptions {
  /** A real one unless given. */
  readonly clock?: SteadyClock;
  /** How long a transaction may stay without a receipt before it is broadcast again. */
  readonly receiptTimeoutMs: number;
  /** Not much less than a fifth of the time for which the provider caches its answers: 250 ms with those of ethers. */
  readonly pollIntervalMs: number;
  /**
   * How often a transaction that the node has accepted is broadcast at most; and how many of the timeouts above a node
   * may take to answer at all.
   */
  readonly maxBroadcasts: number;
  /** What the network asks on top of its base fee, in wei per gas: nothing on a ledger without fees. */
  readonly priorityFeeWei: bigint;
}

/** One key's way to the ledger. Calls may overlap; their nonces never do. */
export interface Submitter {
  readonly address: Hex;
  /**
   * Sends the call and waits for its receipt; before, it is simulated unless it is said what it takes. However replies
   * get lost, it takes effect once at most: it is signed under a new nonce only when the transaction before is proved
   * never to take effect.
   *
   * What waits for a nonce that nobody uses, as that of a transaction which the node has lost or which pays too little, is
   * helped on: the nonce gets a transaction that does nothing. Whoever else had signed one with it hears that it is used.
   *
   * Nothing is remembered over a restart. After one, as after NO_RECEIPT, ask the ledger before submitting a call again
   * that would take effect twice: a deposit, a withdrawal. It takes `open`, `settle` and `expire` only once.
   * @param gasLimit what it takes at most, where that is known: if the ledger refuses it, it is in a block all the same
   * @throws LedgerError when a contract refuses it; nothing was sent, or what was sent had no effect
   * @throws SubmissionError
   * @throws Error of the provider or the signer, when nothing was sent
   */
  submit(call: Call, gasLimit?: bigint): Promise<TransactionReceipt>;
}

/**
 * A transaction that did not end in a receipt, or in one without a reason.
 *
 * | code | effect |
 * |---|---|
 * | NOT_ACCEPTED | none: the node refused it, or others took its nonce time after time |
 * | REVERTED | none: it is in a block, and failed for a reason that cannot be found out |
 * | NO_RECEIPT | not known: it can take effect at any time, unless another transaction gets its nonce |
 */
export class SubmissionError extends Error {
  readonly code: "NOT_ACCEPTED" | "NO_RECEIPT" | "REVERTED";
  readonly transactionHash: string | undefined;

  constructor(code: SubmissionError["code"], message: string, transactionHash?: string, cause?: unknown) {
    super(message, { cause });
    this.name = "SubmissionError";
    this.code = code;
    this.transactionHash = transactionHash;
  }
}

/** Estimates are exact for the state they were made on; a batch opened in between may cost a fresh slot more. */
const GAS_MARGIN_PERCENT = 130n;
const MAX_NONCES = 5;
/** Where gas is free, a transaction can be signed by a block that is so old: the others are looked through for it. */
const BLOCK_IS_GOOD_FOR_MS = 5_000;
/** How often a node is asked what became of a nonce, at growing distance: its answers may come from a cache at first. */
const MAX_LOOKS = 4;

/**
 * A queue of one key's transactions. Nonces are given out one after the other, in the order of broadcasting, and read
 * again from the ledger after any doubt: another user of the key, a restart, a broadcast that failed half-way. What the
 * node counts as waiting may lie over gaps, of which only the count of blocks tells: see nonce-gaps.ts.
 *
 * A key should have one submitter. Others are stepped aside for; but a transaction of theirs that is this one's to the
 * byte, the same call under the same nonce, is taken for it.
 * @param signer the key, connected to a provider whose answers are those of one node
 */
export async function createSubmitter(signer: Signer, given: SubmitterOptions): Promise<Submitter> {
  const options = { clock: steadyClock, ...given };
  const { provider } = signer;
  if (provider === null) throw new TypeError("signer: connected to a provider");
  const address = normalizeHex(await signer.getAddress(), 20, "signer");
  const { chainId } = await provider.getNetwork();
  const { clock, receiptTimeoutMs, maxBroadcasts, priorityFeeWei } = options;
  const inFlight = new Set<number>();
  let nextNonce: number | undefined;
  /** Every nonce below is known to be used; the ledger's count may be an old one. */
  let leastNonce = 0;
  let last: Promise<unknown> = Promise.resolve();

  // All that touches `nextNonce` runs in turn.
  const inTurn = <Result>(work: () => Result | Promise<Result>): Promise<Result> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const takeNonce = async (): Promise<number> => {
    let nonce = nextNonce ?? Math.max(leastNonce, await provider.getTransactionCount(address, "pending"));
    // A transaction that was dropped leaves a gap below those that wait for it; theirs must not be given out again.
    while (inFlight.has(nonce)) nonce++;
    nextNonce = undefined;
    return nonce;
  };

  const lastBlock = rememberingBlock(provider, clock);
  const helpOn = gapFiller(signer, provider, options, { address, chainId, inFlight, inTurn });

  const send = async (call: Call, gasLimit: bigint): Promise<SignedTransaction | undefined> => {
    // By then a transaction before this one that was dropped has been broadcast again, or given up.
    const until = clock.nowMs() + receiptTimeoutMs * (maxBroadcasts + 1);
    for (;;) {
      const request = { ...call, from: address, gasLimit, chainId, nonce: await takeNonce() };
      const signed = await sign(signer, await lastBlock(), request, (baseFee) => feesAbove(baseFee, priorityFeeWei));
      const placed = await place(provider, signed, options);
      if (placed === "placed") {
        inFlight.add(signed.nonce);
        nextNonce = signed.nonce + 1;
        return signed;
      }
      if (placed === "superseded") {
        leastNonce = signed.nonce + 1;
        return undefined;
      }
      if (clock.nowMs() >= until) throw notAccepted(signed, "the ledger waits for the nonce before");
    }
  };

  const sendAndWait = async (call: Call, gasLimit: bigint): Promise<TransactionReceipt | undefined> => {
    const signed = await inTurn(() => send(call, gasLimit));
    if (signed === undefined) return undefined;
    let isDone = false;
    try {
      const receipt = await awaitReceipt(provider, signed, options, helpOn);
      leastNonce = Math.max(leastNonce, signed.nonce + 1);
      isDone = receipt !== undefined;
      return receipt;
    } finally {
      inFlight.delete(signed.nonce);
      if (!isDone) void inTurn(() => (nextNonce = undefined));
    }
  };

  return {
    address,
    async submit(call, gasLimit) {
      for (let nonces = 0; nonces < MAX_NONCES; nonces++) {
        // Once others have used the key, the ledger may have changed as well.
        const known = nonces === 0 ? gasLimit : undefined;
        const receipt = await sendAndWait(call, known ?? (await estimate(provider, address, call)));
        if (receipt?.status === 0) throw await whyReverted(provider, address, call, receipt);
        if (receipt !== undefined) return receipt;
      }
      throw new SubmissionError("NOT_ACCEPTED", `other transactions of ${address} took ${MAX_NONCES} nonces in a row`);
    },
  };
}

/** One key's nonces, as its submitter gives them out. */
interface NonceQueue {
  readonly address: Hex;
  readonly chainId: bigint;
  /** Nonces of transactions that are waited for here. */
  readonly inFlight: ReadonlySet<number>;
  /** Runs while no nonce is given out. */
  readonly inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/** @returns what has the gaps filled below a transaction that has waited for long, without being waited for */
function gapFiller(
  signer: Signer,
  provider: Provider,
  { clock, receiptTimeoutMs, pollIntervalMs, priorityFeeWei }: Required<SubmitterOptions>,
  { address, chainId, inFlight, inTurn }: NonceQueue,
): (waiting: SignedTransaction) => void {
  const fillBelow = async (waiting: number): Promise<number | undefined> => {
    const nonce = await provider.getTransactionCount(address, "latest");
    if (nonce >= waiting || inFlight.has(nonce)) return undefined;
    const nothing = { to: address, data: "0x" } as const;
    const gasLimit = await estimate(provider, address, nothing);
    const request = { ...nothing, from: address, gasLimit, chainId, nonce };
    const block = await signingBlock(provider);
    await broadcast(provider, await sign(signer, block, request, (baseFee) => feesInPlace(baseFee, priorityFeeWei)));
    return nonce;
  };
  const usedNonces = async () => {
    const block = await provider.getBlockNumber();
    return { block, used: await provider.getTransactionCount(address, block) };
  };
  let filling: Promise<void> | undefined;
  return ({ nonce }) => {
    const fill = () => inTurn(() => fillBelow(nonce));
    filling ??= fillGaps({ clock, pollIntervalMs, patienceMs: receiptTimeoutMs, usedNonces, fill })
      // What cannot be asked or signed now is done when the transaction has waited for as long again.
      .catch(() => undefined)
      .finally(() => (filling = undefined));
  };
}

async function estimate(provider: Provider, from: Hex, call: Call): Promise<bigint> {
  try {
    return ((await provider.estimateGas({ from, ...call })) * GAS_MARGIN_PERCENT) / 100n;
  } catch (failure) {
    throw decodeLedgerError(failure) ?? failure;
  }
}

/** What a transaction is signed by: later blocks only can have it, and its fee is above that of this one. */
interface SigningBlock {
  readonly number: number;
  /** Null where blocks have none. */
  readonly baseFee: bigint | null;
}

async function signingBlock(provider: Provider): Promise<SigningBlock> {
  const latest = await provider.getBlock("latest");
  return { number: latest?.number ?? 0, baseFee: latest?.baseFeePerGas ?? null };
}

/** Asks again for a fee that moves; where there is none, only now and then. */
function rememberingBlock(provider: Provider, clock: SteadyClock): () => Promise<SigningBlock> {
  let last: { readonly block: SigningBlock; readonly atMs: number } | undefined;
  return async () => {
    const isFree = (last?.block.baseFee ?? 0n) === 0n;
    if (last === undefined || !isFree || clock.nowMs() - last.atMs >= BLOCK_IS_GOOD_FOR_MS) {
      const atMs = clock.nowMs();
      last = { block: await signingBlock(provider), atMs };
    }
    return last.block;
  };
}

async function sign(
  signer: Signer,
  block: SigningBlock,
  request: TransactionRequest & { readonly from: Hex; readonly nonce: number },
  feesFor: (baseFee: bigint | null) => TransactionRequest,
): Promise<SignedTransaction> {
  const raw = await signer.signTransaction({ ...request, ...feesFor(block.baseFee) });
  const { hash } = Transaction.from(raw);
  if (hash === null) throw new TypeError("signer: returned an unsigned transaction");
  return { raw, hash, from: request.from, nonce: request.nonce, signedAtBlock: block.number };
}

/** Room for the base fee to double while the transaction waits. */
function feesAbove(baseFee: bigint | null, priorityFeeWei: bigint): TransactionRequest {
  if (baseFee === null) return { type: 0, gasPrice: priorityFeeWei };
  return { type: 2, maxFeePerGas: 2n * baseFee + priorityFeeWei, maxPriorityFeePerGas: priorityFeeWei };
}

/** Enough for a node to take it in place of one that has the nonce and pays too little; nothing where gas is free. */
function feesInPlace(baseFee: bigint | null, priorityFeeWei: bigint): TransactionRequest {
  const isFree = priorityFeeWei === 0n && (baseFee ?? 0n) === 0n;
  return feesAbove(baseFee, isFree ? 0n : 2n * priorityFeeWei + 1n);
}

/**
 * What became of a transaction: the node has it; another one has its nonce; or nobody does, and the node will not have
 * it, as one that takes nonces in order only while the nonce before is missing.
 */
type Placed = "placed" | "superseded" | "free";

/**
 * Broadcasts a transaction until the node has it, or says no; the queue waits meanwhile, for a gap would stop it anyway.
 * @returns anything but "placed" when it was refused for its nonce and will never take effect
 * @throws SubmissionError, or LedgerError where the node gives a contract's reason
 */
async function place(
  provider: Provider,
  signed: SignedTransaction,
  { clock, receiptTimeoutMs, pollIntervalMs, maxBroadcasts }: Required<SubmitterOptions>,
): Promise<Placed> {
  const until = clock.nowMs() + receiptTimeoutMs * maxBroadcasts;
  let isFirst = true;
  for (let pauseMs = pollIntervalMs; ; pauseMs = Math.min(2 * pauseMs, receiptTimeoutMs)) {
    const answer = await broadcast(provider, signed);
    if (answer.kind === "accepted") return "placed";
    // Its reply may have been lost, or was of a transaction that failed in a block.
    const known = await isKnown(provider, signed);
    if (known === true) return "placed";
    if (answer.kind === "refused") {
      // A broadcast before this one may have got through, or this one: that is for its receipt to tell.
      if (!isFirst || known === undefined) return "placed";
      if (answer.isNonce) return lookForNonce(provider, signed, clock, pollIntervalMs);
      throw decodeLedgerError(answer.cause) ?? notAccepted(signed, answer.message, answer.cause);
    }
    if (clock.nowMs() >= until) throw noReceipt(signed, "the node does not answer", answer.cause);
    await clock.sleep(pauseMs);
    isFirst = false;
  }
}

/** What became of the nonce of a transaction that the node refused for it; "placed" where that is not certain. */
async function lookForNonce(
  provider: Provider,
  signed: SignedTransaction,
  clock: SteadyClock,
  pollIntervalMs: number,
): Promise<Placed> {
  for (let looks = 1; looks <= MAX_LOOKS; looks++) {
    if (await isSuperseded(provider, signed)) return "superseded";
    await clock.sleep(looks * pollIntervalMs);
    if ((await isKnown(provider, signed)) !== false) return "placed";
  }
  const used = await provider.getTransactionCount(signed.from, "latest").catch(() => undefined);
  return used !== undefined && used <= signed.nonce ? "free" : "placed";
}

/**
 * Polls, and broadcasts the very same transaction again when it may have been dropped: it can take effect only once.
 * @param helpOn called when it has waited for long: one before it may be missing
 * @returns undefined when another transaction took its nonce
 */
async function awaitReceipt(
  provider: Provider,
  signed: SignedTransaction,
  options: Required<SubmitterOptions>,
  helpOn: (waiting: SignedTransaction) => void,
): Promise<TransactionReceipt | undefined> {
  for (let broadcasts = 1; ; broadcasts++) {
    const { receipt, cause } = await pollReceipt(provider, signed, options);
    if (receipt !== null) return receipt;
    if (await isSuperseded(provider, signed)) return undefined;
    if (broadcasts >= options.maxBroadcasts) throw noReceipt(signed, `after ${broadcasts} broadcasts`, cause);
    helpOn(signed);
    await broadcast(provider, signed);
  }
}

async function pollReceipt(
  provider: Provider,
  { hash }: SignedTransaction,
  { clock, receiptTimeoutMs, pollIntervalMs }: Required<SubmitterOptions>,
): Promise<{ readonly receipt: TransactionReceipt | null; readonly cause?: unknown }> {
  const until = clock.nowMs() + receiptTimeoutMs;
  for (;;) {
    const polled = await provider.getTransactionReceipt(hash).then(
      (receipt) => ({ receipt }),
      // The transaction is on its way, whatever happens to a question about it.
      (cause: unknown) => ({ receipt: null, cause }),
    );
    if (polled.receipt !== null || clock.nowMs() >= until) return polled;
    await clock.sleep(pollIntervalMs);
  }
}

async function whyReverted(provider: Provider, from: Hex, call: Call, receipt: TransactionReceipt): Promise<Error> {
  try {
    await provider.call({ from, ...call, blockTag: receipt.blockNumber });
  } catch (failure) {
    const decoded = decodeLedgerError(failure);
    if (decoded !== undefined) return decoded;
  }
  return new SubmissionError("REVERTED", `reverted in block ${receipt.blockNumber} without a reason`, receipt.hash);
}

function notAccepted({ hash, nonce }: SignedTransaction, message: string, cause?: unknown): SubmissionError {
  return new SubmissionError("NOT_ACCEPTED", `not accepted with nonce ${nonce}: ${message}`, hash, cause);
}

function noReceipt({ hash, nonce }: SignedTransaction, when: string, cause: unknown): SubmissionError {
  return new SubmissionError("NO_RECEIPT", `no receipt of nonce ${nonce}: ${when}`, hash, cause);
}
