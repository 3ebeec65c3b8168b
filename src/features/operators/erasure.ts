import { InvalidInput } from "../../domain/errors.ts";
import type { Uetr } from "../../domain/uetr.ts";
import type { Erasure, RelayContext } from "../context.ts";

/**
 * Erases the personal data of what is finished and older than a time, in every feature.
 * @param beforeMs milliseconds since the epoch
 * @returns of how much, by what it is
 * @throws InvalidInput for a time in the future, which would be no limit
 */
export async function eraseByAge(context: RelayContext, beforeMs: number): Promise<Readonly<Record<string, number>>> {
  const nowMs = context.clock.nowMs();
  if (!(beforeMs <= nowMs)) {
    throw new InvalidInput("acceptedBefore", `not in the future (it is ${new Date(nowMs).toISOString()})`, beforeMs);
  }
  const erased: Record<string, number> = {};
  for (const { older } of context.erasers) Object.assign(erased, await older(context, beforeMs));
  return erased;
}

/** Erases one transfer's personal data, in every feature. It can be repeated, and is where one has it in flight. */
export async function eraseOne(context: RelayContext, uetr: Uetr): Promise<Erasure> {
  const found = new Set<Erasure>();
  for (const { transfer } of context.erasers) found.add(await transfer(context, uetr));
  return found.has("in flight") ? "in flight" : found.has("erased") ? "erased" : "unknown";
}
