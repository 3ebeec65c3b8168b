import { expect } from "chai";
import { getCountryCallingCode } from "libphonenumber-js/max";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { parseWallet, walletOf, WALLETS } from "../../../../sandbox/wallet/wallets.ts";

describe("wallets", () => {
  it("are the ten of the network, by partner id", () => {
    expect(
      WALLETS.map(({ id, name, countryAlpha3, currency }) => `${id} ${name} ${countryAlpha3} ${currency.code}`),
    ).to.deep.equal([
      "1 Alipay CHN CNY",
      "2 Paytm IND INR",
      "3 TrueMoney THA THB",
      "4 GCash PHL PHP",
      "5 KakaoPay KOR KRW",
      "6 DANA IDN IDR",
      "7 AlipayHK HKG HKD",
      "8 Touch 'n Go MYS MYR",
      "9 bKash BGD BDT",
      "10 Easypaisa PAK PKR",
    ]);
  });

  it("have the calling codes of their countries", () => {
    for (const { country, callingCode } of WALLETS) expect(callingCode).to.equal(getCountryCallingCode(country));
  });

  it("have the local times of their countries, winter and summer", () => {
    const zones =
      "Asia/Shanghai Asia/Kolkata Asia/Bangkok Asia/Manila Asia/Seoul Asia/Jakarta Asia/Hong_Kong Asia/Kuala_Lumpur Asia/Dhaka Asia/Karachi";
    for (const [index, timeZone] of zones.split(" ").entries()) {
      const wallet = WALLETS[index];
      for (const day of ["2026-01-15", "2026-07-15"]) {
        const local = new Date(`${day}T00:00:00Z`).toLocaleTimeString("en-GB", { timeZone });
        const [hours = "", minutes = ""] = local.split(":");
        const offset = Number.parseInt(hours, 10) * 60 + Number.parseInt(minutes, 10);
        expect(offset, `${timeZone} ${day}`).to.equal(wallet?.utcOffsetMinutes);
      }
    }
  });

  it("are found by id, by name in any case, and by id in text", () => {
    expect(walletOf(parsePartnerId(7)).name).to.equal("AlipayHK");
    for (const text of ["Touch 'n Go", "TOUCH 'N GO", "8"]) expect(parseWallet(text).countryAlpha3).to.equal("MYS");
  });

  it("refuse what is none of them, naming the field and those there are", () => {
    for (const text of ["", "0", "11", "08", "8.0", "PayPal", "__proto__"]) {
      expect(() => parseWallet(text, "source"), text)
        .to.throw(InvalidInput, /source.*10 Easypaisa/)
        .with.property("field", "source");
    }
    expect(() => walletOf(parsePartnerId(11))).to.throw(InvalidInput, /1 to 10/);
  });
});
