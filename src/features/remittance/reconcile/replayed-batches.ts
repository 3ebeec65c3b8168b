import type { BatchHeader } from "../../../domain/batch.ts";
import type { Hex } from "../../../domain/bytes/hex.ts";
import { currencyByNumeric, type CurrencyCode } from "../../../domain/currency.ts";
import type { FinalStatus, PublishedRejection } from "../../../domain/lifecycle.ts";
import type { PartnerId } from "../../../domain/partner.ts";
import type { LedgerEvent } from "../../../ledger/events.ts";
import { FINAL_STATUS, type BatchEnd } from "../own-events.ts";

export interface ReplayedOpening {
  readonly id: Hex;
  readonly registry: Hex;
  readonly header: BatchHeader;
  /** Where it stands on the ledger. */
  readonly at: LedgerEvent["cursor"];
}

export interface ReplayedEnd extends ReplayedOpening {
  readonly status: FinalStatus;
  readonly rejected: readonly PublishedRejection[];
  /** What it paid to its target partner, in target minor units. */
  readonly paid: bigint;
}

/** What became of batches in a range of blocks, in the ledger's order. */
export interface ReplayedRange {
  readonly opened: readonly ReplayedOpening[];
  readonly ended: readonly ReplayedEnd[];
}

/** The batches of the ledger's events, which it is given range by range. It remembers those that are open, and no others. */
export interface ReplayedBatches {
  /** @throws Error when the events contradict each other, as when a batch ends that was never opened */
  read(events: readonly LedgerEvent[]): ReplayedRange;
  /** What the batches that are open in a registry hold of a partner's money, in minor units. */
  heldOf(partner: PartnerId, registry: Hex): ReadonlyMap<CurrencyCode, bigint>;
}

export function replayBatches(): ReplayedBatches {
  const open = new Map<Hex, Pick<ReplayedOpening, "registry" | "header">>();

  const ended = (event: BatchEnd, paid: bigint): ReplayedEnd => {
    const { kind, batchId: id, contract: registry, cursor: at } = event;
    const header = open.get(id)?.header;
    if (header === undefined) throw new Error(`batch ${id} ends on the ledger without being open`);
    open.delete(id);
    const rejected = kind === "Expired" ? [] : event.rejected.map(({ leaf, code }) => ({ leaf, code }));
    return { id, registry, header, at, status: FINAL_STATUS[kind], rejected, paid };
  };

  return {
    read(events) {
      const opened: ReplayedOpening[] = [];
      const ends: ReplayedEnd[] = [];
      for (const event of events) {
        switch (event.kind) {
          case "Opened": {
            const { batchId, contract: registry, header, cursor } = event;
            open.set(batchId, { registry, header });
            opened.push({ id: batchId, registry, header, at: cursor });
            break;
          }
          case "Settled":
            ends.push(ended(event, event.settledTarget));
            break;
          case "Rejected":
          case "Expired":
            ends.push(ended(event, 0n));
            break;
          default:
          // Not about a batch.
        }
      }
      return { opened, ended: ends };
    },
    heldOf(partner, registry) {
      const inIt = [...open.values()].filter((batch) => batch.registry === registry);
      return heldOf(
        partner,
        inIt.map(({ header }) => header),
      );
    },
  };
}

/** What open batches hold of a partner's money. */
function heldOf(partner: PartnerId, headers: Iterable<BatchHeader>): ReadonlyMap<CurrencyCode, bigint> {
  const held = new Map<CurrencyCode, bigint>();
  const add = (numeric: number, amount: bigint): void => {
    const { code } = currencyByNumeric(numeric);
    held.set(code, (held.get(code) ?? 0n) + amount);
  };
  for (const { source, sourceCurrency, sourceTotal, fee, quote, targetCurrency, targetTotal } of headers) {
    if (source === partner) add(sourceCurrency, sourceTotal + fee);
    if (quote.provider === partner) add(targetCurrency, targetTotal);
  }
  return held;
}
