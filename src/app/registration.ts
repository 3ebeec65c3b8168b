import type { Hex } from "../domain/bytes/hex.ts";
import { encodeCall } from "../ledger/calls.ts";
import { KEY_PURPOSES } from "../ledger/deployment/config.ts";
import { holdsKey, type RegisteredPartner } from "../ledger/registry.ts";
import type { Submitter } from "../ledger/submitter.ts";
import type { RelayContext } from "../features/context.ts";
import { publicPeerKeys } from "../features/peers/keys.ts";

/** Something that the registry does not have as this relay has it, with the consequence. */
export interface RegistrationDifference {
  readonly what: "partner" | "status" | "sendKey" | "acceptKey" | "endpoint";
  readonly detail: string;
}

export type Registrant = Pick<RelayContext, "partner" | "registry" | "ledger" | "keys" | "peerKeys" | "clock">;

/** A relay, as other relays are to know it. */
interface Endpoint {
  readonly url: string;
  readonly signingKey: string;
  readonly encryptionKey: string;
}

/**
 * Compares what this relay is about to act as with what its partner has registered on the ledger.
 * @param publicUrl where others reach it
 */
export async function checkRegistration(
  registrant: Registrant,
  publicUrl: string,
): Promise<readonly RegistrationDifference[]> {
  const { partner: id, registry, ledger, keys, clock } = registrant;
  const partner = (await registry.refresh()).partners.get(id);
  if (partner === undefined) return [{ what: "partner", detail: `partner ${id} is not registered on this ledger` }];
  const registered = await ledger.partnerRegistry.endpointOf(id);
  const nowSeconds = Math.floor(clock.nowMs() / 1_000);
  const differences: (RegistrationDifference | undefined)[] = [
    partner.status === "active" ? undefined : { what: "status", detail: `the partner is ${partner.status}` },
    keyDifference("sendKey", partner, keys.send.address, nowSeconds),
    keyDifference("acceptKey", partner, keys.accept.address, nowSeconds),
    endpointDifference(registered, endpointOf(registrant, publicUrl)),
  ];
  return differences.filter((difference) => difference !== undefined);
}

function keyDifference(
  what: "sendKey" | "acceptKey",
  partner: RegisteredPartner,
  address: Hex,
  atSeconds: number,
): RegistrationDifference | undefined {
  const purpose = what === "sendKey" ? "send" : "accept";
  if (holdsKey(partner, address, purpose, atSeconds)) return undefined;
  return { what, detail: `${address} may not ${purpose} for the partner: the ledger will refuse what it signs` };
}

function endpointDifference(registered: Endpoint, own: Endpoint): RegistrationDifference | undefined {
  if (registered.url !== own.url) {
    const told = registered.url === "" ? "no address" : registered.url;
    return { what: "endpoint", detail: `other relays are told ${told}, not ${own.url}` };
  }
  if (registered.signingKey === own.signingKey && registered.encryptionKey === own.encryptionKey) return undefined;
  return { what: "endpoint", detail: "other keys are registered: other relays will not understand this one" };
}

function endpointOf({ peerKeys }: Pick<Registrant, "peerKeys">, publicUrl: string): Endpoint {
  return { url: publicUrl.replace(/\/+$/, ""), ...publicPeerKeys(peerKeys) };
}

/** Logs a warning for each difference: the relay runs, and an operator may be about to register it. */
export async function warnOfRegistration(context: RelayContext, publicUrl: string): Promise<void> {
  try {
    for (const { what, detail } of await checkRegistration(context, publicUrl)) {
      context.log.warn({ what, detail }, "the registry does not have this relay as it is");
    }
  } catch (error) {
    context.log.warn({ error }, "the registry cannot be compared with this relay");
  }
}

/**
 * Has the partner's admin put on the ledger what differs: the keys that may send and accept, and where the relay is.
 * Only what differs is submitted, so that it can be repeated.
 * @param admin the account that governance registered as the partner's admin
 * @param validUntil last block time, in seconds, at which the keys may act
 * @returns what was registered
 * @throws LedgerError when the ledger refuses it: another account is the admin, most likely
 */
export async function register(
  registrant: Registrant,
  {
    admin,
    publicUrl,
    validUntil,
  }: { readonly admin: Submitter; readonly publicUrl: string; readonly validUntil: number },
): Promise<readonly RegistrationDifference[]> {
  const { partner, ledger, keys } = registrant;
  const differences = await checkRegistration(registrant, publicUrl);
  const done: RegistrationDifference[] = [];
  const purposesOf = (key: Hex): number =>
    (key === keys.send.address ? KEY_PURPOSES.send : 0) | (key === keys.accept.address ? KEY_PURPOSES.accept : 0);
  const callOf = (name: string, args: readonly unknown[]) =>
    encodeCall("partnerRegistry", ledger.addresses.partnerRegistry, name, args);

  for (const difference of differences) {
    const call = argumentsOf(difference);
    if (call === undefined) continue;
    await admin.submit(callOf(call.name, [partner, ...call.args]));
    done.push(difference);
  }
  return done;

  function argumentsOf({ what }: RegistrationDifference): { name: string; args: readonly unknown[] } | undefined {
    const key = what === "sendKey" ? keys.send.address : what === "acceptKey" ? keys.accept.address : undefined;
    if (key !== undefined) return { name: "authorizeKey", args: [key, purposesOf(key), validUntil] };
    if (what === "endpoint") return { name: "setEndpoint", args: [endpointOf(registrant, publicUrl)] };
    return undefined;
  }
}

/** Whether only the network's governance can fix it. */
export function isForGovernance({ what }: RegistrationDifference): boolean {
  return what === "partner" || what === "status";
}
