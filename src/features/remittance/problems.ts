import type { ProblemEntries } from "../../schema/problems.ts";

declare module "../../schema/problems.ts" {
  interface Problems extends Readonly<typeof remittanceProblems> {}
}

export const remittanceProblems = {
  "uetr-unreadable": {
    status: 400,
    title: "The transfer is unknown: the UETR breaks its rule",
    transfer: "unknown",
    reason: "FF01",
  },
  "uetr-conflict": {
    status: 409,
    title: "The UETR is that of a transfer with other content",
    transfer: "stored",
    reason: "AM05",
  },
  "not-retryable": { status: 409, title: "The attempt that it names cannot be tried again", transfer: "none" },
  "not-cancellable": { status: 409, title: "The transfer cannot be cancelled any more", transfer: "stored" },
  "receipt-not-ready": {
    status: 409,
    title: "A receipt exists only after a transfer has settled",
    transfer: "unknown",
  },
  erased: { status: 410, title: "The personal data has been erased", transfer: "unknown" },
  "insufficient-liquidity": {
    status: 422,
    title: "The partner has too little money on the ledger",
    transfer: "none",
    reason: "AM04",
  },
  "content-uncheckable": {
    status: 503,
    title: "A transfer is stored; the key to compare it is missing",
    transfer: "stored",
  },
} as const satisfies ProblemEntries;
