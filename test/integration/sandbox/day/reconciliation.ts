import { expect } from "chai";
import type { Log } from "ethers";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../../../../src/domain/partner.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import { beatCall, encodeCall } from "../../../../src/ledger/calls.ts";
import type { Postings } from "../../../../sandbox/wallet/books.ts";
import {
  reconcile,
  type EndedBatch,
  type Outcome,
  type Reconciliation,
  type SentBatch,
  type SentDay,
} from "../../../../sandbox/day/reconciliation.ts";
import type { DayRun } from "../../../../sandbox/day/run-day.ts";
import type { Sandbox } from "../../../../sandbox/sandbox.ts";
import { DAY } from "../../support/day.ts";
import { withMethods } from "../../support/provider.ts";

const STRAY = "0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10" as Uetr; // a UUID v4 that no order has
const HKD = parseCurrency("HKD");
const GCASH = parsePartnerId(4);
const ALIPAY_HK = parsePartnerId(7);

/** A day that has been run, and the ledger that it ran on. */
interface Ran {
  readonly sandbox: Sandbox;
  readonly run: DayRun;
}

/** The reconciliation of a sound day, of which these tests change nothing. */
export function describeReconciliation(ran: () => Ran): void {
  let sandbox: Sandbox;
  let run: DayRun;
  let sound: Reconciliation;

  before(() => {
    ({ sandbox, run } = ran());
    sound = run.reconciliation;
  });

  const reconciled = (change: Partial<SentDay>) => reconcile(sandbox, { ...run.day, ...change }, run.movements);

  /** The books with one posting changed; taken out, without an amount. */
  const booksWith = (wallet: PartnerId, kind: keyof Postings, uetr: Uetr, amount?: bigint) => {
    const { debits, refunds, credits } = run.day.books.get(wallet) ?? fail();
    const books = { debits, refunds, credits };
    const posted = new Map(books[kind]);
    if (amount === undefined) posted.delete(uetr);
    else posted.set(uetr, amount);
    return { books: new Map([...run.day.books, [wallet, { ...books, [kind]: posted }]]) };
  };

  /** A transfer with that outcome, and what its wallets have of it. */
  const transferThat = (outcome: Outcome) => {
    const order = run.day.orders.find(({ uetr }) => sound.outcomes.get(uetr) === outcome);
    if (order === undefined) throw new Error(`test set-up: no transfer ${outcome}`);
    const { uetr, source, target } = order;
    const debit = run.day.books.get(source)?.debits.get(uetr) ?? 0n;
    const credit = run.day.books.get(target)?.credits.get(uetr) ?? 0n;
    return { uetr, source, target, debit, credit };
  };

  it("finds nothing in a sound one", () => {
    expect([sound.unaccounted, sound.balanceDifferences]).to.deep.equal([[], []]);
  });

  describe("finds in the wallets' books", () => {
    for (const outcome of ["rejected", "expired", "failed"] as const) {
      it(`a credit of a transfer that is ${outcome}`, async () => {
        const { uetr, target } = transferThat(outcome);
        expect((await reconciled(booksWith(target, "credits", uetr, 100n))).unaccounted).to.deep.equal([uetr]);
      });

      it(`a refund that is missing, or twice what was debited, of a transfer that is ${outcome}`, async () => {
        const { uetr, source, debit } = transferThat(outcome);
        for (const refund of [undefined, 2n * debit]) {
          expect((await reconciled(booksWith(source, "refunds", uetr, refund))).unaccounted).to.deep.equal([uetr]);
        }
      });
    }

    it("a credit that is missing, or of another amount", async () => {
      const { uetr, target, credit } = transferThat("settled");
      for (const amount of [undefined, credit + 1n]) {
        expect((await reconciled(booksWith(target, "credits", uetr, amount))).unaccounted).to.deep.equal([uetr]);
      }
    });

    it("a refund of what has settled", async () => {
      const { uetr, source, debit } = transferThat("settled");
      expect((await reconciled(booksWith(source, "refunds", uetr, debit))).unaccounted).to.deep.equal([uetr]);
    });

    it("a debit that is missing, or of another amount", async () => {
      const { uetr, source, debit } = transferThat("settled");
      for (const amount of [undefined, debit + 1n]) {
        expect((await reconciled(booksWith(source, "debits", uetr, amount))).unaccounted).to.deep.equal([uetr]);
      }
    });

    it("a credit at another wallet, and one of no transfer at all", async () => {
      const { uetr, source, credit } = transferThat("settled");
      expect((await reconciled(booksWith(source, "credits", uetr, credit))).unaccounted).to.deep.equal([uetr]);
      for (const kind of ["debits", "credits", "refunds"] as const) {
        expect((await reconciled(booksWith(GCASH, kind, STRAY, 1n))).unaccounted).to.deep.equal([STRAY]);
      }
    });
  });

  describe("finds in what was sent", () => {
    const firstBatch = (): EndedBatch => {
      const isWhole = ({ ending, rejections }: EndedBatch) => ending === "settled" && rejections.length === 0;
      return sound.batches.find(isWhole) ?? fail();
    };
    const withBatch = (change: (batch: SentBatch) => SentBatch | undefined) =>
      run.day.batches.flatMap((batch) => (batch.batchId === firstBatch().batchId ? (change(batch) ?? []) : batch));
    const uetrsOf = ({ transfers }: SentBatch) => transfers.map(({ uetr }) => uetr);

    it("a batch that the ledger does not have", async () => {
      const batches = withBatch((batch) => ({ ...batch, batchId: `0x${"5".repeat(64)}` }));
      expect((await reconciled({ batches })).unaccounted).to.have.members(uetrsOf(firstBatch()));
    });

    it("orders that went into no batch", async () => {
      const { unaccounted, balanceDifferences } = await reconciled({ batches: withBatch(() => undefined) });
      expect(unaccounted).to.have.members(uetrsOf(firstBatch()));
      // And what the batch moved, nobody has explained.
      expect(balanceDifferences.length).to.be.at.least(3);

      const [order] = run.day.orders;
      if (order === undefined) throw new Error("test set-up: an order");
      const orders = [...run.day.orders, { ...order, uetr: STRAY }];
      expect((await reconciled({ orders })).unaccounted).to.deep.equal([STRAY]);
    });

    it("a transfer of another amount than its batch commits to, although the books agree with it", async () => {
      const batches = withBatch((batch) => {
        const [first, ...others] = batch.transfers;
        if (first === undefined) return batch;
        return { ...batch, transfers: [{ ...first, targetAmount: first.targetAmount + 1n }, ...others] };
      });
      const [transfer = fail()] = firstBatch().transfers;
      const { target } = firstBatch().header;
      const credit = (run.day.books.get(target)?.credits.get(transfer.uetr) ?? 0n) + 1n;
      const found = await reconciled({ batches, ...booksWith(target, "credits", transfer.uetr, credit) });
      expect(found.unaccounted).to.have.members(uetrsOf(firstBatch()));
    });

    it("a refund of what is on the ledger, and open there: it has not failed", async () => {
      const { uetr, source, debit } = transferThat("settled");
      const topics = [sandbox.ledger.transferRegistry.interface.getEvent("Settled").topicHash];
      const books = booksWith(source, "refunds", uetr, debit);
      const found = await reconcile(withoutLogs(topics), { ...run.day, ...books }, run.movements);
      expect(found.unaccounted).to.include(uetr);
      expect(found.outcomes.has(uetr)).to.equal(false);
    });

    it("nothing in an order that never got onto the ledger, and was refunded", async () => {
      const [order = fail()] = run.day.orders;
      const orders = [...run.day.orders, { ...order, uetr: STRAY }];
      const { debits, refunds, credits } = run.day.books.get(order.source) ?? fail();
      const charged = debits.get(order.uetr) ?? 0n;
      const withStray = (postings: ReadonlyMap<Uetr, bigint>) => new Map([...postings, [STRAY, charged]]);
      const own = { debits: withStray(debits), refunds: withStray(refunds), credits };
      const found = await reconciled({ orders, books: new Map([...run.day.books, [order.source, own]]) });
      expect([found.unaccounted, found.outcomes.get(STRAY)]).to.deep.equal([[], "failed"]);
    });
  });

  describe("finds on the ledger", () => {
    it("money moved behind its owner's back, out and in", async () => {
      const { day, movements } = run;
      const { ledger, keys, submitterOf } = sandbox;
      const operator = await submitterOf({ kind: "operator", partner: ALIPAY_HK });
      const { treasury, tokens } = ledger.addresses;
      const { available: before } = await ledger.treasury.balanceOf(ALIPAY_HK, HKD.numeric);
      const args = [ALIPAY_HK, HKD.numeric, 1n];
      const to = keys.addressOf({ kind: "operator", partner: ALIPAY_HK });
      await operator.submit(encodeCall("treasury", treasury, "withdraw", [...args, to]));
      const difference = { partner: ALIPAY_HK, currency: HKD.code, expected: before, found: before - 1n };
      const found = await reconcile(sandbox, day, movements);
      expect(found.balanceDifferences).to.deep.equal([difference]);
      // No money is missing: it is known to have left.
      expect(found.currencies.every((currency) => currency.difference === 0n)).to.equal(true);

      await operator.submit(encodeCall("settlementToken", tokens.get(HKD.code) ?? "0x", "approve", [treasury, 1n]));
      await operator.submit(encodeCall("treasury", treasury, "deposit", args));
      expect((await reconcile(sandbox, day, movements)).balanceDifferences).to.deep.equal([]);
      const unknown = { partner: ALIPAY_HK, currency: HKD.code, amountMinor: -5n };
      expect((await reconcile(sandbox, day, [...movements, unknown])).balanceDifferences).to.deep.equal([
        { ...difference, expected: before - 5n, found: before },
      ]);
    });

    it("a currency whose tokens, or whose deposits, are not what partners have", async () => {
      const { day, movements } = run;
      const tokens = new Map(sandbox.ledger.tokens);
      const token = tokens.get(HKD.code) ?? fail();
      const balanceOf = async (account: string) => (await token.balanceOf(account)) + 7n;
      tokens.set(HKD.code, Object.create(token, { balanceOf: { value: balanceOf } }) as typeof token); // but for its balance
      const withTokens = { ...sandbox, ledger: { ...sandbox.ledger, tokens } };
      const differing = ({ currencies }: Reconciliation) =>
        currencies
          .filter(({ difference }) => difference !== 0n)
          .map(({ currency, difference }) => [currency, difference]);
      expect(differing(await reconcile(withTokens, day, movements))).to.deep.equal([["HKD", 7n]]);

      const topic = sandbox.ledger.treasury.interface.getEvent("Deposited").topicHash;
      expect(differing(await reconcile(withoutLogs([topic]), day, movements)).length).to.be.greaterThan(5);
    });

    it("batches of which it does not tell the end", async () => {
      const { transferRegistry: registry } = sandbox.ledger;
      const events = [registry.getEvent("Settled"), registry.getEvent("Rejected"), registry.getEvent("Expired")];
      const topics = events.map(({ fragment }) => fragment.topicHash);
      const found = await reconcile(withoutLogs(topics), run.day, run.movements);
      expect(found.batches).to.deep.equal([]);
      // What has failed was never in one.
      const orders = DAY.orders.filter(({ uetr }) => sound.outcomes.get(uetr) !== "failed");
      expect(found.unaccounted).to.have.members(orders.map(({ uetr }) => uetr));
      expect(found.balanceDifferences.length).to.be.greaterThan(5);
    });

    it("a rejection of what is not in the batch", async () => {
      const abi = sandbox.ledger.transferRegistry.interface;
      const settled = abi.getEvent("Settled");
      const { provider } = sandbox.ledger;
      // One of the logs, with a rejection more than the ledger has told of.
      const inventive = withMethods(provider, {
        getLogs: async (filter) => {
          const logs = await provider.getLogs(filter);
          const place = logs.findIndex(({ topics }) => topics[0] === settled.topicHash);
          const log = logs[place] ?? fail();
          const args = abi.decodeEventLog(settled, log.data, log.topics).toArray() as unknown[]; // encoded again below
          const rejected = [{ leaf: `0x${"ab".repeat(32)}`, reason: "0x41433033" }];
          const { data } = abi.encodeEventLog(settled, [...args.slice(0, -1), rejected]);
          return logs.with(place, Object.create(log, { data: { value: data } }) as Log); // but for its data
        },
      });
      const withLogs = { ...sandbox, ledger: { ...sandbox.ledger, provider: inventive } };
      const failure: unknown = await reconcile(withLogs, run.day, run.movements).catch((thrown: unknown) => thrown);
      expect(failure).to.be.instanceOf(Error).with.property("message").that.includes("which is not in it");
    });

    it("nothing in what is none of its business", async () => {
      const { day, movements } = run;
      await (await sandbox.submitterOf({ kind: "courier" })).submit(beatCall(sandbox.ledger));
      const found = await reconcile(sandbox, day, movements);
      expect([found.unaccounted, found.balanceDifferences]).to.deep.equal([[], []]);
      expect(found.outcomes.size).to.equal(DAY.orders.length);
    });
  });

  /** The ledger without its logs of some topics. */
  function withoutLogs(hidden: readonly string[]): Sandbox {
    const { provider } = sandbox.ledger;
    const forgetful = withMethods(provider, {
      getLogs: async (filter) =>
        (await provider.getLogs(filter)).filter(({ topics }) => !hidden.includes(topics[0] ?? "")),
    });
    return { ...sandbox, ledger: { ...sandbox.ledger, provider: forgetful } };
  }
}

function fail(): never {
  throw new Error("test set-up: it is not there");
}
