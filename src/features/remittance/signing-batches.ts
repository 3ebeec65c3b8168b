import type { Authorization } from "../../domain/typed-data.ts";
import type { BatchHeader } from "../../domain/batch.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import { registryAt } from "../../ledger/contracts.ts";
import { ledgerSigner } from "../../ledger/keys/signing-key.ts";
import { signBatch } from "../../ledger/signing.ts";
import type { RelayContext } from "../context.ts";

/** The source partner's signature, after which somebody can open the batch. */
export async function signAsSource(
  { ledger, keys, tracer, checkpoint }: Pick<RelayContext, "ledger" | "keys" | "tracer" | "checkpoint">,
  { id, registry, header }: { readonly id: Hex; readonly registry: Hex | undefined; readonly header: BatchHeader },
): Promise<Authorization> {
  const { chain } = registryAt(ledger, registry);
  const send = await tracer.span("batch.sign", { batch: id }, () => signBatch(ledgerSigner(keys.send), chain, header));
  checkpoint("batch.signed");
  return send;
}

/** Tells of a batch that is signed and on disk, and of what it takes from there. */
export function tellSigned(
  { metrics, log, wake }: Pick<RelayContext, "metrics" | "log" | "wake">,
  { id, header }: { readonly id: Hex; readonly header: BatchHeader },
  isAccepted = false,
): void {
  const { target, count, expiresAt } = header;
  metrics.batchesSigned.inc({ target: String(target) });
  log.info({ batch: id, target, transfers: count, expiresAt, accepted: isAccepted }, "signed a batch");
  wake("opener");
  if (!isAccepted) wake("courier");
}
