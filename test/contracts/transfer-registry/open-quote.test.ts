import { expect } from "chai";
import { NO_QUOTE, quoteId, type Quote } from "../../../src/domain/quote.ts";
import { packHeader } from "../../../src/domain/packed-header.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import {
  idOf,
  makeBatch,
  makeQuote,
  openArgs,
  openBatch,
  openedBatch,
  signBatch,
  signQuote,
  withHeader,
} from "../support/batches.ts";
import { NO_AUTHORIZATION } from "../../../src/ledger/signing.ts";
import { PROVIDER } from "../../support/transfers.ts";
import { expectChanges } from "../support/balances.ts";
import { latestTimestamp, ledgerTime, nextBlockAt, nextCallAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import {
  CNY,
  CORRIDORS,
  HKD,
  MYR,
  PHP,
  PartnerStatus,
  Purpose,
  Role,
  freshNetwork,
  keysOf,
  type Network,
} from "../support/network.ts";

const MAX_UINT128 = 2n ** 128n - 1n;

/** A batch that draws on the quote of `makeQuote` with these changes, whether the domain would build it or not. */
async function batchWithQuote(changes: Partial<Quote>) {
  const network = await freshNetwork();
  const good = await makeBatch(network);
  return { network, batch: withHeader(good, { quote: { ...good.header.quote, ...changes } }) };
}

async function drawnOn({ quotes, chain }: Network, quote: Quote): Promise<bigint> {
  return quotes.drawnOf(quoteId(quote, chain));
}

describe("TransferRegistry.open, the quote", () => {
  describe("when the partner registry refuses the provider", () => {
    it("reverts with UnknownPartner for a provider that was never registered", async () => {
      const { network, batch } = await batchWithQuote({ provider: parsePartnerId(99) });
      const call = openBatch(network, batch, { quote: network.cast.stranger });
      await expectRevert(call, "PartnerRegistry_UnknownPartner", [99]);
    });

    it("reverts with RoleMissing for a partner that is no provider", async () => {
      const { network, batch } = await batchWithQuote({ provider: parsePartnerId(8) });
      const args = [8, Role.wallet, Role.provider];
      await expectRevert(openBatch(network, batch), "PartnerRegistry_RoleMissing", args);
    });

    it("reverts with PartnerNotActive for a frozen provider", async () => {
      const { network, batch } = await batchWithQuote({});
      await network.registry.connect(network.cast.guardian).freeze(PROVIDER);
      const args = [PROVIDER, PartnerStatus.Frozen];
      await expectRevert(openBatch(network, batch), "PartnerRegistry_PartnerNotActive", args);
    });

    it("reverts with KeyNotAuthorized for a key that may not quote", async () => {
      const { network, batch } = await batchWithQuote({});
      const { fund } = keysOf(network, PROVIDER);
      const call = openBatch(network, batch, { quote: fund });
      const args = [PROVIDER, fund.address, Purpose.quote];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });
  });

  describe("when the target total is above the floor of the source total at the rate", () => {
    it("reverts with RateExceeded for a unit more", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network, { count: 1 });
      const { sourceTotal, targetTotal } = batch.header;
      const call = openBatch(network, withHeader(batch, { targetTotal: targetTotal + 1n }));
      await expectRevert(call, "QuoteBook_RateExceeded", [sourceTotal, targetTotal + 1n]);
    });

    it("reverts with RateExceeded for any target at a rate of zero", async () => {
      const { network, batch } = await batchWithQuote({ rateNumerator: 0n });
      const { sourceTotal, targetTotal } = batch.header;
      const args = [sourceTotal, targetTotal];
      await expectRevert(openBatch(network, batch), "QuoteBook_RateExceeded", args);
    });

    it("opens at less than the floor", async () => {
      const { network, batch } = await batchWithQuote({});
      const less = withHeader(batch, { targetTotal: batch.header.targetTotal - 1n });
      await expect(openBatch(network, less)).to.emit(network.transfers, "Opened");
    });

    it("compares without overflow when both terms are the largest there are", async () => {
      const { network, batch } = await batchWithQuote({ rateNumerator: MAX_UINT128, rateDenominator: MAX_UINT128 });
      const { sourceTotal } = batch.header;
      const above = withHeader(batch, { targetTotal: sourceTotal + 1n });
      const args = [sourceTotal, sourceTotal + 1n];
      await expectRevert(openBatch(network, above), "QuoteBook_RateExceeded", args);
      const even = withHeader(batch, { targetTotal: sourceTotal });
      await expect(openBatch(network, even)).to.emit(network.transfers, "Opened");
    });
  });

  describe("when currencies differ and the quote is not for this batch", () => {
    const cases: readonly [title: string, changes: Partial<Quote>, field: string, given: number, expected: number][] = [
      ["there is none", NO_QUOTE, "provider", 0, 0],
      ["it is for another source partner", { taker: parsePartnerId(8) }, "taker", 8, 7],
      ["its source currency is another", { sourceCurrency: CNY }, "sourceCurrency", CNY, HKD],
      ["its target currency is another", { targetCurrency: MYR }, "targetCurrency", MYR, PHP],
      ["its rate has no denominator", { rateDenominator: 0n }, "rateDenominator", 0, 0],
    ];
    for (const [title, changes, ...values] of cases) {
      it(`reverts with Mismatch when ${title}`, async () => {
        const { network, batch } = await batchWithQuote(changes);
        await expectRevert(openBatch(network, batch), "QuoteBook_Mismatch", values);
      });
    }
  });

  describe("when currencies are the same", () => {
    it("reverts with QuoteNotNeeded for a quote", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const quote = await makeQuote(CORRIDORS.hkdToPhp);
      const call = openBatch(network, withHeader(batch, { quote }));
      await expectRevert(call, "TransferRegistry_QuoteNotNeeded", [PROVIDER]);
    });

    it("reverts with QuoteNotNeeded for anything in the quote's place that is not zero", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const call = openBatch(network, withHeader(batch, { quote: { ...NO_QUOTE, nonce: 1n } }));
      await expectRevert(call, "TransferRegistry_QuoteNotNeeded", [0]);
    });

    for (const [title, difference] of [
      ["less", -1n],
      ["more", 1n],
    ] as const) {
      it(`reverts with RateExceeded when the target total is ${title} than the source total`, async () => {
        const network = await freshNetwork();
        const batch = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd });
        const { sourceTotal } = batch.header;
        const targetTotal = sourceTotal + difference;
        const call = openBatch(network, withHeader(batch, { targetTotal }));
        await expectRevert(call, "TransferRegistry_RateExceeded", [sourceTotal, targetTotal]);
      });
    }

    it("ignores the quote's authorization", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const [header, send] = await openArgs(network, batch);
      const garbage = { key: network.cast.stranger.address, signature: "0x1234" };
      await expect(network.transfers.open(header, send, garbage)).to.emit(network.transfers, "Opened");
    });
  });

  describe("when the quote's validity is over", () => {
    it("reverts with Expired a second past it", async () => {
      const network = await freshNetwork();
      const validUntil = (await latestTimestamp()) + 5;
      const batch = await makeBatch(network, { quote: await makeQuote(CORRIDORS.hkdToPhp, { validUntil }) });
      const args = await openArgs(network, batch);
      await nextBlockAt(validUntil + 1);
      const call = network.transfers.open(...args);
      await expectRevert(call, "QuoteBook_Expired", [validUntil + 1, validUntil]);
    });

    it("opens at its last second", async () => {
      const network = await freshNetwork();
      const validUntil = (await latestTimestamp()) + 5;
      const batch = await makeBatch(network, { quote: await makeQuote(CORRIDORS.hkdToPhp, { validUntil }) });
      const args = await openArgs(network, batch);
      await nextBlockAt(validUntil);
      await expect(network.transfers.open(...args)).to.emit(network.transfers, "Opened");
    });
  });

  describe("when the batch would hold the provider's money for longer than the quote allows", () => {
    it("reverts with HoldTooLong for a second more", async () => {
      const network = await freshNetwork();
      const now = (await ledgerTime(network.transfers)) + 5;
      const quote = await makeQuote(CORRIDORS.hkdToPhp, { maxHold: 60 });
      const batch = await makeBatch(network, { quote, expiresAt: now + 61 });
      const args = await openArgs(network, batch);
      await nextCallAt(network.transfers, now);
      await expectRevert(network.transfers.open(...args), "QuoteBook_HoldTooLong", [61, 60]);
    });

    it("opens at exactly as long", async () => {
      const network = await freshNetwork();
      const now = (await ledgerTime(network.transfers)) + 5;
      const quote = await makeQuote(CORRIDORS.hkdToPhp, { maxHold: 60 });
      const batch = await makeBatch(network, { quote, expiresAt: now + 60 });
      const args = await openArgs(network, batch);
      await nextCallAt(network.transfers, now);
      await expect(network.transfers.open(...args)).to.emit(network.transfers, "Opened");
    });
  });

  describe("when the quote is used up", () => {
    it("reverts with UsedUp when the first batch is larger than its capacity", async () => {
      const network = await freshNetwork();
      const { targetTotal } = (await makeBatch(network)).header;
      const good = await makeBatch(network);
      const quote = { ...good.header.quote, capacity: targetTotal - 1n };
      const call = openBatch(network, withHeader(good, { quote }));
      const args = [quoteId(quote, network.chain), 0, targetTotal, targetTotal - 1n];
      await expectRevert(call, "QuoteBook_UsedUp", args);
    });

    it("reverts with UsedUp when earlier batches left too little", async () => {
      const network = await freshNetwork();
      const quote = await makeQuote(CORRIDORS.hkdToPhp);
      const first = await makeBatch(network, { quote, seed: "first" });
      const second = await makeBatch(network, { quote, seed: "second" });
      const [drawn, targetTotal] = [first.header.targetTotal, second.header.targetTotal];
      const tight = { ...quote, capacity: drawn + targetTotal - 1n };
      await openBatch(network, withHeader(first, { quote: tight }));
      const call = openBatch(network, withHeader(second, { quote: tight }));
      const args = [quoteId(tight, network.chain), drawn, targetTotal, tight.capacity];
      await expectRevert(call, "QuoteBook_UsedUp", args);
    });

    it("opens when the batch draws the last of it", async () => {
      const network = await freshNetwork();
      const quote = await makeQuote(CORRIDORS.hkdToPhp);
      const first = await makeBatch(network, { quote, seed: "first" });
      const second = await makeBatch(network, { quote, seed: "second" });
      const exact = { ...quote, capacity: first.header.targetTotal + second.header.targetTotal };
      await openBatch(network, withHeader(first, { quote: exact }));
      await openBatch(network, withHeader(second, { quote: exact }));
      expect(await drawnOn(network, exact)).to.equal(exact.capacity);
    });
  });

  describe("when the provider's signature is not its key's", () => {
    it("reverts with InvalidSignature", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { quote: key } = keysOf(network, PROVIDER);
      const [header, send, quote] = await openArgs(network, batch, { quote: network.cast.stranger });
      const call = network.transfers.open(header, send, { ...quote, key: key.address });
      const args = [PROVIDER, key.address, quoteId(batch.header.quote, network.chain)];
      await expectRevert(call, "QuoteBook_InvalidSignature", args);
    });

    it("reverts with KeyNotAuthorized without a signature", async () => {
      const network = await freshNetwork();
      const [header, send] = await openArgs(network, await makeBatch(network));
      const call = network.transfers.open(header, send, NO_AUTHORIZATION);
      const args = [PROVIDER, NO_AUTHORIZATION.key, Purpose.quote];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with InvalidSignature when the quote was changed after it was signed", async () => {
      const network = await freshNetwork();
      const good = await makeBatch(network);
      const signed = await signQuote(network, good.header.quote, keysOf(network, PROVIDER).quote);
      const better = { ...good.header.quote, rateNumerator: good.header.quote.rateNumerator + 1n };
      const batch = withHeader(good, { quote: better });
      const send = await signBatch(network, batch.header, keysOf(network, 7).send);
      const call = network.transfers.open(packHeader(batch.header), send, signed);
      const args = [PROVIDER, signed.key, quoteId(better, network.chain)];
      await expectRevert(call, "QuoteBook_InvalidSignature", args);
    });
  });

  describe("when nothing is wrong", () => {
    it("draws each batch's target total on the quote", async () => {
      const network = await freshNetwork();
      const quote = await makeQuote(CORRIDORS.hkdToPhp);
      const first = await openedBatch(network, { quote, seed: "first" });
      expect(await drawnOn(network, quote)).to.equal(first.header.targetTotal);
      const second = await openedBatch(network, { quote, seed: "second" });
      expect(await drawnOn(network, quote)).to.equal(first.header.targetTotal + second.header.targetTotal);
    });

    it("opens with a quote for this source partner alone", async () => {
      const { network, batch } = await batchWithQuote({ taker: parsePartnerId(7) });
      await expect(openBatch(network, batch)).to.emit(network.transfers, "Opened");
    });

    it("lets batches of several source partners draw on several providers at once", async () => {
      const network = await freshNetwork();
      const provider = parsePartnerId(12);
      const quote = await makeQuote(CORRIDORS.cnyToPhp, { provider });
      const first = await makeBatch(network, { corridor: CORRIDORS.cnyToPhp, quote });
      const second = await makeBatch(network, { corridor: CORRIDORS.hkdToPhp });
      const act = async () => {
        await openBatch(network, first);
        await openBatch(network, second);
      };
      const [ofFirst, ofSecond] = [first, second].map(({ header }) => header.sourceTotal + header.fee);
      await expectChanges(network, act, [
        { partner: 1, currency: CNY, available: -(ofFirst ?? 0n), held: ofFirst ?? 0n },
        { partner: 12, currency: PHP, available: -first.header.targetTotal, held: first.header.targetTotal },
        { partner: 7, currency: HKD, available: -(ofSecond ?? 0n), held: ofSecond ?? 0n },
        { partner: 11, currency: PHP, available: -second.header.targetTotal, held: second.header.targetTotal },
      ]);
      expect(idOf(network, first)).not.to.equal(idOf(network, second));
    });
  });
});
