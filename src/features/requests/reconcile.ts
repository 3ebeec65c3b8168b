import type { CurrencyCode } from "../../domain/currency.ts";
import type { Uetr } from "../../domain/uetr.ts";
import type { Reconcile } from "../context.ts";
import { comparedPayments, type ComparedPayment } from "./store.ts";

declare module "../../kernel/findings.ts" {
  interface DifferenceKinds {
    request: true;
  }
}

const PAGE = 1_000;

/** Whether each request was paid as it asks to be: what it says, and once where it says so. */
export const reconcileRequests: Reconcile = ({ db }, _scope, findings) => ({
  async finish() {
    let requestPayments = 0;
    for (let after = 0n; ;) {
      const page = await comparedPayments(db, after, PAGE);
      for (const payment of page) {
        for (const sentence of whatDiffers(payment)) findings.add("request", payment.request, sentence);
      }
      requestPayments += page.length;
      const last = page.at(-1);
      if (last === undefined) return { requestPayments };
      after = last.seq;
    }
  },
});

function whatDiffers({ uetr, amount, credited, asked, isFirst }: ComparedPayment): readonly string[] {
  if (asked === undefined) return [`The transfer ${uetr} pays it, and there is no such request.`];
  const isAsAsked = credited.currency === asked.currency && (asked.amount ?? credited.amount) === credited.amount;
  return [
    ...(credited.amount === amount ? [] : [told(uetr, credited, `${amount} is written down`)]),
    ...(isAsAsked ? [] : [told(uetr, credited, `it asks for ${asked.amount ?? "any amount"} ${asked.currency}`)]),
    ...(isFirst || !asked.isSingle ? [] : [`The transfer ${uetr} pays it, and so does another one before it.`]),
  ];
}

function told(
  uetr: Uetr,
  { amount, currency }: { readonly amount: bigint; readonly currency: CurrencyCode },
  otherwise: string,
): string {
  return `The transfer ${uetr} pays ${amount} ${currency}, and ${otherwise}, in minor units.`;
}
