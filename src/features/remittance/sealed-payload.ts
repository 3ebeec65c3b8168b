import { utf8 } from "../../domain/bytes/bytes.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import { payloadSchema, type BatchPayload } from "../../domain/payload.ts";
import { parseWire } from "../../domain/wire.ts";
import { SEALED } from "../../kernel/store/sealed-rows.ts";
import type { Sealer } from "../../kernel/store/sealer.ts";
import { jsonText, parseJson } from "../../kernel/http/body.ts";

/** A payload as bytes that are the same for the same content, in the order in which its transfers came. */
export function payloadBytes(payload: BatchPayload): Uint8Array {
  return utf8(jsonText(payload));
}

/** What stands in `payloads.sealed`: sealed for its batch, so that one row's cannot be put into another. */
export function sealPayload(sealer: Sealer, batch: Hex, bytes: Uint8Array): Uint8Array {
  return sealer.seal(bytes, SEALED.payloads.bind(batch));
}

/** @throws Error of the sealer, when it was sealed with another key or for another batch */
export function openPayloadBytes(sealer: Sealer, batch: Hex, sealed: Uint8Array): Uint8Array {
  return sealer.open(sealed, SEALED.payloads.bind(batch));
}

export function openPayload(sealer: Sealer, batch: Hex, sealed: Uint8Array): BatchPayload {
  return parseWire(payloadSchema, parseJson(openPayloadBytes(sealer, batch, sealed), "payload"), "payload");
}
