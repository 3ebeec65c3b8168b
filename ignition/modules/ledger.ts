import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import type {
  ArgumentType,
  Future,
  IgnitionModuleBuilder,
  NamedArtifactContractDeploymentFuture,
} from "@nomicfoundation/ignition-core";
import { utf8 } from "../../src/domain/bytes/bytes.ts";
import { toHex } from "../../src/domain/bytes/hex.ts";
import { corridorId, corridorKey } from "../../src/domain/corridor.ts";
import { currencyOf, type CurrencyCode } from "../../src/domain/currency.ts";
import { ABI } from "../../src/ledger/abi.ts";
import {
  bitsOf,
  functionAssignments,
  guardedRoles,
  PARTNER_ROLES,
  roleGrants,
  ROLES,
  type LedgerConfig,
  type TokenConfig,
} from "../../src/ledger/deployment/config.ts";
import { partsOf } from "../../src/ledger/deployment/parts.ts";
import { MODULE_STATUSES } from "../../src/ledger/statuses.ts";
import { artifactName, type SingleName } from "./names.ts";

type Contract = NamedArtifactContractDeploymentFuture<string>;

interface Contracts {
  readonly single: ReadonlyMap<SingleName, Contract>;
  readonly tokens: ReadonlyMap<CurrencyCode, Contract>;
}

/**
 * The whole ledger: contracts, partners, corridors, roles. The deployer governs until everything is in place; the last
 * step takes away the only role it has.
 */
export function ledgerModule(config: LedgerConfig, deployer: string) {
  return buildModule("Ledger", (m) => {
    const contracts = deployContracts(m, config, deployer);
    const settled = [...registerPartners(m, contracts, config), ...connectTreasury(m, contracts, config)];
    const assigned = assignFunctions(m, contracts, config, settled);
    const granted = grantRoles(m, contracts, config, assigned);
    m.call(at(contracts, "accessManager"), "renounceRole", [ROLES.admin, deployer], {
      id: "deployer_leaves",
      after: granted,
    });

    return { ...Object.fromEntries(contracts.single), ...Object.fromEntries(contracts.tokens) };
  });
}

function deployContracts(m: IgnitionModuleBuilder, config: LedgerConfig, deployer: string): Contracts {
  const single = new Map<SingleName, Contract>();
  const contracts: Contracts = { single, tokens: new Map() };
  for (const { contract, args } of partsOf(config)) {
    const given = args({ at: (name) => at(contracts, name), deployer, clock: config.clock });
    // What Ignition takes as arguments: contracts, numbers and text.
    single.set(contract, m.contract(artifactName(contract), [...given] as ArgumentType[]));
  }
  const deployToken = ({ currency, maxAttestationAgeSeconds, attestor }: TokenConfig) => {
    const { numeric, minorDigits } = currencyOf(currency);
    const bound = [at(contracts, "accessManager"), at(contracts, "treasury")];
    const args = [...bound, numeric, currency, minorDigits, maxAttestationAgeSeconds, attestor];
    return [currency, m.contract("SettlementToken", args, { id: `token_${currency}` })] as const;
  };
  return { single, tokens: new Map(config.tokens.map(deployToken)) };
}

function registerPartners(m: IgnitionModuleBuilder, contracts: Contracts, config: LedgerConfig): Future[] {
  const partnerRegistry = at(contracts, "partnerRegistry");
  const corridorBook = at(contracts, "corridorBook");
  const partners = config.partners.map(({ id, admin, country, homeCurrency, roles }) => {
    const args = [id, admin, toHex(utf8(country)), currencyOf(homeCurrency).numeric, bitsOf(PARTNER_ROLES, roles)];
    return m.call(partnerRegistry, "registerPartner", args, { id: `partner_${id}` });
  });
  const corridors = config.corridors.map(({ corridor, terms }) => {
    const id = `corridor_${corridorKey(corridor).replaceAll(/\W/g, "_")}`;
    return m.call(corridorBook, "setCorridor", [corridorId(corridor), 0, { ...terms }], { id, after: partners });
  });
  return [...partners, ...corridors];
}

/** Modules come before the tokens: afterwards they would need the treasury's notice. */
function connectTreasury(m: IgnitionModuleBuilder, contracts: Contracts, config: LedgerConfig): Future[] {
  const treasury = at(contracts, "treasury");
  const activated = config.modules.map((name) => {
    const args = [at(contracts, name), MODULE_STATUSES.active];
    const announced = m.call(treasury, "announceModule", args, { id: `announce_${name}` });
    return m.call(treasury, "activateModule", args, { id: `activate_${name}`, after: [announced] });
  });
  const registered = [...contracts.tokens].map(([currency, token]) =>
    m.call(treasury, "registerToken", [token], { id: `register_${currency}`, after: activated }),
  );
  return [...activated, ...registered];
}

function assignFunctions(
  m: IgnitionModuleBuilder,
  contracts: Contracts,
  config: LedgerConfig,
  after: Future[],
): Future[] {
  return functionAssignments(config).map(({ contract, currency, functions, role }) => {
    const target = contract === "settlementToken" ? tokenOf(contracts, currency) : at(contracts, contract);
    const selectors = functions.map((name) => ABI[contract].getFunction(name)?.selector ?? name);
    const id = ["assign", contract, currency, role].filter((part) => part !== undefined).join("_");
    return m.call(at(contracts, "accessManager"), "setTargetFunctionRole", [target, selectors, role], { id, after });
  });
}

function grantRoles(m: IgnitionModuleBuilder, contracts: Contracts, config: LedgerConfig, after: Future[]): Future[] {
  const accessManager = at(contracts, "accessManager");
  const granted = roleGrants(config).map(({ role, account, delaySeconds }) =>
    m.call(accessManager, "grantRole", [role, account, delaySeconds], { id: `grant_${role}_${account}`, after }),
  );
  const guarded = guardedRoles().map((role) =>
    m.call(accessManager, "setRoleGuardian", [role, ROLES.guardian], { id: `guard_${role}`, after }),
  );
  return [...granted, ...guarded];
}

function tokenOf({ tokens }: Contracts, currency: CurrencyCode | undefined): Contract {
  const token = currency === undefined ? undefined : tokens.get(currency);
  if (token === undefined) throw new Error(`no token of ${currency} in this deployment`);
  return token;
}

function at({ single }: Contracts, name: SingleName): Contract {
  const contract = single.get(name);
  if (contract === undefined) throw new Error(`no ${name} in this deployment, or not yet`);
  return contract;
}
