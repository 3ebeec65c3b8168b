// Receipts are the same for whoever holds one: made by a relay, verified by anyone against the ledger.
export type { FinalStatus } from "../src/domain/lifecycle.ts";
export { checkReceipt, parseReceipt, type OfflineCheck, type Receipt } from "../src/domain/receipt.ts";
export {
  RECEIPT_CLAIMS,
  verifyReceipt,
  type ConsistentReceipt,
  type ReceiptClaim,
  type ReceiptFacts,
  type ReceiptRefusal,
  type ReceiptVerification,
  type VerificationOptions,
  type VerifiedReceipt,
} from "../src/ledger/receipt-verification.ts";
