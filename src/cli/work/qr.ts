import { formatMoney } from "../../domain/money.ts";
import { parsePaymentCode, type CodeAccount, type PaymentCode } from "../../domain/payment-code/payment-code.ts";
import { renderFacts, type Session } from "../../command/session.ts";

/** Shows what a payment code says. */
export function read(session: Session, [text = ""]: readonly string[]): Promise<void> {
  session.print(parsePaymentCode(text), showCode);
  return Promise.resolve();
}

const SURCHARGES: Readonly<Record<NonNullable<PaymentCode["surcharge"]>, string>> = {
  asked: "and a tip, which the payer is asked for",
  fixed: "and a fee, which the code says",
  percentage: "and a part of the amount, which the code says",
};

function showCode(code: PaymentCode): string {
  const { accounts, currency, amount, surcharge, country, name, city, localName, isDynamic, additional } = code;
  const facts = renderFacts([
    ...accounts.map((account) => ["pay to", accountText(account)] as const),
    ["amount", amount === undefined ? `the payer says, in ${currency}` : formatMoney(amount)],
    ["besides", surcharge === undefined ? undefined : SURCHARGES[surcharge]],
    ["name", localName === undefined ? name : [name, localName].filter(Boolean).join(", ")],
    ["place", [city, country].filter(Boolean).join(", ")],
    ["made for", isDynamic === undefined ? undefined : isDynamic ? "one payment" : "any number of payments"],
    ...Object.entries(additional),
  ]);
  return `${facts}\n\nThe code is not damaged. Who has made it, it cannot say: ask the payee's wallet for the name.`;
}

function accountText({ id, scheme, guid, fields }: CodeAccount): string {
  const values = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  return [scheme ?? guid ?? `card network (${id})`, ...values].join(", ");
}
