import { z } from "zod/v4";
import { batchId, type BatchHeader } from "./batch.ts";
import { fromHex, toHex, type Hex } from "./bytes/hex.ts";
import { canonicalJson, type CanonicalObject } from "./canonical-json.ts";
import { DETAIL_GROUPS, verifyDisclosure, type Disclosure } from "./details.ts";
import { FINAL_STATUSES, type FinalStatus, type PublishedRejection } from "./lifecycle.ts";
import { verifyProof } from "./merkle.ts";
import { reasonFromBytes4, type ReasonCode } from "./reason.ts";
import { transferLeaf, type Transfer } from "./transfer.ts";
import { headerSchema, hexOf, parsedBy, parseWire, toJson, transferSchema, type JsonObject } from "./wire.ts";

export const RECEIPT_FORMAT = "feiqian-receipt/1";

/**
 * Proves to anyone who can ask a node of the ledger how one transfer ended. It has what the ledger needs to answer, and
 * opens of the transfer's details only what its holder has chosen.
 */
export interface Receipt {
  readonly format: typeof RECEIPT_FORMAT;
  readonly chainId: bigint;
  /** Address of the TransferRegistry. */
  readonly registry: Hex;
  /** EIP-712 digest of the header. */
  readonly batchId: Hex;
  readonly header: BatchHeader;
  readonly transfer: Transfer;
  /** From the transfer's leaf to the header's root. */
  readonly proof: readonly Hex[];
  /** The transfer's, not the batch's: a settled batch may have rejected it. */
  readonly status: FinalStatus;
  /** All of the batch's rejections, in the order in which the ledger published them. */
  readonly rejected: readonly PublishedRejection[];
  readonly disclosed: readonly Disclosure[];
  readonly transactions: {
    /** The one that opened the batch. */
    readonly opened: Hex;
    /** The one that ended it. */
    readonly final: Hex;
  };
}

/** What of a receipt is refused without asking anybody. */
export type OfflineRefusal = "BATCH_ID" | "PROOF" | "STATUS" | "DISCLOSURE";

export type OfflineCheck =
  /** The reason is that of a rejection, undefined where the network does not know the code. */
  | { readonly kind: "sound"; readonly leaf: Hex; readonly reason: ReasonCode | undefined }
  | { readonly kind: "refused"; readonly refusal: OfflineRefusal; readonly detail: string };

/** A tree of 2^32 leaves is as deep as this. */
const MAX_PROOF = 32;

const canonicalObject = parsedBy(
  z.custom<CanonicalObject>((given) => typeof given === "object" && given !== null && !Array.isArray(given)),
  (given) => {
    canonicalJson(given, "content");
    return given;
  },
);

const disclosureSchema: z.ZodType<Disclosure> = z.strictObject({
  group: z.enum(DETAIL_GROUPS),
  groupSalt: hexOf(32),
  content: canonicalObject,
  commitments: z.strictObject({ debtor: hexOf(32), creditor: hexOf(32), remittance: hexOf(32) }),
});

const receiptSchema: z.ZodType<Receipt> = z.strictObject({
  format: z.literal(RECEIPT_FORMAT),
  chainId: z
    .string()
    .regex(/^[1-9][0-9]{0,19}$/, "a chain id as decimal text")
    .transform((text) => BigInt(text)),
  registry: hexOf(20),
  batchId: hexOf(32),
  header: headerSchema,
  transfer: transferSchema,
  proof: z.array(hexOf(32)).max(MAX_PROOF),
  status: z.enum(FINAL_STATUSES),
  rejected: z.array(z.strictObject({ leaf: hexOf(32), code: hexOf(4) })),
  disclosed: z
    .array(disclosureSchema)
    .max(DETAIL_GROUPS.length)
    .refine((all) => new Set(all.map(({ group }) => group)).size === all.length, "each group once"),
  transactions: z.strictObject({ opened: hexOf(32), final: hexOf(32) }),
});

/**
 * Reads a receipt from JSON.
 * @throws InvalidInput naming the member and its rule
 */
export function parseReceipt(json: unknown): Receipt {
  return parseWire(receiptSchema, json, "receipt");
}

/** A receipt as JSON, which `parseReceipt` reads back. */
export function receiptToJson(receipt: Receipt): JsonObject {
  return toJson(receipt);
}

/**
 * Checks all that a receipt says about itself: that the batch id is the header's, the transfer is in its tree, the status
 * agrees with the rejections, and each disclosed group is what the transfer commits to. Whether the ledger agrees is
 * `verifyReceipt`'s to ask.
 */
export function checkReceipt(receipt: Receipt): OfflineCheck {
  const { chainId, registry, header, transfer, proof, status, rejected, disclosed } = receipt;
  const refused = (refusal: OfflineRefusal, detail: string): OfflineCheck => ({ kind: "refused", refusal, detail });

  if (batchId(header, { chainId, transferRegistry: registry }) !== receipt.batchId) {
    return refused("BATCH_ID", "batchId is not that of the header on this chain and registry");
  }
  const leaf = transferLeaf(transfer);
  const siblings = proof.map((sibling) => fromHex(sibling));
  if (!verifyProof(fromHex(header.root), leaf, siblings)) {
    return refused("PROOF", "the proof does not lead from the transfer to the header's root");
  }
  const rejection = rejected.find((each) => each.leaf === toHex(leaf));
  if ((rejection !== undefined) !== (status === "rejected")) {
    return refused("STATUS", `status is ${status}, and the transfer ${rejection ? "among" : "not among"} the rejected`);
  }
  if (status === "expired" && rejected.length > 0) {
    return refused("STATUS", "status is expired, and an expired batch has no rejections");
  }
  for (const disclosure of disclosed) {
    if (!verifyDisclosure(disclosure, transfer.detailsHash)) {
      return refused("DISCLOSURE", `the ${disclosure.group} disclosed is not what the transfer commits to`);
    }
  }
  const reason = rejection === undefined ? undefined : reasonFromBytes4(rejection.code);
  return { kind: "sound", leaf: toHex(leaf), reason };
}
