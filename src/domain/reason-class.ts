import type { ReasonCode } from "./reason.ts";

/** Where it lies that a transfer is not paid. */
export const REASON_CLASSES = {
  payer: "What the payer asked for cannot be, or was asked for before.",
  payee: "The payee's account, or its details, cannot be credited.",
  liquidity: "A partner had too little money on the ledger.",
  time: "Nobody answered, or settled, in time.",
  technical: "A program failed, was away, or was not understood.",
  compliance: "A rule of regulators forbids it, or a suspicion of fraud.",
  untold: "No reason was told, or none that the network knows.",
} as const;
export type ReasonClass = keyof typeof REASON_CLASSES;

/** Every reason in one class. */
const CLASS_OF: Readonly<Record<ReasonCode, ReasonClass>> = {
  AB03: "time",
  AB04: "technical",
  AB05: "time",
  AB08: "technical",
  AB09: "technical",
  AC01: "payee",
  AC03: "payee",
  AC04: "payee",
  AC06: "payee",
  AC07: "payee",
  AC14: "payee",
  AG01: "payee",
  AG03: "payee",
  AM01: "payer",
  AM02: "payer",
  AM04: "liquidity",
  AM05: "payer",
  AM09: "payer",
  AM14: "payer",
  BE01: "payee",
  BE04: "payee",
  BE06: "payee",
  BE22: "payee",
  BE23: "payee",
  DUPL: "payer",
  FF01: "technical",
  FR01: "compliance",
  MS02: "payee",
  MS03: "untold",
  NARR: "untold",
  RC01: "technical",
  RR01: "compliance",
  RR02: "compliance",
  RR03: "compliance",
  RR04: "compliance",
  TM01: "time",
};

/** @param reason undefined for a code that is none of the network's */
export function classOf(reason: ReasonCode | undefined): ReasonClass {
  return reason === undefined ? "untold" : CLASS_OF[reason];
}
