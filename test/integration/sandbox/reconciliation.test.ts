import { expect } from "chai";
import { parseCurrency } from "../../../src/domain/currency.ts";
import { parsePartnerId, type PartnerId } from "../../../src/domain/partner.ts";
import type { Uetr } from "../../../src/domain/uetr.ts";
import { beatCall, encodeCall } from "../../../src/ledger/calls.ts";
import { openBooks, type Postings, type WalletBooks } from "../../../src/sandbox/accounts.ts";
import { reconcile, type Outcome, type Reconciliation } from "../../../src/sandbox/reconciliation.ts";
import type { BatchRecord, Simulation } from "../../../src/sandbox/simulation.ts";
import { DAY, sendDay, type SentDay } from "../support/day.ts";
import { withMethods } from "../support/provider.ts";

const STRAY = "0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10" as Uetr; // a UUID v4 that no order has
const HKD = parseCurrency("HKD");
const GCASH = parsePartnerId(4);
const ALIPAY_HK = parsePartnerId(7);

describe("the reconciliation of a day", function () {
  this.timeout(60_000);
  let day: SentDay;
  let sound: Reconciliation;

  before(async () => {
    day = await sendDay();
    sound = await reconcile(day.sandbox, day.simulation, day.movements);
  });

  const reconciled = (change: Partial<Simulation>) =>
    reconcile(day.sandbox, { ...day.simulation, ...change }, day.movements);

  /** The books with one posting changed; taken out, without an amount. */
  const booksWith = (wallet: PartnerId, kind: keyof Postings, uetr: Uetr, amount?: bigint) => {
    const books = day.simulation.books.get(wallet) ?? openBooks(wallet);
    const posted = new Map(books[kind]);
    if (amount === undefined) posted.delete(uetr);
    else posted.set(uetr, amount);
    const changed: WalletBooks = { ...books, [kind]: posted };
    return { books: new Map([...day.simulation.books, [wallet, changed]]) };
  };

  /** A transfer with that outcome, and what its wallets have of it. */
  const transferThat = (outcome: Outcome) => {
    const order = day.simulation.orders.find(({ uetr }) => sound.outcomes.get(uetr) === outcome);
    if (order === undefined) throw new Error(`test set-up: no transfer ${outcome}`);
    const { uetr, source, target } = order;
    const debit = day.simulation.books.get(source)?.debits.get(uetr) ?? 0n;
    const credit = day.simulation.books.get(target)?.credits.get(uetr) ?? 0n;
    return { uetr, source, target, debit, credit };
  };

  it("finds nothing in a sound one", () => {
    expect([sound.unaccounted, sound.balanceDifferences]).to.deep.equal([[], []]);
  });

  describe("finds in the wallets' books", () => {
    for (const outcome of ["rejected", "expired"] as const) {
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
    const firstBatch = (): BatchRecord => {
      const [batch] = day.simulation.batches.filter(
        ({ ending, rejections }) => ending === "settled" && rejections.length === 0,
      );
      if (batch === undefined) throw new Error("test set-up: a batch");
      return batch;
    };
    const withBatch = (change: (batch: BatchRecord) => BatchRecord | undefined) => {
      const chosen = firstBatch();
      return day.simulation.batches.flatMap((batch) => (batch === chosen ? (change(batch) ?? []) : batch));
    };
    const uetrsOf = ({ orders }: BatchRecord) => orders.map(({ uetr }) => uetr);

    it("a batch that the ledger does not have", async () => {
      const batches = withBatch((batch) => ({ ...batch, batchId: `0x${"5".repeat(64)}` }));
      expect((await reconciled({ batches })).unaccounted).to.have.members(uetrsOf(firstBatch()));
    });

    it("orders that went into no batch", async () => {
      const { unaccounted, balanceDifferences } = await reconciled({ batches: withBatch(() => undefined) });
      expect(unaccounted).to.have.members(uetrsOf(firstBatch()));
      // And what the batch moved, nobody has explained.
      expect(balanceDifferences.length).to.be.at.least(3);

      const [order] = day.simulation.orders;
      if (order === undefined) throw new Error("test set-up: an order");
      const orders = [...day.simulation.orders, { ...order, uetr: STRAY }];
      expect((await reconciled({ orders })).unaccounted).to.deep.equal([STRAY]);
    });

    it("a transfer of another amount than its batch commits to, although the books agree with it", async () => {
      const batches = withBatch((batch) => {
        const [first, ...others] = batch.prepared.payload;
        if (first === undefined) return batch;
        const payload = [{ ...first, targetAmount: first.targetAmount + 1n }, ...others];
        return { ...batch, prepared: { ...batch.prepared, payload } };
      });
      const [order] = firstBatch().orders;
      const { uetr, target } = order ?? fail();
      const credit = (day.simulation.books.get(target)?.credits.get(uetr) ?? 0n) + 1n;
      const found = await reconciled({ batches, ...booksWith(target, "credits", uetr, credit) });
      expect(found.unaccounted).to.have.members(uetrsOf(firstBatch()));
    });

    it("a batch that ended otherwise than its wallets remember", async () => {
      const { header } = firstBatch();
      const batches = withBatch((batch) => ({ ...batch, ending: "expired" }));
      const { balanceDifferences } = await reconciled({ batches });
      expect(balanceDifferences.map(({ partner }) => partner)).to.include.members([header.source, header.target]);
    });

    it("and refuses to go on where the ledger settled what the rules refuse", async () => {
      const batches = withBatch((batch) => {
        const [transfer = fail()] = batch.prepared.payload;
        const rejection = { transfer, reason: "AC03" } as const;
        return { ...batch, rejections: [rejection, rejection] };
      });
      const failure: unknown = await reconciled({ batches }).catch((thrown: unknown) => thrown);
      expect(failure).to.be.instanceOf(Error).with.property("message").that.includes("REJECTED_TWICE");
    });
  });

  describe("finds on the ledger", () => {
    it("money moved behind its owner's back, out and in", async () => {
      const { sandbox, simulation, movements } = day;
      const { ledger, keys, submitterOf } = sandbox;
      const operator = await submitterOf({ kind: "operator", partner: ALIPAY_HK });
      const { treasury, tokens } = ledger.addresses;
      const { available: before } = await ledger.treasury.balanceOf(ALIPAY_HK, HKD.numeric);
      const args = [ALIPAY_HK, HKD.numeric, 1n];
      const to = keys.addressOf({ kind: "operator", partner: ALIPAY_HK });
      await operator.submit(encodeCall("treasury", treasury, "withdraw", [...args, to]));
      const difference = { partner: ALIPAY_HK, currency: HKD.code, expected: before, found: before - 1n };
      const found = await reconcile(sandbox, simulation, movements);
      expect(found.balanceDifferences).to.deep.equal([difference]);
      // No money is missing: it is known to have left.
      expect(found.currencies.every((currency) => currency.difference === 0n)).to.equal(true);

      await operator.submit(encodeCall("settlementToken", tokens.get(HKD.code) ?? "0x", "approve", [treasury, 1n]));
      await operator.submit(encodeCall("treasury", treasury, "deposit", args));
      expect((await reconcile(sandbox, simulation, movements)).balanceDifferences).to.deep.equal([]);
      const unknown = { partner: ALIPAY_HK, currency: HKD.code, amountMinor: -5n };
      expect((await reconcile(sandbox, simulation, [...movements, unknown])).balanceDifferences).to.deep.equal([
        { ...difference, expected: before - 5n, found: before },
      ]);
    });

    it("a currency whose tokens, or whose deposits, are not what partners have", async () => {
      const { sandbox, simulation, movements } = day;
      const tokens = new Map(sandbox.ledger.tokens);
      const token = tokens.get(HKD.code) ?? fail();
      const balanceOf = async (account: string) => (await token.balanceOf(account)) + 7n;
      tokens.set(HKD.code, Object.create(token, { balanceOf: { value: balanceOf } }) as typeof token); // but for its balance
      const withTokens = { ...sandbox, ledger: { ...sandbox.ledger, tokens } };
      const differing = ({ currencies }: Reconciliation) =>
        currencies
          .filter(({ difference }) => difference !== 0n)
          .map(({ currency, difference }) => [currency, difference]);
      expect(differing(await reconcile(withTokens, simulation, movements))).to.deep.equal([["HKD", 7n]]);

      const { provider, addresses, treasury } = sandbox.ledger;
      const topic = treasury.interface.getEvent("Deposited").topicHash;
      const forgetful = withMethods(provider, {
        getLogs: async (filter) => (await provider.getLogs(filter)).filter(({ topics }) => topics[0] !== topic),
      });
      const withLogs = { ...sandbox, ledger: { ...sandbox.ledger, provider: forgetful, addresses } };
      expect(differing(await reconcile(withLogs, simulation, movements)).length).to.be.greaterThan(5);
    });

    it("nothing in what is none of its business", async () => {
      const { sandbox, simulation, movements } = day;
      await (await sandbox.submitterOf({ kind: "courier" })).submit(beatCall(sandbox.ledger));
      const found = await reconcile(sandbox, simulation, movements);
      expect([found.unaccounted, found.balanceDifferences]).to.deep.equal([[], []]);
      expect(found.outcomes.size).to.equal(DAY.orders.length);
    });
  });
});

function fail(): never {
  throw new Error("test set-up: it is not there");
}
