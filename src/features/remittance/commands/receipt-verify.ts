import { formatInstant } from "../../../domain/instant.ts";
import { formatMoney } from "../../../domain/money.ts";
import { RECEIPT_CLAIMS, verifyReceipt, type ReceiptVerification } from "../../../../sdk/receipts.ts";
import { CommandFailure } from "../../../command/exit-codes.ts";
import { jsonOf, parseJsonAs, readFileFor, renderFacts, type Session } from "../../../command/session.ts";

/** Checks a receipt by a node of the ledger. */
export async function verify(session: Session, [file = ""]: readonly string[]): Promise<void> {
  const json = parseJsonAs(await readFileFor(file, "file"), "file", "a receipt, which is JSON");
  const registry = session.text("registry");
  const options = registry === undefined ? {} : { trustedRegistry: registry };
  const result = await verifyReceipt(session.text("rpc") ?? "", json, options);
  if (result.kind === "unavailable") throw new CommandFailure("UNAVAILABLE", result.detail);
  session.print(result, show);
  if (result.kind === "consistent") {
    throw new CommandFailure("UNPROVED", `${result.detail}: give it with --registry, from a source that you trust`);
  }
  if (result.kind === "refused") throw new CommandFailure("NEGATIVE", `${result.refusal}: ${result.detail}`);
}

const MS = 1_000;

type Shown = Exclude<ReceiptVerification, { readonly kind: "unavailable" }>;

function show(receipt: Shown): string {
  if (receipt.kind === "refused") return `Not valid: ${receipt.refusal}`;
  const { sent, received, rateText } = receipt;
  const facts = renderFacts([
    ["transfer", receipt.uetr],
    ["status", `${receipt.status}${receipt.reason === undefined ? "" : ` (${receipt.reason})`}`],
    ["from, to", `partner ${receipt.source}, partner ${receipt.target}`],
    ["sent", formatMoney(sent)],
    ["received", formatMoney(received)],
    [
      "rate",
      sent.currency === received.currency ? undefined : `${rateText} ${received.currency} for one ${sent.currency}`,
    ],
    ["opened", formatInstant(receipt.openedAt * MS)],
    ["ended", `${formatInstant(receipt.finalAt * MS)}, block ${receipt.finalBlock} of chain ${receipt.chainId}`],
    ["batch", receipt.batchId],
    ["registry", receipt.registry],
    ...Object.entries(receipt.disclosed).map(([group, details]) => [group, jsonOf(details)] as const),
  ]);
  const claims = receipt.claims.map((claim) => `  ${RECEIPT_CLAIMS[claim]}`);
  const verdict =
    receipt.kind === "verified"
      ? "Valid: what follows is proved."
      : "Not proved: what follows is what the contract says that the receipt names, and it may be anybody's.";
  return [verdict, facts, "As far as this holds:", ...claims].join("\n");
}
