import type { BaseContract } from "ethers";
import type { Hex } from "../../domain/bytes/hex.ts";
import { ABI, type ContractName } from "../abi.ts";
import type { Ledger } from "../contracts.ts";
import type { Setting } from "./history.ts";

/** A contract as it is to be. */
interface ExpectedPart {
  readonly contract: ContractName;
  readonly title: string;
  readonly address: Hex;
  readonly bound: Pick<BaseContract, "getFunction">;
  /** What its constructor was given. */
  readonly args: readonly unknown[];
  readonly isGoverned: boolean;
}

/**
 * What a contract was made with, read back: every argument of its constructor has a function of its name that tells it.
 * With that, what the AccessManager knows of it beside roles, and whether it is paused.
 */
export async function readPart(
  { accessManager }: Pick<Ledger, "accessManager">,
  { contract, title, address, bound, args, isGoverned }: ExpectedPart,
  at: { readonly blockTag: number },
): Promise<readonly Setting[]> {
  const abi = ABI[contract];
  const wired = abi.deploy.inputs.map(async ({ name }, index) => {
    const getter = name.replace(/_$/, "");
    const found: unknown = await bound.getFunction(getter)(at);
    return setting(`${title}: ${getter}`, String(args[index]), String(found));
  });
  const governed = isGoverned ? await readGovernance({ accessManager }, title, address, at) : [];
  const pause = (abi.hasFunction("paused") ? ["paused"] : []).map(async (name) => {
    const isPaused: unknown = await bound.getFunction(name)(at);
    return setting(`${title}: paused`, false, String(isPaused));
  });
  return [...(await Promise.all([...wired, ...pause])), ...governed];
}

/** What the AccessManager knows of a contract beside the roles of its functions. */
export async function readGovernance(
  { accessManager }: Pick<Ledger, "accessManager">,
  title: string,
  address: Hex,
  at: { readonly blockTag: number },
): Promise<readonly Setting[]> {
  return [
    setting(`${title}: closed to governance`, false, await accessManager.isTargetClosed(address, at)),
    setting(`${title}: delay of its admin`, 0, await accessManager.getTargetAdminDelay(address, at)),
  ];
}

type Comparable = string | number | bigint | boolean;

export function setting(name: string, expected: Comparable, found: Comparable): Setting {
  return { name, expected: comparable(expected), found: comparable(found) };
}

/** Addresses come in either case. */
function comparable(value: Comparable): string {
  const text = String(value);
  return text.startsWith("0x") ? text.toLowerCase() : text;
}
