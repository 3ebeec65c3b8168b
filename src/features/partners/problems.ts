import type { ProblemEntries } from "../../schema/problems.ts";

declare module "../../schema/problems.ts" {
  interface Problems extends Readonly<typeof partnersProblems> {}
}

export const partnersProblems = {
  "payee-not-found": { status: 404, title: "The partner knows no customer of this alias", transfer: "unknown" },
  "unknown-partner": {
    status: 422,
    title: "No partner of this number takes transfers",
    transfer: "none",
    reason: "RC01",
  },
  "corridor-closed": { status: 422, title: "The corridor is not open", transfer: "none", reason: "AG03" },
  "amount-too-large": {
    status: 422,
    title: "The amount is above the corridor's limit",
    transfer: "none",
    reason: "AM02",
  },
  "partner-unavailable": {
    status: 503,
    title: "The partner's relay does not answer",
    transfer: "unknown",
    reason: "AB08",
  },
} as const satisfies ProblemEntries;
