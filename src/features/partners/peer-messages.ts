import { maskName, readAlias } from "../../domain/alias.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { fromHex } from "../../domain/bytes/hex.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { parseWire } from "../../domain/wire.ts";
import { concludeAudit, insertAudit } from "../../kernel/access/audit-store.ts";
import type { RelayContext } from "../context.ts";
import { decryptWith, encryptAnswer, type Decrypted } from "../peers/encryption.ts";
import { lookupSchema, MAX_BODY_BYTES, MESSAGE_TYPES, PEER_PATHS } from "../peers/messages.ts";
import type { PeerMessage } from "../../kernel/peer-message.ts";
import { askerOf, letIn } from "./let-in.ts";
import { LOOKUP_ACTION, pseudonymOf } from "./lookups.ts";

/** What a source relay asks before its customer pays: who a payee is. */
export function partnerMessages(context: RelayContext): readonly PeerMessage[] {
  const { partner, peerKeys } = context;
  return [
    {
      path: PEER_PATHS.lookup,
      bodyLimit: MAX_BODY_BYTES.lookup,
      async answer(sender, jwe) {
        const envelope = { type: MESSAGE_TYPES.lookup, from: sender, to: partner };
        return answerLookup(context, sender, await decryptWith(peerKeys.encryption, jwe, envelope));
      },
    },
  ];
}

/** @returns the answer, encrypted; the name masked, for the payer needs to tell no more than whether it is the right one */
async function answerLookup(context: RelayContext, from: PartnerId, { subject, message }: Decrypted): Promise<string> {
  const { db, clock, partner, wallet, metrics } = context;
  const { alias, answerKey } = parseWire(lookupSchema, message, "lookup");
  const wanted = readAlias(alias);
  if (wanted.type === "REQUEST") throw new InvalidInput("lookup.alias.type", "that of a customer");
  await letIn(context, from, "payees");
  const subjectName = pseudonymOf(context, wanted);
  const entry = { at: clock.nowMs(), actor: askerOf(from), action: LOOKUP_ACTION, subject: subjectName };
  const seq = await insertAudit(db, { ...entry, outcome: "begun", data: {} });
  const found = await wallet.lookup(wanted);
  const outcome = found.found ? "found" : "not-found";
  await concludeAudit(db, seq, { subject: undefined, outcome, data: {} });
  metrics.lookups.inc({ direction: "received", outcome });
  const answer = found.found ? { found: true, name: maskName(found.name) } : found;
  return encryptAnswer(fromHex(answerKey), answer, { type: MESSAGE_TYPES.answer, from: partner, to: from, subject });
}
