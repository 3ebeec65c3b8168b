import { utf8 } from "../../domain/bytes/bytes.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import { readParties, type BatchPayload, type PayloadTransfer, type TransferParties } from "../../domain/payload.ts";
import { headerSchema, parseWire, toJson } from "../../domain/wire.ts";
import { SEALED } from "../../kernel/store/sealed-rows.ts";
import type { Sealer } from "../../kernel/store/sealer.ts";

/** A payload as bytes that are the same for the same content, in the order in which its transfers came. */
export function payloadBytes({ header, transfers }: Pick<BatchPayload, "header" | "transfers">): Uint8Array {
  return utf8(
    JSON.stringify({
      header: toJson(header),
      transfers: transfers.map(({ sourceAmount, targetAmount, ...rest }) => {
        const { uetr, detailsHash, details, salt } = rest;
        const amounts = { sourceAmount: String(sourceAmount), targetAmount: String(targetAmount) };
        return { uetr, ...amounts, detailsHash, details, salt };
      }),
    }),
  );
}

/** What stands in `payloads.sealed`: sealed for its batch, so that one row's cannot be put into another. */
export function sealPayload(sealer: Sealer, batch: Hex, bytes: Uint8Array): Uint8Array {
  return sealer.seal(bytes, SEALED.payloads.bind(batch));
}

/** @throws Error of the sealer, when it was sealed with another key or for another batch */
export function openPayloadBytes(sealer: Sealer, batch: Hex, sealed: Uint8Array): Uint8Array {
  return sealer.open(sealed, SEALED.payloads.bind(batch));
}

interface Opened {
  readonly batch: Hex;
  readonly sealed: Uint8Array;
  readonly payload: BatchPayload;
}

/** Transfers of opened payloads that are remembered. */
const MOST_REMEMBERED = 20_000;
/**
 * What each sealer has opened last, the latest at the end: responder, settler and crediter come one soon after the other,
 * each to what the store has then.
 */
const remembered = new WeakMap<Sealer, readonly Opened[]>();

/** @throws as `openPayloadBytes` */
export function openPayload(sealer: Sealer, batch: Hex, sealed: Uint8Array): BatchPayload {
  const before = remembered.get(sealer) ?? [];
  const known = before.find((each) => each.batch === batch && Buffer.compare(each.sealed, sealed) === 0);
  if (known !== undefined) return known.payload;
  const payload = readBytes(openPayloadBytes(sealer, batch, sealed));
  const kept = [{ batch, sealed, payload }];
  let room = MOST_REMEMBERED - payload.transfers.length;
  for (const each of before.toReversed()) {
    room -= each.payload.transfers.length;
    if (room < 0) break;
    if (each.batch !== batch) kept.unshift(each);
  }
  remembered.set(sealer, kept);
  return payload;
}

interface WrittenTransfer extends Omit<PayloadTransfer, "sourceAmount" | "targetAmount"> {
  readonly sourceAmount: string;
  readonly targetAmount: string;
}

function readBytes(bytes: Uint8Array): BatchPayload {
  // Authenticated by the seal: it is what `payloadBytes` wrote, of what had been read by its schema.
  const { header, transfers } = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
    readonly header: unknown;
    readonly transfers: readonly WrittenTransfer[];
  };
  return {
    header: parseWire(headerSchema, header, "payload.header"),
    transfers: transfers.map((transfer) => ({
      ...transfer,
      sourceAmount: BigInt(transfer.sourceAmount),
      targetAmount: BigInt(transfer.targetAmount),
    })),
  };
}

const parties = new WeakMap<PayloadTransfer, { readonly read: TransferParties | undefined }>();

/** `readParties` of an opened payload's transfer, which is read once for as long as that is remembered. */
export function partiesOf(transfer: PayloadTransfer): TransferParties | undefined {
  const known = parties.get(transfer) ?? { read: readParties(transfer.details) };
  parties.set(transfer, known);
  return known.read;
}
