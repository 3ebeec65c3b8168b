import type { ContractName } from "../abi.ts";

/** A contract of which a ledger has one. */
type SingleName = Exclude<ContractName, "settlementToken">;

interface PartOf<Name extends SingleName> {
  readonly contract: Name;
  /** As findings have it. */
  readonly title: string;
  /** Whether functions of it are for governance. */
  readonly isGoverned: boolean;
  /** What its constructor is given, of the parts before it. */
  readonly args: <Reference>(given: PartsBefore<Reference>) => readonly unknown[];
}

/** Where the other parts are, as whoever deploys or verifies refers to them. */
interface PartsBefore<Reference> {
  readonly at: (contract: SingleName) => Reference;
  /** The first administrator. */
  readonly deployer: string;
  /** See the ledger's `LedgerClock`. */
  readonly clock: { readonly beatIntervalSeconds: number; readonly graceSeconds: number };
}

function part<Name extends SingleName>(
  contract: Name,
  title: string,
  args: PartOf<Name>["args"],
  { isGoverned = true } = {},
): PartOf<Name> {
  return { contract, title, isGoverned, args };
}

/** The contracts of a ledger, its tokens aside, in the order in which they are deployed. */
const PARTS = [
  part("accessManager", "access manager", ({ deployer }) => [deployer], { isGoverned: false }),
  part("partnerRegistry", "partner registry", ({ at }) => [at("accessManager")]),
  part("treasury", "treasury", ({ at }) => [at("accessManager"), at("partnerRegistry")]),
  part("corridorBook", "corridor book", ({ at }) => [at("accessManager"), at("partnerRegistry"), at("treasury")]),
  part("quoteBook", "quote book", ({ at }) => [at("partnerRegistry"), at("treasury")], { isGoverned: false }),
  part("transferRegistry", "transfers", ({ at, clock }) => [
    at("accessManager"),
    at("partnerRegistry"),
    at("treasury"),
    at("corridorBook"),
    at("quoteBook"),
    clock.beatIntervalSeconds,
    clock.graceSeconds,
  ]),
] as const;

/** The modules that there are, by the name that a configuration has for them. */
export const MODULE_NAMES = ["transferRegistry"] as const satisfies readonly SingleName[];
export type ModuleName = (typeof MODULE_NAMES)[number];

/** The core, and the modules of a configuration. */
export function partsOf({ modules }: { readonly modules: readonly string[] }): readonly (typeof PARTS)[number][] {
  return PARTS.filter(({ contract }) => !isModule(contract) || modules.includes(contract));
}

/** Whether the treasury has it as a module; otherwise it belongs to the core. */
function isModule(contract: string): boolean {
  const names: readonly string[] = MODULE_NAMES;
  return names.includes(contract);
}
