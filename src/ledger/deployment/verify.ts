import { utf8 } from "../../domain/bytes/bytes.ts";
import { toHex } from "../../domain/bytes/hex.ts";
import { corridorFromId, corridorId, corridorKey } from "../../domain/corridor.ts";
import { currencyOf } from "../../domain/currency.ts";
import { ABI } from "../abi.ts";
import type { Ledger } from "../contracts.ts";
import { MODULE_STATUSES, PARTNER_STATUSES } from "../statuses.ts";
import {
  bankRole,
  bitsOf,
  functionAssignments,
  guardedRoles,
  PARTNER_ROLES,
  roleGrants,
  ROLES,
  type LedgerConfig,
} from "./config.ts";

/** One setting, as the configuration has it and as it was read from the ledger. */
export interface Setting {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
}

/** Nodes limit how many blocks one question about logs may span; Besu began with a thousand. */
const MAX_BLOCK_RANGE = 1_000;

/** Reads events, from the first block asked for to the latest. */
type ReadHistory = <Event>(read: (from: number, to: number) => Promise<readonly Event[]>) => Promise<readonly Event[]>;

/**
 * Reads every role and setting of a freshly deployed ledger back and puts it beside its configuration. Also looks for
 * what the configuration does not have: accounts with a role, tokens, partners, corridors and modules.
 * @param fromBlock any before the deployment; what is on the ledger without being configured is told by events only
 * @returns all settings that were compared; the deployment is as configured when none differs
 */
export async function verifyDeployment(
  ledger: Ledger,
  config: LedgerConfig,
  fromBlock = 0,
): Promise<readonly Setting[]> {
  const latest = await ledger.provider.getBlockNumber();
  const history: ReadHistory = async (read) => {
    const slices: Awaited<ReturnType<typeof read>>[] = [];
    for (let from = fromBlock; from <= latest; from += MAX_BLOCK_RANGE) {
      slices.push(await read(from, Math.min(latest, from + MAX_BLOCK_RANGE - 1)));
    }
    return slices.flat();
  };
  const parts = await Promise.all([
    readWiring(ledger, config, history),
    readTokens(ledger, config, history),
    readPartners(ledger, config, history),
    readCorridors(ledger, config, history),
    readFunctions(ledger, config),
    readRoles(ledger, config, history),
  ]);
  return parts.flat();
}

export function differences(settings: readonly Setting[]): readonly Setting[] {
  return settings.filter(({ expected, found }) => expected !== found);
}

async function readWiring(
  { addresses, ...ledger }: Ledger,
  { clock }: LedgerConfig,
  history: ReadHistory,
): Promise<readonly Setting[]> {
  const { accessManager, partnerRegistry, treasury, transferRegistry } = ledger;
  const governed = [
    ["partner registry", partnerRegistry] as const,
    ["treasury", treasury] as const,
    ["transfers", transferRegistry] as const,
    ...[...ledger.tokens].map(([currency, token]) => [`token ${currency}`, token] as const),
  ];
  const governance = governed.map(async ([name, contract]) => [
    setting(`${name}: authority`, addresses.accessManager, await contract.authority()),
    setting(`${name}: closed to governance`, false, await accessManager.isTargetClosed(contract)),
    setting(`${name}: delay of its admin`, 0, await accessManager.getTargetAdminDelay(contract)),
  ]);
  const changed = await history((from, to) => treasury.queryFilter(treasury.filters.ModuleChanged(), from, to));
  const modules = new Set([addresses.transferRegistry, ...changed.map(({ args }) => args.module.toLowerCase())]);
  const statuses = [...modules].map(async (module) => {
    const expected = module === addresses.transferRegistry ? MODULE_STATUSES.active : MODULE_STATUSES.none;
    return setting(`treasury: status of module ${module}`, expected, await treasury.statusOfModule(module));
  });
  return [
    ...(await Promise.all(governance)).flat(),
    setting("treasury: partner registry", addresses.partnerRegistry, await treasury.registry()),
    setting("transfers: partner registry", addresses.partnerRegistry, await transferRegistry.registry()),
    setting("transfers: treasury", addresses.treasury, await transferRegistry.treasury()),
    setting("transfers: beat interval", clock.beatIntervalSeconds, await transferRegistry.beatInterval()),
    setting("transfers: grace", clock.graceSeconds, await transferRegistry.grace()),
    setting("transfers: paused", false, await transferRegistry.paused()),
    ...(await Promise.all(statuses)),
  ];
}

async function readTokens(ledger: Ledger, { tokens }: LedgerConfig, history: ReadHistory): Promise<readonly Setting[]> {
  const registered = await history((from, to) =>
    ledger.treasury.queryFilter(ledger.treasury.filters.TokenRegistered(), from, to),
  );
  const currencies = tokens.map(({ currency }) => String(currencyOf(currency).numeric));
  const settings = tokens.map(async ({ currency, attestor, maxAttestationAgeSeconds }) => {
    const { numeric, minorDigits } = currencyOf(currency);
    const token = ledger.tokens.get(currency);
    if (token === undefined) return [setting(`token ${currency}`, "deployed", MISSING)];
    const name = `token ${currency}`;
    return [
      setting(`${name}: registered`, await token.getAddress(), await ledger.treasury.tokenOf(numeric)),
      setting(`${name}: currency`, numeric, await token.currency()),
      setting(`${name}: decimals`, minorDigits, await token.decimals()),
      setting(`${name}: treasury`, ledger.addresses.treasury, await token.treasury()),
      setting(`${name}: attestor`, attestor, await token.attestor()),
      setting(`${name}: longest age`, maxAttestationAgeSeconds, await token.maxAttestationAge()),
    ];
  });
  return [
    setting("tokens", sorted(currencies), sorted(registered.map(({ args }) => String(args.currency)))),
    ...(await Promise.all(settings)).flat(),
  ];
}

async function readPartners(
  { partnerRegistry }: Ledger,
  { partners }: LedgerConfig,
  history: ReadHistory,
): Promise<readonly Setting[]> {
  const registered = await history((from, to) =>
    partnerRegistry.queryFilter(partnerRegistry.filters.PartnerRegistered(), from, to),
  );
  const ids = registered.map(({ args }) => String(args.partner));
  const settings = partners.map(async ({ id, admin, country, homeCurrency, roles }) => {
    const found = await partnerRegistry.partnerOf(id);
    const name = `partner ${id}`;
    return [
      setting(`${name}: admin`, admin, found.admin),
      setting(`${name}: country`, toHex(utf8(country)), found.country),
      setting(`${name}: home currency`, currencyOf(homeCurrency).numeric, found.homeCurrency),
      setting(`${name}: roles`, bitsOf(PARTNER_ROLES, roles), found.roles),
      setting(`${name}: status`, PARTNER_STATUSES.active, found.status),
    ];
  });
  return [
    setting("partners", sorted(partners.map(({ id }) => String(id))), sorted(ids)),
    ...(await Promise.all(settings)).flat(),
  ];
}

async function readCorridors(
  { partnerRegistry }: Ledger,
  { corridors }: LedgerConfig,
  history: ReadHistory,
): Promise<readonly Setting[]> {
  const changed = await history((from, to) =>
    partnerRegistry.queryFilter(partnerRegistry.filters.CorridorChanged(), from, to),
  );
  const known = new Set(changed.map(({ args }) => corridorKey(corridorFromId(args.corridor))));
  const settings = corridors.map(async ({ corridor, terms }) => {
    const found = await partnerRegistry.corridorOf(corridorId(corridor));
    const name = `corridor ${corridorKey(corridor)}`;
    return [
      setting(`${name}: open`, terms.open, found.open),
      setting(`${name}: fee`, terms.feeBps, found.feeBps),
      setting(`${name}: limit per batch`, terms.maxPerBatch, found.maxPerBatch),
      setting(`${name}: limit per day`, terms.maxPerDay, found.maxPerDay),
    ];
  });
  return [
    setting("corridors", sorted(corridors.map(({ corridor }) => corridorKey(corridor))), sorted([...known])),
    ...(await Promise.all(settings)).flat(),
  ];
}

async function readFunctions(ledger: Ledger, config: LedgerConfig): Promise<readonly Setting[]> {
  const settings = functionAssignments(config).map(async ({ contract, currency, functions, role }) => {
    const target = currency === undefined ? undefined : ledger.tokens.get(currency);
    const bound = contract === "settlementToken" ? target : ledger[contract];
    const read = functions.map(async (name) => {
      const selector = ABI[contract].getFunction(name)?.selector ?? name;
      const found = bound === undefined ? MISSING : await ledger.accessManager.getTargetFunctionRole(bound, selector);
      return setting(`role of ${contract}${currency === undefined ? "" : ` ${currency}`}.${name}`, role, found);
    });
    return Promise.all(read);
  });
  return (await Promise.all(settings)).flat();
}

/** Role members cannot be listed, so they are rebuilt from every grant there ever was. */
async function readRoles(
  { accessManager }: Ledger,
  config: LedgerConfig,
  history: ReadHistory,
): Promise<readonly Setting[]> {
  const keyOf = (role: bigint, account: string) => `role ${role}: ${account.toLowerCase()}`;
  const expected = new Map(
    roleGrants(config).map(({ role, account, delaySeconds }) => [keyOf(role, account), `after ${delaySeconds} s`]),
  );
  const granted = await history((from, to) => accessManager.queryFilter(accessManager.filters.RoleGranted(), from, to));
  const found = new Map<string, string>();
  for (const { args } of granted) {
    const access = await accessManager.getAccess(args.roleId, args.account);
    found.set(keyOf(args.roleId, args.account), describeAccess(access));
  }
  const holders = [...new Set([...expected.keys(), ...found.keys()])].map((key) =>
    setting(key, expected.get(key) ?? NO_ACCESS, found.get(key) ?? NO_ACCESS),
  );
  const guarded = new Set(guardedRoles());
  const roles = [...new Set([...Object.values(ROLES), ...config.tokens.map(({ currency }) => bankRole(currency))])];
  const governance = roles.map(async (role) => {
    const guardian = guarded.has(role) ? ROLES.guardian : ROLES.admin;
    return [
      setting(`role ${role}: admin`, ROLES.admin, await accessManager.getRoleAdmin(role)),
      setting(`role ${role}: guardian`, guardian, await accessManager.getRoleGuardian(role)),
      setting(`role ${role}: delay of grants`, 0, await accessManager.getRoleGrantDelay(role)),
    ];
  });
  return [...holders, ...(await Promise.all(governance)).flat()];
}

const MISSING = "missing";
const NO_ACCESS = "not held";

/** A role may be held from a later time on, and a delay be about to change: both count as something else. */
function describeAccess(access: {
  readonly since: bigint;
  readonly currentDelay: bigint;
  readonly pendingDelay: bigint;
  readonly effect: bigint;
}): string {
  if (access.since === 0n) return NO_ACCESS;
  const pending = access.effect === 0n ? "" : `, from ${access.effect} on after ${access.pendingDelay} s`;
  return `after ${access.currentDelay} s${pending}`;
}

type Comparable = string | number | bigint | boolean;

function setting(name: string, expected: Comparable, found: Comparable): Setting {
  return { name, expected: comparable(expected), found: comparable(found) };
}

/** Addresses come in either case. */
function comparable(value: Comparable): string {
  const text = String(value);
  return text.startsWith("0x") ? text.toLowerCase() : text;
}

function sorted(values: readonly string[]): string {
  return [...values].sort().join(" ");
}
