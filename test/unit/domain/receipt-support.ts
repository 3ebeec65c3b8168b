import * as fc from "fast-check";
import { batchId, type Batch } from "../../../src/domain/batch.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { DETAIL_GROUPS, discloseGroup, hashDetails, type TransferDetails } from "../../../src/domain/details.ts";
import { merkleProof } from "../../../src/domain/merkle.ts";
import { reasonToBytes4, type ReasonCode } from "../../../src/domain/reason.ts";
import { RECEIPT_FORMAT, type Receipt } from "../../../src/domain/receipt.ts";
import { transferLeaf } from "../../../src/domain/transfer.ts";
import type { Chain } from "../../../src/domain/typed-data.ts";
import type { Json, JsonObject } from "../../../src/domain/wire.ts";

const CHAIN: Chain = { chainId: 31_337n, transferRegistry: `0x${"5f".repeat(20)}`, quoteBook: `0x${"6f".repeat(20)}` };
const SALT = `0x${"a7".repeat(32)}` as const;
const DETAILS: TransferDetails = {
  debtor: { name: "Chan Tai Man", nameLocal: "陳大文", alias: { type: "MSISDN", value: "+85291234567" } },
  creditor: { name: "Maria Dela Cruz", alias: { type: "MSISDN", value: "+639171234567" } },
  remittance: { purpose: "FAMI", unstructured: "for school" },
};
export const DETAILS_HASH = hashDetails(DETAILS, SALT);

/** The receipt of one transfer of a batch, whose details are `DETAILS`, as a relay would make it. */
export function receiptOf(batch: Batch, index: number, rejections: Readonly<Record<number, ReasonCode>> = {}): Receipt {
  const transfer = batch.transfers[index];
  if (transfer === undefined) throw new Error("there is no such transfer");
  const rejected = Object.entries(rejections).flatMap(([at, reason]) => {
    const refused = batch.transfers[Number.parseInt(at, 10)];
    return refused === undefined ? [] : [{ leaf: toHex(transferLeaf(refused)), code: reasonToBytes4(reason) }];
  });
  return {
    format: RECEIPT_FORMAT,
    chainId: CHAIN.chainId,
    registry: CHAIN.transferRegistry,
    batchId: batchId(batch.header, CHAIN),
    header: batch.header,
    transfer,
    proof: merkleProof(batch.tree, index).map(toHex),
    status: Object.hasOwn(rejections, index) ? "rejected" : "settled",
    rejected,
    disclosed: DETAIL_GROUPS.map((group) => discloseGroup(DETAILS, SALT, group)),
    transactions: { opened: `0x${"01".repeat(32)}`, final: `0x${"02".repeat(32)}` },
  };
}

/** A member of a JSON document, by the names on the way to it. */
export type Path = readonly (string | number)[];

/** All members that are neither objects nor arrays. */
export function leavesOf(value: Json, path: Path = []): { readonly path: Path; readonly value: Json }[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  const members = Array.isArray(value)
    ? value.map((member: Json, index) => [index, member] as const)
    : Object.entries(value);
  return members.flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

/** The same document with another value at one place. */
export function replaced(document: Json, [name, ...rest]: Path, value: Json): Json {
  if (name === undefined) return value;
  if (typeof document !== "object" || document === null) throw new Error(`nothing is called ${name} here`);
  const inside = (document as Record<string | number, Json>)[name] ?? null;
  if (Array.isArray(document)) {
    // Array.isArray forgets what the members are.
    const members = document as readonly Json[];
    return members.with(Number.parseInt(String(name), 10), replaced(inside, rest, value));
  }
  return { ...(document as JsonObject), [name]: replaced(inside, rest, value) };
}

const HEX_DIGITS = Array.from("0123456789abcdef");

/** Another value of the same form, so that it is not its form that gives a forgery away. */
function anyForgeryOf(value: Json): fc.Arbitrary<Json> {
  if (typeof value === "number") return fc.integer({ min: 0, max: 2 ** 31 }).filter((other) => other !== value);
  if (typeof value !== "string") throw new Error("receipts have text and numbers only");
  const spots = Array.from(value, (character, at) => (/[0-9a-f]/.test(character) ? at : 0));
  if (/^0x[0-9a-f]+$/.test(value) || /^[0-9a-f]{8}-/.test(value)) {
    return fc
      .tuple(fc.constantFrom(...spots.filter((at) => at > 1)), fc.constantFrom(...HEX_DIGITS))
      .map(([at, digit]) => value.slice(0, at) + digit + value.slice(at + 1))
      .filter((other) => other !== value);
  }
  if (/^[0-9]+$/.test(value)) {
    return fc
      .bigInt({ min: 0n, max: 10n ** 20n })
      .map(String)
      .filter((other) => other !== value);
  }
  return fc.string({ maxLength: 20 }).filter((other) => other !== value);
}

/** A document with one member forged, and which one. */
export function anyForgery(document: Json): fc.Arbitrary<{ readonly path: string; readonly document: Json }> {
  return fc
    .constantFrom(...leavesOf(document))
    .chain(({ path, value }) =>
      anyForgeryOf(value).map((other) => ({ path: path.join("."), document: replaced(document, path, other) })),
    );
}
