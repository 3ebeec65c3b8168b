import type { ProblemEntries } from "../../../../src/schema/problems.ts";

declare module "../../../../src/schema/problems.ts" {
  interface Problems extends Readonly<typeof greetingProblems> {}
}

export const greetingProblems = {
  "greeting-too-long": { status: 422, title: "The greeting is longer than this relay takes", transfer: "unknown" },
} as const satisfies ProblemEntries;
