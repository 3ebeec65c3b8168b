import type { Signer } from "ethers";
import { batchId, buildBatch, type Batch } from "../../src/domain/batch.ts";
import type { Hex } from "../../src/domain/bytes/hex.ts";
import { isSameCurrency, type Corridor } from "../../src/domain/corridor.ts";
import type { PayloadTransfer } from "../../src/domain/payload.ts";
import { NO_QUOTE, type Quote } from "../../src/domain/quote.ts";
import type { SignedBatch } from "../../src/features/remittance/store/batches.ts";
import { openAndSettleCall, openCall, settleCall } from "../../src/ledger/calls.ts";
import { NO_AUTHORIZATION, signAcceptance, signBatch, signQuote, signSettlement } from "../../src/ledger/signing.ts";
import { latestHead, ledgerTimeAt } from "../../src/ledger/state.ts";
import type { Call } from "../../src/ledger/submitter.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { HKD_TO_PHP, makeQuote, makeTransfers, proveRefusals, PROVIDER, type Refusals } from "./transfers.ts";

// Batches that a ledger takes, signed with the keys of a sandbox's partners.

/** The fee of every corridor of the tests' ledgers. */
export const FEE_BPS = 5n;

/** A batch with the call that opens it. */
export interface OpenableBatch extends Batch {
  /** With what opens their details. */
  readonly transfers: readonly PayloadTransfer[];
  readonly id: Hex;
  readonly open: Call;
}

export interface BatchPlan {
  readonly corridor?: Corridor;
  /** Number of transfers; 3 by default. */
  readonly count?: number;
  /** Batches of different seeds have different transfers. */
  readonly seed?: string;
  /** What the quote has otherwise than `makeQuote` gives it. */
  readonly quote?: Partial<Quote>;
  /** Seconds of ledger time until it expires; 300 by default. */
  readonly holdSeconds?: number;
  /** Whose signature opens it; the source partner's operator by default. */
  readonly signer?: Signer;
}

type Parties = Pick<Sandbox, "ledger" | "keys">;

/** A batch that the ledger takes, signed by its source partner and its provider. */
export async function makeBatch({ ledger, keys }: Parties, plan: BatchPlan = {}): Promise<OpenableBatch> {
  const { corridor = HKD_TO_PHP, count = 3, seed = "a batch", holdSeconds = 300 } = plan;
  const isSame = isSameCurrency(corridor);
  const validUntil = (await latestHead(ledger)).timeSeconds + 3_600;
  const quote = isSame ? NO_QUOTE : makeQuote(corridor, { validUntil, ...plan.quote });
  const transfers = makeTransfers(count, quote, seed);
  const expiresAt = (await ledgerTimeAt(ledger, "latest")) + holdSeconds;
  const batch = buildBatch(transfers, corridor, quote, FEE_BPS, expiresAt);
  const signer = plan.signer ?? keys.walletOf({ kind: "operator", partner: corridor.source });
  const send = await signBatch(signer, ledger.chain, batch.header);
  const offer = isSame
    ? NO_AUTHORIZATION
    : await signQuote(keys.walletOf({ kind: "operator", partner: PROVIDER }), ledger.chain, quote);
  const open = openCall(ledger, batch.header, send, offer);
  return { ...batch, transfers, id: batchId(batch.header, ledger.chain), open };
}

/** The call that opens and settles a batch in one step, which its target partner has accepted for a minute. */
export async function makeOneStep(
  { ledger, keys }: Parties,
  { id, header, send, quote }: Pick<SignedBatch, "id" | "header" | "send" | "quote">,
): Promise<Call> {
  const acceptedUntil = (await latestHead(ledger)).timeSeconds + 60;
  const signer = keys.walletOf({ kind: "operator", partner: header.target });
  const acceptance = await signAcceptance(signer, ledger.chain, { batchId: id, validUntil: acceptedUntil });
  return openAndSettleCall(ledger, header, { send, quote, acceptance });
}

/** The call that settles a batch, signed by its target partner. */
export async function makeSettlement(
  { ledger, keys }: Parties,
  batch: Batch & Pick<OpenableBatch, "id">,
  refusals: Refusals = {},
): Promise<Call> {
  const proved = proveRefusals(batch, refusals);
  const signer = keys.walletOf({ kind: "operator", partner: batch.header.target });
  const settlement = { batchId: batch.id, rejectionsHash: proved.rejectionsHash };
  return settleCall(ledger, batch.header, proved, await signSettlement(signer, ledger.chain, settlement));
}
