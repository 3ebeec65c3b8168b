import { ABI } from "../abi.ts";
import { encodeCall } from "../calls.ts";
import { registryAddresses, type LedgerAddresses } from "../contracts.ts";
import { MODULE_STATUSES } from "../statuses.ts";
import type { Call } from "../submitter.ts";
import { functionAssignments, type LedgerConfig, type RoleName } from "./config.ts";

/** What a ledger moves on by: a new registry on the treasury that it has, or a new treasury with a new registry on it. */
export const RENEWED = {
  registry: ["transferRegistry"],
  treasury: ["treasury", "transferRegistry"],
} as const satisfies Readonly<Record<string, readonly (keyof LedgerAddresses)[]>>;
export type Renewal = keyof typeof RENEWED;

/** Something that governance has to do, by the holder of that role and after its delay. */
export interface GovernanceStep extends Call {
  readonly role: RoleName;
  readonly what: string;
}

/** Where a ledger's contracts are once it has moved on: what was current drains, and the books stay. */
export function succeededBy(
  addresses: LedgerAddresses,
  next: Pick<LedgerAddresses, "transferRegistry" | "treasury">,
): LedgerAddresses {
  const current = { ...addresses, ...next, announced: [] };
  const draining = registryAddresses({ ...addresses, announced: [] }).map(
    ({ transferRegistry, treasury, corridorBook, quoteBook }) => ({
      transferRegistry,
      ...(treasury === current.treasury ? {} : { treasury }),
      ...(corridorBook === current.corridorBook ? {} : { corridorBook }),
      ...(quoteBook === current.quoteBook ? {} : { quoteBook }),
    }),
  );
  return { ...current, draining };
}

/** The treasury that the books were made with, whose list of modules says who may draw on them. */
export function treasuryOfBooks(addresses: LedgerAddresses): LedgerAddresses["treasury"] {
  return registryAddresses(addresses)[0]?.treasury ?? addresses.treasury;
}

/**
 * What is left for governance once the latest registry is deployed, in this order. The notice of `announceModule` runs
 * between the first list and the second; the third is for when all relays know the new registry.
 * @param addresses with the new registry as the current one, and the one before at the end of `draining`
 */
export function successionSteps(
  addresses: LedgerAddresses,
  config: LedgerConfig,
): Readonly<Record<"announce" | "activate" | "drain", readonly GovernanceStep[]>> {
  const { transferRegistry, treasury, accessManager } = addresses;
  const before = registryAddresses({ ...addresses, announced: [] }).at(-2);
  if (before === undefined) throw new Error("these addresses name no registry before the current one");
  const { active, draining } = MODULE_STATUSES;
  const hasNewTreasury = before.treasury !== treasury;
  const renewed: readonly string[] = RENEWED[hasNewTreasury ? "treasury" : "registry"];
  const upgrader = (
    contract: "treasury" | "settlementToken",
    to: GovernanceStep["to"],
    name: string,
    args: unknown[],
  ) => step("upgrader", contract, to, name, args);

  const assigned = functionAssignments(config).flatMap(({ contract, functions, role }) => {
    if (!renewed.includes(contract) || contract === "settlementToken") return [];
    const selectors = functions.map((name) => ABI[contract].getFunction(name)?.selector ?? name);
    return [
      step("admin", "accessManager", accessManager, "setTargetFunctionRole", [addresses[contract], selectors, role]),
    ];
  });
  const books = treasuryOfBooks(addresses);
  // A new treasury gives no notice before it has a token, and is not asked by the books.
  const own = hasNewTreasury
    ? ["announceModule", "activateModule"].map((name) =>
        upgrader("treasury", treasury, name, [transferRegistry, active]),
      )
    : [];
  const tokens = hasNewTreasury
    ? [...addresses.tokens.values()].flatMap((token) => [
        upgrader("settlementToken", token, "offerTreasury", [before.treasury, treasury]),
        upgrader("treasury", treasury, "registerToken", [token]),
      ])
    : [];
  const drained = [...new Set([before.treasury, books])].map((each) =>
    upgrader("treasury", each, "restrictModule", [before.transferRegistry, active, draining]),
  );
  return {
    announce: [...assigned, ...own, upgrader("treasury", books, "announceModule", [transferRegistry, active])],
    activate: [upgrader("treasury", books, "activateModule", [transferRegistry, active]), ...tokens],
    drain: drained,
  };
}

function step(
  role: RoleName,
  contract: "accessManager" | "treasury" | "settlementToken",
  to: GovernanceStep["to"],
  name: string,
  args: readonly unknown[],
): GovernanceStep {
  return { role, what: `${name}(${args.map(String).join(", ")})`, ...encodeCall(contract, to, name, args) };
}
