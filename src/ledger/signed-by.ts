import { Contract, verifyTypedData } from "ethers";
import { normalizeHex, type Hex } from "../domain/bytes/hex.ts";
import { paymentRequestDigest, type PaymentRequest } from "../domain/payment-request.ts";
import { quoteId, type Quote } from "../domain/quote.ts";
import {
  batchDomain,
  PAYMENT_REQUEST_TYPES,
  QUOTE_TYPES,
  quoteDomain,
  typedDataDomain,
  type Authorization,
  type SigningDomain,
  type TypedField,
} from "../domain/typed-data.ts";
import type { Ledger } from "./contracts.ts";
import { latestHead } from "./state.ts";

// Whether a key has signed something, as the ledger would judge it: by ECDSA, or by the contract that the key is
// (ERC-1271). Whether the key may sign for a partner is for the registry to say.

const ERC_1271 = ["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"];
const ERC_1271_VALID = "0x1626ba7e";

/** EIP-712 `Quote`. */
export function isQuoteSigned(ledger: Ledger, quote: Quote, authorization: Authorization): Promise<boolean> {
  const signed = {
    domain: quoteDomain(ledger.chain),
    types: QUOTE_TYPES,
    message: quote,
    digest: quoteId(quote, ledger.chain),
  };
  return isSigned(ledger, signed, authorization);
}

/** EIP-712 `PaymentRequest`. */
export function isPaymentRequestSigned(
  ledger: Ledger,
  request: PaymentRequest,
  authorization: Authorization,
): Promise<boolean> {
  const signed = {
    domain: batchDomain(ledger.chain),
    types: PAYMENT_REQUEST_TYPES,
    message: request,
    digest: paymentRequestDigest(request, ledger.chain),
  };
  return isSigned(ledger, signed, authorization);
}

interface Signed {
  readonly domain: SigningDomain;
  readonly types: Record<string, TypedField[]>;
  readonly message: object;
  readonly digest: Hex;
}

async function isSigned(ledger: Ledger, signed: Signed, { key, signature }: Authorization): Promise<boolean> {
  if (recover(signed, signature) === key) return true;
  // Of a block that is named: other endpoints can confirm it.
  const blockTag = (await latestHead(ledger)).number;
  if ((await ledger.provider.getCode(key, blockTag)) === "0x") return false;
  const contract = new Contract(key, ERC_1271, ledger.provider);
  try {
    const answer: unknown = await contract.getFunction("isValidSignature")(signed.digest, signature, { blockTag });
    return answer === ERC_1271_VALID;
  } catch {
    // A contract that reverts, or is none of this kind, has not signed.
    return false;
  }
}

function recover({ domain, types, message }: Signed, signature: string): string | undefined {
  try {
    // ethers asks for an indexable record; the interface is not, though every member is.
    return normalizeHex(verifyTypedData(typedDataDomain(domain), types, { ...message }, signature));
  } catch {
    // Of another form than ECDSA's: that of a contract, perhaps.
    return undefined;
  }
}
