import { expect } from "chai";
import { parseDecimal, powerOfTen } from "../../../../src/domain/decimal.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { CORRIDOR_FLOWS, hasCorridor } from "../../../../sandbox/day/flows.ts";
import { WALLETS } from "../../../../sandbox/wallet/wallets.ts";
import { referenceText } from "../../domain/reference-data.ts";

const partner = (alpha3: string | undefined) => WALLETS.find(({ countryAlpha3 }) => countryAlpha3 === alpha3)?.id;

describe("flows", () => {
  it("are the World Bank's bilateral estimates for 2017, cell by cell", function () {
    const text = referenceText(this, "bilateral/wb_bilateral_2017_ten_countries.csv");
    const [header = [], ...rows] = text
      .trim()
      .split("\n")
      .map((line) => line.trim().split(","));
    const cells = rows.flatMap(([sender, ...figures]) =>
      figures.map((figure, column) => {
        const { unscaled, scale } = parseDecimal(figure, "cell");
        // Millions with at most two decimals, in hundredths.
        expect(scale).to.be.at.most(2);
        return { sender, receiver: header[column + 1], hundredths: unscaled * powerOfTen(2 - scale) };
      }),
    );
    expect(cells.length).to.equal(100);
    const restated = new Map(CORRIDOR_FLOWS.map((flow) => [`${flow.source}>${flow.target}`, flow.usdTenThousands]));
    for (const { sender, receiver, hundredths } of cells) {
      const found = restated.get(`${partner(sender)}>${partner(receiver)}`) ?? 0n;
      expect(found, `${sender} to ${receiver}`).to.equal(hundredths);
    }
    expect(restated.size).to.equal(cells.filter(({ hundredths }) => hundredths > 0n).length);
  });

  it("make a corridor of every pair with a flow, and of no other", () => {
    expect(CORRIDOR_FLOWS.length).to.equal(69);
    const [alipay, paytm, alipayHk, easypaisa] = [1, 2, 7, 10].map((id) => parsePartnerId(id));
    if (!alipay || !paytm || !alipayHk || !easypaisa) throw new Error("four wallets");
    expect(hasCorridor(alipayHk, alipay)).to.equal(true);
    expect(hasCorridor(paytm, easypaisa)).to.equal(false);
    expect(hasCorridor(alipay, alipay)).to.equal(false);
  });

  it("are led by Hong Kong to China, 15.5 billion dollars, and come to 36.66 billion", () => {
    const largest = CORRIDOR_FLOWS.reduce((a, b) => (b.usdTenThousands > a.usdTenThousands ? b : a));
    expect([largest.source, largest.target, largest.usdTenThousands]).to.deep.equal([7, 1, 1_554_756n]);
    expect(CORRIDOR_FLOWS.reduce((sum, { usdTenThousands }) => sum + usdTenThousands, 0n)).to.equal(3_666_435n);
  });
});
