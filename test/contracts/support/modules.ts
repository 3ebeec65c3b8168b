import type { AddressLike } from "ethers";
import { ethers, networkHelpers } from "./chain.ts";
import { nextBlockAt, latestTimestamp } from "./clock.ts";
import { ModuleStatus, type Network } from "./network.ts";

export const MODULE_NOTICE = 7 * 86_400;
export const ACTIVATION_WINDOW = 7 * 86_400;

/** Code that does nothing: what a test calls from can be a module then. */
const SOME_CODE = "0x00";

/** Gives an account of the test code, without which the treasury takes it for no module. */
export async function asContract(account: AddressLike): Promise<string> {
  const address = await ethers.resolveAddress(account);
  if ((await ethers.provider.getCode(address)) === "0x") await networkHelpers.setCode(address, SOME_CODE);
  return address;
}

/** The council announces that a module is to gain rights. */
export async function announce({ treasury, cast }: Network, module: AddressLike, status: bigint): Promise<string> {
  const address = await asContract(module);
  await treasury.connect(cast.council).announceModule(address, status);
  return address;
}

/** The council announces a module, waits for the notice to pass and activates it. */
export async function giveRights(network: Network, module: AddressLike, status: bigint): Promise<string> {
  const address = await announce(network, module, status);
  await nextBlockAt((await latestTimestamp()) + MODULE_NOTICE);
  await network.treasury.connect(network.cast.council).activateModule(address, status);
  return address;
}

/** The council takes rights from a module. */
export async function takeRights({ treasury, cast }: Network, module: AddressLike, status: bigint): Promise<unknown> {
  const current = await treasury.statusOfModule(module);
  return treasury.connect(cast.council).restrictModule(module, current, status);
}

/** Brings a module to a status, by whatever way leads there. */
export async function bringModuleTo(network: Network, module: AddressLike, status: bigint): Promise<void> {
  const current = await network.treasury.statusOfModule(module);
  if (current === status) return;
  const gains = current === ModuleStatus.None || status === ModuleStatus.Active;
  await (gains ? giveRights : takeRights)(network, module, status);
}
