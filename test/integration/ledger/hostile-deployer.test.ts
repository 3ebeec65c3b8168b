import { expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import { utf8 } from "../../../src/domain/bytes/bytes.ts";
import { normalizeHex, toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { corridorId } from "../../../src/domain/corridor.ts";
import { currencyOf } from "../../../src/domain/currency.ts";
import { ABI, type ContractName } from "../../../src/ledger/abi.ts";
import { BUILD } from "../../../src/ledger/deployment/build.ts";
import { connectLedger, type LedgerAddresses } from "../../../src/ledger/contracts.ts";
import {
  bitsOf,
  functionAssignments,
  guardedRoles,
  PARTNER_ROLES,
  roleGrants,
  ROLES,
} from "../../../src/ledger/deployment/config.ts";
import { HISTORY } from "../../../src/ledger/deployment/history.ts";
import { differences, verifyDeployment } from "../../../src/ledger/deployment/verify.ts";
import { CONFIG, connection, networkHelpers, provider } from "../support/chain.ts";

const { ethers } = connection;
const signers = await ethers.getSigners();
const [deployer, thief] = [required(signers[0]), required(signers[1])];
const THIEF = thief.address.toLowerCase();
const NOBODY = `0x${"00".repeat(20)}`;
/** 136 years. */
const FOR_EVER = 2n ** 32n - 1n;
const [token, partner] = [required(CONFIG.tokens[0]), required(CONFIG.partners[0])];
const TOKEN = `token ${token.currency}`;

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("test set-up: two accounts, a token and a partner");
  return value;
}

interface Deployed {
  readonly addresses: LedgerAddresses;
  /** Does something as the deployer, who is the admin until the end. */
  readonly call: (contract: ContractName, to: Hex, name: string, ...args: readonly unknown[]) => Promise<void>;
}

interface Trick {
  readonly attestor?: string;
  readonly partnerAdmin?: string;
  readonly registry?: (manager: Hex) => Promise<Hex>;
  /** The partner registry that the quote book asks. */
  readonly quotesOf?: string;
  /** The corridor book that the transfers draw on, made with the configured one's arguments. */
  readonly otherCorridors?: (args: readonly Hex[]) => Promise<Hex>;
  /** Once everything is configured, before the deployer leaves. */
  readonly before?: (deployed: Deployed) => Promise<void>;
}

/** Deploys by hand what Ignition would, with one trick. */
async function deploy({
  attestor,
  partnerAdmin,
  registry,
  quotesOf,
  otherCorridors,
  before,
}: Trick): Promise<LedgerAddresses> {
  const create = async (name: string, args: readonly unknown[]): Promise<Hex> => {
    const contract = await ethers.deployContract(name, [...args]);
    return normalizeHex(await contract.getAddress());
  };
  const call: Deployed["call"] = async (contract, to, name, ...args) => {
    const data = ABI[contract].encodeFunctionData(name, args);
    await (await deployer.sendTransaction({ to, data })).wait();
  };
  const accessManager = await create("AccessManager", [deployer.address]);
  const partnerRegistry = await (registry?.(accessManager) ?? create("PartnerRegistry", [accessManager]));
  const treasury = await create("Treasury", [accessManager, partnerRegistry]);
  const bound = [accessManager, partnerRegistry, treasury];
  const corridorBook = await create("CorridorBook", bound);
  const quoteBook = await create("QuoteBook", [quotesOf ?? partnerRegistry, treasury]);
  const { beatIntervalSeconds, graceSeconds } = CONFIG.clock;
  const corridors = (await otherCorridors?.(bound)) ?? corridorBook;
  const others = [corridors, quoteBook, beatIntervalSeconds, graceSeconds];
  const transferRegistry = await create("TransferRegistry", [...bound, ...others]);
  const tokens = new Map<(typeof CONFIG.tokens)[number]["currency"], Hex>();
  for (const each of CONFIG.tokens) {
    const { numeric, minorDigits } = currencyOf(each.currency);
    const terms = [numeric, each.currency, minorDigits, each.maxAttestationAgeSeconds];
    const args = [accessManager, treasury, ...terms, (each === token ? attestor : undefined) ?? each.attestor];
    tokens.set(each.currency, await create("SettlementToken", args));
  }
  for (const each of CONFIG.partners) {
    const { id, admin, country, homeCurrency, roles } = each;
    const terms = [toHex(utf8(country)), currencyOf(homeCurrency).numeric, bitsOf(PARTNER_ROLES, roles)];
    const first = (each === partner ? partnerAdmin : undefined) ?? admin;
    await call("partnerRegistry", partnerRegistry, "registerPartner", id, first, ...terms);
  }
  for (const { corridor, terms } of CONFIG.corridors) {
    await call("corridorBook", corridorBook, "setCorridor", corridorId(corridor), 0, { ...terms });
  }
  await call("treasury", treasury, "announceModule", transferRegistry, 1);
  await call("treasury", treasury, "activateModule", transferRegistry, 1);
  for (const each of tokens.values()) await call("treasury", treasury, "registerToken", each);
  const addresses = {
    accessManager,
    partnerRegistry,
    treasury,
    corridorBook,
    quoteBook,
    transferRegistry,
    draining: [],
    announced: [],
    tokens,
  };
  const manage = (name: string, ...args: readonly unknown[]) => call("accessManager", accessManager, name, ...args);
  await before?.({ addresses, call });
  for (const { contract, currency, functions, role } of functionAssignments(CONFIG)) {
    const target = contract === "settlementToken" ? currency && tokens.get(currency) : addresses[contract];
    const selectors = functions.map((name) => ABI[contract].getFunction(name)?.selector);
    await manage("setTargetFunctionRole", target, selectors, role);
  }
  for (const { role, account, delaySeconds } of roleGrants(CONFIG)) {
    await manage("grantRole", role, account, delaySeconds);
  }
  for (const role of guardedRoles()) await manage("setRoleGuardian", role, ROLES.guardian);
  await manage("renounceRole", ROLES.admin, deployer.address);
  return addresses;
}

async function findings(addresses: LedgerAddresses): Promise<readonly string[]> {
  const settings = await verifyDeployment(await connectLedger(provider, addresses), CONFIG);
  return differences(settings).map(({ name, expected, found }) => `${name}: ${found} instead of ${expected}`);
}

const manage =
  (
    ...calls: readonly (readonly [name: string, (at: LedgerAddresses) => readonly unknown[]])[]
  ): NonNullable<Trick["before"]> =>
  async ({ addresses, call }) => {
    for (const [name, args] of calls) await call("accessManager", addresses.accessManager, name, ...args(addresses));
  };

/** The build's code, left behind by a constructor that has written one more slot, of which no event tells. */
async function plantedRegistry(manager: Hex): Promise<Hex> {
  const word = (value: string | number | bigint) => ethers.toBeHex(BigInt(value), 32).slice(2);
  const store = (slot: number, value: string) => `7f${word(value)}7f${word(slot)}55`;
  const topic = ABI.partnerRegistry.getEvent("AuthorityUpdated")?.topicHash.slice(2) ?? "";
  const told = `7f${word(manager)}5f527f${topic}60205fa1`;
  const runtime = BUILD.partnerRegistry.runtime.slice(2);
  const size = (runtime.length / 2).toString(16).padStart(4, "0");
  const start = store(0, manager) + store(4_660, THIEF) + told;
  const offset = (start.length / 2 + 11).toString(16).padStart(4, "0");
  const data = `0x${start}61${size}8061${offset}5f395ff3${runtime}`;
  const receipt = await (await deployer.sendTransaction({ data })).wait();
  return normalizeHex(receipt?.contractAddress ?? "");
}

/** Attests a reserve that there is not, mints it, and puts the right attestor in place. */
async function mintBeforehand({ addresses }: Deployed): Promise<void> {
  const address = addresses.tokens.get(token.currency);
  const bound = new ethers.Contract(address ?? "", ABI.settlementToken, deployer);
  const value = { reserve: 1_000n, asOf: await networkHelpers.time.latest(), report: `0x${"00".repeat(32)}` };
  const { chainId } = await provider.getNetwork();
  const name = `Feiqian ${token.currency}`;
  const fields = [
    ["reserve", "uint128"],
    ["asOf", "uint48"],
    ["report", "bytes32"],
  ].map(([field = "", type = ""]) => ({ name: field, type }));
  const signature = await deployer.signTypedData(
    { name, version: "1", chainId, verifyingContract: address ?? "" },
    { ReserveAttestation: fields },
    value,
  );
  const send = async (method: string, ...args: readonly unknown[]) => {
    // ethers types the methods of a contract bound by its ABI as unknown ones.
    const sent = (await bound.getFunction(method)(...args)) as ContractTransactionResponse;
    await sent.wait();
  };
  await send("attest", value, signature);
  await send("mint", THIEF, 1_000n);
  await send("setAttestor", deployer.address, token.attestor);
}

describe("a hostile deployer", function () {
  it("who does only what is configured is not found out", async () => {
    expect(await findings(await deploy({}))).to.deep.equal([]);
  });

  const treasury = ({ treasury: address }: LedgerAddresses) => address;
  const tricks: readonly (readonly [what: string, trick: Trick, found: readonly string[]])[] = [
    [
      "who gives itself a key of a partner before the partner has its admin",
      {
        partnerAdmin: deployer.address,
        before: async ({ addresses, call }) => {
          const registry = (name: string, ...args: readonly unknown[]) =>
            call("partnerRegistry", addresses.partnerRegistry, name, partner.id, ...args);
          await registry("authorizeKey", THIEF, 15, 2n ** 48n - 1n);
          await registry("setAdmin", 0, partner.admin);
          await networkHelpers.time.increase(4 * 86_400);
          await registry("reactivate", 1);
        },
      },
      [
        `partner registry: KeyAuthorized: partner ${partner.id}, key ${THIEF}, purposes 15, validUntil 281474976710655: once`,
        `partner registry: KeysEnded: partner ${partner.id}, keyEpoch 1: once`,
      ],
    ],
    [
      "whose quote book asks another registry who may sell",
      { quotesOf: deployer.address },
      ["creation of quote book: the build's code with (0x"],
    ],
    [
      "whose transfers draw on corridors that nobody governs",
      {
        otherCorridors: async ([, ...others]) => {
          const book = await ethers.deployContract("CorridorBook", [THIEF, ...others]);
          return normalizeHex(await book.getAddress());
        },
      },
      ["creation of transfers: the build's code with (0x"],
    ],
    [
      "who mints before the attestor is replaced",
      { attestor: deployer.address, before: mintBeforehand },
      [
        `${TOKEN}: Transfer: from ${NOBODY}, to ${THIEF}, value 1000: once`,
        `${TOKEN}: AttestorChanged: previous ${deployer.address.toLowerCase()}, current ${token.attestor.toLowerCase()}: once`,
      ],
    ],
    [
      "who grants a role and takes it away again",
      { before: manage(["grantRole", () => [5, THIEF, 0]], ["revokeRole", () => [5, THIEF]]) },
      [
        `access manager: RoleGranted: roleId 5, account ${THIEF}, delay 0, newMember true: once`,
        `access manager: RoleRevoked: roleId 5, account ${THIEF}: once`,
      ],
    ],
    [
      "who sets delays of 136 years that are yet to come",
      {
        before: manage(
          ["setTargetAdminDelay", (at) => [treasury(at), FOR_EVER]],
          ["setGrantDelay", () => [ROLES.guardian, FOR_EVER]],
        ),
      },
      [
        "access manager: TargetAdminDelayUpdated: target ",
        "access manager: RoleGrantDelayChanged: roleId 3, delay 4294967295",
      ],
    ],
    [
      "who puts a role under another and back, and its guardian",
      {
        before: manage(
          ["setRoleAdmin", () => [1, 2]],
          ["setRoleAdmin", () => [1, 0]],
          ["setRoleGuardian", () => [4, 3]],
          ["setRoleGuardian", () => [4, 0]],
        ),
      },
      [
        "access manager: RoleAdminChanged: roleId 1, admin 2: once",
        "access manager: RoleGuardianChanged: roleId 4, guardian 3: once",
      ],
    ],
    [
      "who lends a function to everybody for a while",
      {
        before: manage([
          "setTargetFunctionRole",
          (at) => [treasury(at), [ABI.treasury.getFunction("registerToken")?.selector], 2n ** 64n - 1n],
        ]),
      },
      ["access manager: TargetFunctionRoleUpdated: target "],
    ],
    [
      "who leaves a scheduled call behind",
      {
        before: async ({ addresses, call }) => {
          const { accessManager: manager } = addresses;
          await call("accessManager", manager, "grantRole", ROLES.admin, THIEF, 60);
          const data = ABI.accessManager.encodeFunctionData("grantRole", [ROLES.guardian, THIEF, 0]);
          const schedule = ABI.accessManager.encodeFunctionData("schedule", [manager, data, 0]);
          await (await thief.sendTransaction({ to: manager, data: schedule })).wait();
          await call("accessManager", manager, "revokeRole", ROLES.admin, THIEF);
        },
      },
      ["access manager: OperationScheduled: operationId "],
    ],
    [
      "who announces one more module",
      {
        before: ({ addresses, call }) =>
          call("treasury", addresses.treasury, "announceModule", addresses.accessManager, 1),
      },
      ["treasury: ModuleAnnounced: module "],
    ],
    [
      "who offers a partner's admin to another account",
      {
        partnerAdmin: deployer.address,
        before: ({ addresses, call }) =>
          call("partnerRegistry", addresses.partnerRegistry, "offerAdmin", partner.id, THIEF),
      },
      [`partner registry: AdminOffered: partner ${partner.id}, next ${THIEF}: once`],
    ],
  ];
  for (const [what, trick, found] of tricks) {
    it(`${what} is found out`, async () => {
      const all = await findings(await deploy(trick));
      for (const line of found) {
        expect(
          all.filter((each) => each.startsWith(HISTORY + line)),
          `${line} in ${all.join("\n")}`,
        ).to.have.lengthOf(1);
      }
    });
  }

  it("whose constructor writes what no event tells, and leaves the build's code behind, is found out by the creation", async () => {
    const all = await findings(await deploy({ registry: plantedRegistry }));
    expect(all).to.have.lengthOf(1);
    expect(all[0]).to.match(/^history: creation of partner registry: other code in 0x/);
  });

  it("who keeps other code, or other arguments, is found out by each", async () => {
    const addresses = await deploy({});
    const at = async (name: string, args: readonly unknown[]) => {
      const contract = await ethers.deployContract(name, [...args]);
      return { ...addresses, treasury: normalizeHex(await contract.getAddress()) };
    };
    const settings = async (claimed: LedgerAddresses) => {
      const ledger = await connectLedger(provider, claimed);
      return verifyDeployment({ ...ledger, treasury: (await connectLedger(provider, addresses)).treasury }, CONFIG);
    };
    const foundOf = (all: Awaited<ReturnType<typeof settings>>, name: string) =>
      all.find((setting) => setting.name === HISTORY + name)?.found;
    const withOtherCode = await settings(await at("PartnerRegistry", [addresses.accessManager]));
    expect(foundOf(withOtherCode, "code of treasury")).to.equal("other code");
    expect(foundOf(withOtherCode, "creation of treasury")).to.match(/^other code in 0x/);
    const withOtherArguments = await settings(await at("Treasury", [addresses.accessManager, THIEF]));
    expect(foundOf(withOtherArguments, "code of treasury")).to.equal("the build's code");
    expect(foundOf(withOtherArguments, "creation of treasury")).to.include(
      `the build's code with (${addresses.accessManager}, ${THIEF})`,
    );
  });
});
