import type { Signer } from "ethers";
import type { BatchHeader } from "../domain/batch.ts";
import { normalizeHex, type Hex } from "../domain/bytes/hex.ts";
import type { PaymentRequest } from "../domain/payment-request.ts";
import type { Quote } from "../domain/quote.ts";
import {
  ACCEPTANCE_TYPES,
  BATCH_TYPES,
  PAYMENT_REQUEST_TYPES,
  QUOTE_TYPES,
  SETTLEMENT_TYPES,
  batchDomain,
  quoteDomain,
  typedDataDomain,
  type Chain,
  type SigningDomain,
  type TypedField,
  type SignedAcceptance,
  type Authorization,
} from "../domain/typed-data.ts";

/** Stands where the ledger asks for no signature: the quote of a same-currency batch. */
export const NO_AUTHORIZATION: Authorization = { key: `0x${"0".repeat(40)}`, signature: "0x" };

/** Signs a batch header (EIP-712 `Batch`) as the source partner; the key needs the SEND purpose. */
export function signBatch(signer: Signer, chain: Chain, header: BatchHeader): Promise<Authorization> {
  return sign(signer, batchDomain(chain), BATCH_TYPES, header);
}

/** Signs a quote (EIP-712 `Quote`) as its provider; the key needs the QUOTE purpose. */
export function signQuote(signer: Signer, chain: Chain, quote: Quote): Promise<Authorization> {
  return sign(signer, quoteDomain(chain), QUOTE_TYPES, quote);
}

/** Signs a settlement (EIP-712 `Settlement`) as the target partner; the key needs the ACCEPT purpose. */
export function signSettlement(
  signer: Signer,
  chain: Chain,
  settlement: { readonly batchId: Hex; readonly rejectionsHash: Hex },
): Promise<Authorization> {
  return sign(signer, batchDomain(chain), SETTLEMENT_TYPES, settlement);
}

/** Signs an acceptance (EIP-712 `Acceptance`) as the target partner; the key needs the ACCEPT purpose. */
export async function signAcceptance(
  signer: Signer,
  chain: Chain,
  acceptance: { readonly batchId: Hex; readonly validUntil: number },
): Promise<SignedAcceptance> {
  const authorization = await sign(signer, batchDomain(chain), ACCEPTANCE_TYPES, acceptance);
  return { ...authorization, validUntil: acceptance.validUntil };
}

/** Signs a payment request (EIP-712 `PaymentRequest`) as the payee's partner; the key needs the ACCEPT purpose. */
export function signPaymentRequest(signer: Signer, chain: Chain, request: PaymentRequest): Promise<Authorization> {
  return sign(signer, batchDomain(chain), PAYMENT_REQUEST_TYPES, request);
}

async function sign(
  signer: Signer,
  domain: SigningDomain,
  types: Record<string, TypedField[]>,
  message: object,
): Promise<Authorization> {
  // ethers asks for an indexable record; the interfaces of the domain are not, though every member is.
  const signature = await signer.signTypedData(typedDataDomain(domain), types, message as Record<string, unknown>);
  return { key: normalizeHex(await signer.getAddress()), signature: normalizeHex(signature) };
}
