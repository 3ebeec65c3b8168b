import type { EventJson } from "../../schema/network.ts";
import { numberOf } from "../../kernel/store/values.ts";
import type { StoredEvent } from "../../kernel/store/events.ts";
import { formatInstant as instant } from "../../domain/instant.ts";

/** An event as wallets get it: from pages, from streams and from webhooks alike. */
export function eventJson({ id, seq, type, uetr, batch, at, ledger, data }: StoredEvent): EventJson {
  return {
    id,
    seq: numberOf(seq),
    type,
    at: instant(at),
    ...(uetr === undefined ? {} : { uetr }),
    ...(batch === undefined ? {} : { batch }),
    ...(ledger === undefined ? {} : { block: ledger.block, logIndex: ledger.logIndex }),
    data: { ...data },
  };
}
