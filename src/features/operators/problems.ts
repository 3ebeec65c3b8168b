import type { ProblemEntries } from "../../schema/problems.ts";

declare module "../../schema/problems.ts" {
  interface Problems extends Readonly<typeof operatorsProblems> {}
}

export const operatorsProblems = {
  "already-rotated": { status: 409, title: "The key has a successor", transfer: "unknown" },
  "not-final": {
    status: 409,
    title: "The transfer is neither refunded nor known to be credited",
    transfer: "unknown",
  },
} as const satisfies ProblemEntries;
