import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { expect } from "chai";
import type { FunctionFragment, ParamType } from "ethers";
import { deployLedger } from "../../../ignition/deploy.ts";
import { fromHex, toHex } from "../../../src/domain/bytes/hex.ts";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { ABI } from "../../../src/ledger/abi.ts";
import type { Ledger } from "../../../src/ledger/contracts.ts";
import { checkConfig, functionAssignments } from "../../../src/ledger/deployment/config.ts";
import { MODULE_NAMES } from "../../../src/ledger/deployment/parts.ts";
import { decodeLedgerError } from "../../../src/ledger/errors.ts";
import type { Call } from "../../../src/ledger/submitter.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { CONFIG, connection, freshLedger, GCASH, HUB, networkHelpers, provider } from "../support/chain.ts";
import { executeCall, governedCall, scheduleCall } from "../support/governance.ts";
import { ledgerError } from "../support/submitting.ts";

const SOMEBODY = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

describe("the governance of a ledger", function () {
  let sandbox: Sandbox;
  let ledger: Ledger;

  beforeEach(async () => {
    sandbox = await freshLedger();
    ({ ledger } = sandbox);
  });

  it("refuses to let the deployer keep a role", async () => {
    const account = toHex(fromHex(await deployerAddress()));
    const holders = [...CONFIG.holders, { role: "admin", account, delaySeconds: 7 * 86_400 } as const];
    const refused: unknown = await deployLedger(connection, { ...CONFIG, holders }).catch(
      (failure: unknown) => failure,
    );
    expect(refused).to.be.instanceOf(InvalidInput).with.property("field", "holders, tokens");
  });

  it("refuses a configuration whose parts do not fit each other", () => {
    const without = (role: string) => CONFIG.holders.filter((holder) => holder.role !== role);
    const [corridor] = CONFIG.corridors;
    if (corridor === undefined) throw new Error("test set-up: a corridor");
    const other = (change: object) => [{ ...corridor, corridor: { ...corridor.corridor, ...change } }];
    for (const [change, field, rule] of [
      [{ partners: [...CONFIG.partners, ...CONFIG.partners.slice(0, 1)] }, "partners", /no id twice/],
      [{ tokens: [...CONFIG.tokens, ...CONFIG.tokens.slice(0, 1)] }, "tokens", /no currency twice/],
      [{ partners: CONFIG.partners.filter(({ id }) => id !== HUB), corridors: [] }, "partners", /the hub/],
      [{ holders: without("admin") }, "holders", /at least one admin/],
      [{ holders: without("guardian") }, "holders", /at least one guardian/],
      [{ holders: [...CONFIG.holders, ...CONFIG.holders.slice(2, 3)] }, "holders[6]", /no account twice/],
      [{ corridors: [...CONFIG.corridors, ...CONFIG.corridors.slice(1, 2)] }, "corridors[3]", /no corridor twice/],
      [{ corridors: other({ source: parsePartnerId(11) }) }, "corridors[0].source", /a wallet/],
      [{ corridors: other({ target: parsePartnerId(5) }) }, "corridors[0].target", /a wallet/],
      [
        { corridors: other({ targetCurrency: parseCurrency("USD").code }) },
        "corridors[0].targetCurrency",
        /with a token/,
      ],
      [
        { corridors: other({ sourceCurrency: parseCurrency("USD").code }) },
        "corridors[0].sourceCurrency",
        /with a token/,
      ],
    ] as const) {
      expect(() => checkConfig({ ...CONFIG, ...change }), field)
        .to.throw(InvalidInput, rule)
        .with.property("field", field);
    }
    expect(() => checkConfig(CONFIG)).not.to.throw();
  });

  it("refuses one hand, haste and numbers without bound, field by field, but for development", () => {
    const [token] = CONFIG.tokens;
    const [partner] = CONFIG.partners;
    if (token === undefined || partner === undefined) throw new Error("test set-up: a token and a partner");
    const at = (role: string) => CONFIG.holders.findIndex((holder) => holder.role === role);
    const accountOf = (role: string) => CONFIG.holders.at(at(role))?.account ?? "0x";
    const holder = (role: string, change: object) => ({
      holders: CONFIG.holders.map((each) => (each.role === role ? { ...each, ...change } : each)),
    });
    const firstToken = (change: object) => ({ tokens: [{ ...token, ...change }, ...CONFIG.tokens.slice(1)] });
    const delays = (["admin", "upgrader", "registrar", "risk", "supervisor"] as const).flatMap((role) => [
      [holder(role, { delaySeconds: 0 }), `holders[${at(role)}].delaySeconds`],
      [holder(role, { delaySeconds: 2 ** 32 - 1 }), `holders[${at(role)}].delaySeconds`],
    ]);
    const cases: readonly (readonly [change: object, field: string])[] = [
      ...(delays as [object, string][]),
      [holder("admin", { delaySeconds: 7 * 86_400 - 1 }), `holders[${at("admin")}].delaySeconds`],
      [holder("guardian", { delaySeconds: 1 }), `holders[${at("guardian")}].delaySeconds`],
      [holder("risk", { account: accountOf("registrar") }), `holders[${at("risk")}].account`],
      [holder("guardian", { account: accountOf("admin") }), `holders[${at("guardian")}].account`],
      [firstToken({ bank: token.attestor }), "tokens[0].attestor"],
      [firstToken({ attestor: accountOf("supervisor") }), "tokens[0].attestor"],
      [firstToken({ bank: accountOf("upgrader") }), "tokens[0].bank"],
      [firstToken({ maxAttestationAgeSeconds: 2 ** 32 - 1 }), "tokens[0].maxAttestationAgeSeconds"],
      [firstToken({ maxAttestationAgeSeconds: 0 }), "tokens[0].maxAttestationAgeSeconds"],
      [{ partners: [{ ...partner, admin: accountOf("guardian") }, ...CONFIG.partners.slice(1)] }, "partners[0].admin"],
    ];
    for (const [change, field] of cases) {
      expect(() => checkConfig({ ...CONFIG, ...change }), field)
        .to.throw(InvalidInput, /development/)
        .with.property("field", field);
      expect(() => checkConfig({ ...CONFIG, ...change, development: true }), field).not.to.throw();
    }
    for (const [clock, field] of [
      [{ beatIntervalSeconds: 0, graceSeconds: 30 }, "clock.beatIntervalSeconds"],
      [{ beatIntervalSeconds: 10, graceSeconds: 19 }, "clock.graceSeconds"],
      [{ beatIntervalSeconds: 10, graceSeconds: 86_401 }, "clock.graceSeconds"],
    ] as const) {
      expect(() => checkConfig({ ...CONFIG, development: true, clock }), field)
        .to.throw(InvalidInput)
        .with.property("field", field);
    }
  });

  describe("governs by roles that wait", () => {
    const registration = () => governedCall(sandbox, "partnerRegistry", "setRoles", [GCASH, 1, 3]);
    const rolesOf = async () => (await ledger.partnerRegistry.partnerOf(GCASH)).roles;

    it("so that a registrar's call is scheduled, and executed after its delay only", async () => {
      const registrar = await sandbox.submitterOf({ kind: "registrar" });
      const call = registration();
      expect((await ledgerError(registrar.submit(call))).code).to.equal("AccessManagerNotScheduled");
      await registrar.submit(scheduleCall(sandbox, call));
      expect((await ledgerError(registrar.submit(scheduleCall(sandbox, call)))).code).to.equal(
        "AccessManagerAlreadyScheduled",
      );
      for (const early of [call, executeCall(sandbox, call)]) {
        const refused = await ledgerError(registrar.submit(early));
        expect([refused.code, refused.remedy]).to.deep.equal(["AccessManagerNotReady", "retry"]);
      }
      await networkHelpers.time.increase(86_400 - 60);
      expect((await ledgerError(registrar.submit(executeCall(sandbox, call)))).code).to.equal("AccessManagerNotReady");
      await networkHelpers.time.increase(60);
      await registrar.submit(executeCall(sandbox, call));
      expect(await rolesOf()).to.equal(3n);
      expect((await ledgerError(registrar.submit(call))).code).to.equal("AccessManagerNotScheduled");
    });

    it("so that what is scheduled and forgotten does not come true", async () => {
      const registrar = await sandbox.submitterOf({ kind: "registrar" });
      await registrar.submit(scheduleCall(sandbox, registration()));
      await networkHelpers.time.increase(86_400 + 7 * 86_400);
      expect((await ledgerError(registrar.submit(registration()))).code).to.equal("AccessManagerExpired");
      expect(await rolesOf()).to.equal(1n);
    });

    it("and the guardian cancels what is scheduled, and acts at once itself", async () => {
      const registrar = await sandbox.submitterOf({ kind: "registrar" });
      const guardian = await sandbox.submitterOf({ kind: "guardian" });
      const { to, data } = registration();
      await registrar.submit(scheduleCall(sandbox, registration()));
      const cancel = governedCall(sandbox, "accessManager", "cancel", [registrar.address, to, data]);
      const courier = await sandbox.submitterOf({ kind: "courier" });
      expect((await ledgerError(courier.submit(cancel))).code).to.equal("AccessManagerUnauthorizedCancel");
      await guardian.submit(cancel);
      await networkHelpers.time.increase(86_400);
      expect((await ledgerError(registrar.submit(registration()))).code).to.equal("AccessManagerNotScheduled");

      await guardian.submit(governedCall(sandbox, "partnerRegistry", "freeze", [GCASH]));
      expect((await ledger.partnerRegistry.partnerOf(GCASH)).status).to.equal(3n);
      expect((await ledgerError(guardian.submit(registration()))).code).to.equal("AccessManagedUnauthorized");
    });
  });

  it("leaves the deployer nothing: none of the restricted functions, nor any of governance itself", async () => {
    const deployer = await deployerAddress();
    const refusals = functionAssignments(CONFIG).flatMap(({ contract, currency, functions }) => {
      const token = currency === undefined ? undefined : ledger.addresses.tokens.get(currency);
      return functions.map(async (name) => {
        const { to, data } = governedCall(sandbox, contract, name, zeroArguments(ABI[contract].getFunction(name)));
        return `${contract}.${name}: ${await refusalOf({ to: token ?? to, data }, deployer)}`;
      });
    });
    const restricted = await Promise.all(refusals);
    expect(restricted.filter((line) => !line.endsWith(": AccessManagedUnauthorized"))).to.deep.equal([]);
    // Three tokens with three functions each.
    expect(restricted).to.have.length(18 + 3 * 3);

    const ofRoles = ["grantRole", "revokeRole", "setRoleAdmin", "setRoleGuardian", "setGrantDelay", "labelRole"];
    const ofTargets = ["setTargetFunctionRole", "setTargetClosed", "setTargetAdminDelay", "updateAuthority"];
    for (const name of [...ofRoles, ...ofTargets]) {
      const args = zeroArguments(ABI.accessManager.getFunction(name));
      const refused = await refusalOf(governedCall(sandbox, "accessManager", name, args), deployer);
      expect(refused, name).to.equal("AccessManagerUnauthorizedAccount");
    }
  });

  it("assigns every function that the contracts restrict, and no other", async () => {
    const sources = (await readdir("contracts", { recursive: true })).filter((name) => name.endsWith(".sol"));
    const restricted = await Promise.all(
      sources.map(async (path) => {
        const text = await readFile(`contracts/${path}`, "utf8");
        const contract = basename(path, ".sol");
        // What the base of modules restricts, each of them does.
        const owner = contract === "Module" ? MODULE_NAMES.map(capitalized) : [contract];
        return [...text.matchAll(/function (\w+)\([^)]*\)[^{;]*\brestricted\b/g)].flatMap(([, found]) =>
          owner.map((name) => `${name}.${found}`),
        );
      }),
    );
    const assigned = functionAssignments(CONFIG).flatMap(({ contract, functions }) =>
      functions.map((name) => `${capitalized(contract)}.${name}`),
    );
    expect([...new Set(assigned)].sort()).to.deep.equal(restricted.flat().sort());
  });
});

function capitalized(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

async function refusalOf(call: Call, from: string): Promise<string | undefined> {
  const failure: unknown = await provider.call({ ...call, from }).catch((thrown: unknown) => thrown);
  return decodeLedgerError(failure)?.code;
}

async function deployerAddress(): Promise<string> {
  const [deployer] = await connection.ethers.getSigners();
  return deployer?.address ?? "";
}

/** Arguments of the right types: a restricted function looks at its caller first. */
function zeroArguments(fragment: FunctionFragment | null): unknown[] {
  return fragment?.inputs.map(zeroOf) ?? [];
}

function zeroOf({ type, components }: ParamType): unknown {
  if (components !== null) return components.map(zeroOf);
  if (type === "address") return SOMEBODY;
  if (type === "bool") return false;
  if (type.endsWith("[]")) return [];
  const bytes = /^bytes(\d+)$/.exec(type)?.[1];
  if (bytes !== undefined) return `0x${"00".repeat(Number.parseInt(bytes, 10))}`;
  return type === "string" || type === "bytes" ? "0x" : 1;
}
