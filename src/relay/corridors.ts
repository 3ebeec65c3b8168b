import { corridorKey, type Corridor } from "../domain/corridor.ts";
import { parseCurrency } from "../domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../domain/partner.ts";
import type { RegisteredCorridor, RegistryView } from "../ledger/registry.ts";
import { refused, type Refusal } from "./refusal.ts";

/** What is to be priced: either end's amount is fixed, the other follows from the rate. Minor units. */
export type Asked =
  { readonly fixed: "source"; readonly minor: bigint } | { readonly fixed: "target"; readonly minor: bigint };

/** The amount of a request of the API, as it is sent. */
export type AmountJson =
  | {
      readonly send: { readonly currency: string; readonly minor: string };
      readonly receiveCurrency?: string | undefined;
    }
  | {
      readonly receive: { readonly currency: string; readonly minor: string };
      readonly sendCurrency?: string | undefined;
    };

export interface ResolvedCorridor {
  readonly kind: "resolved";
  readonly corridor: RegisteredCorridor;
  readonly asked: Asked;
}

/** Finds the corridor that a request is about. The other end's currency is its partner's own unless it is said. */
export function resolveCorridor(
  view: RegistryView,
  source: PartnerId,
  target: number,
  amount: AmountJson,
): ResolvedCorridor | Refusal {
  const partner = view.partners.get(parsePartnerId(target));
  if (partner?.status !== "active" || !partner.roles.includes("wallet")) {
    return refused("unknown-partner", `partner ${target} is no active wallet of the network`, { field: "target" });
  }
  const home = view.partners.get(source)?.homeCurrency ?? partner.homeCurrency;
  const isSend = "send" in amount;
  const corridor: Corridor = {
    source,
    sourceCurrency: isSend ? parseCurrency(amount.send.currency).code : codeOf(amount.sendCurrency, home),
    target: partner.id,
    targetCurrency: isSend
      ? codeOf(amount.receiveCurrency, partner.homeCurrency)
      : parseCurrency(amount.receive.currency).code,
  };
  const found = openCorridor(view, corridor);
  if (found.kind === "refused") return found;
  const asked = isSend
    ? { fixed: "source" as const, minor: BigInt(amount.send.minor) }
    : { fixed: "target" as const, minor: BigInt(amount.receive.minor) };
  return { kind: "resolved", corridor: found.corridor, asked };
}

/** A corridor's terms, if money can be sent through it now, as far as the registry tells. */
export function openCorridor(
  view: RegistryView,
  corridor: Corridor,
): { readonly kind: "open"; readonly corridor: RegisteredCorridor } | Refusal {
  const found = view.corridors.get(corridorKey(corridor));
  const partners = [corridor.source, corridor.target].map((id) => view.partners.get(id));
  const active = partners.every((partner) => partner?.status === "active" && partner.roles.includes("wallet"));
  if (found?.terms.open !== true || !active) {
    return refused("corridor-closed", `corridor ${corridorKey(corridor)} is not open`);
  }
  return { kind: "open", corridor: found };
}

function codeOf(text: string | undefined, otherwise: Corridor["sourceCurrency"]): Corridor["sourceCurrency"] {
  return text === undefined ? otherwise : parseCurrency(text).code;
}
