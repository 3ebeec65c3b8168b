import { fromHex } from "../../domain/bytes/hex.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { parseWire, toJson } from "../../domain/wire.ts";
import type { PeerMessage } from "../../kernel/peer-message.ts";
import { ledgerSigner } from "../../ledger/keys/signing-key.ts";
import { signPaymentRequest } from "../../ledger/signing.ts";
import type { RelayContext } from "../context.ts";
import { mayLookUp } from "../partners/lookups.ts";
import { decryptWith, encryptAnswer, type Decrypted } from "../peers/encryption.ts";
import { MAX_BODY_BYTES, MESSAGE_TYPES, PEER_PATHS, requestSchema, type RequestAnswer } from "../peers/messages.ts";
import { Refused, tooMuch } from "../peers/refused.ts";
import { toldRequest } from "./requests.ts";

/** What a payer's relay asks before its customer pays: what a request says. */
export function requestMessages(context: RelayContext): readonly PeerMessage[] {
  const { partner, peerKeys } = context;
  return [
    {
      path: PEER_PATHS.request,
      bodyLimit: MAX_BODY_BYTES.request,
      async answer(sender, jwe) {
        const envelope = { type: MESSAGE_TYPES.request, from: sender, to: partner };
        return answerPeer(context, sender, await decryptWith(peerKeys.encryption, jwe, envelope));
      },
    },
  ];
}

/** Counted with look-ups of payees: both tell who is a customer here. */
async function answerPeer(context: RelayContext, from: PartnerId, { subject, message }: Decrypted): Promise<string> {
  const { peers, partner, metrics } = context;
  const { id, answerKey } = parseWire(requestSchema, message, "request");
  if ((await peers.find(from))?.isActive !== true) throw new Refused("sender-not-active", "no requests are looked up");
  const waitMs = await mayLookUp(context, `partner:${from}`);
  if (waitMs > 0) {
    metrics.lookups.inc({ direction: "received", outcome: "rate-limited" });
    throw tooMuch("more requests and payees are looked up than one partner may", waitMs);
  }
  const answer = await answerRequest(context, id);
  metrics.lookups.inc({ direction: "received", outcome: answer.found ? "found" : "not-found" });
  const envelope = { type: MESSAGE_TYPES.answer, from: partner, to: from, subject };
  return encryptAnswer(fromHex(answerKey), toJson(answer), envelope);
}

/** What this relay says of one of its requests, signed now: by a key that counts now. */
export async function answerRequest(context: RelayContext, id: string): Promise<RequestAnswer> {
  const told = await toldRequest(context, id);
  if (told === undefined) return { found: false };
  const signed = await signPaymentRequest(ledgerSigner(context.keys.accept), context.ledger.chain, told.request);
  return { found: true, ...told, signed };
}
