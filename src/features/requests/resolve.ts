import type { Biller } from "../../domain/biller.ts";
import { currencyByNumeric } from "../../domain/currency.ts";
import { formatMoney, money } from "../../domain/money.ts";
import { parsePartnerId, type PartnerId } from "../../domain/partner.ts";
import { cleanText } from "../../domain/text.ts";
import { readRequestCode, type PaymentRequest } from "../../domain/payment-request.ts";
import type { PaymentCode } from "../../domain/payment-code/payment-code.ts";
import type { Authorization } from "../../domain/typed-data.ts";
import { refused, type Refusal } from "../../kernel/refusal.ts";
import { holdsKey, type RegistryView } from "../../ledger/registry.ts";
import { isPaymentRequestSigned } from "../../ledger/signed-by.ts";
import type { BillLookup, ResolvedRequestJson } from "../../schema/requests.ts";
import type { RelayContext } from "../context.ts";
import { askPartner } from "../partners/ask-partner.ts";
import { registryNow } from "../partners/corridors.ts";
import type { RequestAnswer } from "../peers/messages.ts";
import { answerBill, answerRequest } from "./answers.ts";
import { shownRequest } from "./requests.ts";

export type Resolution = { readonly kind: "resolved"; readonly request: ResolvedRequestJson } | Refusal;
type Billers = { readonly kind: "found"; readonly billers: readonly Biller[] } | Refusal;

/**
 * Tells what a scanned code asks to be paid, by the word of its payee's partner. Of the code nothing is believed but
 * where to ask; what else it says must not differ.
 * @param asker who is counted, as `key:<id>`
 * @throws InvalidInput for a code that cannot be read, or is of none of this network
 */
export async function resolveCode(context: RelayContext, asker: string, text: string): Promise<Resolution> {
  return counted(context, await resolve(context, asker, text));
}

async function resolve(context: RelayContext, asker: string, text: string): Promise<Resolution> {
  const { payee, id, code } = readRequestCode(text);
  const answer = await askPartner<RequestAnswer>(
    context,
    { asker, target: payee },
    {
      own: () => answerRequest(context, id),
      peer: (client) => client.findRequest(payee, id),
    },
  );
  if ("code" in answer) return answer;
  if (!answer.found) return refused("request-not-found", `partner ${payee} has no such request`, { field: "code" });
  const altered = whatDiffers(code, answer.request);
  if (altered !== undefined) return refused("code-altered", altered, { field: "code" });
  return resolved(context, payee, answer, id);
}

/** Tells what is due on a bill, in the same way. */
export async function resolveBill(context: RelayContext, asker: string, given: BillLookup): Promise<Resolution> {
  return counted(context, await lookUpBill(context, asker, given));
}

async function lookUpBill(context: RelayContext, asker: string, given: BillLookup): Promise<Resolution> {
  const { biller, reference } = given;
  const target = parsePartnerId(given.target, "target");
  const answer = await askPartner<RequestAnswer>(
    context,
    { asker, target, field: "target" },
    {
      own: () => answerBill(context, biller, reference),
      peer: (client) => client.findBill(target, biller, reference),
    },
  );
  if ("code" in answer) return answer;
  if (answer.found) return resolved(context, target, answer);
  // A biller's rule is told in its relay's words, which are shown as text.
  if (answer.rule !== undefined) return refused("invalid-request", cleanText(answer.rule), { field: "reference" });
  return refused("bill-not-found", `partner ${target} knows no such bill`, { field: "reference" });
}

/** Who sends bills that are paid at a partner. */
export async function findBillers(context: RelayContext, asker: string, target: PartnerId): Promise<Billers> {
  const billers = await askPartner<readonly Biller[]>(
    context,
    { asker, target, field: "partner" },
    {
      own: () => context.wallet.billers(),
      peer: (client) => client.billers(target),
    },
  );
  return counted(context, "code" in billers ? billers : { kind: "found" as const, billers });
}

/** Counts what was asked, with look-ups of payees. */
function counted<Outcome extends { readonly kind: string } | Refusal>(
  { metrics }: RelayContext,
  outcome: Outcome,
): Outcome {
  metrics.lookups.inc({ direction: "sent", outcome: "code" in outcome ? outcome.code : "found" });
  return outcome;
}

/** @param id of the request that was asked for; undefined where that is for the partner to say */
async function resolved(
  context: RelayContext,
  target: PartnerId,
  { status, request, signed }: Extract<RequestAnswer, { readonly found: true }>,
  id = request.id,
): Promise<Resolution> {
  if (request.id === id && request.payee === target && (await isOfPartner(context, request, signed))) {
    const expiresAtMs = request.expiresAt === 0 ? undefined : request.expiresAt * 1_000;
    const shown = shownRequest(status, request, expiresAtMs);
    return { kind: "resolved", request: { ...shown, target, signed: { ...signed } } };
  }
  context.log.error(
    { target, request: request.id },
    "a partner's answer for a request is not signed by it, or of another",
  );
  return refused("partner-unavailable", `what partner ${target} answers is not what it has signed`);
}

/** Whether the partner has signed it, by a key that may accept for it: by the registry as it was read last, or as it is. */
async function isOfPartner(
  { registry, ledger, clock }: RelayContext,
  request: PaymentRequest,
  signed: Authorization,
): Promise<boolean> {
  const isItsKey = ({ partners }: RegistryView): boolean => {
    const payee = partners.get(request.payee);
    return payee !== undefined && holdsKey(payee, signed.key, "accept", Math.floor(clock.nowMs() / 1_000));
  };
  if (!isItsKey(await registry.read())) {
    const now = await registryNow(registry);
    if (now.kind === "refused" || !isItsKey(now.view)) return false;
  }
  return isPaymentRequestSigned(ledger, request, signed);
}

/** What a code says otherwise than the payee's partner: somebody has made another of it. */
function whatDiffers(code: PaymentCode, request: PaymentRequest): string | undefined {
  const currency = currencyByNumeric(request.currency).code;
  const asked = request.amount === 0n ? undefined : formatMoney(money(request.amount, currency));
  const printed = code.amount === undefined ? undefined : formatMoney(code.amount);
  if (code.currency !== currency) return `the code is in ${code.currency}, and the request in ${currency}`;
  if (printed === asked) return undefined;
  return `the code asks for ${printed ?? "what the payer says"}, and the request for ${asked ?? "what the payer says"}`;
}
