import { z } from "zod/v4";
import type { Hex } from "./bytes/hex.ts";
import { currencyByNumeric } from "./currency.ts";
import { InvalidInput } from "./errors.ts";
import { formatAmount, money } from "./money.ts";
import { parsePartnerId, type PartnerId } from "./partner.ts";
import { formatObjects, type CodeObject } from "./payment-code/objects.ts";
import { formatPaymentCode, parsePaymentCode, type PaymentCode } from "./payment-code/payment-code.ts";
import { OWN_SCHEME, OWN_TEMPLATE } from "./payment-code/schemes.ts";
import { parseName, parseText } from "./text.ts";
import {
  batchDomain,
  hashPaymentRequest,
  typedDataDigest,
  type Chain,
  type PaymentRequestStruct,
} from "./typed-data.ts";
import { isUetr } from "./uetr.ts";
import { minorUnits, parsedBy, partnerNumber } from "./wire.ts";

/**
 * What customers of other partners can pay, as its payee's partner signs it (EIP-712 `PaymentRequest`): whom, how much,
 * until when. Who the payee is to the wallet, it does not say.
 */
export interface PaymentRequest extends PaymentRequestStruct {
  /** UUID of version 4, made by the payee's wallet. */
  readonly id: string;
  readonly payee: PartnerId;
  /** Of the payee, as payers are to see it. */
  readonly name: string;
  /** ISO 4217 number. */
  readonly currency: number;
  /** In minor units; 0 where the payer says how much. */
  readonly amount: bigint;
  /** Whether it can be paid once only. */
  readonly single: boolean;
  /** UTC seconds after which it cannot be paid; 0 for never. */
  readonly expiresAt: number;
  /** ISO 20022 ExternalPurpose1Code. */
  readonly purpose: string;
  /** What it is for, for the payer to read; empty where that is not said. */
  readonly reference: string;
}

/** A text of another relay is held to the rule here: it is shown to people. */
const shownText = parsedBy(z.string(), (text) => (text === "" ? text : parseText(text, "text")));

export const paymentRequestSchema: z.ZodType<PaymentRequest> = z.object({
  id: z.string().refine(isUetr, "a UUID of version 4 in lower case"),
  payee: partnerNumber,
  name: parsedBy(z.string(), (text) => parseName(text, "name")),
  currency: parsedBy(z.number(), (numeric) => currencyByNumeric(numeric).numeric),
  amount: minorUnits,
  single: z.boolean(),
  expiresAt: z
    .number()
    .int()
    .min(0)
    .max(2 ** 48 - 1),
  purpose: z.string().regex(/^[A-Z0-9]{4}$/),
  reference: shownText,
});

/** What is signed of a request. */
export function paymentRequestDigest(request: PaymentRequest, chain: Omit<Chain, "quoteBook">): Hex {
  return typedDataDigest(batchDomain(chain), hashPaymentRequest(request));
}

/** Characters of a name in a code (EMV QRCPS, 59). */
const MAX_CODE_NAME = 25;
const OF_ONE = "12";
const OF_MANY = "11";

/**
 * A request as a payment code, which the payer's wallet finds it by (EMV QRCPS, merchant-presented mode). It proves
 * nothing: what is to be paid is what the payee's relay says of the request.
 * @param country of the payee's partner, ISO 3166-1 alpha-2; it stands for the place, too, which a code must name
 * @throws InvalidInput for an amount that is longer than a code can hold
 */
export function requestCode(request: PaymentRequest, country: string): string {
  const { id, payee, name, currency, amount, single } = request;
  const account: readonly CodeObject[] = [
    { id: "00", value: OWN_TEMPLATE.guid },
    { id: "01", value: String(payee) },
    { id: "02", value: id },
  ];
  const objects: readonly CodeObject[] = [
    { id: "00", value: "01" },
    { id: "01", value: single ? OF_ONE : OF_MANY },
    { id: String(OWN_TEMPLATE.from), value: formatObjects(account, "code.account") },
    { id: "52", value: "0000" },
    { id: "53", value: String(currency).padStart(3, "0") },
    ...(amount === 0n ? [] : [{ id: "54", value: formatAmount(money(amount, currencyByNumeric(currency).code)) }]),
    { id: "58", value: country },
    { id: "59", value: Array.from(name).slice(0, MAX_CODE_NAME).join("").trim() },
    { id: "60", value: country },
  ];
  return formatPaymentCode({ objects });
}

/** Where a code says that a request of this network is. */
export interface RequestPlace {
  readonly payee: PartnerId;
  readonly id: string;
}

/**
 * Reads a code of this network.
 * @throws InvalidInput naming the object and the rule; for a sound code of other schemes alone it names these
 */
export function readRequestCode(text: string): RequestPlace & { readonly code: PaymentCode } {
  const code = parsePaymentCode(text);
  const account = code.accounts.find(({ scheme }) => scheme === OWN_SCHEME);
  if (account === undefined) {
    const others = code.accounts.map(({ scheme, guid, id }) => scheme ?? guid ?? `card network (${id})`);
    throw new InvalidInput("code", `a request of this network; this code is of ${others.join(", ")}`);
  }
  const { partner = "", request = "" } = account.fields;
  const field = `code.${account.id}`;
  if (!isUetr(request)) throw new InvalidInput(`${field}.02`, "a request's id: a UUID of version 4 in lower case");
  return { payee: parsePartnerId(partner, `${field}.01`), id: request, code };
}
