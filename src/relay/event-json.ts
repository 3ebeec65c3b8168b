import type { EventJson } from "../contract/network.ts";
import { numberOf } from "../store/values.ts";
import type { StoredEvent } from "../store/events.ts";
import { instant } from "./json.ts";

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
