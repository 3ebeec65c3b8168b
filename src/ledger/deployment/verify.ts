import { utf8 } from "../../domain/bytes/bytes.ts";
import { fromHex, toHex } from "../../domain/bytes/hex.ts";
import { corridorFromId, corridorId, corridorKey } from "../../domain/corridor.ts";
import { currencyOf } from "../../domain/currency.ts";
import { ABI } from "../abi.ts";
import { registryAddresses, type Ledger } from "../contracts.ts";
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
import { partsOf } from "./parts.ts";
import { readHistory, type History, type KeptEvent, type Setting } from "./history.ts";
import { readGovernance, readPart, setting } from "./wiring.ts";

export type { Setting } from "./history.ts";

/** What is read of the ledger: its state after the last block of the deployment, and what happened up to it. */
interface Reading {
  readonly ledger: Ledger;
  readonly config: LedgerConfig;
  readonly history: History;
  readonly at: { readonly blockTag: number };
}

/**
 * Holds a deployment to its configuration: replays everything that happened up to the deployment's end, which must be
 * what the configuration gives and nothing else (see `readHistory`), and reads every role and setting back as it was
 * then. What the partners and the governance did later is theirs, and is not looked at.
 * @param range from any block before the deployment, if not the first, to the deployment's last, if not the latest
 * @returns all that was compared; the deployment is as configured when nothing differs
 * @throws Error when the node no longer has the state of the last block: an archive node has
 */
export async function verifyDeployment(
  ledger: Ledger,
  config: LedgerConfig,
  range: { readonly fromBlock?: number | undefined; readonly toBlock?: number | undefined } = {},
): Promise<readonly Setting[]> {
  const { fromBlock = 0, toBlock = await ledger.provider.getBlockNumber() } = range;
  const deployed = asDeployed(ledger);
  const history = await readHistory(ledger.provider, deployed.addresses, config, { fromBlock, toBlock });
  const reading: Reading = { ledger: deployed, config, history, at: { blockTag: toBlock } };
  const parts = await Promise.all([
    readWiring(reading),
    readTokens(reading),
    readPartners(reading),
    readCorridors(reading),
    readFunctions(reading),
    readRoles(reading),
  ]);
  return [...parts.flat(), ...history.settings];
}

/** A ledger that has moved on, with what it was deployed with. What came later is for `verifySuccessors`. */
function asDeployed(ledger: Ledger): Ledger {
  const { draining, announced } = ledger.addresses;
  if (draining.length + announced.length === 0) return ledger;
  const [registry] = ledger.registries;
  const [addresses] = registryAddresses(ledger.addresses);
  return { ...ledger, ...registry, addresses: { ...ledger.addresses, ...addresses, draining: [], announced: [] } };
}

export function differences(settings: readonly Setting[]): readonly Setting[] {
  return settings.filter(({ expected, found }) => expected !== found);
}

async function readWiring({ ledger, config, history, at }: Reading): Promise<readonly Setting[]> {
  const { addresses, treasury } = ledger;
  const { accessManager } = addresses;
  const parts = partsOf(config)
    // Governs the others, and was made with nothing that lasts.
    .filter(({ contract }) => contract !== "accessManager")
    .map(async ({ contract, title, isGoverned, args }) => {
      const given = args({ at: (name) => addresses[name], deployer: accessManager, clock: config.clock });
      return readPart(
        ledger,
        { contract, title, address: addresses[contract], bound: ledger[contract], args: given, isGoverned },
        at,
      );
    });
  const tokens = [...ledger.tokens].map(async ([currency, token]) => {
    const name = `token ${currency}`;
    return [
      setting(`${name}: authority`, accessManager, await token.authority(at)),
      ...(await readGovernance(ledger, name, toHex(fromHex(await token.getAddress())), at)),
    ];
  });
  const named = (["ModuleAnnounced", "ModuleChanged"] as const).flatMap((name) => valuesOf(history, name, "module"));
  const configured: readonly string[] = config.modules.map((name) => addresses[name]);
  const modules = new Set([...configured, ...named.map((module) => module.toLowerCase())]);
  const statuses = [...modules].map(async (module) => {
    const expected = configured.includes(module) ? MODULE_STATUSES.active : MODULE_STATUSES.none;
    return setting(`treasury: status of module ${module}`, expected, await treasury.statusOfModule(module, at));
  });
  return [...(await Promise.all([...parts, ...tokens])).flat(), ...(await Promise.all(statuses))];
}

async function readTokens({ ledger, config, history, at }: Reading): Promise<readonly Setting[]> {
  const { tokens } = config;
  const currencies = tokens.map(({ currency }) => String(currencyOf(currency).numeric));
  const settings = tokens.map(async ({ currency, attestor, maxAttestationAgeSeconds }) => {
    const { numeric, minorDigits } = currencyOf(currency);
    const token = ledger.tokens.get(currency);
    if (token === undefined) return [setting(`token ${currency}`, "deployed", MISSING)];
    const name = `token ${currency}`;
    return [
      setting(`${name}: registered`, await token.getAddress(), await ledger.treasury.tokenOf(numeric, at)),
      setting(`${name}: currency`, numeric, await token.currency(at)),
      setting(`${name}: decimals`, minorDigits, await token.decimals(at)),
      setting(`${name}: treasury`, ledger.addresses.treasury, await token.treasury(at)),
      setting(`${name}: attestor`, attestor, await token.attestor(at)),
      setting(`${name}: longest age`, maxAttestationAgeSeconds, await token.maxAttestationAge(at)),
      setting(`${name}: attested reserve`, 0, (await token.latestAttestation(at)).reserve),
      setting(`${name}: supply`, 0, await token.totalSupply(at)),
    ];
  });
  return [
    setting("tokens", sorted(currencies), sorted(valuesOf(history, "TokenRegistered", "currency"))),
    ...(await Promise.all(settings)).flat(),
  ];
}

async function readPartners({ ledger, config, history, at }: Reading): Promise<readonly Setting[]> {
  const { partners } = config;
  const ids = valuesOf(history, "PartnerRegistered", "partner");
  const settings = partners.map(async ({ id, admin, country, homeCurrency, roles }) => {
    const found = await ledger.partnerRegistry.partnerOf(id, at);
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

async function readCorridors({ ledger, config, history, at }: Reading): Promise<readonly Setting[]> {
  const { corridors } = config;
  const changed = valuesOf(history, "CorridorChanged", "corridor");
  const known = new Set(changed.map((id) => corridorKey(corridorFromId(BigInt(id)))));
  const settings = corridors.map(async ({ corridor, terms }) => {
    const found = await ledger.corridorBook.termsOf(corridorId(corridor), at);
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

async function readFunctions({ ledger, config, at }: Reading): Promise<readonly Setting[]> {
  const settings = functionAssignments(config).map(async ({ contract, currency, functions, role }) => {
    const target = currency === undefined ? undefined : ledger.tokens.get(currency);
    const bound = contract === "settlementToken" ? target : ledger[contract];
    const read = functions.map(async (name) => {
      const selector = ABI[contract].getFunction(name)?.selector ?? name;
      const found =
        bound === undefined ? MISSING : await ledger.accessManager.getTargetFunctionRole(bound, selector, at);
      return setting(`role of ${contract}${currency === undefined ? "" : ` ${currency}`}.${name}`, role, found);
    });
    return Promise.all(read);
  });
  return (await Promise.all(settings)).flat();
}

/** Role members cannot be listed, so they are rebuilt from every grant there ever was. */
async function readRoles({ ledger, config, history, at }: Reading): Promise<readonly Setting[]> {
  const { accessManager } = ledger;
  const keyOf = (role: bigint, account: string) => `role ${role}: ${account.toLowerCase()}`;
  const expected = new Map(
    roleGrants(config).map(({ role, account, delaySeconds }) => [keyOf(role, account), `after ${delaySeconds} s`]),
  );
  const roleIds = valuesOf(history, "RoleGranted", "roleId").map(BigInt);
  const accounts = valuesOf(history, "RoleGranted", "account");
  const found = new Map<string, string>();
  for (const [index, role] of roleIds.entries()) {
    const account = accounts[index] ?? "";
    found.set(keyOf(role, account), describeAccess(await accessManager.getAccess(role, account, at)));
  }
  const holders = [...new Set([...expected.keys(), ...found.keys()])].map((key) =>
    setting(key, expected.get(key) ?? NO_ACCESS, found.get(key) ?? NO_ACCESS),
  );
  const guarded = new Set(guardedRoles());
  const roles = [...new Set([...Object.values(ROLES), ...config.tokens.map(({ currency }) => bankRole(currency))])];
  const governance = roles.map(async (role) => {
    const guardian = guarded.has(role) ? ROLES.guardian : ROLES.admin;
    return [
      setting(`role ${role}: admin`, ROLES.admin, await accessManager.getRoleAdmin(role, at)),
      setting(`role ${role}: guardian`, guardian, await accessManager.getRoleGuardian(role, at)),
      setting(`role ${role}: delay of grants`, 0, await accessManager.getRoleGrantDelay(role, at)),
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

/** One argument of every event of that name. */
function valuesOf(history: History, name: KeptEvent, argument: string): readonly string[] {
  return history.of(name).map((args) => String(args.getValue(argument)));
}

function sorted(values: readonly string[]): string {
  return [...values].sort().join(" ");
}
