import type { Hex } from "../../domain/bytes/hex.ts";
import { corridorKey, type RegisteredCorridor } from "../../domain/corridor.ts";
import { currencyOf, type CurrencyCode } from "../../domain/currency.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { parsePartnerId, type PartnerId } from "../../domain/partner.ts";
import type { ModuleName } from "./parts.ts";

/** The partner that network fees are credited to. */
export const HUB = parsePartnerId(1);

/** What a partner is in the network, with the bits of the ledger's `PartnerRole`. */
export const PARTNER_ROLES = { wallet: 1, liquidityProvider: 2 } as const;
export type PartnerRole = keyof typeof PARTNER_ROLES;

/** What a key may do for its partner, with the bits of the ledger's `KeyPurpose`. */
export const KEY_PURPOSES = { send: 1, accept: 2, quote: 4, fund: 8 } as const;
export type KeyPurpose = keyof typeof KEY_PURPOSES;

/** A set of named flags as the ledger's bits. */
export function bitsOf<Name extends string>(
  bits: Readonly<Record<NoInfer<Name>, number>>,
  names: readonly Name[],
): number {
  return names.reduce((set, name) => set | bits[name], 0);
}

/** The network's governing roles, with their AccessManager ids. The banks' roles are derived: see `bankRole`. */
export const ROLES = {
  /** Grants and revokes roles, and anything no other role is for. */
  admin: 0n,
  /** Registers partners, replaces their admins and roles. */
  registrar: 1n,
  /** Opens corridors and sets their terms; replaces attestors. */
  risk: 2n,
  /** Suspends, freezes, closes and pauses, at once; cancels modules, and what `guardedRoles` have scheduled. */
  guardian: 3n,
  /** Undoes what the guardian did, or upholds it. */
  supervisor: 4n,
  /**
   * Registers tokens, announces and activates modules on the treasury, adds the purposes and roles that they ask for,
   * offers tokens to a new treasury.
   */
  upgrader: 5n,
} as const;
export type RoleName = keyof typeof ROLES;

const BANK_ROLES = 1_000n;

/** Which role may call which restricted function; anything restricted that is not here is for the admin. */
const RESTRICTED_FUNCTIONS = [
  { contract: "partnerRegistry", role: "registrar", functions: ["registerPartner", "setAdmin", "setRoles"] },
  { contract: "partnerRegistry", role: "guardian", functions: ["suspend", "freeze"] },
  { contract: "partnerRegistry", role: "supervisor", functions: ["reactivate", "upholdFreeze"] },
  { contract: "partnerRegistry", role: "upgrader", functions: ["addPurpose", "addRole"] },
  {
    contract: "treasury",
    role: "upgrader",
    functions: ["registerToken", "announceModule", "activateModule", "restrictModule"],
  },
  { contract: "treasury", role: "guardian", functions: ["cancelModule"] },
  { contract: "corridorBook", role: "risk", functions: ["setCorridor"] },
  { contract: "corridorBook", role: "guardian", functions: ["closeCorridor"] },
  { contract: "transferRegistry", role: "guardian", functions: ["pause"] },
  { contract: "transferRegistry", role: "supervisor", functions: ["unpause"] },
  { contract: "settlementToken", role: "risk", functions: ["setAttestor"] },
  { contract: "settlementToken", role: "upgrader", functions: ["offerTreasury"] },
  { contract: "settlementToken", role: "bank", functions: ["mint"] },
] as const;

/** An account that holds a role, and how long its calls wait between being scheduled and being executed. */
export interface RoleHolder {
  readonly role: RoleName;
  readonly account: Hex;
  readonly delaySeconds: number;
}

export interface TokenConfig {
  readonly currency: CurrencyCode;
  /** The settlement bank's account. */
  readonly bank: Hex;
  /** Signs how much money the bank holds. */
  readonly attestor: Hex;
  readonly maxAttestationAgeSeconds: number;
}

export interface PartnerConfig {
  readonly id: PartnerId;
  /** For people; not on the ledger. */
  readonly name: string;
  /** Sets the partner's keys and endpoint. */
  readonly admin: Hex;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly homeCurrency: CurrencyCode;
  readonly roles: readonly PartnerRole[];
}

/** Everything that a ledger is deployed with, and that `verifyDeployment` reads back. */
export interface LedgerConfig {
  /**
   * For a ledger without anybody's money: roles may be in one hand, act at once, and attestations be of any age. See
   * `checkGovernance`.
   */
  readonly development?: boolean | undefined;
  /** What the treasury lets hold partners' money from the first block on. */
  readonly modules: readonly ModuleName[];
  /** See the ledger's `LedgerClock`. */
  readonly clock: { readonly beatIntervalSeconds: number; readonly graceSeconds: number };
  readonly tokens: readonly TokenConfig[];
  readonly partners: readonly PartnerConfig[];
  readonly corridors: readonly RegisteredCorridor[];
  readonly holders: readonly RoleHolder[];
}

/** Restricted functions of one contract that one AccessManager role may call. */
export interface FunctionAssignment {
  readonly contract: (typeof RESTRICTED_FUNCTIONS)[number]["contract"];
  /** Which settlement token; absent for the other contracts. */
  readonly currency?: CurrencyCode;
  readonly functions: readonly string[];
  readonly role: bigint;
}

/** A role as it is granted on the AccessManager. */
export interface RoleGrant {
  readonly role: bigint;
  readonly account: Hex;
  readonly delaySeconds: number;
}

/** Every restricted function of a ledger, with the role that may call it. */
export function functionAssignments({ tokens }: LedgerConfig): readonly FunctionAssignment[] {
  return RESTRICTED_FUNCTIONS.flatMap(({ contract, role, functions }): readonly FunctionAssignment[] => {
    if (contract !== "settlementToken") return [{ contract, functions, role: ROLES[role] }];
    return tokens.map(({ currency }) => ({
      contract,
      currency,
      functions,
      role: role === "bank" ? bankRole(currency) : ROLES[role],
    }));
  });
}

/** Every grant of a ledger: its governing accounts, and each settlement bank for its own token. */
export function roleGrants({ holders, tokens }: LedgerConfig): readonly RoleGrant[] {
  return [
    ...holders.map(({ role, account, delaySeconds }) => ({ role: ROLES[role], account, delaySeconds })),
    ...tokens.map(({ currency, bank }) => ({ role: bankRole(currency), account: bank, delaySeconds: 0 })),
  ];
}

/** The roles whose scheduled calls the guardian may cancel: not the supervisor's, which undo what the guardian did. */
export function guardedRoles(): readonly bigint[] {
  return [ROLES.registrar, ROLES.risk, ROLES.upgrader];
}

/** The AccessManager role of a currency's settlement bank, which may mint its token. */
export function bankRole(currency: CurrencyCode): bigint {
  return BANK_ROLES + BigInt(currencyOf(currency).numeric);
}

/**
 * Checks what the contracts cannot: that the parts of a configuration fit each other.
 * @throws InvalidInput naming the field
 */
export function checkConfig(config: LedgerConfig): void {
  const partners = new Map(config.partners.map((partner) => [partner.id, partner]));
  const currencies = new Set(config.tokens.map(({ currency }) => currency));
  if (partners.size !== config.partners.length) throw new InvalidInput("partners", "no id twice");
  if (currencies.size !== config.tokens.length) throw new InvalidInput("tokens", "no currency twice");
  requireDistinct("modules", "no module twice", config.modules);
  // The one module that is required by name, and why: docs/adr/0043-batches-know-their-registry.md.
  if (!config.modules.includes("transferRegistry")) {
    throw new InvalidInput("modules", "transferRegistry, without which nobody can send");
  }
  if (!partners.has(HUB)) throw new InvalidInput("partners", "the hub, partner 1, to which fees are credited");
  for (const role of ["admin", "guardian"] as const) {
    if (!config.holders.some((holder) => holder.role === role)) {
      throw new InvalidInput("holders", `at least one ${role}, for nobody else can appoint one afterwards`);
    }
  }
  const { beatIntervalSeconds, graceSeconds } = config.clock;
  if (beatIntervalSeconds === 0) throw new InvalidInput("clock.beatIntervalSeconds", "at least 1", beatIntervalSeconds);
  if (graceSeconds < 2 * beatIntervalSeconds || graceSeconds > MOST_GRACE_SECONDS) {
    const rule = `twice the beat interval to ${MOST_GRACE_SECONDS} seconds`;
    throw new InvalidInput("clock.graceSeconds", rule, graceSeconds);
  }
  requireDistinct(
    "holders",
    "no account twice in a role",
    config.holders.map(({ role, account }) => `${role} ${account.toLowerCase()}`),
  );
  requireDistinct(
    "corridors",
    "no corridor twice",
    config.corridors.map(({ corridor }) => corridorKey(corridor)),
  );
  for (const [index, { corridor }] of config.corridors.entries()) {
    for (const end of ["source", "target"] as const) {
      const field = `corridors[${index}].${end}`;
      const partner = corridor[end];
      if (!partners.get(partner)?.roles.includes("wallet")) throw new InvalidInput(field, "a wallet", partner);
      const currency = corridor[`${end}Currency`];
      if (!currencies.has(currency)) throw new InvalidInput(`${field}Currency`, "a currency with a token", currency);
    }
  }
  if (config.development !== true) checkGovernance(config);
}

/** The shortest delay of each role: what partners need to notice, and the guardian to act. */
const LEAST_DELAY_SECONDS: Readonly<Record<RoleName, number>> = {
  // Longer than a partner can be kept from its exit: whoever holds this role could take any other.
  admin: 7 * 86_400,
  upgrader: 86_400,
  registrar: 86_400,
  risk: 3_600,
  supervisor: 3_600,
  guardian: 0,
};
/** A longer one locks governance out. The guardian stops what goes wrong, and waits for nothing. */
const MOST_DELAY_SECONDS = 30 * 86_400;
const ATTESTATION_AGE_SECONDS = { least: 60, most: 7 * 86_400 } as const;
const MOST_GRACE_SECONDS = 86_400;

/**
 * Checks that no single hand, and no haste, can undo what the contracts protect: see docs/threat-model.md.
 * @throws InvalidInput naming the field
 */
function checkGovernance({ holders, tokens, partners }: LedgerConfig): void {
  const otherwise = ", or development: true on a ledger without anybody's money";
  const parts = new Map<string, string>();
  const take = (field: string, account: Hex, part: string): void => {
    const before = parts.get(account.toLowerCase());
    if (before !== undefined && before !== part) {
      throw new InvalidInput(field, `an account that is not the ${before}, too${otherwise}`, account);
    }
    parts.set(account.toLowerCase(), part);
  };
  for (const [index, { role, account, delaySeconds }] of holders.entries()) {
    const [least, most] = [LEAST_DELAY_SECONDS[role], role === "guardian" ? 0 : MOST_DELAY_SECONDS];
    if (delaySeconds < least || delaySeconds > most) {
      const rule = `${role} waits ${least === most ? least : `${least} to ${most}`} seconds${otherwise}`;
      throw new InvalidInput(`holders[${index}].delaySeconds`, rule, delaySeconds);
    }
    take(`holders[${index}].account`, account, role);
  }
  for (const [index, { bank, attestor, maxAttestationAgeSeconds: age }] of tokens.entries()) {
    take(`tokens[${index}].bank`, bank, "settlement bank");
    take(`tokens[${index}].attestor`, attestor, "attestor");
    const { least, most } = ATTESTATION_AGE_SECONDS;
    if (age < least || age > most) {
      const rule = `${least} to ${most} seconds${otherwise}`;
      throw new InvalidInput(`tokens[${index}].maxAttestationAgeSeconds`, rule, age);
    }
  }
  for (const [index, { admin, id }] of partners.entries()) {
    take(`partners[${index}].admin`, admin, `admin of partner ${id}`);
  }
}

function requireDistinct(field: string, rule: string, keys: readonly string[]): void {
  const repeated = keys.findIndex((key, index) => keys.indexOf(key) !== index);
  if (repeated !== -1) throw new InvalidInput(`${field}[${repeated}]`, rule, keys[repeated]);
}
