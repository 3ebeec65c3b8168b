import type { Hex } from "../domain/bytes/hex.ts";
import { InvalidInput } from "../domain/errors.ts";
import { encodeCall } from "../ledger/calls.ts";
import { KEY_PURPOSES } from "../ledger/deployment/config.ts";
import { holdsKey, type RegisteredPartner } from "../ledger/registry.ts";
import { exitAccountAt, latestHead } from "../ledger/state.ts";
import type { Submitter } from "../ledger/submitter.ts";
import type { RelayContext } from "../features/context.ts";
import { publicPeerKeys } from "../features/peers/keys.ts";
import type { StartConfig } from "./parts.ts";
import { endingKeys, endingTokens, ledgerWarnings, type Standing } from "./standing.ts";

/** Something that the registry does not have as this relay has it, with the consequence. */
export interface RegistrationDifference {
  readonly what: "partner" | "status" | "role" | "sendKey" | "acceptKey" | "endpoint";
  readonly detail: string;
}

export type Registrant = Standing & Pick<RelayContext, "peerKeys">;

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
    partner.roles.includes("wallet")
      ? undefined
      : { what: "role", detail: "the partner is no wallet of the network: the ledger will refuse what it signs" },
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

/** Logs a warning for each difference, and of what else is missing: the relay runs, and an operator may be about to do it. */
export async function warnOfRegistration(
  context: RelayContext,
  {
    publicUrl,
    ledger: { priorityFeeWei, tokens = new Map() },
  }: { readonly publicUrl: string } & Pick<StartConfig, "ledger">,
): Promise<void> {
  const registrant = { ...context, payer: { address: context.submitter.address, priorityFeeWei } };
  try {
    for (const { what, detail } of await checkRegistration(registrant, publicUrl)) {
      context.log.warn({ what, detail }, "the registry does not have this relay as it is");
    }
    const warnings = [...(await ledgerWarnings(registrant)), ...endingTokens(tokens, context.clock.nowMs())];
    for (const warning of warnings) {
      context.log.warn({ ...warning }, "something is missing on the ledger, or will be");
    }
  } catch (error) {
    context.log.warn({ error }, "the registry cannot be compared with this relay");
  }
}

/** What a partner's admin is to put on the ledger. */
export interface Registering {
  /** The account that governance registered as the partner's admin. */
  readonly admin: Submitter;
  readonly publicUrl: string;
  /** Last block time, in seconds, at which the keys may act. */
  readonly validUntil: number;
  /** Where the money may go while the partner is suspended. As it is unless it is given. */
  readonly exitAccount?: Hex | undefined;
}

export type Registered = "sendKey" | "acceptKey" | "endpoint" | "exitAccount";

/**
 * Has the partner's admin put on the ledger what differs: the keys that may send and accept, those too that end soon,
 * where the relay is, and the exit account. Only what differs is submitted, so that it can be repeated.
 * @returns what was registered
 * @throws InvalidInput for an exit account that is one of the relay's keys
 * @throws LedgerError when the ledger refuses it: another account is the admin, most likely
 */
export async function register(registrant: Registrant, given: Registering): Promise<readonly Registered[]> {
  const { partner: id, ledger, keys, clock } = registrant;
  requireApart(given.exitAccount, registrant, given.admin);
  const differing = (await checkRegistration(registrant, given.publicUrl)).map(({ what }) => what);
  const partner = (await registrant.registry.read()).partners.get(id);
  const ending = partner === undefined ? [] : endingKeys(partner, keys, clock.nowMs()).map(({ what }) => what);
  const wanted = new Set<string>([...differing, ...ending]);
  if (await isNewExit(registrant, given.exitAccount)) wanted.add("exitAccount");
  const purposesOf = (key: Hex): number =>
    (key === keys.send.address ? KEY_PURPOSES.send : 0) | (key === keys.accept.address ? KEY_PURPOSES.accept : 0);
  const grant = ({ address }: { readonly address: Hex }) => ({
    name: "authorizeKey",
    args: [address, purposesOf(address), given.validUntil],
  });
  const calls: Readonly<Record<Registered, { readonly name: string; readonly args: readonly unknown[] }>> = {
    sendKey: grant(keys.send),
    acceptKey: grant(keys.accept),
    endpoint: { name: "setEndpoint", args: [endpointOf(registrant, given.publicUrl)] },
    exitAccount: { name: "setExitAccount", args: [given.exitAccount] },
  };
  // The keys of a constant object are its own names.
  const done = (Object.keys(calls) as Registered[]).filter((what) => wanted.has(what));
  for (const what of done) {
    const { name, args } = calls[what];
    await given.admin.submit(encodeCall("partnerRegistry", ledger.addresses.partnerRegistry, name, [id, ...args]));
  }
  return done;
}

/** The exit account has to be out of reach of whoever gets hold of this machine, or of the admin's key. */
function requireApart(exitAccount: Hex | undefined, { keys, payer }: Registrant, { address }: Submitter): void {
  const used = [keys.send.address, keys.accept.address, payer.address, address];
  if (exitAccount === undefined || !used.includes(exitAccount)) return;
  throw new InvalidInput("exit account", "an account that nothing else uses: no key of the relay, not the admin's");
}

/** Whether another account is the exit account, or is about to be. */
async function isNewExit({ ledger, partner }: Registrant, account: Hex | undefined): Promise<boolean> {
  if (account === undefined) return false;
  const { current, next } = await exitAccountAt(ledger, partner, (await latestHead(ledger)).number);
  return (next?.account ?? current) !== account;
}

/** What only the network's governance can fix. */
export const FOR_GOVERNANCE = {
  partner: "register the partner",
  status: "make the partner active again",
  role: "give the partner the role of a wallet",
} as const;

export function isForGovernance(
  difference: RegistrationDifference,
): difference is RegistrationDifference & { readonly what: keyof typeof FOR_GOVERNANCE } {
  return difference.what in FOR_GOVERNANCE;
}
