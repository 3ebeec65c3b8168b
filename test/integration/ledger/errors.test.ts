import { packHeader } from "../../../src/domain/packed-header.ts";
import { expect } from "chai";
import { AbiCoder, ErrorFragment, Interface, type ParamType, type Provider } from "ethers";
import { ABI } from "../../../src/ledger/abi.ts";
import { beatCall, expireCall } from "../../../src/ledger/calls.ts";
import { LEDGER_ERRORS } from "../../../src/ledger/error-catalogue.ts";
import { decodeLedgerError, decodeRevert, LedgerError } from "../../../src/ledger/errors.ts";
import { createSubmitter } from "../../../src/ledger/submitter.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { until } from "../../support/until.ts";
import { makeBatch } from "../../support/batches.ts";
import { fundedLedger, OPTIONS, provider } from "../support/chain.ts";
import { startHttpNode, type HttpNode } from "../support/http.ts";
import { withMethods } from "../support/provider.ts";
import { ledgerError, OPERATOR, setAutomine, withdrawals, withdrawOne } from "../support/submitting.ts";

const BUILT_IN = new Interface(["error Error(string reason)", "error Panic(uint256 code)"]);
const ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const HASH = `0x${"5a".repeat(32)}`;

/** A value for each argument that an error has, and the words that a person reads in its place. */
const REALISTIC: Readonly<Record<string, readonly [value: unknown, words: string]>> = {
  partner: [4n, "partner 4"],
  corridor: [(7n << 48n) | (344n << 32n) | (4n << 16n) | 608n, "corridor 7:HKD>4:PHP"],
  currency: [608n, "PHP"],
  code: [0x11n, "17"],
  reason: ["no luck today", "no luck today"],
  granted: [1n, "wallet"],
  purposes: [9n, "send + fund"],
  validUntil: [1_790_000_000n, "2026-09-21T"],
  expiresAt: [1_790_000_300n, "2026-09-21T"],
  now_: [1_790_000_100n, "2026-09-21T"],
  asOf: [1_790_000_200n, "2026-09-21T"],
  latest: [1_790_000_400n, "2026-09-21T"],
  deadline: [1_790_000_500n, "2026-09-21T"],
  field: ["taker", "taker"],
  str: ["too long a text", "too long a text"],
};
/** Enums and sets, whose words depend on the error. */
const REALISTIC_OF: typeof REALISTIC = {
  "PartnerRegistry_RoleMissing.needed": [2n, "liquidityProvider"],
  "PartnerRegistry_NoExit.status": [3n, "frozen"],
  "PartnerRegistry_NoExit.upheld": [true, "true"],
  "PartnerRegistry_RolesMismatch.given": [1n, "wallet"],
  "PartnerRegistry_RolesMismatch.current": [3n, "wallet + liquidityProvider"],
  "PartnerRegistry_AdminNotice.until": [1_790_000_100n, "2026-09-21T"],
  "PartnerRegistry_KeyNotAuthorized.needed": [4n, "quote"],
  "PartnerRegistry_IllegalStatus.current": [3n, "frozen"],
  "PartnerRegistry_IllegalStatus.requested": [2n, "suspended"],
  "PartnerRegistry_PartnerNotActive.status": [2n, "suspended"],
  "TransferRegistry_AcceptanceExpired.acceptedUntil": [1_790_000_100n, "2026-09-21T"],
  "TransferRegistry_IllegalStatus.current": [4n, "Expired"],
  "TransferRegistry_IllegalStatus.needed": [1n, "Open"],
  "Treasury_ModuleNotAuthorized.status": [2n, "draining"],
  "Treasury_IllegalModuleStatus.current": [1n, "active"],
  "Treasury_IllegalModuleStatus.requested": [2n, "draining"],
  "Treasury_ModuleStatusMismatch.given": [1n, "active"],
  "Treasury_ModuleStatusMismatch.current": [2n, "draining"],
  "Treasury_ModuleNotAnnounced.announced": [0n, "none"],
  "Treasury_ModuleNotAnnounced.requested": [1n, "active"],
  "Treasury_ModuleAlreadyAnnounced.announced": [2n, "draining"],
  "Treasury_ModuleNoticeNotOver.from": [1_790_000_100n, "2026-09-21T"],
  "Treasury_ModuleNoticeNotOver.until": [1_790_000_200n, "2026-09-21T"],
  "Treasury_ExitNotOpen.since": [1_790_000_100n, "2026-09-21T"],
  "Treasury_ExitNotOpen.opensAt": [1_790_000_200n, "2026-09-21T"],
  "Treasury_UnknownCurrency.currency": [998n, "998"],
  "Treasury_InvalidCurrency.currency": [1_000n, "1000"],
  "SettlementToken_InvalidCurrency.currency": [1_000n, "1000"],
};
/** Left out where the sentence is as clear without: what a role is called for. */
const UNSAID: ReadonlySet<string> = new Set([
  "AccessManagerUnauthorizedCancel.target",
  "AccessManagerUnauthorizedCancel.selector",
]);

/** Every error that a contract of the ledger declares, once. */
function declaredErrors(): readonly (readonly [Interface, ErrorFragment])[] {
  const all = [...Object.values(ABI), BUILT_IN].flatMap((abi) =>
    abi.fragments.filter((fragment) => ErrorFragment.isFragment(fragment)).map((fragment) => [abi, fragment] as const),
  );
  return [...new Map(all.map((entry) => [entry[1].format(), entry])).values()];
}

function realistic(error: string, { name, type }: ParamType, index: number): readonly [value: unknown, words: string] {
  const known = REALISTIC_OF[`${error}.${name}`] ?? REALISTIC[name];
  if (known !== undefined) return known;
  if (type === "address") return [ADDRESS, ADDRESS];
  if (type === "bytes") return [HASH, HASH];
  if (type.startsWith("bytes")) {
    const bytes = HASH.slice(0, 2 + 2 * Number.parseInt(type.slice("bytes".length), 10));
    return [bytes, bytes];
  }
  // Small enough for any integer type, and different for each argument.
  return [BigInt(100 + index), String(100 + index)];
}

const extremesOf = ({ type }: ParamType): readonly unknown[] => {
  if (type === "string") return ["", "\u{1F4B8}"];
  if (type === "bool") return [false, true];
  if (type === "address") return [`0x${"0".repeat(40)}`, `0x${"f".repeat(40)}`];
  if (type === "bytes") return ["0x", `0x${"f".repeat(130)}`];
  const bits = Number.parseInt(/\d+$/.exec(type)?.[0] ?? "256", 10);
  if (type.startsWith("bytes")) return [`0x${"0".repeat(2 * bits)}`, `0x${"f".repeat(2 * bits)}`];
  return [0n, 2n ** BigInt(bits) - 1n];
};

describe("errors of the ledger", function () {
  describe("each have a sentence", () => {
    for (const [abi, fragment] of declaredErrors()) {
      it(`${fragment.name}, with all of its values`, () => {
        const given = fragment.inputs.map((input, index) => realistic(fragment.name, input, index));
        const data = abi.encodeErrorResult(
          fragment,
          given.map(([value]) => value),
        );
        const decoded = decodeRevert(data, "the cause");
        expect(decoded).to.be.instanceOf(LedgerError);
        expect([decoded?.code, decoded?.cause]).to.deep.equal([fragment.name, "the cause"]);
        expect(decoded?.values).to.deep.equal(
          Object.fromEntries(fragment.inputs.map(({ name }, index) => [name, given[index]?.[0]])),
        );
        for (const [index, { name }] of fragment.inputs.entries()) {
          if (UNSAID.has(`${fragment.name}.${name}`)) continue;
          expect(decoded?.message, name).to.include(given[index]?.[1]);
        }
      });

      it(`${fragment.name}, whatever its values`, () => {
        for (const extreme of [0, 1]) {
          const values = fragment.inputs.map((input) => extremesOf(input)[extreme]);
          const decoded = decodeRevert(abi.encodeErrorResult(fragment, values));
          expect(decoded?.code).to.equal(fragment.name);
          expect(decoded?.message).not.to.match(/undefined|NaN|Invalid|object Object/);
        }
      });
    }

    it("and no sentence is for an error that there is not", () => {
      const declared = new Set(declaredErrors().map(([, { name }]) => name));
      expect(Object.keys(LEDGER_ERRORS).filter((name) => !declared.has(name))).to.deep.equal([]);
    });
  });

  describe("tell what to do", () => {
    const decodeStatus = (current: number) =>
      decodeRevert(ABI.transferRegistry.encodeErrorResult("TransferRegistry_IllegalStatus", [HASH, current, 1]));

    it("about a batch: nothing when it has gone past what was to be done, later when it is not there yet", () => {
      expect([0, 1, 2, 3, 4].map((current) => decodeStatus(current)?.remedy)).to.deep.equal([
        "retry",
        "done",
        "done",
        "done",
        "done",
      ]);
    });

    it("with an ISO 20022 reason where one fits", () => {
      const [partner, currency] = [4, 608];
      const data = ABI.treasury.encodeErrorResult("Treasury_InsufficientAvailable", [partner, currency, 5n, 7n]);
      const decoded = decodeRevert(data);
      expect([decoded?.reason, decoded?.remedy]).to.deep.equal(["AM04", "retry"]);
      expect(decoded?.message).to.equal("partner 4 has 5 PHP minor units available; this takes 7");
      const paused = decodeRevert(ABI.transferRegistry.encodeErrorResult("EnforcedPause", []));
      expect([paused?.reason, paused?.remedy]).to.deep.equal([undefined, "retry"]);
      expect(decodeRevert(BUILT_IN.encodeErrorResult("Panic", [1]))?.remedy).to.equal("change");
    });
  });

  describe("are not made up", () => {
    const unknown = new Interface(["error Unheard(uint256 of)"]).encodeErrorResult("Unheard", [1]);
    const notText = `0x08c379a0${AbiCoder.defaultAbiCoder().encode(["bytes"], ["0xff"]).slice(2)}`;
    for (const [what, data] of [
      ["of another contract", unknown],
      ["cut short", ABI.treasury.encodeErrorResult("Treasury_UnknownCurrency", [1]).slice(0, -2)],
      ["a selector alone", ABI.treasury.encodeErrorResult("Treasury_UnknownCurrency", [1]).slice(0, 10)],
      ["not text", notText],
      ["nothing", "0x"],
    ] as const) {
      it(`from data that is ${what}`, () => {
        expect(decodeRevert(data)).to.equal(undefined);
        expect(decodeLedgerError(Object.assign(new Error("reverted"), { data }))).to.equal(undefined);
      });
    }

    it("from a failure without data", () => {
      const circular: { cause?: unknown } = {};
      circular.cause = circular;
      for (const failure of [new Error("no"), "no", null, undefined, circular, { data: HASH }]) {
        expect(decodeLedgerError(failure)).to.equal(undefined);
      }
    });
  });

  it("are found wherever nodes and libraries put them", () => {
    const data = ABI.transferRegistry.encodeErrorResult("EnforcedPause", []);
    for (const failure of [
      { data },
      { data: { data } },
      { error: { data } },
      { info: { error: { data } } },
      { cause: { info: { error: { data: { data } } } } },
    ]) {
      expect(decodeLedgerError(failure)?.code).to.equal("EnforcedPause");
    }
    const decoded = decodeRevert(data);
    expect(decodeLedgerError(decoded)).to.equal(decoded);
  });

  describe("of a node behind HTTP, by ethers' own provider", () => {
    let sandbox: Sandbox;
    let node: HttpNode;

    beforeEach(async () => {
      sandbox = await fundedLedger();
      node = await startHttpNode();
    });

    afterEach(async () => {
      await setAutomine(true);
      await node.close();
    });

    const submitterBy = (httpProvider: Provider) =>
      createSubmitter(sandbox.keys.walletOf(OPERATOR).connect(httpProvider), { ...OPTIONS, pollIntervalMs: 50 });
    const failureOf = (call: Promise<unknown>): Promise<unknown> => call.catch((failure: unknown) => failure);

    it("are decoded from a call, an estimate and a transaction in a block", async () => {
      const batch = await makeBatch(sandbox);
      const { transferRegistry } = sandbox.ledger;
      const expire = expireCall(sandbox.ledger, batch.header);
      for (const failure of [
        await failureOf(node.provider.call(expire)),
        await failureOf(node.provider.estimateGas(expire)),
        await failureOf(provider.call(expire)),
        await failureOf(provider.estimateGas(expire)),
        await failureOf(transferRegistry.expire.staticCall(packHeader(batch.header))),
      ]) {
        const decoded = decodeLedgerError(failure);
        expect(decoded?.code).to.equal("TransferRegistry_IllegalStatus");
        expect(decoded?.values).to.deep.equal({ batchId: batch.id, current: 0n, needed: 1n });
      }

      // Two couriers at once: what the second one simulates lets it pass, and it is too late all the same.
      await setAutomine(false);
      const waiting = (count: string) =>
        until(async () => (await provider.send("eth_getBlockTransactionCountByNumber", ["pending"])) === count);
      const first = (await sandbox.submitterOf({ kind: "courier" })).submit(batch.open);
      await waiting("0x1");
      const passing = withMethods(node.provider, { estimateGas: () => Promise.resolve(1_000_000n) });
      const second = ledgerError((await submitterBy(passing)).submit(batch.open));
      await waiting("0x2");
      await setAutomine(true);
      await provider.send("evm_mine", []);
      expect((await first).status).to.equal(1);
      expect((await second).code).to.equal("TransferRegistry_IllegalStatus");
    });

    it("do not hide a transaction whose reply was lost", async () => {
      const submitter = await submitterBy(node.provider);
      let sends = 0;
      node.fateOf = (method) => (method === "eth_sendRawTransaction" && ++sends === 1 ? "lost after" : "passed");
      await submitter.submit(withdrawOne(sandbox));
      expect([sends, await withdrawals(sandbox)]).to.deep.equal([1, 1n]);

      sends = 0;
      node.fateOf = (method) => (method === "eth_sendRawTransaction" && ++sends === 1 ? "lost before" : "passed");
      await submitter.submit(withdrawOne(sandbox));
      expect(await withdrawals(sandbox)).to.equal(2n);
    });

    it("do not stop a key that somebody else uses too, while answers come from a cache", async () => {
      const [submitter, other] = [await submitterBy(node.provider), await sandbox.submitterOf(OPERATOR)];
      for (let rounds = 0; rounds < 3; rounds++) {
        await submitter.submit(withdrawOne(sandbox));
        await other.submit(beatCall(sandbox.ledger));
      }
      expect(await withdrawals(sandbox)).to.equal(3n);
    });
  });
});
