import { corridorKey, type Corridor, type RegisteredCorridor } from "../../domain/corridor.ts";
import { parseCurrency } from "../../domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../../domain/partner.ts";
import type { RegisteredPartner, Registry, RegistryView } from "../../ledger/registry.ts";
import type { ProblemCode } from "../../schema/problems.ts";
import { refused, type Refusal } from "../../kernel/refusal.ts";

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

/** What is refused by what the registry says. */
const OF_THE_REGISTRY: ReadonlySet<ProblemCode> = new Set(["unknown-partner", "corridor-closed", "amount-too-large"]);

export function isOfTheRegistry(judged: { readonly kind: string } | Refusal): boolean {
  return "code" in judged && OF_THE_REGISTRY.has(judged.code);
}

/**
 * Judges by the registry as it was read last, and what that refuses once more by the registry as it is now: a partner or
 * a corridor may be new, and nobody is refused for good by a view that is old.
 */
export async function judgeByRegistry<Judged extends { readonly kind: string }>(
  registry: Registry,
  judge: (view: RegistryView) => Promise<Judged | Refusal> | Judged | Refusal,
): Promise<Judged | Refusal> {
  const judged = await judge(await registry.read());
  if (!isOfTheRegistry(judged)) return judged;
  const view = await registryNow(registry);
  return view.kind === "refused" ? view : judge(view.view);
}

/** The registry as it is now; or that it cannot be told. */
export async function registryNow(
  registry: Registry,
): Promise<{ readonly kind: "read"; readonly view: RegistryView } | Refusal> {
  try {
    return { kind: "read", view: await registry.refresh() };
  } catch {
    return refused("unavailable", "the ledger, which knows the partners and corridors, does not answer now");
  }
}

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
  const found = activeWallet(view, parsePartnerId(target));
  if (found.kind === "refused") return found;
  const { partner } = found;
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
  const opened = openCorridor(view, corridor);
  if (opened.kind === "refused") return opened;
  const asked = isSend
    ? { fixed: "source" as const, minor: BigInt(amount.send.minor) }
    : { fixed: "target" as const, minor: BigInt(amount.receive.minor) };
  return { kind: "resolved", corridor: opened.corridor, asked };
}

/** A partner whose customers can be paid. One that is suspended stays so until governance has decided otherwise. */
export function activeWallet(
  view: RegistryView,
  target: PartnerId,
): { readonly kind: "active"; readonly partner: RegisteredPartner } | Refusal {
  const partner = view.partners.get(target);
  if (partner?.status === "unknown") return unknownStatus(target);
  if (partner?.status !== "active" || !partner.roles.includes("wallet")) {
    return refused("unknown-partner", `partner ${target} is not an active wallet of the network`, { field: "target" });
  }
  return { kind: "active", partner };
}

/** A ledger that is newer than this relay: what it says cannot be told for a no. */
function unknownStatus(partner: PartnerId): Refusal {
  return refused("unavailable", `this version of the relay does not know the status of partner ${partner}`);
}

/** A corridor's terms, if money can be sent through it now, as far as the registry tells. */
export function openCorridor(
  view: RegistryView,
  corridor: Corridor,
): { readonly kind: "open"; readonly corridor: RegisteredCorridor } | Refusal {
  const found = view.corridors.get(corridorKey(corridor));
  const partners = [corridor.source, corridor.target].map((id) => view.partners.get(id));
  const unknown = partners.find((partner) => partner?.status === "unknown");
  if (unknown !== undefined) return unknownStatus(unknown.id);
  const active = partners.every((partner) => partner?.status === "active" && partner.roles.includes("wallet"));
  if (found?.terms.open !== true || !active) {
    return refused("corridor-closed", whatIsOpen(view, corridor));
  }
  return { kind: "open", corridor: found };
}

/** A partner's corridors that money can be sent through now, as far as the registry tells. */
export function openCorridorsFrom(view: RegistryView, source: PartnerId): readonly RegisteredCorridor[] {
  return [...view.corridors.values()].filter(
    ({ corridor }) => corridor.source === source && openCorridor(view, corridor).kind === "open",
  );
}

/** That a corridor is not open, and which are between the two partners. */
function whatIsOpen({ corridors }: RegistryView, { source, sourceCurrency, target, targetCurrency }: Corridor): string {
  const open = [...corridors.values()]
    .filter(({ corridor, terms }) => terms.open && corridor.source === source && corridor.target === target)
    .map(({ corridor }) => `${corridor.sourceCurrency} to ${corridor.targetCurrency}`);
  const others = open.length === 0 ? "no corridor to this partner is" : `open to this partner: ${open.join(", ")}`;
  return `the corridor from ${sourceCurrency} to ${targetCurrency} of partner ${target} is not open; ${others}`;
}

function codeOf(text: string | undefined, otherwise: Corridor["sourceCurrency"]): Corridor["sourceCurrency"] {
  return text === undefined ? otherwise : parseCurrency(text).code;
}
