import { currencyByNumeric } from "../../domain/currency.ts";
import { formatInstant } from "../../domain/instant.ts";
import { formatMoney, money } from "../../domain/money.ts";
import { readRequestCode, type PaymentRequest } from "../../domain/payment-request.ts";
import type { PaymentCode } from "../../domain/payment-code/payment-code.ts";
import type { Authorization } from "../../domain/typed-data.ts";
import { retryAfterSeconds } from "../../kernel/quota.ts";
import { refused, type Refusal } from "../../kernel/refusal.ts";
import { KEY_PURPOSES } from "../../ledger/deployment/config.ts";
import type { RegistryView } from "../../ledger/registry.ts";
import { isPaymentRequestSigned } from "../../ledger/signed-by.ts";
import type { RequestStatus, ResolvedRequestJson } from "../../schema/requests.ts";
import type { RelayContext } from "../context.ts";
import { activeWallet, judgeByRegistry, registryNow } from "../partners/corridors.ts";
import { mayLookUp } from "../partners/lookups.ts";
import { PeerError, peerClient } from "../peers/client.ts";
import type { RequestAnswer } from "../peers/messages.ts";
import { answerRequest } from "./peer-messages.ts";

/** Whatever the other relay says: its limits are by the day. */
const LONGEST_WAIT_SECONDS = 86_400;

export type Resolution = { readonly kind: "resolved"; readonly request: ResolvedRequestJson } | Refusal;

/**
 * Tells what a scanned code asks to be paid, by the word of its payee's partner. Of the code nothing is believed but
 * where to ask; what else it says must not differ.
 * @param asker who is counted, as `key:<id>`
 * @throws InvalidInput for a code that cannot be read, or is of none of this network
 */
export async function resolveCode(context: RelayContext, asker: string, text: string): Promise<Resolution> {
  const outcome = await resolve(context, asker, text);
  const counted = outcome.kind === "resolved" ? "found" : outcome.code;
  context.metrics.lookups.inc({ direction: "sent", outcome: counted });
  return outcome;
}

async function resolve(context: RelayContext, asker: string, text: string): Promise<Resolution> {
  const { payee: target, id, code } = readRequestCode(text);
  const partner = await judgeByRegistry(context.registry, (view) => activeWallet(view, target));
  if (partner.kind === "refused") return partner;
  const waitMs = await mayLookUp(context, asker);
  if (waitMs > 0) return limited("the API key has looked up as much as it may", retryAfterSeconds(waitMs));
  let answer: RequestAnswer;
  try {
    answer = await (target === context.partner
      ? answerRequest(context, id)
      : peerClient(context).findRequest(target, id));
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    context.log.warn({ target, error }, "a partner did not answer for a request");
    if (error.status === 429) {
      const seconds = Math.min(Math.max(error.retryAfterSeconds ?? 1, 1), LONGEST_WAIT_SECONDS);
      return limited(`partner ${target} accepts no more look-ups for now`, seconds);
    }
    return refused("partner-unavailable", `partner ${target} does not answer for its requests now`, { field: "code" });
  }
  if (!answer.found) return refused("request-not-found", `partner ${target} has no such request`, { field: "code" });
  const { status, request, signed } = answer;
  if (request.id !== id || request.payee !== target || !(await isOfPartner(context, request, signed))) {
    context.log.error(
      { target, request: id },
      "a partner's answer for a request is not signed by it, or of another one",
    );
    return refused("partner-unavailable", `what partner ${target} answers is not what it has signed`, {
      field: "code",
    });
  }
  const altered = whatDiffers(code, request);
  if (altered !== undefined) return refused("code-altered", altered, { field: "code" });
  return { kind: "resolved", request: resolvedJson(status, request, signed) };
}

function limited(detail: string, seconds: number): Refusal {
  return refused("rate-limited", `${detail}: try again in ${seconds} s`, { retryAfterSeconds: seconds });
}

/** Whether the partner has signed it, by a key that may accept for it: by the registry as it was read last, or as it is. */
async function isOfPartner(
  { registry, ledger, clock }: RelayContext,
  request: PaymentRequest,
  signed: Authorization,
): Promise<boolean> {
  const isItsKey = ({ partners }: RegistryView): boolean => {
    const granted = partners.get(request.payee)?.keys.get(signed.key);
    if (granted === undefined || granted.validUntil * 1_000 < clock.nowMs()) return false;
    return (granted.purposes & KEY_PURPOSES.accept) !== 0;
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

function resolvedJson(status: RequestStatus, request: PaymentRequest, signed: Authorization): ResolvedRequestJson {
  const { id, payee, name, currency, amount, single, expiresAt, purpose, reference } = request;
  return {
    id,
    status,
    target: payee,
    name,
    amount: { currency: currencyByNumeric(currency).code, ...(amount === 0n ? {} : { minor: String(amount) }) },
    purpose,
    ...(reference === "" ? {} : { reference }),
    single,
    ...(expiresAt === 0 ? {} : { expiresAt: formatInstant(expiresAt * 1_000) }),
    signed: { ...signed },
  };
}
