import { setImmediate as turn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { BatchHeader } from "../../../domain/batch.ts";
import { toHex } from "../../../domain/bytes/hex.ts";
import { currencyByNumeric } from "../../../domain/currency.ts";
import { BATCH_STATUS_NAMES, BatchStatus, outcomesIn, type Outcome } from "../../../domain/lifecycle.ts";
import { buildMerkleTree, merkleRoot } from "../../../domain/merkle.ts";
import { commitsTo, opensDetails, type PayloadTransfer } from "../../../domain/payload.ts";
import { transferLeaf, type Transfer } from "../../../domain/transfer.ts";
import { toJson } from "../../../domain/wire.ts";
import { statusesIn } from "../../../ledger/state.ts";
import { sealedTransfersOf, strangersIn, type SealedTransfer } from "../store/batch-transfers.ts";
import {
  projectedBatches,
  promisedFor,
  signedHeader,
  type ProjectedBatch,
  type Promised,
} from "../store/reconciled-rows.ts";
import { SealBroken } from "../../../kernel/store/sealer.ts";
import { chunksOf } from "../../../kernel/steps/chunks.ts";
import type { RelayContext } from "../../context.ts";
import type { ReplayedEnd, ReplayedOpening, ReplayedRange } from "./replayed-batches.ts";
import { openDetails } from "../sealed-details.ts";
import { openPayload } from "../sealed-payload.ts";
import type { Findings } from "../../../kernel/findings.ts";

// What the ledger has of each batch, compared with the store's rows: the header and how it ended, which the ledger has
// published, and the transfers, whose amounts and details hashes the header commits to.

/** Transfers whose details are opened and hashed between two turns of everybody else. */
const HASHES_PER_TURN = 100;

/** @param block the one that everything is compared with */
export async function findInBatches(
  context: RelayContext,
  block: number,
  { opened, ended }: ReplayedRange,
  findings: Findings,
): Promise<void> {
  const { db, partner } = context;
  const rows = await projectedBatches(db, [...new Set([...opened, ...ended].map(({ id }) => id))]);
  await findMissing(
    context,
    block,
    opened.filter(({ id }) => !rows.has(id)),
    findings,
  );
  for (const opening of opened) {
    const row = rows.get(opening.id);
    if (row !== undefined) findInHeader(context, opening, row, findings);
    if (opening.header.source === partner) await findInOwn(context, opening, findings);
  }
  for (const end of ended) {
    const row = rows.get(end.id);
    if (row !== undefined) findInEnd(end, row, block, findings);
    if (end.header.target === partner && end.status === "settled") await findInReceived(context, end, findings);
  }
}

async function findMissing(
  { ledger }: Pick<RelayContext, "ledger">,
  block: number,
  missing: readonly ReplayedOpening[],
  findings: Findings,
): Promise<void> {
  const statuses = await statusesIn(ledger, missing, block);
  for (const { id } of missing) {
    const status = BATCH_STATUS_NAMES[statuses.get(id) ?? BatchStatus.None];
    findings.add("batch", id, `It is ${status} on the ledger, and not in the store.`);
  }
}

function findInHeader(
  { ledger }: Pick<RelayContext, "ledger">,
  { id, registry, header, at }: ReplayedOpening,
  row: ProjectedBatch,
  findings: Findings,
): void {
  const differing = differingMembers(row.header, header);
  if (row.source !== header.source) differing.add("source");
  if (row.target !== header.target) differing.add("target");
  if (row.expiresAt !== header.expiresAt) differing.add("expiresAt");
  for (const name of differing) {
    findings.add("batch", id, `The store has another ${name} of it than its header on the ledger.`);
  }
  if ((row.registry ?? ledger.registries[0]?.chain.transferRegistry) !== registry) {
    findings.add("batch", id, "The store has it in another registry than the ledger.");
  }
  if (!isDeepStrictEqual(row.opened, { ...at })) {
    findings.add("batch", id, "The store has it opened elsewhere than it was on the ledger.");
  }
}

function differingMembers(stored: unknown, header: BatchHeader): Set<string> {
  const expected = Object.entries(toJson(header));
  const found = new Map<string, unknown>(typeof stored === "object" && stored !== null ? Object.entries(stored) : []);
  const differing = expected.filter(([name, value]) => !isDeepStrictEqual(found.get(name), value));
  const names = new Set(expected.map(([name]) => name));
  return new Set([...differing.map(([name]) => name), ...[...found.keys()].filter((name) => !names.has(name))]);
}

function findInEnd({ id, status, rejected, at }: ReplayedEnd, row: ProjectedBatch, block: number, findings: Findings) {
  // What was read after the block of the reconciliation is not compared.
  const isEnded = row.final !== undefined && row.final.block <= block;
  const stands = isEnded ? row.status : "open";
  if (stands !== status) {
    findings.add("batch", id, `The store has it as ${stands}; by the ledger's events it is ${status}.`);
    return;
  }
  if (!isDeepStrictEqual(row.final, { ...at })) {
    findings.add("batch", id, "The store has it ended elsewhere than it was on the ledger.");
  }
  if (!isDeepStrictEqual(row.rejected, rejected)) {
    findings.add("batch", id, "The store has other rejections of it than the ledger has published.");
  }
}

/** An own batch: what was signed, and the transfers that are in it. */
async function findInOwn(context: RelayContext, { id, header }: ReplayedOpening, findings: Findings): Promise<void> {
  const signed = await signedHeader(context.db, id);
  // That it was never signed here is told with the batches that contradict each other.
  if (signed === undefined) return;
  for (const name of differingMembers(signed.header, header)) {
    findings.add("batch", id, `The store has another ${name} of what was signed than its header on the ledger.`);
  }
  const transfers = await sealedTransfersOf(context.db, id);
  for (const sentence of contradictionsTo(header, transfers)) findings.add("batch", id, sentence);
  const corridor = {
    target: header.target,
    sourceCurrency: currencyByNumeric(header.sourceCurrency).code,
    targetCurrency: currencyByNumeric(header.targetCurrency).code,
  };
  for (const uetr of await strangersIn(context.db, id, corridor)) {
    findings.add("transfer", uetr, "It is for another corridor than its batch.");
  }
  for (const chunk of chunksOf(transfers, HASHES_PER_TURN)) {
    for (const transfer of chunk) findInDetails(context, transfer, findings);
    await turn();
  }
}

/** In which ways transfers are not those that a header commits to. */
function contradictionsTo(header: BatchHeader, transfers: readonly Transfer[]): readonly string[] {
  const total = (amounts: readonly bigint[]) => amounts.reduce((sum, amount) => sum + amount, 0n);
  const facts = [
    ["transfers", BigInt(transfers.length), BigInt(header.count)],
    ["source minor units", total(transfers.map(({ sourceAmount }) => sourceAmount)), header.sourceTotal],
    ["target minor units", total(transfers.map(({ targetAmount }) => targetAmount)), header.targetTotal],
  ] as const;
  const sentences = facts.flatMap(([what, found, committed]) =>
    found === committed ? [] : [`Its transfers come to ${found} ${what}; on the ledger it has ${committed}.`],
  );
  const root = transfers.length === 0 ? undefined : toHex(merkleRoot(buildMerkleTree(transfers.map(transferLeaf))));
  if (root === header.root) return sentences;
  return [
    ...sentences,
    "Its transfers are not those that its root on the ledger was made of: a UETR, an amount or a details hash differs.",
  ];
}

function findInDetails({ sealer }: Pick<RelayContext, "sealer">, transfer: SealedTransfer, findings: Findings): void {
  const { uetr, sealed } = transfer;
  if (sealed === null) return;
  const opening = unlessBroken(() => openDetails(sealer, uetr, sealed));
  if (opening === undefined) findings.add("transfer", uetr, "Its details cannot be opened: see the data keys.");
  else if (!opensDetails({ ...transfer, ...opening })) {
    findings.add("transfer", uetr, "Its details hash is not that of its details.");
  }
}

/** What the ledger paid to this partner for its customers is what it has promised to credit them with, each of them. */
async function findInReceived(context: RelayContext, end: ReplayedEnd, findings: Findings): Promise<void> {
  const { id, header, rejected, paid } = end;
  const promised = await promisedFor(context.db, id);
  const { credits } = promised;
  const sum = [...credits.values()].reduce((total, { amount }) => total + amount, 0n);
  if (sum !== paid) {
    const sentence = `It paid ${paid} minor units to this partner, whose customers are to be credited with ${sum}.`;
    findings.add("credit", id, sentence);
  }
  if (promised.rejected === undefined) return;
  const currency = currencyByNumeric(header.targetCurrency).code;
  for (const [uetr, credit] of credits) {
    if (credit.source !== header.source || credit.currency !== currency) {
      findings.add("credit", uetr, "It is in another currency, or from another partner, than its batch.");
    }
  }
  if (promised.payload !== null) {
    await findInPayload(context, end, { ...promised, payload: promised.payload }, findings);
  } else if (credits.size + rejected.length !== header.count || promised.rejected.size !== rejected.length) {
    const sentence = `Of its ${header.count} transfers the ledger refunded ${rejected.length}; here ${promised.rejected.size} are rejected, and ${credits.size} are to be credited.`;
    findings.add("credit", id, sentence);
  }
}

async function findInPayload(
  { sealer }: Pick<RelayContext, "sealer">,
  ending: ReplayedEnd,
  promised: Promised & { readonly payload: Uint8Array },
  findings: Findings,
): Promise<void> {
  const { id, header } = ending;
  const payload = unlessBroken(() => openPayload(sealer, id, promised.payload));
  if (payload === undefined) {
    findings.add("batch", id, "What was received for it cannot be opened: see the data keys.");
    return;
  }
  const { transfers } = payload;
  if (!commitsTo(header, transfers)) {
    findings.add("batch", id, "What was received for it is not what it commits to.");
    return;
  }
  const outcomeOf = outcomesIn(ending);
  const known = new Set(transfers.map(({ uetr }) => uetr));
  for (const uetr of promised.credits.keys()) {
    if (!known.has(uetr)) findings.add("credit", uetr, "It does not belong to its batch.");
  }
  for (const chunk of chunksOf(transfers, HASHES_PER_TURN)) {
    for (const transfer of chunk) findInPromise(transfer, outcomeOf(transfer), promised, findings);
    await turn();
  }
}

function findInPromise(
  transfer: PayloadTransfer,
  outcome: Outcome,
  { credits, rejected }: Promised,
  findings: Findings,
): void {
  const { uetr, targetAmount } = transfer;
  const differ = (sentence: string) => {
    findings.add("credit", uetr, sentence);
  };
  const credit = credits.get(uetr);
  const isRefunded = outcome.status !== "settled";
  if (isRefunded !== (rejected?.has(uetr) ?? false)) {
    differ(`It was ${isRefunded ? "refunded" : "settled"} on the ledger, and decided otherwise here.`);
  }
  if (isRefunded && credit !== undefined) differ("The ledger refunded it, and the customer is to be credited.");
  if (!isRefunded && credit === undefined) differ("The ledger settled it, and nobody is to be credited.");
  if (!isRefunded && credit !== undefined && credit.amount !== targetAmount) {
    differ(`The customer is to be credited with ${credit.amount} minor units; the ledger settled ${targetAmount}.`);
  }
  if (!opensDetails(transfer)) differ("Its details hash is not that of its details.");
}

/** What a seal opens; undefined where it does not. */
function unlessBroken<Opened>(open: () => Opened): Opened | undefined {
  try {
    return open();
  } catch (failure) {
    if (failure instanceof SealBroken) return undefined;
    throw failure;
  }
}
