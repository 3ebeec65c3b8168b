import type { Result } from "ethers";
import { CURRENCIES } from "../domain/currency.ts";
import { BatchStatus } from "../domain/lifecycle.ts";
import type { ReasonCode } from "../domain/reason.ts";
import { KEY_PURPOSES, PARTNER_ROLES } from "./deployment/config.ts";
import { MODULE_STATUSES, PARTNER_STATUSES } from "./statuses.ts";

/** What to do about a refusal: nothing, for the work is done; the same again later; or something else. */
export type Remedy = "done" | "retry" | "change";

export interface LedgerErrorEntry {
  readonly say: (args: ErrorArguments) => string;
  /** "change" where it is left out. */
  readonly remedy?: Remedy | ((args: ErrorArguments) => Remedy);
  /** ISO 20022 status reason, where one fits. */
  readonly reason?: ReasonCode;
}

/** The last second that a calendar date can be told of: JavaScript's, in the year 275760. */
const LAST_DATE = 8_640_000_000_000n;
const UINT16 = 0xffffn;

/**
 * Arguments of an error, as people read them. Contracts put into their errors what they were given, so partners and
 * currencies that do not exist, and any time at all, have to read well, too.
 */
export class ErrorArguments {
  readonly #args: Result;

  constructor(args: Result) {
    this.#args = args;
  }

  text(name: string): string {
    return String(this.#args.getValue(name));
  }

  number(name: string): bigint {
    return BigInt(this.text(name));
  }

  time(name: string): string {
    const seconds = this.number(name);
    if (seconds > LAST_DATE) return `second ${seconds}`;
    return new Date(Number.parseInt(seconds.toString(), 10) * 1_000).toISOString();
  }

  partner(name = "partner"): string {
    return `partner ${this.text(name)}`;
  }

  corridor(): string {
    const id = this.number("corridor");
    const [source = 0n, sourceCurrency = 0n, target = 0n, targetCurrency = 0n] = [48n, 32n, 16n, 0n].map(
      (shift) => (id >> shift) & UINT16,
    );
    const currency = (numeric: bigint) => codeOf(numeric) ?? String(numeric);
    return `corridor ${source}:${currency(sourceCurrency)}>${target}:${currency(targetCurrency)}`;
  }

  currency(): string {
    return codeOf(this.number("currency")) ?? `(currency ${this.text("currency")})`;
  }

  oneOf(names: Readonly<Record<string, number>>, name: string): string {
    const value = Number.parseInt(this.text(name), 10);
    return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
  }

  flags(names: Readonly<Record<string, number>>, name: string): string {
    const set = Number.parseInt(this.text(name), 10);
    const found = Object.entries(names).filter(([, bit]) => (set & bit) === bit);
    return found.map(([flag]) => flag).join(" + ") || "nothing";
  }
}

function codeOf(numeric: bigint): string | undefined {
  return CURRENCIES.find((currency) => BigInt(currency.numeric) === numeric)?.code;
}

const partnerErrors: Readonly<Record<string, LedgerErrorEntry>> = {
  PartnerRegistry_UnknownPartner: { say: (a) => `${a.partner()} is not registered`, reason: "RC01" },
  PartnerRegistry_IdNotFree: { say: (a) => `${a.partner()} is registered already, or zero, which is no partner` },
  PartnerRegistry_InvalidField: {
    say: (a) => `${a.partner()} cannot have this ${a.text("field")}: ${a.text("given")}`,
  },
  PartnerRegistry_InvalidPurpose: {
    say: (a) => `${a.text("given")} is no single purpose that is new: there are ${a.text("existing")}`,
  },
  PartnerRegistry_InvalidRole: {
    say: (a) => `${a.text("given")} is no single role that is new: there are ${a.text("existing")}`,
  },
  PartnerRegistry_NotAdmin: {
    say: (a) => `${a.text("caller")} is not the admin of ${a.partner()}, which is ${a.text("admin")}`,
  },
  PartnerRegistry_IllegalStatus: {
    say: (a) =>
      `${a.partner()} is ${a.oneOf(PARTNER_STATUSES, "current")} and cannot become ${a.oneOf(PARTNER_STATUSES, "requested")}`,
  },
  PartnerRegistry_StatusEpochMismatch: {
    say: (a) =>
      `the status of ${a.partner()} has changed since: this is for its epoch ${a.text("given")}, and it is at ${a.text("current")}`,
  },
  PartnerRegistry_KeyEpochMismatch: {
    say: (a) =>
      `the admin of ${a.partner()} was replaced since: this is for its key epoch ${a.text("given")}, and it is at ${a.text("current")}`,
  },
  PartnerRegistry_RolesMismatch: {
    say: (a) =>
      `the roles of ${a.partner()} have changed since: this replaces ${a.flags(PARTNER_ROLES, "given")}, and they are ${a.flags(PARTNER_ROLES, "current")}`,
  },
  PartnerRegistry_AdminNotice: {
    say: (a) => `the admin of ${a.partner()} was replaced: it cannot be reactivated before ${a.time("until")}`,
    remedy: "retry",
  },
  PartnerRegistry_AdminNotOffered: {
    say: (a) =>
      `the place of the admin of ${a.partner()} is offered to ${a.text("offered")}, not to ${a.text("caller")}`,
  },
  PartnerRegistry_NotExitAccount: {
    say: (a) => `${a.text("caller")} is not the exit account of ${a.partner()}, which is ${a.text("exitAccount")}`,
  },
  PartnerRegistry_NoExit: {
    say: (a) =>
      `${a.partner()} is ${a.oneOf(PARTNER_STATUSES, "status")} and has no exit: an active partner withdraws, and a freeze that is upheld (${a.text("upheld")}) bars it`,
  },
  PartnerRegistry_PartnerNotActive: {
    say: (a) => `${a.partner()} is ${a.oneOf(PARTNER_STATUSES, "status")}, which forbids this`,
    reason: "AG01",
  },
  PartnerRegistry_RoleMissing: {
    say: (a) =>
      `${a.partner()} is ${a.flags(PARTNER_ROLES, "granted")}; this needs ${a.flags(PARTNER_ROLES, "needed")}`,
  },
  PartnerRegistry_KeyNotAuthorized: {
    say: (a) =>
      `${a.text("key")} may not ${a.flags(KEY_PURPOSES, "needed")} for ${a.partner()}: not granted, revoked, or past its validity`,
  },
  PartnerRegistry_InvalidKey: {
    say: (a) =>
      `${a.partner()} cannot authorise ${a.text("key")} to ${a.flags(KEY_PURPOSES, "purposes")} until ${a.time("validUntil")}`,
  },
};

const treasuryErrors: Readonly<Record<string, LedgerErrorEntry>> = {
  Treasury_UnknownCurrency: { say: (a) => `currency ${a.text("currency")} has no settlement token` },
  Treasury_CurrencyTaken: { say: (a) => `${a.currency()} has the token ${a.text("token")} already` },
  Treasury_InvalidCurrency: {
    say: (a) => `${a.text("token")} says that its currency is ${a.text("currency")}, which is no ISO 4217 number`,
  },
  Treasury_NoContract: { say: (a) => `there is no contract at ${a.text("account")}` },
  Treasury_ZeroAmount: { say: () => "the amount is zero", reason: "AM01" },
  Treasury_InvalidRecipient: { say: (a) => `money cannot be withdrawn to the treasury itself, ${a.text("to")}` },
  Treasury_AmountMismatch: { say: (a) => `the token moved ${a.text("received")} instead of ${a.text("expected")}` },
  Treasury_InsufficientAvailable: {
    say: (a) =>
      `${a.partner()} has ${a.text("available")} ${a.currency()} minor units available; this takes ${a.text("required")}`,
    remedy: "retry",
    reason: "AM04",
  },
  Treasury_InsufficientHeld: {
    say: (a) =>
      `${a.text("module")} holds ${a.text("held")} ${a.currency()} minor units of ${a.partner()}; this takes ${a.text("required")}`,
  },
  Treasury_ModuleNotAuthorized: {
    say: (a) =>
      `${a.text("caller")} is no module that may do this: its status is ${a.oneOf(MODULE_STATUSES, "status")}`,
  },
  Treasury_IllegalModuleStatus: {
    say: (a) =>
      `${a.text("module")} is ${a.oneOf(MODULE_STATUSES, "current")} and does not become ${a.oneOf(MODULE_STATUSES, "requested")} by this call: rights are gained by announcement and activation, and lost by restriction`,
    remedy: (a) => (a.number("current") === a.number("requested") ? "done" : "change"),
  },
  Treasury_ModuleStatusMismatch: {
    say: (a) =>
      `the status of ${a.text("module")} has changed since: this replaces ${a.oneOf(MODULE_STATUSES, "given")}, and it is ${a.oneOf(MODULE_STATUSES, "current")}`,
  },
  Treasury_ModuleNotAnnounced: {
    say: (a) =>
      `${a.text("module")} is announced as ${a.oneOf(MODULE_STATUSES, "announced")}, not as ${a.oneOf(MODULE_STATUSES, "requested")}`,
  },
  Treasury_ModuleAlreadyAnnounced: {
    say: (a) => `${a.text("module")} is announced already, as ${a.oneOf(MODULE_STATUSES, "announced")}`,
  },
  Treasury_TooManyModules: { say: () => "the treasury has had 255 modules, and counts no further" },
  Treasury_ModuleNoticeNotOver: {
    say: (a) =>
      `${a.text("module")} may be activated from ${a.time("from")} until ${a.time("until")}; it is ${a.time("now_")}`,
    remedy: (a) => (a.number("now_") < a.number("from") ? "retry" : "change"),
  },
  Treasury_ExitNotOpen: {
    say: (a) =>
      `${a.partner()} is restricted since ${a.time("since")} and may exit from ${a.time("opensAt")}, or as soon as a module is announced`,
    remedy: "retry",
  },
};

const corridorErrors: Readonly<Record<string, LedgerErrorEntry>> = {
  CorridorBook_Closed: { say: (a) => `${a.corridor()} is closed`, reason: "AG03" },
  CorridorBook_BatchLimitExceeded: {
    say: (a) =>
      `a batch of ${a.text("sourceTotal")} is above the limit of ${a.corridor()}, ${a.text("limit")} minor units`,
    reason: "AM02",
  },
  CorridorBook_DayLimitExceeded: {
    say: (a) =>
      `${a.corridor()} has sent ${a.text("drawn")} minor units today; ${a.text("sourceTotal")} more is above its limit, ${a.text("limit")}`,
    reason: "AM02",
  },
  CorridorBook_DayNotKept: {
    say: (a) =>
      `what ${a.corridor()} sent on day ${a.text("day")} is no longer kept: it was drawn on during day ${a.text("kept")}`,
  },
  CorridorBook_Invalid: {
    say: (a) =>
      `${a.corridor()} cannot have this ${a.text("field")}: ${a.text("given")}, compared with ${a.text("against")}`,
  },
  CorridorBook_EpochMismatch: {
    say: (a) =>
      `${a.corridor()} has changed since: this is for its epoch ${a.text("given")}, and it is at ${a.text("current")}`,
  },
};

const quoteErrors: Readonly<Record<string, LedgerErrorEntry>> = {
  QuoteBook_Mismatch: {
    say: (a) =>
      `the quote does not fit the sale by its ${a.text("field")}: it is ${a.text("given")}, the sale's ${a.text("expected")}`,
  },
  QuoteBook_RateExceeded: {
    say: (a) => `${a.text("targetAmount")} minor units are more than ${a.text("sourceAmount")} buy at the quote's rate`,
  },
  QuoteBook_Expired: {
    say: (a) => `the quote was valid until ${a.time("validUntil")}; it is ${a.time("now_")}`,
  },
  QuoteBook_HoldTooLong: {
    say: (a) => `the provider's money would be held for ${a.text("hold")} s; the quote allows ${a.text("maxHold")} s`,
  },
  QuoteBook_UsedUp: {
    say: (a) =>
      `quote ${a.text("quoteId")} sells ${a.text("capacity")} minor units, of which ${a.text("drawn")} are drawn; ${a.text("targetAmount")} are too many`,
  },
  QuoteBook_InvalidSignature: {
    say: (a) => `the signature is not by ${a.text("key")} of ${a.partner("provider")} over ${a.text("digest")}`,
  },
};

const moduleErrors: Readonly<Record<string, LedgerErrorEntry>> = {
  ForModules_NotActive: {
    say: (a) =>
      `${a.text("caller")} is no active module of the treasury: its status is ${a.oneOf(MODULE_STATUSES, "status")}`,
  },
  Module_InvalidSignature: {
    say: (a) => `the signature is not by ${a.text("key")} of ${a.partner()} over ${a.text("digest")}`,
  },
  Module_PauseEpochMismatch: {
    say: (a) => `this is for pause ${a.text("given")}, and it is pause ${a.text("current")}`,
  },
};

const transferErrors: Readonly<Record<string, LedgerErrorEntry>> = {
  TransferRegistry_IllegalStatus: {
    say: (a) =>
      `batch ${a.text("batchId")} is ${a.oneOf(BatchStatus, "current")}; this needs ${a.oneOf(BatchStatus, "needed")}`,
    // What is not open yet can still be opened; anything else has gone past what was to be done to it.
    remedy: (a) => (a.number("current") === BigInt(BatchStatus.None) ? "retry" : "done"),
  },
  TransferRegistry_EmptyBatch: {
    say: (a) =>
      `${a.text("count")} transfers cannot share ${a.text("sourceTotal")} and ${a.text("targetTotal")} minor units: at least one transfer, and one minor unit each`,
    reason: "AM01",
  },
  TransferRegistry_Expired: {
    say: (a) => `the batch expired at ${a.time("expiresAt")}; ledger time is ${a.time("now_")}`,
    reason: "AB03",
  },
  TransferRegistry_NotExpired: {
    say: (a) => `the batch can still settle: it expires at ${a.time("expiresAt")}; ledger time is ${a.time("now_")}`,
    remedy: "retry",
  },
  TransferRegistry_HoldTooLong: {
    say: (a) => `the batch would hold money for ${a.text("hold")} s; the longest allowed is ${a.text("longest")} s`,
  },
  TransferRegistry_FeeMismatch: {
    say: (a) => `the fee is ${a.text("given")}; the corridor's terms ask ${a.text("expected")} minor units`,
  },
  TransferRegistry_QuoteNotNeeded: {
    say: (a) => `a batch of one currency draws on no quote, and carries one of ${a.partner("provider")}`,
  },
  TransferRegistry_RateExceeded: {
    say: (a) => `${a.text("targetAmount")} minor units are more than ${a.text("sourceAmount")} buy at the batch's rate`,
  },
  TransferRegistry_AcceptanceExpired: {
    say: (a) =>
      `the target partner's acceptance counted until ${a.time("acceptedUntil")}, and it is ${a.time("now_")}: the batch can still be opened, and settled later`,
  },
  TransferRegistry_ReasonMissing: { say: (a) => `rejection ${a.text("index")} carries no reason` },
  TransferRegistry_RejectionsOutOfOrder: {
    say: (a) => `rejection ${a.text("index")}: ${a.text("leaf")} does not follow ${a.text("previous")}`,
  },
  TransferRegistry_InvalidProof: { say: (a) => `the transfers are not proved to be in batch ${a.text("batchId")}` },
  TransferRegistry_TotalsMismatch: {
    say: (a) =>
      `after ${a.text("rejected")} rejections ${a.text("sourceLeft")} and ${a.text("targetLeft")} minor units are left, which the header does not allow`,
  },
  TransferRegistry_WrongRejections: {
    say: (a) =>
      `batch ${a.text("batchId")} was settled with other rejections: ${a.text("expected")}, not ${a.text("given")}`,
  },
  LedgerClock_InvalidGrace: {
    say: (a) => `a grace of ${a.text("grace")} s does not go with a beat every ${a.text("beatInterval")} s`,
  },
};

const tokenErrors: Readonly<Record<string, LedgerErrorEntry>> = {
  SettlementToken_AttestationStale: {
    say: (a) => `the latest attestation is of ${a.time("asOf")} and more than ${a.text("maxAge")} s old`,
  },
  SettlementToken_ReserveExceeded: {
    say: (a) =>
      `${a.text("amount")} more on top of ${a.text("supply")} minor units, with ${a.text("redeemed")} redeemed since the count, is above the attested reserve, ${a.text("reserve")}`,
  },
  SettlementToken_AttestationOutOfOrder: {
    say: (a) => `an attestation of ${a.time("asOf")} is not newer than ${a.time("latest")}, or is from the future`,
  },
  SettlementToken_AttestorMismatch: {
    say: (a) => `the attestor has changed since: this replaces ${a.text("given")}, and it is ${a.text("current")}`,
  },
  SettlementToken_InvalidCurrency: {
    say: (a) => `currency ${a.text("currency")} with ${a.text("minorDigits")} minor digits is none of ISO 4217`,
  },
  SettlementToken_InvalidSignature: { say: (a) => `the attestation is not signed by ${a.text("attestor")}` },
  SettlementToken_InvalidAttestor: { say: () => "the attestor must be an account" },
  SettlementToken_TreasuryMismatch: {
    say: (a) => `the token has another treasury since: this was for ${a.text("given")}, and it is ${a.text("current")}`,
  },
  SettlementToken_TreasuryNotOffered: {
    say: (a) => `the token is offered to the treasury ${a.text("offered")}, not to ${a.text("caller")}`,
  },
  SettlementToken_DepositInstead: {
    say: (a) => `tokens reach the treasury ${a.text("treasury")} by its deposit function only`,
  },
  ERC20InsufficientBalance: {
    say: (a) => `${a.text("sender")} has ${a.text("balance")} minor units; this takes ${a.text("needed")}`,
    reason: "AM04",
  },
  ERC20InsufficientAllowance: {
    say: (a) => `${a.text("spender")} was allowed ${a.text("allowance")} minor units; this takes ${a.text("needed")}`,
  },
  ERC20InvalidSender: { say: (a) => `tokens cannot come from ${a.text("sender")}` },
  ERC20InvalidReceiver: { say: (a) => `tokens cannot go to ${a.text("receiver")}` },
  ERC20InvalidApprover: { say: (a) => `${a.text("approver")} cannot allow anything` },
  ERC20InvalidSpender: { say: (a) => `${a.text("spender")} cannot be allowed anything` },
  ERC2612ExpiredSignature: { say: (a) => `the permit was valid until ${a.time("deadline")}` },
  ERC2612InvalidSigner: { say: (a) => `the permit is by ${a.text("signer")}, not by the owner ${a.text("owner")}` },
  SafeERC20FailedOperation: { say: (a) => `the token ${a.text("token")} refused the movement` },
};

const commonErrors: Readonly<Record<string, LedgerErrorEntry>> = {
  AccessManagedUnauthorized: { say: (a) => `${a.text("caller")} does not hold the role that this needs` },
  AccessManagedRequiredDelay: {
    say: (a) => `${a.text("caller")} must schedule this and wait ${a.text("delay")} s before it can be executed`,
  },
  AccessManagedInvalidAuthority: { say: (a) => `${a.text("authority")} is no authority` },
  EnforcedPause: { say: () => "opening batches is paused; batches that are open settle and expire", remedy: "retry" },
  ExpectedPause: { say: () => "nothing is paused", remedy: "done" },
  InvalidShortString: { say: () => "the text is too long" },
  StringTooLong: { say: (a) => `${a.text("str")} is too long` },
  InvalidAccountNonce: { say: (a) => `${a.text("account")} is at nonce ${a.text("currentNonce")}` },
  SafeCastOverflowedUintDowncast: { say: (a) => `${a.text("value")} does not fit ${a.text("bits")} bits` },
  CheckpointUnorderedInsertion: { say: () => "a block is older than the one before it" },
  AddressEmptyCode: { say: (a) => `${a.text("target")} is no contract` },
  InsufficientBalance: { say: (a) => `the contract has ${a.text("balance")} wei; this takes ${a.text("needed")}` },
  MerkleProofInvalidMultiproof: { say: () => "the proof has too few or too many hashes for its flags" },
  FailedCall: { say: () => "a call inside the transaction failed without a reason" },
  ECDSAInvalidSignature: { say: () => "the signature is not valid" },
  ECDSAInvalidSignatureLength: { say: (a) => `a signature has 65 bytes, not ${a.text("length")}` },
  ECDSAInvalidSignatureS: { say: (a) => `the signature is in its malleable form: s is ${a.text("s")}` },
  AccessManagerAlreadyScheduled: {
    say: (a) => `operation ${a.text("operationId")} is scheduled already`,
    remedy: "done",
  },
  AccessManagerNotScheduled: { say: (a) => `operation ${a.text("operationId")} is not scheduled` },
  AccessManagerNotReady: { say: (a) => `operation ${a.text("operationId")} is not ready yet`, remedy: "retry" },
  AccessManagerExpired: {
    say: (a) => `operation ${a.text("operationId")} was not executed in time; schedule it again`,
  },
  AccessManagerLockedRole: { say: (a) => `role ${a.text("roleId")} cannot be changed` },
  AccessManagerLockedFunction: { say: (a) => `the role of function ${a.text("selector")} cannot be changed` },
  AccessManagerBadConfirmation: { say: () => "a role is renounced by the account that holds it" },
  AccessManagerUnauthorizedAccount: { say: (a) => `${a.text("msgsender")} does not hold role ${a.text("roleId")}` },
  AccessManagerUnauthorizedCall: {
    say: (a) => `${a.text("caller")} may not call ${a.text("selector")} on ${a.text("target")}`,
  },
  AccessManagerUnauthorizedConsume: { say: (a) => `${a.text("target")} may not consume scheduled operations` },
  AccessManagerUnauthorizedCancel: {
    say: (a) => `${a.text("msgsender")} may not cancel what ${a.text("caller")} scheduled`,
  },
  AccessManagerInvalidInitialAdmin: { say: (a) => `${a.text("initialAdmin")} cannot be the first admin` },
  Panic: { say: (a) => `an internal check of the contract failed (panic ${a.text("code")}): please report it` },
  Error: { say: (a) => a.text("reason") },
};

/** Every error that a contract of the ledger can revert with, by its name. */
export const LEDGER_ERRORS: Readonly<Record<string, LedgerErrorEntry>> = {
  ...partnerErrors,
  ...treasuryErrors,
  ...corridorErrors,
  ...quoteErrors,
  ...moduleErrors,
  ...transferErrors,
  ...tokenErrors,
  ...commonErrors,
};
