import type { AddressLike } from "ethers";
import type { CorridorTerms } from "../../../src/domain/corridor.ts";
import type { Network } from "./network.ts";

/** Calls of governance that name the state they are for, as it is now. */

export async function setTerms({ corridors, cast }: Network, corridor: bigint, terms: CorridorTerms) {
  return corridors.connect(cast.risk).setCorridor(corridor, await corridors.epochOf(corridor), terms);
}

export async function setRoles({ registry, cast }: Network, partner: number, roles: bigint) {
  const { roles: current } = await registry.partnerOf(partner);
  return registry.connect(cast.registrar).setRoles(partner, current, roles);
}

export async function replaceAdmin({ registry, cast }: Network, partner: number, admin: AddressLike) {
  const { keyEpoch } = await registry.partnerOf(partner);
  return registry.connect(cast.registrar).setAdmin(partner, keyEpoch, admin);
}

export async function reactivate({ registry, cast }: Network, partner: number) {
  const { statusEpoch } = await registry.standingOf(partner);
  return registry.connect(cast.council).reactivate(partner, statusEpoch);
}

export async function unpause({ transfers, cast }: Network) {
  return transfers.connect(cast.council).unpause(await transfers.pauseEpoch());
}
