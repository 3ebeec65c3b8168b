import type { ParsedSubmitRequest } from "../../../schema/transfers.ts";
import { utf8 } from "../../../domain/bytes/bytes.ts";
import { canonicalJson, type CanonicalObject } from "../../../domain/canonical-json.ts";
import type { CurrencyPair } from "../../../domain/corridor.ts";
import { InvalidInput } from "../../../domain/errors.ts";
import { canonicalDetails, joinGroups, type CanonicalDetails } from "../../../domain/details.ts";
import { detailsOf, parseParties } from "../../../domain/payload.ts";
import { parseUetr, type Uetr } from "../../../domain/uetr.ts";
import { refused, type Refusal } from "../../../kernel/refusal.ts";

// What a submission says, apart from how it is spelled.

/** A submission that breaks a rule of form. Its UETR could be read, so there is an answer to it that stands. */
export interface BrokenSubmission {
  readonly uetr: Uetr;
  readonly fault: Refusal;
  /** The attempt before it, of the same order, where that could be read. */
  readonly retryOf?: Uetr | undefined;
}

/** A submission that has been read. */
export interface ReadSubmission {
  readonly uetr: Uetr;
  /** The attempt before it, of the same order. */
  readonly retryOf: Uetr | undefined;
  readonly request: ParsedSubmitRequest;
  /** What the persons' details say, in the one form that is compared. */
  readonly canonical: CanonicalDetails;
}

export function readSubmission(request: ParsedSubmitRequest): ReadSubmission | BrokenSubmission {
  const uetr = parseUetr(request.uetr);
  const retryOf = request.retryOf === undefined ? undefined : parseUetr(request.retryOf, "retryOf");
  try {
    return { uetr, retryOf, request, canonical: canonicalDetails(detailsOf(parseParties(request))) };
  } catch (failure) {
    if (!(failure instanceof InvalidInput)) throw failure;
    return { uetr, retryOf, fault: refused("invalid-request", failure.rule, { field: failure.field }) };
  }
}

/**
 * A submission's content in the one form that is compared: values as they were parsed, members in one order, and what
 * has a default written out.
 * @param currencies those that the transfer has: what "the partner's own" meant when it was accepted
 */
export function contentOf({ request, canonical }: ReadSubmission, currencies: CurrencyPair): Uint8Array {
  const { uetr, target, ifUnfunded, retryOf } = request;
  const amount = amountOf(request.amount, currencies);
  const terms = canonicalJson(
    { uetr, target, amount, ifUnfunded, ...(retryOf === undefined ? {} : { retryOf }) },
    "request",
  );
  return utf8(`${terms}${joinGroups(canonical)}`);
}

function amountOf(amount: ParsedSubmitRequest["amount"], currencies: CurrencyPair): CanonicalObject {
  if ("quoteId" in amount) return { quoteId: amount.quoteId };
  if ("send" in amount) {
    return { send: amount.send, receiveCurrency: amount.receiveCurrency ?? currencies.targetCurrency };
  }
  return { receive: amount.receive, sendCurrency: amount.sendCurrency ?? currencies.sourceCurrency };
}
