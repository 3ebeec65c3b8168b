import { expect } from "chai";
import { NO_QUOTE, quoteId, type Quote } from "../../../src/domain/quote.ts";
import { makeBatch, makeQuote, openBatch, openedBatch, settleBatch } from "../support/batches.ts";
import { PROVIDER } from "../../support/transfers.ts";
import { networkHelpers } from "../support/chain.ts";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { CORRIDORS, PartnerStatus, Purpose, freshNetwork, keysOf, type Network } from "../support/network.ts";

const USED_UP = 2n ** 128n - 1n;

async function cancelled(network: Network, quote: Quote): Promise<bigint> {
  const { quote: key } = keysOf(network, PROVIDER);
  await expect(network.quotes.connect(key).cancelQuote(quote))
    .to.emit(network.quotes, "QuoteCancelled")
    .withArgs(quoteId(quote, network.chain), PROVIDER);
  return network.quotes.drawnOf(quoteId(quote, network.chain));
}

describe("QuoteBook.cancelQuote", () => {
  describe("when the caller is not a QUOTE key of the provider", () => {
    it("reverts with KeyNotAuthorized for a stranger", async () => {
      const network = await freshNetwork();
      const { stranger } = network.cast;
      const call = network.quotes.connect(stranger).cancelQuote(await makeQuote(CORRIDORS.hkdToPhp));
      const args = [PROVIDER, stranger.address, Purpose.quote];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized for another purpose's key", async () => {
      const network = await freshNetwork();
      const { fund } = keysOf(network, PROVIDER);
      const call = network.quotes.connect(fund).cancelQuote(await makeQuote(CORRIDORS.hkdToPhp));
      const args = [PROVIDER, fund.address, Purpose.quote];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized for another provider's key", async () => {
      const network = await freshNetwork();
      const { quote: key } = keysOf(network, 12);
      const call = network.quotes.connect(key).cancelQuote(await makeQuote(CORRIDORS.hkdToPhp));
      const args = [PROVIDER, key.address, Purpose.quote];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized a second past the key's validity", async () => {
      const network = await freshNetwork();
      const { quote: key, admin } = keysOf(network, PROVIDER);
      const validUntil = (await latestTimestamp()) + 5;
      await network.registry.connect(admin).authorizeKey(PROVIDER, key, Purpose.quote, validUntil);
      const quote = await makeQuote(CORRIDORS.hkdToPhp);
      await nextBlockAt(validUntil + 1);
      const call = network.quotes.connect(key).cancelQuote(quote);
      const args = [PROVIDER, key.address, Purpose.quote];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized for the quote of a same-currency batch, which has no provider", async () => {
      const network = await freshNetwork();
      const { quote: key } = keysOf(network, PROVIDER);
      const call = network.quotes.connect(key).cancelQuote(NO_QUOTE);
      const args = [0, key.address, Purpose.quote];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });
  });

  describe("when the caller is a QUOTE key of the provider", () => {
    it("uses the quote up and emits QuoteCancelled", async () => {
      const network = await freshNetwork();
      expect(await cancelled(network, await makeQuote(CORRIDORS.hkdToPhp))).to.equal(USED_UP);
    });

    it("leaves batches that drew on it open: they settle", async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      await cancelled(network, batch.header.quote);
      await expect(settleBatch(network, batch)).to.emit(network.transfers, "Settled");
    });

    it("refuses new batches with UsedUp", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { quote, targetTotal } = batch.header;
      await cancelled(network, quote);
      const args = [quoteId(quote, network.chain), USED_UP, targetTotal, quote.capacity];
      await expectRevert(openBatch(network, batch), "QuoteBook_UsedUp", args);
    });

    it("refuses new batches even where the capacity is the largest there is", async () => {
      const network = await freshNetwork();
      const quote = await makeQuote(CORRIDORS.hkdToPhp, { capacity: USED_UP });
      const batch = await makeBatch(network, { quote });
      await cancelled(network, quote);
      const args = [quoteId(quote, network.chain), USED_UP, batch.header.targetTotal, USED_UP];
      await expectRevert(openBatch(network, batch), "QuoteBook_UsedUp", args);
    });

    it("cancels while the provider is frozen and the registry paused", async () => {
      const network = await freshNetwork();
      await network.registry.connect(network.cast.guardian).freeze(PROVIDER);
      await network.transfers.connect(network.cast.guardian).pause();
      const { status } = await network.registry.partnerOf(PROVIDER);
      expect(status).to.equal(PartnerStatus.Frozen);
      expect(await cancelled(network, await makeQuote(CORRIDORS.hkdToPhp))).to.equal(USED_UP);
    });

    it("cancels twice, and a quote that is past its validity", async () => {
      const network = await freshNetwork();
      const quote = await makeQuote(CORRIDORS.hkdToPhp);
      await networkHelpers.time.increaseTo(quote.validUntil + 1);
      expect(await cancelled(network, quote)).to.equal(USED_UP);
      expect(await cancelled(network, quote)).to.equal(USED_UP);
    });

    it("leaves other quotes as they are", async () => {
      const network = await freshNetwork();
      await cancelled(network, await makeQuote(CORRIDORS.hkdToPhp));
      const other = await makeQuote(CORRIDORS.hkdToPhp, { nonce: 2n });
      const batch = await makeBatch(network, { quote: other });
      await expect(openBatch(network, batch)).to.emit(network.transfers, "Opened");
    });
  });
});
