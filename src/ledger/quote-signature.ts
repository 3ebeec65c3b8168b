import { Contract, verifyTypedData } from "ethers";
import { normalizeHex } from "../domain/bytes/hex.ts";
import type { Quote } from "../domain/quote.ts";
import { quoteId } from "../domain/quote.ts";
import { QUOTE_TYPES, quoteDomain, typedDataDomain, type Authorization } from "../domain/typed-data.ts";
import type { Ledger } from "./contracts.ts";
import { latestHead } from "./state.ts";

const ERC_1271 = ["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"];
const ERC_1271_VALID = "0x1626ba7e";

/**
 * Whether a key has signed a quote, as the ledger will judge it: by ECDSA, or by the contract that the key is (ERC-1271).
 * Whether the key may sign for the provider is for the registry to say.
 */
export async function isQuoteSigned(ledger: Ledger, quote: Quote, { key, signature }: Authorization): Promise<boolean> {
  if (recover(ledger, quote, signature) === key) return true;
  // Of a block that is named: other endpoints can confirm it.
  const blockTag = (await latestHead(ledger)).number;
  if ((await ledger.provider.getCode(key, blockTag)) === "0x") return false;
  const contract = new Contract(key, ERC_1271, ledger.provider);
  try {
    const answer: unknown = await contract.getFunction("isValidSignature")(quoteId(quote, ledger.chain), signature, {
      blockTag,
    });
    return answer === ERC_1271_VALID;
  } catch {
    // A contract that reverts, or is none of this kind, has not signed.
    return false;
  }
}

function recover({ chain }: Ledger, quote: Quote, signature: string): string | undefined {
  try {
    // ethers asks for an indexable record; the interface is not, though every member is.
    const message = { ...quote } as Record<string, unknown>;
    return normalizeHex(verifyTypedData(typedDataDomain(quoteDomain(chain)), QUOTE_TYPES, message, signature));
  } catch {
    // Of another form than ECDSA's: that of a contract, perhaps.
    return undefined;
  }
}
