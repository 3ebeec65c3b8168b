import { parseReference } from "../../domain/biller.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { ledgerSigner } from "../../ledger/keys/signing-key.ts";
import { signPaymentRequest } from "../../ledger/signing.ts";
import type { RelayContext } from "../context.ts";
import type { RequestAnswer } from "../peers/messages.ts";
import { toldRequest } from "./requests.ts";

// What this relay tells payers' relays of its own customers' requests.

/** What it says of one of its requests, signed now: by a key that counts now. */
export async function answerRequest(context: RelayContext, id: string): Promise<RequestAnswer> {
  const told = await toldRequest(context, id);
  if (told === undefined) return { found: false };
  const signed = await signPaymentRequest(ledgerSigner(context.keys.accept), context.ledger.chain, told.request);
  return { found: true, ...told, signed };
}

/**
 * The same of a bill: the wallet says which of its requests it is. A reference that cannot be one is told with its
 * biller's rule, and the wallet is not asked.
 */
export async function answerBill(context: RelayContext, id: string, given: string): Promise<RequestAnswer> {
  const { wallet } = context;
  const biller = (await wallet.billers()).find((each) => each.id === id);
  if (biller === undefined) return { found: false };
  try {
    const reference = parseReference(biller.reference, given, "reference");
    const request = await wallet.findBill(id, reference);
    return request === undefined ? { found: false } : await answerRequest(context, request);
  } catch (failure) {
    if (!(failure instanceof InvalidInput)) throw failure;
    return { found: false, rule: failure.rule };
  }
}
