import { compareBytes, concat, utf8, WORD_BYTES } from "./bytes/bytes.ts";
import { fromHex, toHex, type Hex } from "./bytes/hex.ts";
import { hashGroups, keccak256 } from "./bytes/keccak.ts";
import { canonicalJson, type CanonicalObject } from "./canonical-json.ts";

/** The groups that a transfer's details are committed in, in the order in which they are hashed together. */
export const DETAIL_GROUPS = ["debtor", "creditor", "remittance"] as const;
export type DetailGroup = (typeof DETAIL_GROUPS)[number];

/** Personal data of a transfer: who pays, who is paid, why. Never on the ledger. */
export type TransferDetails = { readonly [Group in DetailGroup]: CanonicalObject };

/** One salted hash a group; together they make the details hash. */
export type DetailCommitments = { readonly [Group in DetailGroup]: Hex };

/**
 * One group of a transfer's details with all that proves it: enough to check it against the ledger, nothing that helps
 * to guess the other groups.
 */
export interface Disclosure {
  readonly group: DetailGroup;
  readonly groupSalt: Hex;
  readonly content: CanonicalObject;
  readonly commitments: DetailCommitments;
}

/**
 * Commits to each group: keccak256(groupSalt ‖ canonical JSON), where groupSalt = keccak256(transferSalt ‖ group name).
 * @param transferSalt 32 random bytes, one draw a transfer; secret, since with it every group can be guessed at
 * @throws InvalidInput when the salt is not 32 bytes or a group not canonical JSON (naming the path, not the value)
 */
export function commitDetails(details: TransferDetails, transferSalt: Hex): DetailCommitments {
  return eachGroup((group) => commitGroup(group, details[group], groupSalt(transferSalt, group)));
}

/** What a leaf commits to: keccak256 over abi.encode of the three commitments. */
export function detailsHashOf(commitments: DetailCommitments): Hex {
  return toHex(
    keccak256(concat(...DETAIL_GROUPS.map((group) => fromHex(commitments[group], WORD_BYTES, `commitments.${group}`)))),
  );
}

/** `detailsHashOf` of `commitDetails`. */
export function hashDetails(details: TransferDetails, transferSalt: Hex): Hex {
  return hashCanonical(canonicalDetails(details), transferSalt);
}

/** Each group as canonical JSON. Personal data. */
export type CanonicalDetails = { readonly [Group in DetailGroup]: string };

/** @throws InvalidInput when a group is not canonical JSON (naming the path, not the value) */
export function canonicalDetails(details: TransferDetails): CanonicalDetails {
  const textOf = (group: DetailGroup) => canonicalJson(details[group], group);
  return { debtor: textOf("debtor"), creditor: textOf("creditor"), remittance: textOf("remittance") };
}

/** Canonical JSON of all details: their groups in the order of their names. */
export function joinGroups({ creditor, debtor, remittance }: CanonicalDetails): string {
  return `{"creditor":${creditor},"debtor":${debtor},"remittance":${remittance}}`;
}

/** `hashDetails` of details that are canonical JSON already. */
export function hashCanonical(canonical: CanonicalDetails, transferSalt: Hex): Hex {
  const { debtor, creditor, remittance } = canonical;
  const salt = fromHex(transferSalt, WORD_BYTES, "transferSalt");
  const hash = hashGroups(salt, debtor, creditor, remittance);
  if (hash !== undefined) return toHex(hash);
  return detailsHashOf(eachGroup((group) => commitText(canonical[group], groupSalt(transferSalt, group))));
}

/** Opens one group to somebody who may see it, an auditor or the customer, and keeps the others closed. */
export function discloseGroup(details: TransferDetails, transferSalt: Hex, group: DetailGroup): Disclosure {
  return {
    group,
    groupSalt: toHex(groupSalt(transferSalt, group)),
    content: details[group],
    commitments: commitDetails(details, transferSalt),
  };
}

/**
 * Whether a disclosed group is what the transfer's details hash commits to: the commitments make the hash, and the group
 * makes its own among them.
 * @throws InvalidInput when a hash is not 32 bytes or the content not canonical JSON
 */
export function verifyDisclosure({ group, groupSalt, content, commitments }: Disclosure, detailsHash: Hex): boolean {
  const expected = fromHex(detailsHash, WORD_BYTES, "detailsHash");
  const recomputed = commitGroup(group, content, fromHex(groupSalt, WORD_BYTES, "groupSalt"));
  return (
    compareBytes(fromHex(detailsHashOf(commitments)), expected) === 0 &&
    compareBytes(fromHex(recomputed), fromHex(commitments[group])) === 0
  );
}

function commitGroup(group: DetailGroup, content: CanonicalObject, salt: Uint8Array): Hex {
  return commitText(canonicalJson(content, group), salt);
}

function commitText(canonical: string, salt: Uint8Array): Hex {
  return toHex(keccak256(concat(salt, utf8(canonical))));
}

function groupSalt(transferSalt: Hex, group: DetailGroup): Uint8Array {
  return keccak256(concat(fromHex(transferSalt, WORD_BYTES, "transferSalt"), utf8(group)));
}

function eachGroup(commit: (group: DetailGroup) => Hex): DetailCommitments {
  return { debtor: commit("debtor"), creditor: commit("creditor"), remittance: commit("remittance") };
}
