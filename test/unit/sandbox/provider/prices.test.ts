import { expect } from "chai";
import { parse } from "csv-parse/sync";
import { parseDecimal, powerOfTen } from "../../../../src/domain/decimal.ts";
import type { PartnerId } from "../../../../src/domain/partner.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { worldBankPrice } from "../../../../sandbox/provider/prices.ts";
import { WALLETS } from "../../../../sandbox/wallet/wallets.ts";
import { referenceText } from "../../domain/reference-data.ts";

interface Survey {
  readonly corridor: string;
  readonly quarter: string;
  readonly percent: string;
}

const byCountry: ReadonlyMap<string, PartnerId> = new Map(WALLETS.map(({ countryAlpha3, id }) => [countryAlpha3, id]));

const rows = (text: string): Record<string, string>[] => parse(text, { columns: true });
const inside = (corridor: string) => corridor.split(">").every((country) => byCountry.has(country));

function priceOf(corridor: string) {
  const [source, target] = corridor.split(">").map((country) => byCountry.get(country));
  if (source === undefined || target === undefined) throw new Error(`${corridor} is not inside the ten`);
  return worldBankPrice(source, target);
}

/** Per cent to basis points, rounded half up. */
function toBps(percent: string): bigint {
  const { unscaled, scale } = parseDecimal(percent, "percent");
  return (unscaled * 200n + powerOfTen(scale)) / (2n * powerOfTen(scale));
}

describe("prices", () => {
  it("are the newest quarter of every corridor that Remittance Prices Worldwide averages", function () {
    const surveys: Survey[] = rows(referenceText(this, "rpw/rpw_corridor_average_2011_2020.csv"))
      .map((row) => ({
        corridor: `${row["source_code"]}>${row["destination_code"]}`,
        quarter: row["quarter"] ?? "",
        percent: row["total_cost_pct"] ?? "",
      }))
      .filter(({ corridor }) => inside(corridor));
    const newest = new Map<string, Survey>();
    for (const survey of surveys) {
      if (survey.quarter > (newest.get(survey.corridor)?.quarter ?? "")) newest.set(survey.corridor, survey);
    }
    expect(newest.size).to.equal(13);
    const restated = WALLETS.flatMap((source) =>
      WALLETS.map((target) => `${source.countryAlpha3}>${target.countryAlpha3}`),
    ).filter((corridor) => priceOf(corridor) !== undefined);
    expect(restated).to.have.members([...newest.keys()]);
    for (const [corridor, { quarter, percent }] of newest) {
      expect(priceOf(corridor), corridor).to.deep.equal({ costBps: toBps(percent), quarter });
    }
  });

  it("leave out no corridor that the survey's means of 2017 have", function () {
    // In that file the origin is the receiving country.
    const corridors = rows(referenceText(this, "rpw/rpw_mean_cost_2017_by_corridor_phi.csv"))
      .map((row) => `${row["destination"]}>${row["origin"]}`)
      .filter(inside);
    expect(corridors.length).to.equal(13);
    for (const corridor of corridors) expect(priceOf(corridor), corridor).to.not.equal(undefined);
  });

  it("leave out no corridor that the survey's single quotes have", function () {
    const corridors = new Set(
      referenceText(this, "rpw/rpw_ten_country_corridors_2011_2014.csv")
        .split("\n")
        .flatMap((line) => /^\d+,\d{4}_\dQ,([A-Z]{3}),([A-Z]{3}),/.exec(line)?.slice(1, 3).join(">") ?? []),
    );
    expect(corridors.size).to.equal(4);
    for (const corridor of corridors) expect(priceOf(corridor), corridor).to.not.equal(undefined);
  });

  it("say nothing where the survey has nothing", () => {
    expect(worldBankPrice(parsePartnerId(7), parsePartnerId(1))).to.equal(undefined);
    expect(worldBankPrice(parsePartnerId(8), parsePartnerId(8))).to.equal(undefined);
    expect(worldBankPrice(parsePartnerId(11), parsePartnerId(1))).to.equal(undefined);
  });
});
