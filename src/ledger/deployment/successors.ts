import { Contract } from "ethers";
import { currencyOf } from "../../domain/currency.ts";
import { ABI, type ContractName } from "../abi.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import { registryAddresses, type Ledger } from "../contracts.ts";
import { MODULE_STATUSES } from "../statuses.ts";
import { functionAssignments, type LedgerConfig } from "./config.ts";
import { NOBODY, readCreation, type BlockRange, type Setting } from "./history.ts";
import { partsOf } from "./parts.ts";
import { treasuryOfBooks } from "./succession.ts";
import { readPart, setting } from "./wiring.ts";

/**
 * Holds what a ledger has moved on to, to the build and the configuration: each registry after the first and each
 * treasury after the first, as they are after a block. What governance has not done yet differs, and so does a registry
 * before that still opens batches.
 */
export async function verifySuccessors(
  ledger: Ledger,
  config: LedgerConfig,
  range: BlockRange,
): Promise<readonly Setting[]> {
  const all = registryAddresses(ledger.addresses);
  const settings = all.flatMap((registry, index) => {
    const before = all[index - 1];
    if (before === undefined) return [];
    const at = { ...ledger.addresses, ...registry };
    const renewed = (["treasury", "transferRegistry"] as const).filter((name) => before[name] !== registry[name]);
    return renewed.map(async (name) =>
      readSuccessor(ledger, config, { at, name, title: `${name} ${at[name]}`, range }),
    );
  });
  return [
    ...(await Promise.all(settings)).flat(),
    ...(all.length === 1 ? [] : await readModules(ledger, range)),
    ...(all.length === 1 ? [] : await readTokens(ledger, range)),
  ];
}

interface Successor {
  readonly at: Readonly<Record<Exclude<ContractName, "settlementToken">, Hex>>;
  readonly name: "treasury" | "transferRegistry";
  readonly title: string;
  readonly range: BlockRange;
}

async function readSuccessor(
  ledger: Ledger,
  config: LedgerConfig,
  { at, name, title, range }: Successor,
): Promise<readonly Setting[]> {
  const part = partsOf(config).find(({ contract }) => contract === name);
  if (part === undefined) throw new Error(`no ${name} among the parts of this configuration`);
  const args = part.args({ at: (contract) => at[contract], deployer: at.accessManager, clock: config.clock });
  const block = { blockTag: range.toBlock };
  const bound = new Contract(at[name], ABI[name], ledger.provider);
  const { accessManager } = ledger;
  const roles = functionAssignments(config)
    .filter(({ contract }) => contract === name)
    .flatMap(({ functions, role }) => functions.map((each) => ({ each, role })))
    .map(async ({ each, role }) => {
      const selector = ABI[name].getFunction(each)?.selector ?? each;
      return setting(
        `role of ${title}.${each}`,
        role,
        await accessManager.getTargetFunctionRole(at[name], selector, block),
      );
    });
  return [
    // They are made with nobody as administrator: governance has them from the start.
    ...(await readCreation(
      ledger.provider,
      { contract: name, title, address: at[name], args: () => args },
      NOBODY,
      range,
    )),
    ...(await readPart(ledger, { contract: name, title, address: at[name], bound, args, isGoverned: true }, block)),
    ...(await Promise.all(roles)),
  ];
}

/** Every module that any treasury of the ledger ever had: the latest registry is active, and all before it drain. */
async function readModules(ledger: Ledger, { toBlock }: BlockRange): Promise<readonly Setting[]> {
  const { addresses, provider } = ledger;
  const all = registryAddresses(addresses);
  const books = treasuryOfBooks(addresses);
  const treasuries = [...new Set(all.map(({ treasury }) => treasury))].map(async (treasury) => {
    const expected = all.filter((each) => each.treasury === treasury || treasury === books);
    const contract = new Contract(treasury, ABI.treasury, provider);
    // The function's ABI: address[].
    const found = (await contract.getFunction("modules")({ blockTag: toBlock })) as readonly string[];
    const modules = new Set([
      ...expected.map((each) => each.transferRegistry),
      ...found.map((each) => each.toLowerCase()),
    ]);
    const statuses = [...modules].map(async (module) => {
      const { active, draining, none } = MODULE_STATUSES;
      const isKnown = expected.some((each) => each.transferRegistry === module);
      const wanted = module === all.at(-1)?.transferRegistry ? active : isKnown ? draining : none;
      const status: unknown = await contract.getFunction("statusOfModule")(module, { blockTag: toBlock });
      return setting(`treasury ${treasury}: status now of module ${module}`, wanted, String(status));
    });
    const announced: unknown = await contract.getFunction("announcedModules")({ blockTag: toBlock });
    return [...(await Promise.all(statuses)), setting(`treasury ${treasury}: announced modules`, 0, String(announced))];
  });
  return (await Promise.all(treasuries)).flat();
}

async function readTokens(
  { registries, addresses, tokens }: Ledger,
  { toBlock }: BlockRange,
): Promise<readonly Setting[]> {
  const at = { blockTag: toBlock };
  const { treasury } = registries.at(-1) ?? {};
  const latest = registryAddresses(addresses).at(-1);
  if (treasury === undefined || latest === undefined) return [];
  const settings = [...tokens].map(async ([currency, token]) => [
    setting(`token ${currency}: treasury now`, latest.treasury, await token.treasury(at)),
    setting(
      `token ${currency}: registered in the treasury now`,
      await token.getAddress(),
      await treasury.tokenOf(currencyOf(currency).numeric, at),
    ),
  ]);
  return (await Promise.all(settings)).flat();
}
