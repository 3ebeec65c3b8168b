import { expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { quoteId } from "../../../src/domain/quote.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { expectConserved } from "../support/balances.ts";
import {
  expireBatch,
  idOf,
  makeBatch,
  makeQuote,
  openArgs,
  openBatch,
  openedBatch,
  settleBatch,
  signQuote,
  withHeader,
} from "../support/batches.ts";
import { PROVIDER, refuseAll } from "../../support/transfers.ts";
import { inOneBlock } from "../support/blocks.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { CORRIDORS, FUNDS, PHP, Purpose, freshNetwork, keysOf } from "../support/network.ts";

describe("Attack: a quote is drawn on beyond what it offers", () => {
  it("two batches race for the rest of one quote in one block: one opens", async () => {
    const network = await freshNetwork();
    const quote = await makeQuote(CORRIDORS.hkdToPhp);
    const plans = [
      await makeBatch(network, { quote, seed: "first" }),
      await makeBatch(network, { quote, seed: "second" }),
    ];
    const totals = plans.map(({ header }) => header.targetTotal);
    const capacity = totals.reduce((sum, total) => sum + total, -1n);
    const tight = { ...quote, capacity };
    const batches = plans.map((plan) => withHeader(plan, { quote: tight }));
    const args = await Promise.all(batches.map((batch) => openArgs(network, batch)));
    const results = await inOneBlock((prices) =>
      Promise.all(args.map((each, index) => network.transfers.open(...each, prices[index] ?? {}))),
    );
    expect(results.filter(Boolean).length).to.equal(1);
    const winner = batches[results.indexOf(true)];
    expect(await network.quotes.drawnOf(quoteId(tight, network.chain))).to.equal(winner?.header.targetTotal);
    await expectConserved(network);
  });

  it("what is rejected or expires does not come back to the quote: it cannot be drawn on forever", async () => {
    const network = await freshNetwork();
    const quote = await makeQuote(CORRIDORS.hkdToPhp);
    const first = await makeBatch(network, { quote, seed: "first" });
    const second = await makeBatch(network, { quote, seed: "second" });
    const capacity = first.header.targetTotal + second.header.targetTotal;
    const tight = { ...quote, capacity };
    const [a, b] = [withHeader(first, { quote: tight }), withHeader(second, { quote: tight })];
    await openBatch(network, a);
    await settleBatch(network, a, refuseAll(a));
    await openBatch(network, b);
    await expireBatch(network, b);
    const third = withHeader(await makeBatch(network, { count: 1, seed: "third" }), { quote: tight });
    // By then the quote's validity is over or not; its capacity is what is asked last.
    const { targetTotal } = third.header;
    const args = [quoteId(tight, network.chain), capacity, targetTotal, capacity];
    await expectRevert(openBatch(network, third), "QuoteBook_UsedUp", args);
  });

  it("a provider that quotes more than it has is drawn on until its money is held, not beyond", async () => {
    const network = await freshNetwork();
    const { treasury } = network;
    const { fund } = keysOf(network, PROVIDER);
    const first = await makeBatch(network, { seed: "first" });
    const second = await makeBatch(network, { seed: "second" });
    const left = first.header.targetTotal + second.header.targetTotal - 1n;
    await treasury.connect(fund).withdraw(PROVIDER, PHP, FUNDS - left, fund);
    await openBatch(network, first);
    const args = [PROVIDER, PHP, second.header.targetTotal - 1n, second.header.targetTotal];
    await expectRevert(openBatch(network, second), "Treasury_InsufficientAvailable", args);
    await settleBatch(network, first, refuseAll(first));
    await openBatch(network, second);
    await expectConserved(network);
  });

  it("a batch that failed for lack of money has drawn nothing", async () => {
    const network = await freshNetwork();
    const { fund } = keysOf(network, PROVIDER);
    await network.treasury.connect(fund).withdraw(PROVIDER, PHP, FUNDS, fund);
    const batch = await makeBatch(network);
    await expect(openBatch(network, batch)).to.be.revertedWithCustomError(
      network.treasury,
      "Treasury_InsufficientAvailable",
    );
    expect(await network.quotes.drawnOf(quoteId(batch.header.quote, network.chain))).to.equal(0);
  });
});

describe("Attack: a quote is used by somebody else", () => {
  it("a quote for one source partner is no quote for another", async () => {
    const network = await freshNetwork();
    const quote = await makeQuote(CORRIDORS.myrToPhp, { taker: parsePartnerId(7) });
    const good = await makeBatch(network, { corridor: CORRIDORS.myrToPhp });
    const call = openBatch(network, withHeader(good, { quote }));
    await expectRevert(call, "QuoteBook_Mismatch", ["taker", 7, 8]);
  });

  it("taking the taker off the quote takes its signature off too", async () => {
    const network = await freshNetwork();
    const quote = await makeQuote(CORRIDORS.myrToPhp, { taker: parsePartnerId(7) });
    const signed = await signQuote(network, quote, keysOf(network, PROVIDER).quote);
    const open = { ...quote, taker: 0 as const };
    const batch = withHeader(await makeBatch(network, { corridor: CORRIDORS.myrToPhp }), { quote: open });
    const [header, send] = await openArgs(network, batch);
    const args = [PROVIDER, signed.key, quoteId(open, network.chain)];
    const call = network.transfers.open(header, send, signed);
    await expectRevert(call, "QuoteBook_InvalidSignature", args);
  });

  it("a quote signed by another provider binds neither", async () => {
    const network = await freshNetwork();
    const batch = await makeBatch(network);
    const { quote: other } = keysOf(network, 12);
    const call = openBatch(network, batch, { quote: other });
    const args = [PROVIDER, other.address, Purpose.quote];
    await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
  });

  it("naming another provider in the quote asks for that provider's key", async () => {
    const network = await freshNetwork();
    const good = await makeBatch(network);
    const quote = { ...good.header.quote, provider: parsePartnerId(12) };
    const { quote: key } = keysOf(network, PROVIDER);
    const call = openBatch(network, withHeader(good, { quote }), { quote: key });
    const args = [12, key.address, Purpose.quote];
    await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
  });
});

describe("Attack: a quote is cancelled while a batch that draws on it is under way", () => {
  for (const [title, cancelFirst] of [
    ["the cancellation is first: the batch does not open", true],
    ["the batch is first: it stays open and settles", false],
  ] as const) {
    it(title, async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const batch = await makeBatch(network);
      const args = await openArgs(network, batch);
      const { quote: key } = keysOf(network, PROVIDER);
      const results = await inOneBlock(async ([dear = {}, cheap = {}]) => {
        const sent: ContractTransactionResponse[] = [];
        sent.push(await network.quotes.connect(key).cancelQuote(batch.header.quote, cancelFirst ? dear : cheap));
        sent.push(await transfers.connect(network.cast.courier).open(...args, cancelFirst ? cheap : dear));
        return sent;
      });
      expect(results).to.deep.equal([true, !cancelFirst]);
      const expected = cancelFirst ? BatchStatus.None : BatchStatus.Open;
      expect(await transfers.statusOf(idOf(network, batch))).to.equal(expected);
      if (!cancelFirst) await settleBatch(network, batch);
      await expectConserved(network);
    });
  }

  it("batches of several quotes of one provider do not touch each other", async () => {
    const network = await freshNetwork();
    const first = await openedBatch(network, { quote: await makeQuote(CORRIDORS.hkdToPhp, { nonce: 1n }) });
    const quote = await makeQuote(CORRIDORS.hkdToPhp, { nonce: 2n });
    const second = await openedBatch(network, { quote, seed: "second" });
    const { quote: key } = keysOf(network, PROVIDER);
    await network.quotes.connect(key).cancelQuote(first.header.quote);
    const third = await openedBatch(network, { quote, seed: "third" });
    const drawn = second.header.targetTotal + third.header.targetTotal;
    expect(await network.quotes.drawnOf(quoteId(quote, network.chain))).to.equal(drawn);
  });
});
