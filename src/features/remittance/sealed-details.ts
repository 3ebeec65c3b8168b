import type { TransferOpening } from "../../domain/payload.ts";
import { utf8 } from "../../domain/bytes/bytes.ts";
import { joinGroups, type CanonicalDetails } from "../../domain/details.ts";
import type { Uetr } from "../../domain/uetr.ts";
import { SEALED } from "../../kernel/store/sealed-rows.ts";
import type { Sealer } from "../../kernel/store/sealer.ts";

/** A `TransferOpening` whose details are canonical JSON already. */
interface CanonicalOpening extends Pick<TransferOpening, "salt"> {
  readonly canonical: CanonicalDetails;
}

/** What stands in `transfers.sealed`: sealed for its UETR, so that one row's cannot be put into another. */
export function sealDetails(sealer: Sealer, uetr: Uetr, { canonical, salt }: CanonicalOpening): Uint8Array {
  return sealer.seal(utf8(`{"details":${joinGroups(canonical)},"salt":"${salt}"}`), SEALED.transfers.bind(uetr));
}

/** @throws Error of the sealer, when it was sealed with another key or for another transfer */
export function openDetails(sealer: Sealer, uetr: Uetr, sealed: Uint8Array): TransferOpening {
  // Authenticated by the seal: it is what `sealDetails` wrote.
  return JSON.parse(Buffer.from(sealer.open(sealed, SEALED.transfers.bind(uetr))).toString("utf8")) as TransferOpening;
}
