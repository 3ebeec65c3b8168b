import type { KeyObject } from "node:crypto";
import { batchId, type BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import { payloadSchema } from "../../../domain/payload.ts";
import type { Chain } from "../../../domain/typed-data.ts";
import { parseWire } from "../../../domain/wire.ts";
import { payloadBytes } from "../sealed-payload.ts";
import { decryptWith, type Envelope } from "../../peers/encryption.ts";
import { proposalSchema } from "../../peers/messages.ts";

/** A payload as it came, and what opens it. All of it can be handed to another thread. */
export interface EncryptedPayload {
  readonly jwe: Uint8Array;
  readonly own: KeyObject;
  readonly envelope: Envelope;
  /** Those that may have its batch. */
  readonly chains: readonly Chain[];
}

/** A payload that has been read. */
export interface ReadPayload {
  readonly subject: string;
  readonly header: BatchHeader;
  /** The registry that it names, or whose batch its subject is; undefined where it is none that is known. */
  readonly registry: Hex | undefined;
  /** The header's digest for that registry. */
  readonly batch: Hex | undefined;
  /** Whether it names one. */
  readonly isNamed: boolean;
  readonly transfers: number;
  /** `payloadBytes` of it. */
  readonly bytes: Uint8Array;
  /** What the answer is to be encrypted with; where one was asked for. */
  readonly answerKey: Hex | undefined;
}

const answerKeySchema = proposalSchema.partial();

/**
 * Decrypts and reads a payload: what takes the longest of taking one.
 * @throws InvalidInput when it cannot be decrypted or is not in the form of one
 */
export async function readPayload({ jwe, own, envelope, chains }: EncryptedPayload): Promise<ReadPayload> {
  const { subject, message } = await decryptWith(own, jwe, envelope);
  const payload = parseWire(payloadSchema, message, "payload");
  const { registry: named, header, transfers } = payload;
  const chain =
    named === undefined
      ? chains.find((each) => batchId(header, each) === subject)
      : chains.find(({ transferRegistry }) => transferRegistry === named);
  return {
    subject,
    header,
    registry: chain?.transferRegistry,
    batch: chain === undefined ? undefined : batchId(header, chain),
    isNamed: named !== undefined,
    transfers: transfers.length,
    bytes: payloadBytes({ header, transfers }),
    answerKey: parseWire(answerKeySchema, message, "payload").answerKey,
  };
}
