import type { Hex } from "../../domain/bytes/hex.ts";
import type { Money } from "../../domain/money.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import type { Uetr } from "../../domain/uetr.ts";
import type { Queryable } from "../../kernel/store/database.ts";
import type { RelayContext } from "../context.ts";
import type { WalletCredit } from "../wallet/connector.ts";
import {
  findRequests,
  insertPayments,
  lockSingles,
  paidByOthers,
  type RequestPayment,
  type StoredRequest,
} from "./store.ts";

// What a transfer to a request means for the payee's relay: whom it pays, and whether it may.

/** A payment that may be made, with the credit as the wallet is to be asked for it. */
export interface JudgedPayment extends RequestPayment {
  /** Whether the request can be paid once only. */
  readonly isSingle: boolean;
  readonly credit: WalletCredit;
}

/**
 * Judges those of a batch's credits that are for requests. A request that can be paid once is paid by the first of them.
 * @returns for each of these the payment, or why it is refused: AC03 for no such request, MS02 for one that its payee has
 * withdrawn, TM01 after its time, AM09 for another amount or currency, AM05 for one that others pay
 */
export async function judgePayments(
  { db, sealer, clock }: Pick<RelayContext, "db" | "sealer" | "clock">,
  credits: readonly WalletCredit[],
): Promise<ReadonlyMap<Uetr, JudgedPayment | ReasonCode>> {
  const paying = credits.filter(isForRequest);
  if (paying.length === 0) return new Map();
  const found = await findRequests(db, sealer, paying.map(requestOf));
  const singles = [...found.values()].filter(({ isSingle }) => isSingle).map(({ id }) => id);
  const uetrs = paying.map(({ uetr }) => uetr);
  const taken = new Set(await paidByOthers(db, singles, uetrs));
  const nowMs = clock.nowMs();
  return new Map(
    paying.map((credit): readonly [Uetr, JudgedPayment | ReasonCode] => {
      const id = requestOf(credit);
      const { uetr, amount } = credit;
      if (taken.has(id)) return [uetr, "AM05"];
      const request = found.get(id);
      const payee = payeeOf(request, credit);
      if (request === undefined || payee === undefined) return [uetr, "AC03"];
      const reason = whyNot(request, amount, nowMs);
      if (reason !== undefined) return [uetr, reason];
      if (request.isSingle) taken.add(id);
      return [uetr, { uetr, request: id, amount: amount.minor, isSingle: request.isSingle, credit: payee }];
    }),
  );
}

function whyNot(request: StoredRequest, given: Money, nowMs: number): ReasonCode | undefined {
  if (request.cancelledAt !== undefined) return "MS02";
  if (request.expiresAt !== undefined && request.expiresAt <= nowMs) return "TM01";
  const isAgreed = request.amount === undefined || request.amount === given.minor;
  return request.currency === given.currency && isAgreed ? undefined : "AM09";
}

/**
 * Writes down what a batch pays, once that is decided. From there on nobody else can pay what can be paid once.
 * @returns whether all of it could be: if not, the transaction must be given up
 */
export async function takeRequests(tx: Queryable, batch: Hex, payments: readonly JudgedPayment[]): Promise<boolean> {
  if (payments.length === 0) return true;
  const singles = payments.filter(({ isSingle }) => isSingle).map(({ request }) => request);
  const locked = await lockSingles(tx, singles);
  if (!singles.every((id) => locked.has(id))) return false;
  const uetrs = payments.map(({ uetr }) => uetr);
  if ((await paidByOthers(tx, singles, uetrs)).size > 0) return false;
  await insertPayments(tx, batch, payments);
  return true;
}

/**
 * Credits as the wallet is to be asked for them: those for requests name whom these pay.
 * @returns in their order; undefined for that of a request that is gone
 */
export async function withPayees<Credit extends WalletCredit>(
  { db, sealer }: Pick<RelayContext, "db" | "sealer">,
  credits: readonly Credit[],
): Promise<readonly (Credit | undefined)[]> {
  const paying = credits.filter(isForRequest);
  if (paying.length === 0) return credits;
  const found = await findRequests(db, sealer, paying.map(requestOf));
  return credits.map((credit) => (isForRequest(credit) ? payeeOf(found.get(requestOf(credit)), credit) : credit));
}

function isForRequest({ creditor }: WalletCredit): boolean {
  return creditor.alias.type === "REQUEST";
}

function requestOf({ creditor }: WalletCredit): string {
  return creditor.alias.value;
}

/** What the payer calls the payee stays beside it. Undefined where it is not known any more whom the request pays. */
function payeeOf<Credit extends WalletCredit>(request: StoredRequest | undefined, credit: Credit): Credit | undefined {
  if (request?.content === undefined) return undefined;
  const { alias } = request.content.payee;
  return { ...credit, request: request.id, creditor: { ...credit.creditor, alias } };
}
