import { utf8 } from "./bytes/bytes.ts";
import { fromHex, toHex, type Hex } from "./bytes/hex.ts";
import { InvalidInput } from "./errors.ts";

/**
 * Why a transfer is not paid out: the codes of ISO 20022 ExternalStatusReason1Code that this network uses, with the
 * definitions of the external code set.
 */
export const REASONS = {
  AB03: "Settlement aborted due to timeout.",
  AB04: "Settlement process aborted due to a fatal error.",
  AB05: "Transaction stopped due to timeout at the Creditor Agent.",
  AB08: "Creditor Agent is not online.",
  AB09: "Transaction stopped due to error at the Creditor Agent.",
  AC01: "Account number is invalid or missing.",
  AC03: "Creditor account number invalid or missing",
  AC04: "Account number specified has been closed on the bank of account's books.",
  AC06: "Account specified is blocked, prohibiting posting of transactions against it.",
  AC07: "Creditor account number closed",
  AC14: "Creditor account type missing or invalid",
  AG01: "Transaction forbidden on this type of account (formerly NoAgreement)",
  AG03: "Transaction type not supported/authorized on this account",
  AM01: "Specified message amount is equal to zero",
  AM02: "Specific transaction/message amount is greater than allowed maximum",
  AM04: "Amount of funds available to cover specified message amount is insufficient.",
  AM05: "Duplication",
  AM09: "Amount received is not the amount agreed or expected",
  AM14: "Transaction amount exceeds limits agreed between bank and client",
  BE01: "Identification of end customer is not consistent with associated account number. (formerly CreditorConsistency).",
  BE04: "Specification of creditor's address, which is required for payment, is missing/not correct (formerly IncorrectCreditorAddress).",
  BE06: "End customer specified is not known at associated Sort/National Bank Code or does no longer exist in the books",
  BE22: "Creditor name is missing",
  BE23: "Phone number or email address, or any other proxy, used as the account proxy is unknown or invalid.",
  DUPL: "Payment or charge is a duplicate of another payment or charge.",
  FF01: "File Format incomplete or invalid",
  FR01: "Returned as a result of fraud.",
  MS02: "Reason has not been specified by end customer",
  MS03: "Reason has not been specified by agent.",
  NARR: "Reason is provided as narrative information in the additional reason information.",
  RC01: "Bank identifier code specified in the message has an incorrect format (formerly IncorrectFormatForRoutingCode).",
  RR01: "Specification of the debtor’s account or unique identification needed for reasons of regulatory requirements is insufficient or missing",
  RR02: "Specification of the debtor’s name and/or address needed for regulatory requirements is insufficient or missing.",
  RR03: "Specification of the creditor’s name and/or address needed for regulatory requirements is insufficient or missing.",
  RR04: "Regulatory Reason",
  TM01: "Associated message, payment information block, or transaction was received after agreed processing cut-off time.",
} as const;

export type ReasonCode = keyof typeof REASONS;

/**
 * Reads a reason code.
 * @throws InvalidInput when it is none of `REASONS`
 */
export function parseReason(text: string, field = "reason"): ReasonCode {
  if (!isReason(text)) throw new InvalidInput(field, "an ISO 20022 status reason that the network uses", text);
  return text;
}

/** The code as the ledger keeps it, bytes4: its four ASCII characters. */
export function reasonToBytes4(reason: ReasonCode): Hex {
  return toHex(utf8(reason));
}

/**
 * Reads a reason from the ledger. Undefined when it is none of `REASONS`: the ledger takes any four bytes from a target
 * partner, and a reader must get past what it does not know.
 * @throws InvalidInput when there are not 4 bytes
 */
export function reasonFromBytes4(bytes4: Hex): ReasonCode | undefined {
  const text = String.fromCharCode(...fromHex(bytes4, 4, "reason"));
  return isReason(text) ? text : undefined;
}

/** Whether a text is one of `REASONS`. */
export function isReason(text: string): text is ReasonCode {
  return Object.hasOwn(REASONS, text);
}
