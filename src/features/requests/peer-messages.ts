import { fromHex } from "../../domain/bytes/hex.ts";
import { parseWire, toJson, type JsonObject } from "../../domain/wire.ts";
import type { PeerMessage } from "../../kernel/peer-message.ts";
import type { RelayContext } from "../context.ts";
import { letIn } from "../partners/let-in.ts";
import { decryptWith, encryptAnswer } from "../peers/encryption.ts";
import {
  billersQuestionSchema,
  billSchema,
  MAX_BODY_BYTES,
  MESSAGE_TYPES,
  PEER_PATHS,
  requestSchema,
} from "../peers/messages.ts";
import { answerBill, answerRequest } from "./answers.ts";

type Kind = "request" | "bill" | "billers";

/** What a payer's relay asks before its customer pays: what a request or a bill says, and who sends bills. */
export function requestMessages(context: RelayContext): readonly PeerMessage[] {
  const { wallet } = context;
  return [
    answering(context, "request", async (message) => {
      const { id, answerKey } = parseWire(requestSchema, message, "request");
      const answer = await answerRequest(context, id);
      return { answerKey, isFound: answer.found, answer: toJson(answer) };
    }),
    answering(context, "bill", async (message) => {
      const { biller, reference, answerKey } = parseWire(billSchema, message, "bill");
      const answer = await answerBill(context, biller, reference);
      return { answerKey, isFound: answer.found, answer: toJson(answer) };
    }),
    answering(context, "billers", async (message) => {
      const { answerKey } = parseWire(billersQuestionSchema, message, "billers");
      return { answerKey, isFound: true, answer: toJson({ billers: await wallet.billers() }) };
    }),
  ];
}

interface Answered {
  readonly answerKey: `0x${string}`;
  readonly isFound: boolean;
  readonly answer: JsonObject;
}

/** A message that is counted with look-ups of payees: they all tell who is a customer here. */
function answering(context: RelayContext, kind: Kind, answer: (message: unknown) => Promise<Answered>): PeerMessage {
  const { partner, peerKeys, metrics } = context;
  return {
    path: PEER_PATHS[kind],
    bodyLimit: MAX_BODY_BYTES[kind],
    async answer(sender, jwe) {
      const envelope = { type: MESSAGE_TYPES[kind], from: sender, to: partner };
      const { subject, message } = await decryptWith(peerKeys.encryption, jwe, envelope);
      await letIn(context, sender, "requests, bills and payees");
      const { answerKey, isFound, answer: told } = await answer(message);
      metrics.lookups.inc({ direction: "received", outcome: isFound ? "found" : "not-found" });
      return encryptAnswer(fromHex(answerKey), told, {
        type: MESSAGE_TYPES.answer,
        from: partner,
        to: sender,
        subject,
      });
    },
  };
}
