import type { Log, Result } from "ethers";
import { fromHex, normalizeHex, type Hex } from "../domain/bytes/hex.ts";
import { corridorFromId, corridorKey, type RegisteredCorridor } from "../domain/corridor.ts";
import { currencyByNumeric, type CurrencyCode } from "../domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../domain/partner.ts";
import { isPast, type Clock } from "../kernel/clock/clock.ts";
import { ABI } from "./abi.ts";
import type { Ledger } from "./contracts.ts";
import { KEY_PURPOSES, PARTNER_ROLES, type KeyPurpose, type PartnerRole } from "./deployment/config.ts";
import { PARTNER_STATUSES, type PartnerStatusName } from "./statuses.ts";

/** What a key was granted: the bits of its purposes, and the last second of block time at which it may act. */
interface GrantedKey {
  readonly purposes: number;
  readonly validUntil: number;
}

export interface RegisteredPartner {
  readonly id: PartnerId;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly homeCurrency: CurrencyCode;
  readonly roles: readonly PartnerRole[];
  readonly status: PartnerStatusName;
  /** Where its relay, or a provider's quotes, are reached; empty where it has set nothing. */
  readonly url: string;
  readonly keys: ReadonlyMap<Hex, GrantedKey>;
}

/** Who may do what, at one block. */
export interface RegistryView {
  readonly partners: ReadonlyMap<PartnerId, RegisteredPartner>;
  /** By `corridorKey`. */
  readonly corridors: ReadonlyMap<string, RegisteredCorridor>;
  /** The block up to which it has been read. */
  readonly block: number;
}

/** The ledger's partners and corridors, of which it keeps no lists: read from its events, and followed. */
export interface Registry {
  /**
   * What was last read. Waits for the ledger the first time only; afterwards, what is older than the time to live is
   * read anew in the background, so that a ledger that is away stops nobody who can do without it.
   */
  read(): Promise<RegistryView>;
  /** What is on the ledger now. */
  refresh(): Promise<RegistryView>;
}

export interface RegistryOptions {
  readonly clock: Clock;
  /** The block of the deployment. */
  readonly fromBlock: number;
  readonly maxBlockRange: number;
  readonly timeToLiveMs: number;
  /** Of a reading in the background, which is tried again when next asked for. */
  readonly onError: (error: unknown) => void;
}

const TOPICS = [
  "PartnerRegistered",
  "RolesChanged",
  "StatusChanged",
  "KeyAuthorized",
  "KeyRevoked",
  "KeysEnded",
  "EndpointChanged",
].map((name) => ABI.partnerRegistry.getEvent(name)?.topicHash ?? "");
const CORRIDOR_CHANGED = ABI.corridorBook.getEvent("CorridorChanged")?.topicHash ?? "";

export function openRegistry(ledger: Ledger, options: RegistryOptions): Registry {
  let view: RegistryView | undefined;
  let readAtMs = 0;
  let reading: Promise<RegistryView> | undefined;

  const refresh = (): Promise<RegistryView> => {
    reading ??= readOn(ledger, view, options)
      .then((read) => {
        readAtMs = options.clock.nowMs();
        return (view = read);
      })
      .finally(() => (reading = undefined));
    return reading;
  };

  return {
    async read() {
      if (view === undefined) return refresh();
      if (isPast(options.clock, readAtMs, options.timeToLiveMs)) void refresh().catch(options.onError);
      return view;
    },
    refresh,
  };
}

/** Whether a key may do something for its partner at a block time, in seconds. */
export function holdsKey(partner: RegisteredPartner, key: Hex, purpose: KeyPurpose, atSeconds: number): boolean {
  return keyEnd(partner, key, purpose, atSeconds) !== undefined;
}

/** The last second of block time at which a key may do something for its partner; undefined where it may not now. */
export function keyEnd(
  partner: RegisteredPartner,
  key: Hex,
  purpose: KeyPurpose,
  atSeconds: number,
): number | undefined {
  const granted = partner.keys.get(key);
  const isHeld =
    granted !== undefined && (granted.purposes & KEY_PURPOSES[purpose]) !== 0 && atSeconds <= granted.validUntil;
  return isHeld ? granted.validUntil : undefined;
}

async function readOn(
  { provider, addresses }: Ledger,
  before: RegistryView | undefined,
  { fromBlock, maxBlockRange }: RegistryOptions,
): Promise<RegistryView> {
  const partners = new Map(before?.partners);
  const corridors = new Map(before?.corridors);
  const latest = await provider.getBlockNumber();
  const address = [addresses.partnerRegistry, addresses.corridorBook];
  const topics = [[...TOPICS, CORRIDOR_CHANGED]];
  for (let from = (before?.block ?? fromBlock - 1) + 1; from <= latest; from += maxBlockRange) {
    const to = Math.min(latest, from + maxBlockRange - 1);
    const logs = await provider.getLogs({ address, topics, fromBlock: from, toBlock: to });
    for (const log of logs) {
      if (normalizeHex(log.address, 20) === addresses.corridorBook) applyToCorridors(log, corridors);
      else applyToPartners(log, partners);
    }
  }
  return { partners, corridors, block: Math.max(latest, before?.block ?? 0) };
}

function applyToCorridors(log: Log, corridors: Map<string, RegisteredCorridor>): void {
  const event = ABI.corridorBook.parseLog(log);
  if (event === null) return;
  const entry = corridorOf(event.args);
  corridors.set(corridorKey(entry.corridor), entry);
}

function applyToPartners(log: Log, partners: Map<PartnerId, RegisteredPartner>): void {
  const event = ABI.partnerRegistry.parseLog(log);
  if (event === null) return;
  const id = parsePartnerId(text(event.args, "partner"));
  const before = event.name === "PartnerRegistered" ? registered(id, event.args) : partners.get(id);
  // A partner's registration comes before all else of it.
  if (before !== undefined) partners.set(id, { ...before, ...CHANGES[event.name]?.(event.args, before) });
}

const CHANGES: Readonly<Record<string, (args: Result, before: RegisteredPartner) => Partial<RegisteredPartner>>> = {
  RolesChanged: (args) => ({ roles: rolesOf(integer(args, "current")) }),
  StatusChanged: (args) => ({ status: statusOf(integer(args, "current")) }),
  KeyAuthorized: (args, before) => ({
    keys: new Map(before.keys).set(normalizeHex(text(args, "key"), 20), {
      purposes: integer(args, "purposes"),
      validUntil: integer(args, "validUntil"),
    }),
  }),
  KeyRevoked: (args, before) => {
    const keys = new Map(before.keys);
    keys.delete(normalizeHex(text(args, "key"), 20));
    return { keys };
  },
  // All that were granted before: those that follow are of the new epoch.
  KeysEnded: () => ({ keys: new Map() }),
  // A struct in the ABI.
  EndpointChanged: (args) => ({ url: text(args.getValue("endpoint") as Result, "url") }),
};

function registered(id: PartnerId, args: Result): RegisteredPartner {
  return {
    id,
    country: String.fromCharCode(...fromHex(text(args, "country"), 2)),
    homeCurrency: currencyByNumeric(integer(args, "homeCurrency")).code,
    roles: rolesOf(integer(args, "roles")),
    status: "active",
    url: "",
    keys: new Map(),
  };
}

function corridorOf(args: Result): RegisteredCorridor {
  // A struct in the ABI.
  const terms = args.getValue("terms") as Result;
  return {
    corridor: corridorFromId(BigInt(text(args, "corridor"))),
    terms: {
      open: terms.getValue("open") === true,
      feeBps: BigInt(text(terms, "feeBps")),
      maxPerBatch: BigInt(text(terms, "maxPerBatch")),
      maxPerDay: BigInt(text(terms, "maxPerDay")),
    },
  };
}

function rolesOf(bits: number): readonly PartnerRole[] {
  // The keys of a constant object are its own names.
  return (Object.keys(PARTNER_ROLES) as PartnerRole[]).filter((role) => (bits & PARTNER_ROLES[role]) !== 0);
}

function statusOf(value: number): PartnerStatusName {
  // The keys of a constant object are its own names.
  const names = Object.keys(PARTNER_STATUSES) as PartnerStatusName[];
  return names.find((status) => PARTNER_STATUSES[status] === value) ?? "unknown";
}

function text(args: Result, name: string): string {
  return String(args.getValue(name));
}

function integer(args: Result, name: string): number {
  return Number.parseInt(text(args, name), 10);
}
