import type { ProblemEntries } from "../../schema/problems.ts";

declare module "../../schema/problems.ts" {
  interface Problems extends Readonly<typeof pricingProblems> {}
}

export const pricingProblems = {
  "amount-too-small": {
    status: 422,
    title: "The amount converts to less than one minor unit",
    transfer: "none",
    reason: "AM01",
  },
  "quote-not-found": { status: 422, title: "There is no such quote", transfer: "none" },
  "quote-expired": { status: 422, title: "The quote has expired", transfer: "none", reason: "AB04" },
  "quote-mismatch": { status: 422, title: "The quote is for another corridor", transfer: "none", reason: "AM09" },
  "quote-used-up": {
    status: 422,
    title: "The quote has too little left for this amount",
    transfer: "none",
    reason: "AB04",
  },
  "no-quote": { status: 422, title: "No liquidity provider sells this much", transfer: "none", reason: "AB04" },
  "quotes-unavailable": { status: 503, title: "No liquidity provider answers", transfer: "unknown" },
} as const satisfies ProblemEntries;
