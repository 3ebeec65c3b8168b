import type { BatchHeader } from "../../domain/batch.ts";
import { compareBytes } from "../../domain/bytes/bytes.ts";
import { fromHex, type Hex } from "../../domain/bytes/hex.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { MAX_HOLD_SECONDS } from "../../domain/opening.ts";
import type { PartnerId } from "../../domain/partner.ts";
import { hexOf, parseWire } from "../../domain/wire.ts";
import type { RelayContext } from "../context.ts";
import { decryptWith, encryptAnswer, type Decrypted } from "../peers/encryption.ts";
import { confirmationSchema, MAX_BODY_BYTES, MESSAGE_TYPES, PEER_PATHS } from "../peers/messages.ts";
import { Refused, tooMuch } from "../peers/refused.ts";
import type { PeerMessage } from "../../kernel/peer-message.ts";
import { recordConfirmation } from "./confirmations.ts";
import { createPayloadReader } from "./payloads/payload-reader.ts";
import type { ReadPayload } from "./payloads/read-payload.ts";
import { answerProposal } from "./proposals.ts";
import { openPayloadBytes, sealPayload } from "./sealed-payload.ts";
import { readCursor } from "./store/ledger-projection.ts";
import { insertPayload, sealedPayloadOf, unopenedPayloads, type NewPayload } from "./store/payloads.ts";

/** What a source relay sends of a batch, and a target relay of its credits. */
export function remittanceMessages(context: RelayContext): readonly PeerMessage[] {
  const { ledger, partner, peerKeys, metrics } = context;
  const payloads = createPayloadReader();
  const read = (kind: "proposal" | "payload", from: PartnerId, jwe: Uint8Array) =>
    payloads.read({
      jwe,
      own: peerKeys.encryption,
      envelope: { type: MESSAGE_TYPES[kind], from, to: partner },
      chains: ledger.registries.map(({ chain }) => chain),
    });
  const proposal: PeerMessage = {
    path: PEER_PATHS.proposal,
    bodyLimit: MAX_BODY_BYTES.proposal,
    answer: async (sender, jwe) => takeProposal(context, sender, await read("proposal", sender, jwe)),
    count: (outcome) => metrics.proposals.inc({ direction: "received", outcome }),
  };
  return [
    // A relay that does not offer it answers as one that does not know it.
    ...(context.settings.oneStep.enabled ? [proposal] : []),
    {
      path: PEER_PATHS.payload,
      bodyLimit: MAX_BODY_BYTES.payload,
      async answer(sender, jwe) {
        await takePayload(context, sender, await read("payload", sender, jwe));
        return undefined;
      },
      count: (outcome) => metrics.payloads.inc({ direction: "received", outcome }),
      close: () => payloads.close(),
    },
    {
      path: PEER_PATHS.confirmation,
      bodyLimit: MAX_BODY_BYTES.confirmation,
      async answer(sender, jwe) {
        const envelope = { type: MESSAGE_TYPES.confirmation, from: sender, to: partner };
        await takeConfirmation(context, sender, await decryptWith(peerKeys.encryption, jwe, envelope));
        return undefined;
      },
      count: (outcome) => metrics.confirmations.inc({ direction: "received", outcome }),
    },
  ];
}

/** @returns the answer, encrypted */
async function takeProposal(context: RelayContext, from: PartnerId, payload: ReadPayload): Promise<string> {
  const { partner } = context;
  const { header, answerKey } = payload;
  if (answerKey === undefined) throw new InvalidInput("payload.answerKey", "what the answer is encrypted with");
  const received = await receive(context, from, payload);
  const { batch: id, registry } = received;
  const answer = await answerProposal(context, from, received, { id, registry, header });
  if ("acceptance" in answer) expectBlock(context);
  const envelope = { type: MESSAGE_TYPES.answer, from: partner, to: from, subject: id };
  return encryptAnswer(fromHex(answerKey), answer, envelope);
}

/** What a source takes at least to sign, to submit and to be in a block, where blocks come at once. */
const FIRST_LOOK_MS = 15;

/**
 * Has the block looked for that a batch will soon be in which another relay submits: nobody tells of it. At once where
 * blocks come at once; where they take their time less and less often, up to the usual interval.
 */
function expectBlock({ wake, settings }: Pick<RelayContext, "wake" | "settings">): void {
  for (let afterMs = FIRST_LOOK_MS; afterMs < settings.ledger.pollIntervalMs; afterMs *= 2) wake("watcher", afterMs);
}

async function takePayload(context: RelayContext, from: PartnerId, payload: ReadPayload): Promise<void> {
  const { db, clock, metrics, log, wake } = context;
  const received = await receive(context, from, payload);
  const { batch } = received;
  const isNew = await insertPayload(db, { ...received, delivered: true }, clock.nowMs());
  if (!isNew) await requireSame(context, batch, payload.bytes);
  context.checkpoint("payload.stored");
  metrics.payloads.inc({ direction: "received", outcome: isNew ? "stored" : "repeated" });
  if (isNew) log.info({ batch, source: from, transfers: payload.transfers }, "payload received");
  // Its batch is being opened at this moment.
  wake("watcher");
  wake("responder");
}

/**
 * What a source may have kept here, of its own batches to this partner.
 * @throws Refused
 */
async function receive(
  context: RelayContext,
  from: PartnerId,
  payload: ReadPayload,
): Promise<Omit<NewPayload, "delivered">> {
  const { db, sealer, clock, partner } = context;
  const { header, registry, batch, bytes, subject, isNamed } = payload;
  if (registry === undefined || batch === undefined) {
    // Never a refusal for good: it may be one that this relay's configuration does not have yet.
    if (isNamed) throw new Refused("unknown-registry", "to be sent again once this relay's ledger.addresses name it");
    throw new Refused("wrong-sender", "the header is not that of the batch");
  }
  // A batch's id is its header's digest, so nobody can take the place of another source's batch with a payload.
  if (batch !== subject) throw new Refused("wrong-sender", "the header is not that of the batch");
  if (header.source !== from) throw new Refused("wrong-sender", "the batch is another partner's");
  if (header.target !== partner) throw new Refused("wrong-sender", "the batch is for another partner");
  const unopened = await unopenedPayloads(db, from, MAX_UNOPENED);
  if (unopened.count >= MAX_UNOPENED.count || unopened.bytes + bytes.length > MAX_UNOPENED.bytes) {
    throw tooMuch("too many payloads of batches that are not on the ledger", UNOPENED_WAIT_MS);
  }
  const sealed = sealPayload(sealer, batch, bytes);
  const expiresAtSeconds = await lastChance(context, header, clock.nowMs());
  return { batch, registry, source: from, sealed, expiresAtSeconds };
}

/**
 * Until when, in seconds of ledger time, a batch can be opened. The ledger takes none that would hold its money for
 * longer than it allows: one that says so cannot keep its payload here forever. A day is left for clocks that differ.
 */
async function lastChance(
  { db }: Pick<RelayContext, "db">,
  { expiresAt }: BatchHeader,
  nowMs: number,
): Promise<number> {
  const read = await readCursor(db);
  const latestSeconds = Math.max(Math.floor(nowMs / 1_000), read?.timeSeconds ?? 0);
  return Math.min(expiresAt, latestSeconds + 2 * MAX_HOLD_SECONDS);
}

/** What is kept of one partner's payloads while the ledger does not have their batches. */
const MAX_UNOPENED = { count: 1_000, bytes: 2 ** 28 };
const UNOPENED_WAIT_MS = 10_000;

async function requireSame(
  { db, sealer }: Pick<RelayContext, "db" | "sealer">,
  batch: Hex,
  bytes: Uint8Array,
): Promise<void> {
  const sealed = await sealedPayloadOf(db, batch);
  // Erased: all that was to be done with it has been done.
  if (sealed === null || sealed === undefined) return;
  if (compareBytes(openPayloadBytes(sealer, batch, sealed), bytes) !== 0) {
    throw new Refused("payload-conflict", "what came first is kept");
  }
}

async function takeConfirmation(
  context: RelayContext,
  from: PartnerId,
  { subject, message }: Decrypted,
): Promise<void> {
  const batch = parseWire(hexOf(32), subject, "body.sub");
  const confirmation = parseWire(confirmationSchema, message, "confirmation");
  const outcome = await recordConfirmation(context, from, batch, confirmation);
  // It is on the ledger by what the sender says, which is reason enough to look.
  if (outcome === "not settled") context.wake("watcher");
  if (outcome === "not settled") throw new Refused("not-settled", "to be sent again once the ledger has been read");
  if (outcome === "not theirs") {
    throw new Refused("wrong-sender", "not all of these are transfers to the sender that the ledger has settled");
  }
  context.metrics.confirmations.inc({ direction: "received", outcome: "recorded" });
}
