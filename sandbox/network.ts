import { HDNodeWallet, Mnemonic, type Provider } from "ethers";
import { normalizeHex, type Hex } from "../src/domain/bytes/hex.ts";
import { NO_LIMIT, type Corridor } from "../src/domain/corridor.ts";
import { parseCurrency } from "../src/domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../src/domain/partner.ts";
import type { LedgerConfig, PartnerConfig, RoleHolder } from "../src/ledger/deployment/config.ts";
import { CORRIDOR_FLOWS } from "./day/flows.ts";
import { WALLETS, walletOf } from "./wallet/wallets.ts";

/** Two made-up liquidity providers, so that quotes compete. */
export const PROVIDERS = [
  { id: parsePartnerId(11), name: "Lion City FX", country: "SG", homeCurrency: parseCurrency("SGD").code },
  { id: parsePartnerId(12), name: "Pearl River FX", country: "HK", homeCurrency: parseCurrency("HKD").code },
] as const;

/** Who holds which key of the sandbox. Everything but the chain's own first account, which deploys. */
export type KeyHolder =
  | { readonly kind: "admin" | "operator" | "relay"; readonly partner: PartnerId }
  | { readonly kind: "bank" | "attestor"; readonly currency: string }
  | { readonly kind: RoleHolder["role"] | "courier" | "secondCourier" };

/** The sandbox's keys: made from a mnemonic that everybody knows, and so worth nothing. */
export interface SandboxKeys {
  readonly walletOf: (holder: KeyHolder) => HDNodeWallet;
  readonly addressOf: (holder: KeyHolder) => Hex;
  /** Of every key that there is. */
  readonly addresses: () => readonly Hex[];
}

const MNEMONIC = "test test test test test test test test test test test junk";
/** Above the accounts that Hardhat itself makes from the same mnemonic. */
const FIRST_INDEX = 1_000;
const NETWORK_FEE_BPS = 5n;
const SECONDS_A_DAY = 86_400;

const CURRENCIES = WALLETS.map(({ currency }) => currency.code);
const GOVERNING = ["admin", "registrar", "risk", "guardian", "supervisor", "upgrader"] as const;
const INDICES: ReadonlyMap<string, number> = new Map(
  [
    ...[...WALLETS, ...PROVIDERS].flatMap(({ id }) => [`admin ${id}`, `operator ${id}`]),
    ...CURRENCIES.flatMap((code) => [`bank ${code}`, `attestor ${code}`]),
    ...GOVERNING,
    "courier",
    "secondCourier",
    // Pay for the relays' transactions.
    ...WALLETS.map(({ id }) => `relay ${id}`),
  ].map((label, index) => [label, FIRST_INDEX + index]),
);

/** Derives the sandbox's keys, connected to a provider where one is given. */
export function sandboxKeys(provider?: Provider): SandboxKeys {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), "m/44'/60'/0'/0");
  const made = new Map<string, HDNodeWallet>();
  const walletOf = (label: string): HDNodeWallet => {
    const index = INDICES.get(label);
    if (index === undefined) throw new RangeError(`no key of ${label} in the sandbox`);
    const wallet = made.get(label) ?? root.deriveChild(index).connect(provider ?? null);
    made.set(label, wallet);
    return wallet;
  };
  const addressOf = (label: string) => normalizeHex(walletOf(label).address);
  return {
    walletOf: (holder) => walletOf(labelOf(holder)),
    addressOf: (holder) => addressOf(labelOf(holder)),
    addresses: () => [...INDICES.keys()].map(addressOf),
  };
}

/** The network of ten: every corridor in which the World Bank sees money move, and waiting times of a real network. */
export function sandboxConfig(keys: SandboxKeys): LedgerConfig {
  return {
    modules: ["transferRegistry"],
    clock: { beatIntervalSeconds: 10, graceSeconds: 30 },
    tokens: CURRENCIES.map((currency) => ({
      currency,
      bank: keys.addressOf({ kind: "bank", currency }),
      attestor: keys.addressOf({ kind: "attestor", currency }),
      maxAttestationAgeSeconds: SECONDS_A_DAY,
    })),
    partners: partners(keys),
    corridors: CORRIDOR_FLOWS.map(({ source, target }) => ({
      corridor: corridorBetween(source, target),
      terms: { open: true, feeBps: NETWORK_FEE_BPS, maxPerBatch: NO_LIMIT, maxPerDay: NO_LIMIT },
    })),
    holders: holders(keys),
  };
}

/** The corridor between two wallets, each in its home currency. */
export function corridorBetween(source: PartnerId, target: PartnerId): Corridor {
  return {
    source,
    sourceCurrency: walletOf(source).currency.code,
    target,
    targetCurrency: walletOf(target).currency.code,
  };
}

function partners(keys: SandboxKeys): readonly PartnerConfig[] {
  const admin = (partner: PartnerId) => keys.addressOf({ kind: "admin", partner });
  return [
    ...WALLETS.map(({ id, name, country, currency }) => ({
      id,
      name,
      admin: admin(id),
      country,
      homeCurrency: currency.code,
      roles: ["wallet"] as const,
    })),
    ...PROVIDERS.map((provider) => ({
      ...provider,
      admin: admin(provider.id),
      roles: ["liquidityProvider"] as const,
    })),
  ];
}

function holders(keys: SandboxKeys): readonly RoleHolder[] {
  const held = (role: (typeof GOVERNING)[number], delaySeconds: number) => ({
    role,
    account: keys.addressOf({ kind: role }),
    delaySeconds,
  });
  return [
    held("admin", 7 * SECONDS_A_DAY),
    held("upgrader", 7 * SECONDS_A_DAY),
    held("registrar", SECONDS_A_DAY),
    held("risk", 3_600),
    held("supervisor", 3_600),
    held("guardian", 0),
  ];
}

function labelOf(holder: KeyHolder): string {
  if ("partner" in holder) return `${holder.kind} ${holder.partner}`;
  if ("currency" in holder) return `${holder.kind} ${holder.currency}`;
  return holder.kind;
}
