import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import type {
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
import { MODULE_STATUSES } from "../../src/ledger/statuses.ts";

type Contract = NamedArtifactContractDeploymentFuture<string>;

interface Contracts {
  readonly accessManager: Contract;
  readonly partnerRegistry: Contract;
  readonly treasury: Contract;
  readonly transferRegistry: Contract;
  readonly tokens: ReadonlyMap<CurrencyCode, Contract>;
}

/**
 * The whole ledger: contracts, partners, corridors, roles. The deployer governs until everything is in place; the last
 * step takes away the only role it has.
 */
export function ledgerModule(config: LedgerConfig, deployer: string) {
  return buildModule("Ledger", (m) => {
    const contracts = deployContracts(m, config, deployer);
    const settled = [...registerPartners(m, contracts, config), ...connectTreasury(m, contracts)];
    const assigned = assignFunctions(m, contracts, config, settled);
    const granted = grantRoles(m, contracts, config, assigned);
    m.call(contracts.accessManager, "renounceRole", [ROLES.admin, deployer], { id: "deployer_leaves", after: granted });

    const { tokens, ...single } = contracts;
    return { ...single, ...Object.fromEntries(tokens) };
  });
}

function deployContracts(m: IgnitionModuleBuilder, config: LedgerConfig, deployer: string): Contracts {
  const accessManager = m.contract("AccessManager", [deployer]);
  const partnerRegistry = m.contract("PartnerRegistry", [accessManager]);
  const treasury = m.contract("Treasury", [accessManager, partnerRegistry]);
  const { beatIntervalSeconds, graceSeconds } = config.clock;
  const bound = [accessManager, partnerRegistry, treasury];
  const transferRegistry = m.contract("TransferRegistry", [...bound, beatIntervalSeconds, graceSeconds]);
  const deployToken = ({ currency, maxAttestationAgeSeconds, attestor }: TokenConfig) => {
    const { numeric, minorDigits } = currencyOf(currency);
    const args = [accessManager, treasury, numeric, currency, minorDigits, maxAttestationAgeSeconds, attestor];
    return [currency, m.contract("SettlementToken", args, { id: `token_${currency}` })] as const;
  };
  return {
    accessManager,
    partnerRegistry,
    treasury,
    transferRegistry,
    tokens: new Map(config.tokens.map(deployToken)),
  };
}

function registerPartners(m: IgnitionModuleBuilder, { partnerRegistry }: Contracts, config: LedgerConfig): Future[] {
  const partners = config.partners.map(({ id, admin, country, homeCurrency, roles }) => {
    const args = [id, admin, toHex(utf8(country)), currencyOf(homeCurrency).numeric, bitsOf(PARTNER_ROLES, roles)];
    return m.call(partnerRegistry, "registerPartner", args, { id: `partner_${id}` });
  });
  const corridors = config.corridors.map(({ corridor, terms }) => {
    const id = `corridor_${corridorKey(corridor).replaceAll(/\W/g, "_")}`;
    return m.call(partnerRegistry, "setCorridor", [corridorId(corridor), 0, { ...terms }], { id, after: partners });
  });
  return [...partners, ...corridors];
}

/** The module comes before the tokens: afterwards it would need the treasury's notice. */
function connectTreasury(m: IgnitionModuleBuilder, { treasury, transferRegistry, tokens }: Contracts): Future[] {
  const args = [transferRegistry, MODULE_STATUSES.active];
  const announced = m.call(treasury, "announceModule", args);
  const activated = m.call(treasury, "activateModule", args, { after: [announced] });
  const registered = [...tokens].map(([currency, token]) =>
    m.call(treasury, "registerToken", [token], { id: `register_${currency}`, after: [activated] }),
  );
  return [activated, ...registered];
}

function assignFunctions(
  m: IgnitionModuleBuilder,
  contracts: Contracts,
  config: LedgerConfig,
  after: Future[],
): Future[] {
  return functionAssignments(config).map(({ contract, currency, functions, role }) => {
    const target = contract === "settlementToken" ? tokenOf(contracts, currency) : contracts[contract];
    const selectors = functions.map((name) => ABI[contract].getFunction(name)?.selector ?? name);
    const id = ["assign", contract, currency, role].filter((part) => part !== undefined).join("_");
    return m.call(contracts.accessManager, "setTargetFunctionRole", [target, selectors, role], { id, after });
  });
}

function grantRoles(
  m: IgnitionModuleBuilder,
  { accessManager }: Contracts,
  config: LedgerConfig,
  after: Future[],
): Future[] {
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
