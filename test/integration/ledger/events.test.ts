import { expect } from "chai";
import { AbiCoder, ZeroHash, type Log } from "ethers";
import { utf8 } from "../../../src/domain/bytes/bytes.ts";
import { packHeader } from "../../../src/domain/packed-header.ts";
import { fromHex, toHex } from "../../../src/domain/bytes/hex.ts";
import { keccak256 } from "../../../src/domain/bytes/keccak.ts";
import { corridorId } from "../../../src/domain/corridor.ts";
import { quoteId } from "../../../src/domain/quote.ts";
import { settle } from "../../../src/domain/settlement.ts";
import { transferLeaf } from "../../../src/domain/transfer.ts";
import { beatCall, cancelQuoteCall, encodeCall, expireCall, transferStruct } from "../../../src/ledger/calls.ts";
import { connectLedger } from "../../../src/ledger/contracts.ts";
import {
  decodeEvent,
  emittersOf,
  readEvents,
  type LedgerEvent,
  type LedgerEventBody,
} from "../../../src/ledger/events.ts";
import { signSettlement } from "../../../src/ledger/signing.ts";
import type { Call } from "../../../src/ledger/submitter.ts";
import type { KeyHolder } from "../../../sandbox/network.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { until } from "../../support/until.ts";
import { makeBatch, makeSettlement } from "../../support/batches.ts";
import { proveRefusals } from "../../support/transfers.ts";
import { runPastExpiry } from "../support/chain.ts";
import {
  ALIPAY_HK,
  fundedLedger,
  GCASH,
  HKD_TO_HKD,
  HKD_TO_PHP,
  HUB,
  networkHelpers,
  PROVIDER,
  provider,
} from "../support/chain.ts";
import { asGovernance } from "../support/governance.ts";
import { withMethods } from "../support/provider.ts";
import { mine, OPERATOR, setAutomine } from "../support/submitting.ts";

const COURIER = { kind: "courier" } as const;
const fail = (): never => {
  throw new Error("test set-up: it is not there");
};

describe("events of the ledger", function () {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = await fundedLedger();
  });

  afterEach(() => setAutomine(true));

  /** The events of one transaction, which comes last. */
  const eventsOf = async (call: Call, holder: KeyHolder = COURIER): Promise<readonly LedgerEvent[]> => {
    const receipt = await (await sandbox.submitterOf(holder)).submit(call);
    const events = await readEvents(sandbox.ledger, receipt.blockNumber, await provider.getBlockNumber());
    const contracts = new Set(receipt.logs.map(({ address }) => address.toLowerCase()));
    for (const { contract, cursor, transactionHash } of events) {
      expect([cursor.block, transactionHash]).to.deep.equal([receipt.blockNumber, receipt.hash]);
      expect(contracts).to.include(contract);
    }
    return events;
  };
  /** Beside what the treasury tells of the money, which follows. */
  const expectEvent = async (call: Call, expected: LedgerEventBody, holder: KeyHolder = COURIER) => {
    const events = await eventsOf(call, holder);
    expect(events.filter((event) => !("module" in event)).map(bodyOf)).to.deep.equal([expected]);
    expect(events[0]?.kind).to.equal(expected.kind);
  };

  for (const [name, corridor] of Object.entries({ HKD_TO_PHP, HKD_TO_HKD })) {
    it(`Opened carries the header that was sent, ${name}`, async () => {
      const { open, header, id } = await makeBatch(sandbox, { corridor });
      const { source, target } = header;
      await expectEvent(open, { kind: "Opened", batchId: id, source, target, header });
    });
  }

  it("Settled carries what was settled, and the rejections in the order of their leaves", async () => {
    const batch = await makeBatch(sandbox, { count: 6 });
    const refusals = { 0: "AC03", 3: "BE23", 5: "RR04" } as const;
    await eventsOf(batch.open);
    const { rejections } = proveRefusals(batch, refusals);
    const expected = settle(batch.header, rejections);
    if (expected.kind === "refused") throw new Error(expected.refusal);
    await expectEvent(await makeSettlement(sandbox, batch, refusals), {
      kind: "Settled",
      batchId: batch.id,
      source: ALIPAY_HK,
      target: GCASH,
      settledSource: expected.settledSource,
      settledTarget: expected.settledTarget,
      fee: expected.feeCharged,
      rejected: rejections.map(({ transfer, reason }) => ({
        leaf: toHex(transferLeaf(transfer)),
        code: toHex(utf8(reason)),
      })),
    });
  });

  it("Rejected carries every transfer", async () => {
    const batch = await makeBatch(sandbox, { count: 1 });
    await eventsOf(batch.open);
    const [transfer = fail()] = batch.transfers;
    await expectEvent(await makeSettlement(sandbox, batch, { 0: "AC03" }), {
      kind: "Rejected",
      batchId: batch.id,
      source: ALIPAY_HK,
      target: GCASH,
      rejected: [{ leaf: toHex(transferLeaf(transfer)), code: "0x41433033" }],
    });
  });

  it("a reason that the network does not know is kept as its code", async () => {
    const { ledger, keys } = sandbox;
    const batch = await makeBatch(sandbox, { count: 1 });
    await eventsOf(batch.open);
    const [transfer = fail()] = batch.transfers;
    const leaf = toHex(transferLeaf(transfer));
    const code = toHex(utf8("ZZ99"));
    const chained = AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32", "bytes4"], [ZeroHash, leaf, code]);
    const rejectionsHash = toHex(keccak256(fromHex(chained)));
    const signer = keys.walletOf({ kind: "operator", partner: GCASH });
    const accept = await signSettlement(signer, ledger.chain, { batchId: batch.id, rejectionsHash });
    const rejection = { transfer: transferStruct(transfer), reason: code };
    const args = [packHeader(batch.header), [rejection], { siblings: [], flags: [] }, accept];
    await expectEvent(encodeCall("transferRegistry", ledger.addresses.transferRegistry, "settle", args), {
      kind: "Rejected",
      batchId: batch.id,
      source: ALIPAY_HK,
      target: GCASH,
      rejected: [{ leaf, code }],
    });
  });

  it("Expired and TimeLost tell of a batch and of time that are over", async () => {
    const batch = await makeBatch(sandbox);
    await eventsOf(batch.open);
    await runPastExpiry(sandbox, batch);
    const expired = { kind: "Expired", batchId: batch.id, source: ALIPAY_HK, target: GCASH } as const;
    await expectEvent(expireCall(sandbox.ledger, batch.header), expired);

    await eventsOf(beatCall(sandbox.ledger));
    const beforeHalt = await sandbox.ledger.transferRegistry.time();
    await networkHelpers.time.increase(3_600);
    const [event] = await eventsOf(beatCall(sandbox.ledger));
    if (event?.kind !== "TimeLost") throw new Error(`${event?.kind} instead of TimeLost`);
    expect(event.lostSeconds).to.be.within(3_570, 3_600);
    // Up to an interval had not been written down when the halt began.
    expect(BigInt(event.ledgerTime) - beforeHalt >= 20n && BigInt(event.ledgerTime) - beforeHalt <= 30n).to.equal(true);
  });

  it("Held, Moved and Released tell of every movement that follows, with its module", async () => {
    const batch = await makeBatch(sandbox, { count: 3 });
    const { sourceTotal, targetTotal, fee } = batch.header;
    const module = sandbox.ledger.addresses.transferRegistry;
    const paid = { module, partner: ALIPAY_HK, currency: HKD_TO_PHP.sourceCurrency };
    const sold = { module, partner: PROVIDER, currency: HKD_TO_PHP.targetCurrency };
    const moneyOf = async (call: Call) => (await eventsOf(call)).filter((event) => "module" in event).map(bodyOf);
    expect(await moneyOf(batch.open)).to.deep.equal([
      { kind: "Held", ...paid, amount: sourceTotal + fee },
      { kind: "Held", ...sold, amount: targetTotal },
    ]);
    const expected = settle(batch.header, proveRefusals(batch, { 1: "AC03" }).rejections);
    if (expected.kind === "refused") throw new Error(expected.refusal);
    expect(await moneyOf(await makeSettlement(sandbox, batch, { 1: "AC03" }))).to.deep.equal([
      { kind: "Moved", ...paid, to: PROVIDER, amount: expected.settledSource },
      { kind: "Moved", ...sold, to: GCASH, amount: expected.settledTarget },
      { kind: "Moved", ...paid, to: HUB, amount: expected.feeCharged },
      { kind: "Released", ...paid, amount: expected.sourceRefund },
      { kind: "Released", ...sold, amount: expected.providerRefund },
    ]);
  });

  it("QuoteCancelled names the quote", async () => {
    const { header } = await makeBatch(sandbox);
    const id = quoteId(header.quote, sandbox.ledger.chain);
    await expectEvent(
      cancelQuoteCall(sandbox.ledger, header.quote),
      { kind: "QuoteCancelled", quoteId: id, provider: PROVIDER },
      { kind: "operator", partner: PROVIDER },
    );
  });

  it("Withdrawn and Deposited name partner, currency, amount and account", async () => {
    const { addresses } = sandbox.ledger;
    const account = sandbox.keys.addressOf(OPERATOR);
    const moved = { partner: ALIPAY_HK, currency: HKD_TO_PHP.sourceCurrency, amount: 123_456n, account };
    const token = addresses.tokens.get(moved.currency) ?? fail();
    const call = (name: string, args: readonly unknown[]) => encodeCall("treasury", addresses.treasury, name, args);
    await expectEvent(call("withdraw", [ALIPAY_HK, 344, 123_456n, account]), { kind: "Withdrawn", ...moved }, OPERATOR);
    await eventsOf(encodeCall("settlementToken", token, "approve", [addresses.treasury, 123_456n]), OPERATOR);
    await expectEvent(call("deposit", [ALIPAY_HK, 344, 123_456n]), { kind: "Deposited", ...moved }, OPERATOR);
  });

  it("StatusChanged and CorridorChanged name what governance decided", async () => {
    const statuses = [
      ["guardian", "suspend", [], "suspended"],
      ["guardian", "freeze", [], "frozen"],
      ["supervisor", "reactivate", [2], "active"],
    ] as const;
    for (const [role, name, args, status] of statuses) {
      const block = await asGovernance(sandbox, role, "partnerRegistry", name, [GCASH, ...args]);
      const events = await readEvents(sandbox.ledger, block, block);
      expect(events.map(bodyOf)).to.deep.equal([{ kind: "StatusChanged", partner: GCASH, status }]);
    }
    const terms = { open: true, feeBps: 25n, maxPerBatch: 10n ** 6n, maxPerDay: 2n ** 64n - 1n };
    const args = [corridorId(HKD_TO_PHP), 1, terms];
    const block = await asGovernance(sandbox, "risk", "corridorBook", "setCorridor", args);
    expect((await readEvents(sandbox.ledger, block, block)).map(bodyOf)).to.deep.equal([
      { kind: "CorridorChanged", corridor: HKD_TO_PHP, terms },
    ]);
  });

  it("come in the order of block and log, several to a block, wherever they come from", async () => {
    const [one, two] = [await makeBatch(sandbox, { seed: "1" }), await makeBatch(sandbox, { seed: "2" })];
    const settlement = await makeSettlement(sandbox, one);
    const operator = await sandbox.submitterOf(OPERATOR);
    const couriers = [
      await sandbox.submitterOf(COURIER),
      await sandbox.submitterOf({ kind: "secondCourier" }),
    ] as const;
    const from = (await provider.getBlockNumber()) + 1;
    await setAutomine(false);
    const opening = [couriers[0].submit(one.open), couriers[1].submit(two.open)];
    await until(async () => (await provider.send("eth_getBlockTransactionCountByNumber", ["pending"])) === "0x2");
    await setAutomine(true);
    await mine();
    await Promise.all(opening);
    await operator.submit(settlement);

    const to = await provider.getBlockNumber();
    const events = await readEvents(sandbox.ledger, from, to);
    const kinds = ["Opened", "Held", "Held", "Opened", "Held", "Held", "Settled", "Moved", "Moved", "Moved"];
    expect(events.map(({ kind }) => kind)).to.deep.equal(kinds);
    const [first, , , second] = events.map(({ cursor }) => cursor);
    expect(first?.block).to.equal(second?.block);
    expect(first?.logIndex).to.be.lessThan(second?.logIndex ?? -1);

    // Whatever order a node, or several of them, answer in.
    const shuffled = withMethods(provider, {
      getLogs: async (filter) => (await provider.getLogs(filter)).toReversed(),
    });
    const other = await connectLedger(shuffled, sandbox.ledger.addresses);
    expect(await readEvents(other, from, to)).to.deep.equal(events);
    // Both ends are included.
    expect(await readEvents(sandbox.ledger, to, to)).to.deep.equal(events.slice(6));
    expect(await readEvents(sandbox.ledger, from, to - 1)).to.deep.equal(events.slice(0, 6));
  });

  it("leave out what is none of theirs", async () => {
    const { addresses } = sandbox.ledger;
    const emitters = emittersOf(addresses);
    const [token] = addresses.tokens.values();
    const approved = encodeCall("settlementToken", token ?? fail(), "approve", [addresses.treasury, 5n]);
    const receipt = await (await sandbox.submitterOf(OPERATOR)).submit(approved);
    expect(receipt.logs).to.have.length(1);
    expect(receipt.logs.map((log: Log) => decodeEvent(emitters, log))).to.deep.equal([undefined]);
    // Called as one of the ledger's, said by a contract that is none of them, or not by the one whose event it is.
    const batch = await makeBatch(sandbox);
    const opened = await (await sandbox.submitterOf(COURIER)).submit(batch.open);
    expect(opened.logs.map((log: Log) => decodeEvent(emitters, log)?.kind)).to.deep.equal(["Opened", "Held", "Held"]);
    const { transferRegistry, treasury, ...others } = addresses;
    const elsewhere = emittersOf({ ...others, transferRegistry: treasury, treasury: transferRegistry });
    expect(opened.logs.map((log: Log) => decodeEvent(elsewhere, log))).to.deep.equal([undefined, undefined, undefined]);
    expect(opened.logs.map((log: Log) => decodeEvent(new Map(), log))).to.deep.equal([undefined, undefined, undefined]);
    // Of the ledger's own, but of no kind that its clients act on.
    const block = await asGovernance(sandbox, "guardian", "transferRegistry", "pause", []);
    expect(await readEvents(sandbox.ledger, block, block)).to.deep.equal([]);
  });
});

function bodyOf({
  contract: _contract,
  cursor: _cursor,
  transactionHash: _hash,
  ...body
}: LedgerEvent): LedgerEventBody {
  return body;
}
