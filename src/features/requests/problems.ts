import type { ProblemEntries } from "../../schema/problems.ts";

declare module "../../schema/problems.ts" {
  interface Problems extends Readonly<typeof requestsProblems> {}
}

export const requestsProblems = {
  "request-not-found": { status: 404, title: "There is no such request", transfer: "unknown" },
  "bill-not-found": { status: 404, title: "The biller knows no such bill", transfer: "unknown" },
  "request-conflict": { status: 409, title: "The id is that of a request with other content", transfer: "unknown" },
  "request-not-cancellable": { status: 409, title: "The request is paid, or is being paid", transfer: "unknown" },
  "code-altered": {
    status: 422,
    title: "The code says something else than the payee's relay",
    transfer: "unknown",
  },
} as const satisfies ProblemEntries;
