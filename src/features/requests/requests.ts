import { parseCustomer } from "../../domain/alias.ts";
import { canonicalJson, type CanonicalObject } from "../../domain/canonical-json.ts";
import { currencyByNumeric, currencyOf, parseCurrency, type CurrencyCode } from "../../domain/currency.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { formatInstant, parseInstant } from "../../domain/instant.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { requestCode, type PaymentRequest } from "../../domain/payment-request.ts";
import { parseName, parseText } from "../../domain/text.ts";
import { refused, type Refusal } from "../../kernel/refusal.ts";
import { appendEvents } from "../../kernel/store/events.ts";
import type {
  ParsedCreateRequest,
  PaymentRequestJson,
  RequestStatus,
  ResolvedRequestJson,
} from "../../schema/requests.ts";
import type { RelayContext } from "../context.ts";
import type { RegistryView } from "../../ledger/registry.ts";
import { judgeByRegistry } from "../partners/corridors.ts";
import {
  findRequests,
  insertRequest,
  latestPayments,
  lockSingles,
  markCancelled,
  paidByOthers,
  type NewRequest,
  type RequestContent,
  type StoredRequest,
} from "./store.ts";

// Requests of this partner's own customers.

const DAY_MS = 86_400_000;
const MOST_PAYMENTS = 20;

type Made = { readonly kind: "made"; readonly request: PaymentRequestJson; readonly isNew: boolean } | Refusal;
type Found = { readonly kind: "found"; readonly request: PaymentRequestJson } | Refusal;

/**
 * Makes a request, once for each id: the same content again has the same answer.
 * @throws InvalidInput for a member that breaks its rule
 */
export async function createRequest(context: RelayContext, given: ParsedCreateRequest): Promise<Made> {
  const { db, sealer, clock, partner } = context;
  const request = readRequest(given, clock.nowMs());
  const { id, currency, content, amount, isSingle, expiresAt } = request;
  const before = (await findRequests(db, sealer, [id])).get(id);
  if (before === undefined) {
    if (expiresAt !== undefined && expiresAt <= request.createdAt) {
      throw new InvalidInput("expiresAt", "a time that is still to come");
    }
    // A code that cannot be made is refused now, and not when it is shown.
    const country = await countryOf(context);
    if (typeof country !== "string") return country;
    requestCode(asSigned(request, partner, content), country);
    const payable = await judgeByRegistry(context.registry, (view) => whoCanPay(view, partner, currency));
    if (payable.kind === "refused") return payable;
  }
  const isNew = before === undefined && (await insertRequest(db, sealer, request));
  const stored = (await findRequests(db, sealer, [id])).get(id);
  if (stored?.content === undefined) return refused("erased", "the request was made, and has been erased");
  const isSame =
    stored.currency === currency &&
    stored.amount === amount &&
    stored.isSingle === isSingle &&
    contentText(stored.content) === contentText(content);
  if (!isSame) return refused("request-conflict", "a request with other content has this id", { field: "id" });
  const found = await describe(context, stored);
  return found.kind === "refused" ? found : { kind: "made", request: found.request, isNew };
}

function readRequest(given: ParsedCreateRequest, nowMs: number): NewRequest {
  const { id, payee, amount, purpose, reference, single, expiresAt } = given;
  const endsMs = expiresAt === undefined ? undefined : parseInstant(expiresAt, "expiresAt");
  return {
    id,
    currency: parseCurrency(amount.currency, "amount.currency").code,
    amount: amount.minor === undefined ? undefined : BigInt(amount.minor),
    isSingle: single,
    content: {
      payee: { name: parseName(payee.name, "payee.name"), alias: parseCustomer(payee.alias, "payee.alias") },
      purpose,
      ...(reference === undefined ? {} : { reference: parseText(reference, "reference") }),
      ...(endsMs === undefined ? {} : { expiresAt: formatInstant(endsMs) }),
    },
    createdAt: nowMs,
    expiresAt: endsMs ?? (single ? nowMs + DAY_MS : undefined),
  };
}

function contentText(content: RequestContent): string {
  // Strings and objects of strings, with no undefined member.
  return canonicalJson({ ...content } as unknown as CanonicalObject, "content");
}

/** Money has to be able to come here in the currency: what nobody can pay is no request. */
function whoCanPay(
  { corridors }: RegistryView,
  payee: PartnerId,
  currency: CurrencyCode,
): { readonly kind: "payable" } | Refusal {
  const taken = new Set<CurrencyCode>();
  for (const { corridor, terms } of corridors.values()) {
    if (corridor.target === payee && terms.open) taken.add(corridor.targetCurrency);
  }
  if (taken.has(currency)) return { kind: "payable" };
  const others =
    taken.size === 0 ? "no corridor to this partner is open" : `open to this partner: ${[...taken].join(", ")}`;
  return refused("corridor-closed", `nobody can pay in ${currency}; ${others}`, { field: "amount.currency" });
}

export async function findRequest(context: RelayContext, id: string): Promise<Found> {
  const stored = (await findRequests(context.db, context.sealer, [id])).get(id);
  if (stored === undefined) return refused("request-not-found", "this relay has made no such request");
  return describe(context, stored);
}

/** Withdraws a request: from then on nobody can pay it. One that is paid, or is being paid, stays as it is. */
export async function cancelRequest(context: RelayContext, id: string): Promise<Found> {
  const { db, clock, wake } = context;
  const at = clock.nowMs();
  const outcome = await db.transaction(async (tx) => {
    // Whoever pays it at the same moment waits here, or has been waited for.
    const locked = await lockSingles(tx, [id]);
    if (locked.size > 0 && (await paidByOthers(tx, [id], [])).size > 0) return "paid";
    if (!(await markCancelled(tx, id, at))) return "as it was";
    await appendEvents(tx, [{ type: "request.cancelled", at, data: { request: id } }]);
    return "cancelled";
  });
  if (outcome === "paid") return refused("request-not-cancellable", "a payment is credited, or on its way");
  if (outcome === "cancelled") wake("notifier");
  return findRequest(context, id);
}

async function describe(context: RelayContext, stored: StoredRequest): Promise<Found> {
  const { db, clock, partner } = context;
  const { content } = stored;
  if (content === undefined) return refused("erased", "the request has been erased");
  const country = await countryOf(context);
  if (typeof country !== "string") return country;
  const payments = await latestPayments(db, stored.id, MOST_PAYMENTS);
  const signed = asSigned(stored, partner, content);
  const request: PaymentRequestJson = {
    ...shownRequest(statusOf(stored, payments, clock.nowMs()), signed, stored.expiresAt),
    createdAt: formatInstant(stored.createdAt),
    code: requestCode(signed, country),
    payments: payments.map(({ uetr, amount, creditedAt }) => ({
      uetr,
      minor: String(amount),
      ...(creditedAt === undefined ? {} : { creditedAt: formatInstant(creditedAt) }),
    })),
  };
  return { kind: "found", request };
}

/** What both its payee and its payers see of a request. */
export function shownRequest(
  status: RequestStatus,
  request: PaymentRequest,
  expiresAtMs: number | undefined,
): Omit<ResolvedRequestJson, "target" | "signed"> {
  const { id, name, currency, amount, purpose, reference, single } = request;
  return {
    id,
    status,
    name,
    amount: { currency: currencyByNumeric(currency).code, ...(amount === 0n ? {} : { minor: String(amount) }) },
    purpose,
    ...(reference === "" ? {} : { reference }),
    single,
    ...(expiresAtMs === undefined ? {} : { expiresAt: formatInstant(expiresAtMs) }),
  };
}

/** A request as this relay tells others of it; undefined where it has none of this id, or has erased it. */
export async function toldRequest(
  { db, sealer, clock, partner }: Pick<RelayContext, "db" | "sealer" | "clock" | "partner">,
  id: string,
): Promise<{ readonly status: RequestStatus; readonly request: PaymentRequest } | undefined> {
  const stored = (await findRequests(db, sealer, [id])).get(id);
  if (stored?.content === undefined) return undefined;
  const payments = stored.isSingle ? await latestPayments(db, id, 1) : [];
  const status = statusOf(stored, payments, clock.nowMs());
  return { status, request: asSigned(stored, partner, stored.content) };
}

function statusOf(
  { isSingle, cancelledAt, expiresAt }: StoredRequest,
  payments: readonly { readonly creditedAt: number | undefined }[],
  nowMs: number,
): RequestStatus {
  const [payment] = payments;
  if (isSingle && payment !== undefined) return payment.creditedAt === undefined ? "pending" : "paid";
  if (cancelledAt !== undefined) return "cancelled";
  return expiresAt !== undefined && expiresAt <= nowMs ? "expired" : "open";
}

function asSigned(
  { id, currency, amount, isSingle, expiresAt }: Omit<NewRequest, "content">,
  payee: PartnerId,
  content: RequestContent,
): PaymentRequest {
  return {
    id,
    payee,
    name: content.payee.name,
    currency: currencyOf(currency).numeric,
    amount: amount ?? 0n,
    single: isSingle,
    // Whole seconds, of which the last one is over: never later than it is.
    expiresAt: expiresAt === undefined ? 0 : Math.floor(expiresAt / 1_000),
    purpose: content.purpose,
    reference: content.reference ?? "",
  };
}

async function countryOf({ registry, partner }: RelayContext): Promise<string | Refusal> {
  const own = (await registry.read()).partners.get(partner) ?? (await registry.refresh()).partners.get(partner);
  return (
    own?.country ?? refused("unavailable", "the registry, which knows this partner's country, does not answer now")
  );
}
