import { FunctionFragment, type BaseContract } from "ethers";
import type {
  AccessManager,
  CorridorBook,
  PartnerRegistry,
  QuoteBook,
  SettlementToken,
  TransferRegistry,
  Treasury,
} from "../../../types/ethers-contracts/index.ts";
import { fromHex, toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { corridorId, type Corridor, type CorridorTerms } from "../../../src/domain/corridor.ts";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import type { Chain } from "../../../src/domain/typed-data.ts";
import { attest } from "./attestations.ts";
import { castOf, type Cast, type PartnerKeys } from "./cast.ts";
import { ethers, load } from "./chain.ts";

export const HUB = 1;
/** ISO 4217 numeric codes. */
export const CNY = 156;
export const HKD = 344;
export const MYR = 458;
export const PHP = 608;

/** Values of the ledger's enums and sets, as its ABI has them: numbers. */
export const PartnerStatus = { None: 0n, Active: 1n, Suspended: 2n, Frozen: 3n } as const;
export const ModuleStatus = { None: 0n, Active: 1n, Draining: 2n } as const;
export const Role = { wallet: 1n, provider: 2n, both: 3n } as const;
export const Purpose = { send: 1n, accept: 2n, quote: 4n, fund: 8n, all: 15n } as const;

export const BEAT_INTERVAL = 10;
export const GRACE = 30;
export const MAX_ATTESTATION_AGE = 86_400;
/** Deposited by every partner in every currency it works in, in minor units. */
export const FUNDS = 10n ** 12n;
export const RESERVE = 10n ** 15n;
/** Validity of the keys: 2036, in UTC seconds. */
export const KEYS_VALID_UNTIL = 2_082_758_400;

/** Roles of the AccessManager. Root administers it. */
export const ROLES = { registrar: 1n, risk: 2n, guardian: 3n, council: 4n, bank: 5n } as const;
export type RoleName = keyof typeof ROLES;

/** Every function that governance restricts, and whom to. */
export const RESTRICTED = {
  PartnerRegistry: {
    registerPartner: "registrar",
    setAdmin: "registrar",
    setRoles: "registrar",
    suspend: "guardian",
    freeze: "guardian",
    reactivate: "council",
    upholdFreeze: "council",
    addPurpose: "council",
    addRole: "council",
  },
  Treasury: {
    registerToken: "council",
    announceModule: "council",
    activateModule: "council",
    restrictModule: "council",
    cancelModule: "guardian",
  },
  CorridorBook: { setCorridor: "risk", closeCorridor: "guardian" },
  TransferRegistry: { pause: "guardian", unpause: "council" },
  SettlementToken: { mint: "bank", setAttestor: "risk", offerTreasury: "council" },
} as const satisfies Record<string, Record<string, RoleName>>;

interface PartnerPlan {
  readonly id: number;
  readonly country: string;
  readonly homeCurrency: number;
  readonly roles: bigint;
  readonly funds: readonly number[];
}

export const PARTNERS: readonly PartnerPlan[] = [
  { id: HUB, country: "CN", homeCurrency: CNY, roles: Role.wallet, funds: [CNY] },
  { id: 4, country: "PH", homeCurrency: PHP, roles: Role.wallet, funds: [PHP] },
  { id: 7, country: "HK", homeCurrency: HKD, roles: Role.wallet, funds: [HKD] },
  { id: 8, country: "MY", homeCurrency: MYR, roles: Role.wallet, funds: [MYR] },
  { id: 11, country: "SG", homeCurrency: PHP, roles: Role.provider, funds: [PHP] },
  { id: 12, country: "GB", homeCurrency: PHP, roles: Role.provider, funds: [PHP] },
];

const TOKENS = [
  [CNY, "CNY"],
  [HKD, "HKD"],
  [MYR, "MYR"],
  [PHP, "PHP"],
] as const;

/** The corridors of the network. The last one needs no exchange. */
export const CORRIDORS = {
  hkdToPhp: corridor(7, "HKD", 4, "PHP"),
  cnyToPhp: corridor(HUB, "CNY", 4, "PHP"),
  myrToPhp: corridor(8, "MYR", 4, "PHP"),
  hkdToHkd: corridor(7, "HKD", 8, "HKD"),
} as const;

/** Terms of every corridor: limits in source minor units. */
export const TERMS: CorridorTerms = { open: true, feeBps: 25n, maxPerBatch: 10n ** 9n, maxPerDay: 10n ** 10n };

/** A small ledger with money on it, governed, and ready for batches. */
export interface Network {
  readonly manager: AccessManager;
  readonly registry: PartnerRegistry;
  readonly treasury: Treasury;
  readonly corridors: CorridorBook;
  readonly quotes: QuoteBook;
  readonly transfers: TransferRegistry;
  /** By ISO 4217 numeric code. */
  readonly tokens: ReadonlyMap<number, SettlementToken>;
  readonly cast: Cast;
  readonly chain: Chain;
}

/** The network as it was after its deployment, for each test anew. */
export async function freshNetwork(): Promise<Network> {
  return load(deployNetwork);
}

/** The fixture of `freshNetwork`, for fixtures that add to it. */
export async function deployNetwork(): Promise<Network> {
  return deployNetworkAfter(async () => {});
}

/** The same, with something done just before the transfer registry is deployed, whose clock starts then. */
export async function deployNetworkAfter(beforeTransfers: () => Promise<void>): Promise<Network> {
  const cast = await castOf(PARTNERS.map(({ id }) => id));
  const manager = await ethers.deployContract("AccessManager", [cast.root]);
  const registry = await ethers.deployContract("PartnerRegistry", [manager]);
  const treasury = await ethers.deployContract("Treasury", [manager, registry]);
  const corridors = await ethers.deployContract("CorridorBook", [manager, registry, treasury]);
  const quotes = await ethers.deployContract("QuoteBook", [registry, treasury]);
  await beforeTransfers();
  const transfers = await deployTransfers({ manager, registry, treasury, corridors, quotes });
  const tokens = new Map<number, SettlementToken>();
  for (const [currency, code] of TOKENS) {
    const { minorDigits } = parseCurrency(code);
    const args = [manager, treasury, currency, code, minorDigits, MAX_ATTESTATION_AGE, cast.attestor];
    tokens.set(currency, await ethers.deployContract("SettlementToken", args));
  }
  const { chainId } = await ethers.provider.getNetwork();
  const chain = { chainId, transferRegistry: await addressOf(transfers), quoteBook: await addressOf(quotes) };
  const network: Network = { manager, registry, treasury, corridors, quotes, transfers, tokens, cast, chain };
  await govern(network);
  await registerPartners(network);
  await registerMoney(network);
  for (const entry of Object.values(CORRIDORS)) {
    await corridors.connect(cast.risk).setCorridor(corridorId(entry), 0, TERMS);
  }
  // The clock stood still at the grace meanwhile: from here on it runs, some time behind the blocks' timestamps.
  await transfers.beat();
  return network;
}

/** A transfer registry on the rest of a network, which does not know it. */
export async function deployTransfers({
  manager,
  registry,
  treasury,
  corridors,
  quotes,
}: Pick<Network, "manager" | "registry" | "treasury" | "corridors" | "quotes">): Promise<TransferRegistry> {
  const args = [manager, registry, treasury, corridors, quotes, BEAT_INTERVAL, GRACE];
  return ethers.deployContract("TransferRegistry", args);
}

/** A partner's accounts. */
export function keysOf({ cast }: Network, partner: number): PartnerKeys {
  return cast.partners.get(partner) ?? fail(`no partner ${partner}`);
}

/** The settlement token of a currency. */
export function tokenOf({ tokens }: Network, currency: number): SettlementToken {
  return tokens.get(currency) ?? fail(`no token of currency ${currency}`);
}

/** A contract's address in the lower case that hashing wants. */
export async function addressOf(contract: { getAddress(): Promise<string> }): Promise<Hex> {
  return toHex(fromHex(await contract.getAddress(), 20));
}

/** Makes `fail` usable where a value is expected: what a test takes for granted and does not find is its own fault. */
export function fail(what: string): never {
  throw new Error(`test set-up: ${what}`);
}

/** An amount of new tokens for an account, within the attested reserve. */
export async function mintTo(network: Network, currency: number, to: string, amount: bigint): Promise<void> {
  await tokenOf(network, currency).connect(network.cast.bank).mint(to, amount);
}

/** A partner's FUND key mints (by the bank), approves and deposits. */
export async function fundPartner(network: Network, partner: number, currency: number, amount: bigint): Promise<void> {
  const { fund } = keysOf(network, partner);
  await mintTo(network, currency, fund.address, amount);
  await tokenOf(network, currency).connect(fund).approve(network.treasury, amount);
  await network.treasury.connect(fund).deposit(partner, currency, amount);
}

async function govern({ manager, registry, treasury, corridors, transfers, tokens, cast }: Network): Promise<void> {
  await restrict({ manager, cast }, [
    [registry, RESTRICTED.PartnerRegistry],
    [treasury, RESTRICTED.Treasury],
    [corridors, RESTRICTED.CorridorBook],
    [transfers, RESTRICTED.TransferRegistry],
    ...[...tokens.values()].map((token) => [token, RESTRICTED.SettlementToken] as const),
  ]);
  for (const [name, role] of Object.entries(ROLES) as [RoleName, bigint][]) {
    await manager.connect(cast.root).grantRole(role, cast[name], 0);
  }
}

/** Assigns functions of contracts to roles, as nobody but root may. */
export async function restrict(
  { manager, cast }: Pick<Network, "manager" | "cast">,
  targets: readonly (readonly [BaseContract, Readonly<Record<string, RoleName>>])[],
): Promise<void> {
  for (const [contract, functions] of targets) {
    const { fragments } = contract.interface;
    for (const [name, role] of Object.entries(functions)) {
      const fragment = fragments.filter((each) => FunctionFragment.isFragment(each)).find((each) => each.name === name);
      const { selector } = fragment ?? fail(`no function ${name}`);
      await manager.connect(cast.root).setTargetFunctionRole(contract, [selector], ROLES[role]);
    }
  }
}

async function registerPartners(network: Network): Promise<void> {
  const { registry, cast } = network;
  for (const { id, country, homeCurrency, roles } of PARTNERS) {
    const { admin, send, accept, quote, fund } = keysOf(network, id);
    const countryCode = ethers.hexlify(ethers.toUtf8Bytes(country));
    await registry.connect(cast.registrar).registerPartner(id, admin, countryCode, homeCurrency, roles);
    const asAdmin = registry.connect(admin);
    await asAdmin.authorizeKey(id, fund, Purpose.fund, KEYS_VALID_UNTIL);
    if (roles === Role.provider) {
      await asAdmin.authorizeKey(id, quote, Purpose.quote, KEYS_VALID_UNTIL);
    } else {
      await asAdmin.authorizeKey(id, send, Purpose.send, KEYS_VALID_UNTIL);
      await asAdmin.authorizeKey(id, accept, Purpose.accept, KEYS_VALID_UNTIL);
    }
  }
}

async function registerMoney(network: Network): Promise<void> {
  const { treasury, transfers, tokens, cast } = network;
  const asCouncil = treasury.connect(cast.council);
  // Before there is a token: afterwards a module needs its notice.
  await asCouncil.announceModule(transfers, ModuleStatus.Active);
  await asCouncil.activateModule(transfers, ModuleStatus.Active);
  for (const token of tokens.values()) {
    await asCouncil.registerToken(token);
    await attest(token, cast.attestor, { reserve: RESERVE });
  }
  for (const { id, funds } of PARTNERS) {
    for (const currency of funds) await fundPartner(network, id, currency, FUNDS);
  }
}

function corridor(source: number, sourceCurrency: string, target: number, targetCurrency: string): Corridor {
  return {
    source: parsePartnerId(source),
    sourceCurrency: parseCurrency(sourceCurrency).code,
    target: parsePartnerId(target),
    targetCurrency: parseCurrency(targetCurrency).code,
  };
}
