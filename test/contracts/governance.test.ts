import { expect } from "chai";
import { FunctionFragment, ZeroAddress, type BaseContract, type ParamType } from "ethers";
import { readdir, readFile } from "node:fs/promises";
import { z } from "zod";
import { BUILD } from "../../src/ledger/deployment/build.ts";
import type { AccessManager } from "../../types/ethers-contracts/index.ts";
import { latestTimestamp, nextBlockAt } from "./support/clock.ts";
import { expectRevert } from "./support/expect-revert.ts";
import {
  HKD,
  ModuleStatus,
  RESTRICTED,
  ROLES,
  fail,
  freshNetwork,
  tokenOf,
  type Network,
  type RoleName,
} from "./support/network.ts";

/** Functions that change the ledger and that governance does not restrict: whoever may call them otherwise. */
const UNRESTRICTED = {
  PartnerRegistry: ["authorizeKey", "revokeKey", "setEndpoint", "offerAdmin", "acceptAdmin", "setExitAccount"],
  Treasury: ["deposit", "depositWithPermit", "withdraw", "exit", "hold", "release"],
  CorridorBook: ["draw"],
  QuoteBook: ["draw", "cancelQuote", "multicall"],
  TransferRegistry: ["open", "openAndSettle", "settle", "expire", "beat", "multicall", "callEach"],
  SettlementToken: ["attest", "acceptTreasury", "redeem", "approve", "transfer", "transferFrom", "permit"],
} as const;

/** Of AccessManaged itself: only the manager may call it. */
const OF_THE_MANAGER = "setAuthority";

const FUNCTION = z.object({ type: z.literal("function") });

type ContractName = keyof typeof RESTRICTED;
const CONTRACTS: readonly ContractName[] = [
  "PartnerRegistry",
  "Treasury",
  "CorridorBook",
  "TransferRegistry",
  "SettlementToken",
];

function contractOf(network: Network, name: ContractName): BaseContract {
  const { registry, treasury, corridors, transfers } = network;
  const contracts = {
    PartnerRegistry: registry,
    Treasury: treasury,
    CorridorBook: corridors,
    TransferRegistry: transfers,
  };
  return name === "SettlementToken" ? tokenOf(network, HKD) : contracts[name];
}

/** Everything in the contract's ABI that can change state. */
function changing({ interface: { fragments } }: BaseContract): readonly FunctionFragment[] {
  return fragments
    .filter((each): each is FunctionFragment => FunctionFragment.isFragment(each))
    .filter(({ stateMutability }) => stateMutability !== "view" && stateMutability !== "pure");
}

function functionOf(contract: BaseContract, name: string): FunctionFragment {
  return changing(contract).find((each) => each.name === name) ?? fail(`no function ${name}`);
}

/** Zero, or nothing, of any ABI type: the check comes before anything is read. */
function zeroOf({ baseType, type, components }: ParamType): unknown {
  if (baseType === "tuple") return (components ?? []).map(zeroOf);
  if (baseType === "array") return [];
  if (baseType === "address") return ZeroAddress;
  if (baseType === "bool") return false;
  if (baseType === "string") return "";
  if (baseType.startsWith("bytes")) return `0x${"00".repeat(Number.parseInt(type.slice("bytes".length) || "0", 10))}`;
  return 0;
}

function emptyCall(contract: BaseContract, fragment: FunctionFragment): string {
  return contract.interface.encodeFunctionData(fragment, fragment.inputs.map(zeroOf));
}

/** Deployed as they are; what they restrict is for the manager itself to say. */
const PUBLISHED = ["AccessManager"];
/** Governance has no say in it. */
const UNGOVERNED = ["QuoteBook"];

describe("Governance", () => {
  it("knows every contract that can be deployed, and so do clients", async () => {
    const deployable: string[] = [];
    for (const file of await readdir(new URL("../../artifacts/contracts", import.meta.url), { recursive: true })) {
      if (!file.endsWith(".json")) continue;
      const text = await readFile(new URL(`../../artifacts/contracts/${file}`, import.meta.url), "utf8");
      const artifact = z.object({ contractName: z.string(), abi: z.array(z.unknown()), bytecode: z.string() });
      const { contractName, abi, bytecode } = artifact.parse(JSON.parse(text));
      // Libraries whose functions are all internal have code that nobody can call.
      if (bytecode !== "0x" && abi.some((entry) => FUNCTION.safeParse(entry).success)) deployable.push(contractName);
    }
    expect(deployable).to.have.members([...CONTRACTS, ...UNGOVERNED]);
    const named = Object.keys(BUILD).map((name) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`);
    expect(named).to.have.members([...deployable, ...PUBLISHED]);
  });

  it("has no say in the quote book, of which every other function is listed here", async () => {
    const { quotes } = await freshNetwork();
    expect(changing(quotes).map((each) => each.name)).to.have.members(UNRESTRICTED.QuoteBook);
  });

  for (const name of CONTRACTS) {
    describe(name, () => {
      it("has no function that changes the ledger but those listed here", async () => {
        const contract = contractOf(await freshNetwork(), name);
        const listed = [...Object.keys(RESTRICTED[name]), ...UNRESTRICTED[name], OF_THE_MANAGER];
        expect(changing(contract).map((each) => each.name)).to.have.members(listed);
      });

      for (const [restricted, role] of Object.entries(RESTRICTED[name])) {
        it(`${restricted} is for the ${role} alone`, async () => {
          const network = await freshNetwork();
          const { manager, cast } = network;
          const contract = contractOf(network, name);
          const fragment = functionOf(contract, restricted);
          expect(await manager.getTargetFunctionRole(contract, fragment.selector)).to.equal(ROLES[role]);
          const others = (["registrar", "risk", "guardian", "council", "bank"] as const).filter(
            (each) => each !== role,
          );
          for (const other of [...others, "root", "deployer", "attestor", "stranger"] as const) {
            const call = cast[other].sendTransaction({ to: contract, data: emptyCall(contract, fragment) });
            await expectRevert(call, "AccessManagedUnauthorized", [cast[other].address]);
          }
        });
      }

      it(`${OF_THE_MANAGER} is for the manager alone`, async () => {
        const network = await freshNetwork();
        const contract = contractOf(network, name);
        const data = emptyCall(contract, functionOf(contract, OF_THE_MANAGER));
        for (const signer of [network.cast.root, network.cast.council, network.cast.stranger]) {
          const call = signer.sendTransaction({ to: contract, data });
          await expectRevert(call, "AccessManagedUnauthorized", [signer.address]);
        }
      });
    });
  }

  describe("AccessManager", () => {
    const roles: readonly [RoleName, bigint][] = [
      ["registrar", ROLES.registrar],
      ["risk", ROLES.risk],
      ["guardian", ROLES.guardian],
      ["council", ROLES.council],
      ["bank", ROLES.bank],
    ];

    it("grants each role to its holder alone", async () => {
      const { manager, cast } = await freshNetwork();
      for (const [, role] of roles) {
        for (const [holder, own] of roles) {
          const { isMember } = await manager.hasRole(role, cast[holder]);
          expect(isMember, `${holder} has role ${role}`).to.equal(own === role);
        }
      }
    });

    it("leaves the deployer with nothing", async () => {
      const { manager, cast } = await freshNetwork();
      for (const role of [await manager.ADMIN_ROLE(), ...Object.values(ROLES)]) {
        expect((await manager.hasRole(role, cast.deployer)).isMember).to.equal(false);
      }
    });

    it("stops a role's holder at once when the role is revoked", async () => {
      const { manager, transfers, cast } = await freshNetwork();
      await manager.connect(cast.root).revokeRole(ROLES.guardian, cast.guardian);
      const call = transfers.connect(cast.guardian).pause();
      await expectRevert(call, "AccessManagedUnauthorized", [cast.guardian.address]);
    });
  });

  describe("a role with a delay", () => {
    const DELAY = 86_400;

    async function withDelay() {
      const network = await freshNetwork();
      const { manager, treasury, cast } = network;
      await manager.connect(cast.root).grantRole(ROLES.council, cast.spare[0], DELAY);
      const module = await network.transfers.getAddress();
      const drained = [module, ModuleStatus.Active, ModuleStatus.Draining] as const;
      const data = treasury.interface.encodeFunctionData("restrictModule", [...drained]);
      return { network, manager, treasury, council: cast.spare[0], module, drained, data };
    }

    async function schedule(manager: AccessManager, target: BaseContract, data: string): Promise<number> {
      const readyAt = (await latestTimestamp()) + 10 + DELAY;
      await nextBlockAt(readyAt - DELAY);
      await manager.schedule(target, data, 0);
      return readyAt;
    }

    it("reverts with AccessManagerNotScheduled when nothing was scheduled", async () => {
      const { manager, treasury, council, drained, data } = await withDelay();
      const call = treasury.connect(council).restrictModule(...drained);
      const operation = await manager.hashOperation(council, treasury, data);
      await expectRevert(call, "AccessManagerNotScheduled", [operation]);
    });

    it("reverts with AccessManagerNotReady a second before the delay is over", async () => {
      const { manager, treasury, council, drained, data } = await withDelay();
      const readyAt = await schedule(manager.connect(council), treasury, data);
      await nextBlockAt(readyAt - 1);
      const call = treasury.connect(council).restrictModule(...drained);
      const operation = await manager.hashOperation(council, treasury, data);
      await expectRevert(call, "AccessManagerNotReady", [operation]);
    });

    it("acts once the delay is over, and once only", async () => {
      const { manager, treasury, council, module, drained, data } = await withDelay();
      const readyAt = await schedule(manager.connect(council), treasury, data);
      await nextBlockAt(readyAt);
      await treasury.connect(council).restrictModule(...drained);
      expect(await treasury.statusOfModule(module)).to.equal(ModuleStatus.Draining);
      const call = treasury.connect(council).restrictModule(...drained);
      const operation = await manager.hashOperation(council, treasury, data);
      await expectRevert(call, "AccessManagerNotScheduled", [operation]);
    });

    it("does not act on other values than were scheduled", async () => {
      const { manager, treasury, council, module, data } = await withDelay();
      const readyAt = await schedule(manager.connect(council), treasury, data);
      await nextBlockAt(readyAt);
      const args = [module, ModuleStatus.Active, ModuleStatus.None] as const;
      const other = treasury.interface.encodeFunctionData("restrictModule", [...args]);
      const operation = await manager.hashOperation(council, treasury, other);
      const call = treasury.connect(council).restrictModule(...args);
      await expectRevert(call, "AccessManagerNotScheduled", [operation]);
    });
  });
});
