import type { KeyObject } from "node:crypto";
import { batchId, type BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import { payloadSchema } from "../../../domain/payload.ts";
import { parseWire } from "../../../domain/wire.ts";
import { payloadBytes } from "../sealed-payload.ts";
import { decryptWith, type Envelope } from "../../peers/encryption.ts";

/** A payload as it came, and what opens it. All of it can be handed to another thread. */
export interface EncryptedPayload {
  readonly jwe: Uint8Array;
  readonly own: KeyObject;
  readonly envelope: Envelope;
  readonly chain: Parameters<typeof batchId>[1];
}

/** A payload that has been read. */
export interface ReadPayload {
  readonly subject: string;
  readonly header: BatchHeader;
  /** The header's digest. */
  readonly batch: Hex;
  readonly transfers: number;
  /** `payloadBytes` of it. */
  readonly bytes: Uint8Array;
}

/**
 * Decrypts and reads a payload: what takes the longest of taking one.
 * @throws InvalidInput when it cannot be decrypted or is not in the form of one
 */
export async function readPayload({ jwe, own, envelope, chain }: EncryptedPayload): Promise<ReadPayload> {
  const { subject, message } = await decryptWith(own, jwe, envelope);
  const payload = parseWire(payloadSchema, message, "payload");
  const { header, transfers } = payload;
  return { subject, header, batch: batchId(header, chain), transfers: transfers.length, bytes: payloadBytes(payload) };
}
