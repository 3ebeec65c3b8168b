import { expect } from "chai";
import { quoteId, type Quote } from "../../../src/domain/quote.ts";
import { makeBatch, makeQuote, openBatch, signQuote, withHeader } from "../support/batches.ts";
import { PROVIDER } from "../../support/transfers.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { giveRights, takeRights } from "../support/modules.ts";
import { CORRIDORS, HKD, ModuleStatus, PHP, Purpose, freshNetwork, keysOf, type Network } from "../support/network.ts";

/** A sale by another module than the transfer registry: 100.00 HKD at the quote's rate. */
function sale(
  changes: Partial<Record<"taker" | "sourceCurrency" | "sourceAmount" | "targetAmount" | "hold", number>> = {},
) {
  return {
    taker: 7,
    sourceCurrency: HKD,
    targetCurrency: PHP,
    sourceAmount: 10_000,
    targetAmount: 71_234,
    hold: 60,
    ...changes,
  };
}

/** A network with a second module, which draws by itself. */
async function withSecondModule() {
  const network = await freshNetwork();
  const [module] = network.cast.spare;
  await giveRights(network, module, ModuleStatus.Active);
  return { network, module };
}

async function draw(network: Network, quote: Quote, given = sale(), as = network.cast.spare[0]) {
  const by = await signQuote(network, quote, keysOf(network, PROVIDER).quote);
  return network.quotes.connect(as).draw(quote, given, by);
}

describe("QuoteBook.constructor", () => {
  it("emits TreasuryBound with the treasury whose modules may draw", async () => {
    const { quotes, treasury } = await freshNetwork();
    const bound = await quotes.queryFilter(quotes.filters.TreasuryBound());
    expect(bound.map(({ args }) => args.treasury)).to.deep.equal([await treasury.getAddress()]);
  });
});

describe("QuoteBook.draw", () => {
  describe("when the caller is no active module", () => {
    for (const status of ["None", "Draining"] as const) {
      it(`reverts with NotActive for one that is ${status}`, async () => {
        const { network, module } = await withSecondModule();
        const quote = await makeQuote(CORRIDORS.hkdToPhp);
        await takeRights(network, module, ModuleStatus[status]);
        await expectRevert(draw(network, quote), "ForModules_NotActive", [module.address, ModuleStatus[status]]);
      });
    }
  });

  describe("when the quote is not for this sale", () => {
    it("reverts with Mismatch for another taker", async () => {
      const { network } = await withSecondModule();
      const quote = await makeQuote(CORRIDORS.hkdToPhp, { taker: 8 as Quote["taker"] });
      await expectRevert(draw(network, quote), "QuoteBook_Mismatch", ["taker", 8, 7]);
    });

    it("reverts with RateExceeded for a unit more than the source amount buys", async () => {
      const { network } = await withSecondModule();
      const quote = await makeQuote(CORRIDORS.hkdToPhp);
      const call = draw(network, quote, sale({ targetAmount: 71_235 }));
      await expectRevert(call, "QuoteBook_RateExceeded", [10_000, 71_235]);
    });

    it("reverts with HoldTooLong for a second more than it allows", async () => {
      const { network } = await withSecondModule();
      const quote = await makeQuote(CORRIDORS.hkdToPhp, { maxHold: 60 });
      await expectRevert(draw(network, quote, sale({ hold: 61 })), "QuoteBook_HoldTooLong", [61, 60]);
    });
  });

  describe("when the provider may not sell", () => {
    it("reverts with KeyNotAuthorized for a key without the purpose", async () => {
      const { network, module } = await withSecondModule();
      const quote = await makeQuote(CORRIDORS.hkdToPhp);
      const { fund } = keysOf(network, PROVIDER);
      const call = network.quotes.connect(module).draw(quote, sale(), await signQuote(network, quote, fund));
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [PROVIDER, fund.address, Purpose.quote]);
    });
  });

  describe("when another module has drawn on the quote before", () => {
    it("counts both, and reverts with UsedUp for a unit more than its capacity", async () => {
      const { network } = await withSecondModule();
      const { quotes, chain } = network;
      const planned = await makeBatch(network);
      const quote = { ...planned.header.quote, capacity: planned.header.targetTotal + 71_234n };
      await openBatch(network, withHeader(planned, { quote }));
      await draw(network, quote);
      expect(await quotes.drawnOf(quoteId(quote, chain))).to.equal(quote.capacity);
      const args = [quoteId(quote, chain), quote.capacity, 7, quote.capacity];
      await expectRevert(draw(network, quote, sale({ sourceAmount: 1, targetAmount: 7 })), "QuoteBook_UsedUp", args);
      await draw(network, quote, sale({ sourceAmount: 0, targetAmount: 0 }));
      const other = withHeader(await makeBatch(network, { seed: "other", count: 1 }), { quote });
      const left = [quoteId(quote, chain), quote.capacity, other.header.targetTotal, quote.capacity];
      await expectRevert(openBatch(network, other), "QuoteBook_UsedUp", left);
    });
  });

  describe("when nothing is wrong", () => {
    it("returns the quote's id and draws", async () => {
      const { network, module } = await withSecondModule();
      const quote = await makeQuote(CORRIDORS.hkdToPhp);
      const by = await signQuote(network, quote, keysOf(network, PROVIDER).quote);
      const id = await network.quotes.connect(module).draw.staticCall(quote, sale(), by);
      expect(id).to.equal(quoteId(quote, network.chain));
      await draw(network, quote);
      expect(await network.quotes.drawnOf(id)).to.equal(71_234);
    });
  });
});
