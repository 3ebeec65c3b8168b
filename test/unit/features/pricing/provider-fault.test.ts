import { expect } from "chai";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { NO_QUOTE } from "../../../../src/domain/quote.ts";
import { providerFault } from "../../../../src/features/pricing/failures.ts";

const [ALIPAY_HK, PROVIDER] = [parsePartnerId(7), parsePartnerId(11)];
const header = { source: ALIPAY_HK, targetCurrency: 608, quote: { ...NO_QUOTE, provider: PROVIDER } };

describe("whose fault it is that the ledger opens no batch", () => {
  const faults: readonly (readonly [code: string, values: Record<string, unknown>])[] = [
    ["Treasury_InsufficientAvailable", { partner: 11n, currency: 608n }],
    ["PartnerRegistry_KeyNotAuthorized", { partner: 11n, key: "0x00" }],
    ["PartnerRegistry_PartnerNotActive", { partner: 11n, status: 2n }],
    ["PartnerRegistry_RoleMissing", { partner: 11n }],
    ["QuoteBook_InvalidSignature", { provider: 11n }],
    ["QuoteBook_UsedUp", { drawn: 1n }],
    ["QuoteBook_Mismatch", { field: "taker" }],
    ["QuoteBook_HoldTooLong", { hold: 300n, maxHold: 1n }],
  ];
  for (const [code, values] of faults) {
    it(`the provider's: ${code}`, () => {
      expect(providerFault({ code, values }, header)).to.equal(code);
      expect(providerFault({ code, values }, { ...header, quote: NO_QUOTE })).to.equal(undefined);
    });
  }

  const others: readonly (readonly [code: string, values: Record<string, unknown>])[] = [
    ["Treasury_InsufficientAvailable", { partner: 7n, currency: 344n }],
    ["PartnerRegistry_PartnerNotActive", { partner: 4n, status: 2n }],
    ["CorridorBook_Closed", { corridor: 1n }],
    ["QuoteBook_Expired", { validUntil: 1n }],
    ["QuoteBook_RateExceeded", { sourceAmount: 1n }],
    ["TransferRegistry_HoldTooLong", { hold: 100_000n, longest: 86_400n }],
    ["EnforcedPause", {}],
  ];
  for (const [code, values] of others) {
    it(`not the provider's: ${code}`, () => {
      expect(providerFault({ code, values }, header)).to.equal(undefined);
    });
  }

  it("that of a partner which sells to itself by the currency that it lacks", () => {
    const own = { ...header, quote: { ...NO_QUOTE, provider: ALIPAY_HK } };
    const lacks = (currency: bigint) => ({
      code: "Treasury_InsufficientAvailable",
      values: { partner: 7n, currency },
    });
    expect(providerFault(lacks(608n), own)).to.equal("Treasury_InsufficientAvailable");
    expect(providerFault(lacks(344n), own)).to.equal(undefined);
  });
});
