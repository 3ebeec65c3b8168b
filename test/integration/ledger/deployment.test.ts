import { expect } from "chai";
import { deployLedger } from "../../../ignition/deploy.ts";
import { corridorId } from "../../../src/domain/corridor.ts";
import { ABI, type ContractName } from "../../../src/ledger/abi.ts";
import { encodeCall } from "../../../src/ledger/calls.ts";
import { connectLedger, type Ledger } from "../../../src/ledger/contracts.ts";
import { ROLES, type LedgerConfig } from "../../../src/ledger/deployment/config.ts";
import { HISTORY } from "../../../src/ledger/deployment/history.ts";
import { differences, verifyDeployment } from "../../../src/ledger/deployment/verify.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { CONFIG, connection, freshLedger, GCASH, HKD_TO_PHP, HUB, networkHelpers, provider } from "../support/chain.ts";
import { asGovernance } from "../support/governance.ts";

const STRANGER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
/** The first account of the chain. */
const DEPLOYER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
/** AccessManager's own delay for what governs governance. */
const FIVE_DAYS = 5 * 86_400;

async function findings(...args: Parameters<typeof verifyDeployment>): Promise<string[]> {
  const settings = await verifyDeployment(...args);
  expect(new Set(settings.map(({ name }) => name)).size, "distinct names").to.equal(settings.length);
  return differences(settings).map(({ name, expected, found }) => `${name}: ${found} instead of ${expected}`);
}

/** What differs in the ledger's state. Whatever does, does so by something that happened. */
async function differing(ledger: Ledger, config: LedgerConfig): Promise<string[]> {
  const all = await findings(ledger, config);
  const state = all.filter((line) => !line.startsWith(HISTORY));
  if (state.length > 0) expect(all.length, "what happened is found as well").to.be.greaterThan(state.length);
  return state;
}

describe("the deployment of a ledger", function () {
  let sandbox: Sandbox;
  let ledger: Ledger;

  beforeEach(async () => {
    sandbox = await freshLedger();
    ({ ledger } = sandbox);
  });

  it("is as configured, in every setting", async () => {
    expect(await findings(ledger, CONFIG)).to.deep.equal([]);
    const settings = await verifyDeployment(ledger, CONFIG);
    const values = new Map(settings.map(({ name, found }) => [name, found]));
    expect(values.get("transfers: grace")).to.equal("30");
    expect(values.get("corridor 7:HKD>4:PHP: limit per batch")).to.equal("1000000000");
    expect(values.get(`role 1: ${sandbox.keys.addressOf({ kind: "registrar" })}`)).to.equal("after 86400 s");
    expect(values.get("partner 4: country")).to.equal("0x5048");
    expect(values.get("role of settlementToken PHP.mint")).to.equal("1608");
  });

  it("is read in ranges that any node answers for, however long ago it was", async () => {
    await networkHelpers.mine(2_500);
    expect(await findings(ledger, CONFIG)).to.deep.equal([]);
    const latest = await provider.getBlockNumber();
    const late = differences(await verifyDeployment(ledger, CONFIG, { fromBlock: latest - 1_500 }));
    const missing = late.map(({ name }) => name);
    expect(missing, "what only events tell is missing, where the deployment was before").to.include("partners");
    expect(late.find(({ name }) => name === "history: creation of treasury")?.found).to.match(/^not seen/);
  });

  it("was as configured at its end, whatever was done since", async () => {
    const { deployedBy } = ledger.addresses;
    if (deployedBy === undefined) throw new Error("the deployment's end is recorded");
    const terms = CONFIG.corridors[0]?.terms;
    const submitter = await sandbox.submitterOf({ kind: "admin", partner: GCASH });
    const args = [GCASH, STRANGER, 15, 2n ** 48n - 1n];
    await submitter.submit(encodeCall("partnerRegistry", ledger.addresses.partnerRegistry, "authorizeKey", args));
    await asGovernance(sandbox, "risk", "corridorBook", "setCorridor", [
      corridorId(HKD_TO_PHP),
      1,
      { ...terms, feeBps: 6 },
    ]);
    await asGovernance(sandbox, "guardian", "partnerRegistry", "suspend", [GCASH]);
    expect(await findings(ledger, CONFIG, { toBlock: deployedBy })).to.deep.equal([]);
    const now = await findings(ledger, CONFIG);
    expect(now).to.include("partner 4: status: 2 instead of 1");
    const key = `partner registry: KeyAuthorized: partner 4, key ${STRANGER}`;
    expect(
      now.filter((line) => line.startsWith(HISTORY + key)),
      "a key of a partner",
    ).to.have.length(1);
  });

  it("is not taken for finished before its deployer has left", async () => {
    const { deployedBy = 0 } = ledger.addresses;
    const early = await findings(ledger, CONFIG, { toBlock: deployedBy - 1 });
    expect(early).to.deep.equal([
      `role 0: ${DEPLOYER}: after 0 s instead of not held`,
      `history: access manager: RoleRevoked: roleId 0, account ${DEPLOYER}: never instead of once`,
    ]);
  });

  describe("is found to be otherwise, by name, when somebody", () => {
    const deployer = DEPLOYER;
    const roleOf = (name: keyof typeof ROLES) => ROLES[name];
    const [terms] = CONFIG.corridors.map((corridor) => corridor.terms);
    const id = corridorId(HKD_TO_PHP);
    const changed = (change: object) => [id, 1, { ...terms, ...change }];
    const selector = (contract: ContractName, name: string) => ABI[contract].getFunction(name)?.selector;
    const govern = (...call: [Parameters<typeof asGovernance>[1], ContractName, string, (s: Sandbox) => unknown[]]) => {
      const [role, contract, name, args] = call;
      return () => asGovernance(sandbox, role, contract, name, args(sandbox));
    };
    const admin = (name: string, args: (s: Sandbox) => unknown[]) => govern("admin", "accessManager", name, args);
    const target = () => ledger.addresses.treasury;

    const tampering: readonly (readonly [what: string, tamper: () => Promise<unknown>, found: readonly string[]])[] = [
      [
        "gives a role to one more account",
        admin("grantRole", () => [roleOf("guardian"), STRANGER, 0]),
        [`role 3: ${STRANGER}: after 0 s instead of not held`],
      ],
      [
        "gives the deployer a role again",
        admin("grantRole", () => [roleOf("admin"), deployer, 5]),
        [`role 0: ${deployer}: after 5 s instead of not held`],
      ],
      [
        "takes a role away",
        admin("revokeRole", ({ keys }) => [roleOf("guardian"), keys.addressOf({ kind: "guardian" })]),
        ["role 3: GUARDIAN: not held instead of after 0 s"],
      ],
      [
        "makes a delay longer",
        admin("grantRole", ({ keys }) => [roleOf("risk"), keys.addressOf({ kind: "risk" }), 7_200]),
        ["role 2: RISK: after 7200 s instead of after 3600 s"],
      ],
      [
        "announces a shorter delay",
        admin("grantRole", ({ keys }) => [roleOf("risk"), keys.addressOf({ kind: "risk" }), 0]),
        ["role 2: RISK: after 3600 s, from TIME on after 0 s instead of after 3600 s"],
      ],
      [
        "puts a role under another",
        admin("setRoleAdmin", () => [roleOf("registrar"), roleOf("risk")]),
        ["role 1: admin: 2 instead of 0"],
      ],
      [
        "takes a role from under its guardian",
        admin("setRoleGuardian", () => [roleOf("upgrader"), roleOf("upgrader")]),
        ["role 5: guardian: 5 instead of 3"],
      ],
      [
        "delays the grants of a role",
        async () => {
          await admin("setGrantDelay", () => [roleOf("risk"), 60])();
          await networkHelpers.time.increase(FIVE_DAYS);
        },
        ["role 2: delay of grants: 60 instead of 0"],
      ],
      [
        "closes a contract to its governance",
        admin("setTargetClosed", () => [target(), true]),
        ["treasury: closed to governance: true instead of false"],
      ],
      [
        "delays the governance of a contract",
        async () => {
          await admin("setTargetAdminDelay", () => [target(), 60])();
          await networkHelpers.time.increase(FIVE_DAYS);
        },
        ["treasury: delay of its admin: 60 instead of 0"],
      ],
      [
        "hands a contract to another authority",
        async () => {
          const other = await connection.ethers.deployContract("AccessManager", [deployer]);
          await admin("updateAuthority", () => [target(), other.target])();
        },
        ["treasury: authority: OTHER instead of MANAGER"],
      ],
      [
        "assigns a function to another role",
        admin("setTargetFunctionRole", () => [target(), [selector("treasury", "activateModule")], roleOf("guardian")]),
        ["role of treasury.activateModule: 3 instead of 5"],
      ],
      [
        "opens a bank's function to everybody",
        admin("setTargetFunctionRole", () => [
          ledger.addresses.tokens.get(parseCurrency("PHP").code),
          [selector("settlementToken", "mint")],
          2n ** 64n - 1n,
        ]),
        ["role of settlementToken PHP.mint: 18446744073709551615 instead of 1608"],
      ],
      [
        "authorises another module",
        async () => {
          const module = () => [ledger.addresses.accessManager, 1];
          await govern("upgrader", "treasury", "announceModule", module)();
          // The upgrader's delay is as long as the notice: a wait beside it would end when the announcement does.
          await govern("upgrader", "treasury", "activateModule", module)();
        },
        ["treasury: status of module MANAGER: 1 instead of 0"],
      ],
      [
        "makes the module drain",
        govern("upgrader", "treasury", "restrictModule", () => [ledger.addresses.transferRegistry, 1, 2]),
        ["treasury: status of module REGISTRY: 2 instead of 1"],
      ],
      [
        "registers one more token",
        async () => {
          const { accessManager, treasury } = ledger.addresses;
          const args = [accessManager, treasury, 840, "USD", 2, 60, STRANGER];
          const token = await connection.ethers.deployContract("SettlementToken", args);
          await govern("upgrader", "treasury", "registerToken", () => [token.target])();
        },
        ["tokens: 156 344 608 840 instead of 156 344 608"],
      ],
      [
        "replaces an attestor",
        govern("risk", "settlementToken", "setAttestor", ({ keys }) => [
          keys.addressOf({ kind: "attestor", currency: "CNY" }),
          STRANGER,
        ]),
        [`token CNY: attestor: ${STRANGER} instead of ATTESTOR`],
      ],
      [
        "changes a fee",
        govern("risk", "corridorBook", "setCorridor", () => changed({ feeBps: 6 })),
        ["corridor 7:HKD>4:PHP: fee: 6 instead of 5"],
      ],
      [
        "changes a limit per batch",
        govern("risk", "corridorBook", "setCorridor", () => changed({ maxPerBatch: 1 })),
        ["corridor 7:HKD>4:PHP: limit per batch: 1 instead of 1000000000"],
      ],
      [
        "changes a limit per day",
        govern("risk", "corridorBook", "setCorridor", () => changed({ maxPerDay: 10n ** 12n })),
        ["corridor 7:HKD>4:PHP: limit per day: 1000000000000 instead of 10000000000"],
      ],
      [
        "closes a corridor",
        govern("guardian", "corridorBook", "closeCorridor", () => [id]),
        ["corridor 7:HKD>4:PHP: open: false instead of true"],
      ],
      [
        "opens one more corridor",
        govern("risk", "corridorBook", "setCorridor", () => [corridorId({ ...HKD_TO_PHP, source: HUB }), 0, terms]),
        ["corridors: 1:CNY>4:PHP 1:HKD>4:PHP 7:HKD>1:HKD 7:HKD>4:PHP instead of 1:CNY>4:PHP 7:HKD>1:HKD 7:HKD>4:PHP"],
      ],
      [
        "suspends a partner",
        govern("guardian", "partnerRegistry", "suspend", () => [GCASH]),
        ["partner 4: status: 2 instead of 1"],
      ],
      [
        "replaces a partner's admin",
        govern("registrar", "partnerRegistry", "setAdmin", () => [GCASH, 0, STRANGER]),
        [`partner 4: admin: ${STRANGER} instead of ADMIN`, "partner 4: status: 2 instead of 1"],
      ],
      [
        "changes a partner's roles",
        govern("registrar", "partnerRegistry", "setRoles", () => [GCASH, 1, 3]),
        ["partner 4: roles: 3 instead of 1"],
      ],
      [
        "registers one more partner",
        govern("registrar", "partnerRegistry", "registerPartner", () => [99, STRANGER, "0x5358", 840, 1]),
        ["partners: 1 11 12 4 7 99 instead of 1 11 12 4 7"],
      ],
      [
        "pauses",
        govern("guardian", "transferRegistry", "pause", () => []),
        ["transfers: paused: true instead of false"],
      ],
    ];

    for (const [what, tamper, found] of tampering) {
      it(what, async () => {
        await tamper();
        const { keys } = sandbox;
        const names: Readonly<Record<string, string>> = {
          GUARDIAN: keys.addressOf({ kind: "guardian" }),
          RISK: keys.addressOf({ kind: "risk" }),
          ADMIN: keys.addressOf({ kind: "admin", partner: GCASH }),
          ATTESTOR: keys.addressOf({ kind: "attestor", currency: "CNY" }),
          REGISTRY: ledger.addresses.transferRegistry,
          MANAGER: ledger.addresses.accessManager,
          OTHER: (await ledger.treasury.authority()).toLowerCase(),
        };
        const expected = found.map((line) => line.replaceAll(/[A-Z]{4,}/g, (name) => names[name] ?? name));
        const differences = (await differing(ledger, CONFIG)).map((line) =>
          line.replace(/from \d{10} on/, "from TIME on"),
        );
        expect(differences).to.deep.equal(expected);
      });
    }
  });

  describe("is found to be otherwise, by name, when it was deployed with", () => {
    const [firstToken, ...otherTokens] = CONFIG.tokens;
    const [hub, ...otherPartners] = CONFIG.partners;
    if (firstToken === undefined || hub === undefined) throw new Error("test set-up: a token and a partner");
    const otherwise: readonly (readonly [string, LedgerConfig, readonly string[]])[] = [
      [
        "another beat",
        { ...CONFIG, clock: { ...CONFIG.clock, beatIntervalSeconds: 15 } },
        ["transfers: beatInterval: 10 instead of 15"],
      ],
      [
        "another grace",
        { ...CONFIG, clock: { ...CONFIG.clock, graceSeconds: 60 } },
        ["transfers: grace: 30 instead of 60"],
      ],
      [
        "another age of attestations",
        { ...CONFIG, tokens: [{ ...firstToken, maxAttestationAgeSeconds: 60 }, ...otherTokens] },
        ["token CNY: longest age: 86400 instead of 60"],
      ],
      [
        "another country",
        { ...CONFIG, partners: [{ ...hub, country: "SG" }, ...otherPartners] },
        ["partner 1: country: 0x434e instead of 0x5347"],
      ],
      [
        "another home currency",
        { ...CONFIG, partners: [{ ...hub, homeCurrency: parseCurrency("PHP").code }, ...otherPartners] },
        ["partner 1: home currency: 156 instead of 608"],
      ],
    ];
    for (const [what, config, found] of otherwise) {
      it(what, async () => expect(await differing(ledger, config)).to.deep.equal(found));
    }

    it("contracts that belong to others", async () => {
      const other = await deployLedger(connection, CONFIG, { journal: "other" });
      const mixed = await connectLedger(provider, { ...ledger.addresses, treasury: other.treasury });
      const found = await differing(mixed, CONFIG);
      expect(found).to.include(`transfers: treasury: ${ledger.addresses.treasury} instead of ${other.treasury}`);
      expect(found).to.include(
        `treasury: registry: ${other.partnerRegistry} instead of ${ledger.addresses.partnerRegistry}`,
      );
      expect(found).to.include(
        `treasury: authority: ${other.accessManager} instead of ${ledger.addresses.accessManager}`,
      );
      const registry = await connectLedger(provider, { ...ledger.addresses, partnerRegistry: other.partnerRegistry });
      expect(await differing(registry, CONFIG)).to.include(
        `transfers: registry: ${ledger.addresses.partnerRegistry} instead of ${other.partnerRegistry}`,
      );
    });

    it("a token less", async () => {
      const tokens = new Map([...ledger.addresses.tokens].filter(([currency]) => currency !== "PHP"));
      const { addresses } = ledger;
      expect(await differing(await connectLedger(provider, { ...addresses, tokens }), CONFIG)).to.deep.equal([
        "token PHP: missing instead of deployed",
        "role of settlementToken PHP.setAttestor: missing instead of 2",
        "role of settlementToken PHP.offerTreasury: missing instead of 5",
        "role of settlementToken PHP.mint: missing instead of 1608",
      ]);
    });
  });
});
