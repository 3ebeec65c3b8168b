import { expect } from "chai";
import { parse } from "csv-parse/sync";
import { currencyOf, parseCurrency } from "../../../../src/domain/currency.ts";
import { parseDecimal, powerOfTen, type Decimal } from "../../../../src/domain/decimal.ts";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { formatRate, type Rate } from "../../../../src/domain/rate.ts";
import { createRateBook, loadRateBook } from "../../../../sandbox/provider/rates.ts";
import { WALLETS } from "../../../../sandbox/wallet/wallets.ts";
import { referenceText } from "../../domain/reference-data.ts";

const CODES = WALLETS.map(({ currency }) => currency.code);
const USD = parseCurrency("USD");

/** A package file with one date of round figures. */
const packageText = (overrides: Record<string, string> = {}) => {
  const rates = CODES.map((code, index) => [code.toLowerCase(), `${index + 2}.0`] as const);
  const members = Object.entries({ ...Object.fromEntries(rates), ...overrides });
  return `{\n\t"date": "2030-01-02",\n\t"usd": {\n${members.map(([key, value]) => `\t\t"${key}": ${value}`).join(",\n")}\n\t}\n}`;
};

/** |ratio - expected| <= expected × tolerance, all exact; tolerance in hundredths of a basis point. */
function expectClose({ numerator, denominator }: Rate, expected: Decimal, tolerance: bigint, label: string): void {
  const left = numerator * powerOfTen(expected.scale);
  const right = denominator * expected.unscaled;
  const difference = left > right ? left - right : right - left;
  expect(difference * 1_000_000n <= right * tolerance, label).to.equal(true);
}

/** A rate in major units, as published tables have it. */
function inMajorUnits({ numerator, denominator }: Rate, sourceDigits: number, targetDigits: number): Rate {
  return { numerator: numerator * powerOfTen(sourceDigits), denominator: denominator * powerOfTen(targetDigits) };
}

describe("rates", () => {
  it("take the package's own date, digit for digit", async () => {
    const book = await loadRateBook();
    expect(book.packagedDate).to.equal("2026-09-29");
    const rates = book.on();
    expect(rates.date).to.equal("2026-09-29");
    // 6.70778353 CNY, 1358.18865245 KRW and 18016.34310713 IDR for a dollar; a won has no minor unit.
    expect(rates.rate(USD, parseCurrency("CNY"))).to.deep.equal({ numerator: 670_778_353n, denominator: 100_000_000n });
    expect(formatRate(rates.rate(USD, parseCurrency("KRW")), USD, parseCurrency("KRW"), 8)).to.equal("1358.18865245");
    const [idr, krw] = [parseCurrency("IDR"), parseCurrency("KRW")];
    const exact = rates.rate(idr, krw);
    expect(exact.numerator * 1_801_634_310_713n * 100n).to.equal(exact.denominator * 135_818_865_245n);
  });

  it("have exact cross rates: there and back is one, and by way of a third the same", async () => {
    const rates = (await loadRateBook()).on("2025-03-14");
    for (const source of WALLETS) {
      for (const target of WALLETS) {
        const there = rates.rate(source.currency, target.currency);
        const back = rates.rate(target.currency, source.currency);
        expect([there.numerator, there.denominator]).to.deep.equal([back.denominator, back.numerator]);
        const first = rates.rate(source.currency, USD);
        const second = rates.rate(USD, target.currency);
        expect(there.numerator * first.denominator * second.denominator).to.equal(
          there.denominator * first.numerator * second.numerator,
        );
      }
    }
    expect(rates.rate(USD, USD)).to.deep.equal({ numerator: 1n, denominator: 1n });
  });

  it("are those of every version of the package, for every pair of the ten", async function () {
    const published: Record<string, string>[] = parse(referenceText(this, "fx/currency_api_cross_2024_2026.csv"), {
      columns: true,
    });
    const book = await loadRateBook();
    const dates = new Set(published.map((row) => row["date"] ?? ""));
    expect(dates.size).to.be.at.least(151);
    expect(book.dates).to.include.members([...dates]);
    for (const row of published) {
      const source = parseCurrency(row["base"] ?? "");
      const rates = book.on(row["date"]);
      for (const code of CODES) {
        const target = parseCurrency(code);
        const rate = inMajorUnits(rates.rate(source, target), source.minorDigits, target.minorDigits);
        // The publisher rounds to 8 decimals, some small ones to 8 digits: a part in a million.
        expectClose(rate, parseDecimal(row[code] ?? "", code), 1n, `${row["date"]} ${source.code} ${code}`);
      }
    }
  });

  it("restate the published US dollar figures to the digit", async function () {
    const rows: Record<string, string>[] = parse(referenceText(this, "fx/currency_api_usd_eur_2024_2026.csv"), {
      columns: true,
    });
    const book = await loadRateBook();
    const dollars = rows.filter((row) => row["base"] === "USD");
    expect(dollars.length).to.be.at.least(151);
    for (const row of dollars) {
      for (const code of CODES) {
        const { unscaled, scale } = parseDecimal(row[code] ?? "", code);
        const rate = book.on(row["date"]).rate(USD, currencyOf(code));
        const major = inMajorUnits(rate, 2, currencyOf(code).minorDigits);
        expect(major.numerator * powerOfTen(scale), `${row["date"]} ${code}`).to.equal(unscaled * major.denominator);
      }
    }
  });

  it("stay within 2 % of the European Central Bank's on every shared day", async function () {
    const rows: Record<string, string>[] = parse(referenceText(this, "fx/eurofxref-hist.csv"), {
      columns: true,
      relax_column_count: true,
    });
    const byDate = new Map(rows.map((row) => [row["Date"], row]));
    const book = await loadRateBook();
    const shared = book.dates.filter((date) => byDate.has(date));
    expect(shared.length).to.be.at.least(60);
    let compared = 0;
    for (const date of shared) {
      const row = byDate.get(date);
      const dollar = parseDecimal(row?.["USD"] ?? "", "USD");
      for (const code of CODES.filter((candidate) => /^[0-9]/.test(row?.[candidate] ?? ""))) {
        const rate = inMajorUnits(book.on(date).rate(USD, currencyOf(code)), 2, currencyOf(code).minorDigits);
        // Units per euro ÷ dollars per euro: compare rate × dollars per euro with units per euro.
        const perEuro = {
          numerator: rate.numerator * dollar.unscaled,
          denominator: rate.denominator * powerOfTen(dollar.scale),
        };
        expectClose(perEuro, parseDecimal(row?.[code] ?? "", code), 20_000n, `${date} ${code}`);
        compared += 1;
      }
    }
    // Eight of the ten: the bank quotes neither taka nor rupee of Pakistan.
    expect(compared).to.equal(shared.length * 8);
  });

  it("name the nearest dates where there are none", async () => {
    const book = await loadRateBook();
    const cases = [
      ["2025-03-13", "the nearest are 2025-03-10 and 2025-03-14"],
      ["2024-03-01", "the nearest is 2024-03-02"],
      ["2027-01-01", "the nearest is 2026-09-29"],
    ] as const;
    for (const [date, rule] of cases) {
      expect(() => book.on(date), date)
        .to.throw(InvalidInput, rule)
        .with.property("field", "date");
    }
  });

  it("refuse what is no calendar date", async () => {
    const book = await loadRateBook();
    for (const date of ["", "2025-02-30", "2025-13-01", "14-03-2025", "2025-3-14", "2025-03-14T00:00:00Z", "today"]) {
      expect(() => book.on(date), date).to.throw(InvalidInput, /calendar date, YYYY-MM-DD/);
    }
    expect(book.on("2024-12-31").date).to.equal("2024-12-31");
  });

  it("know the ten currencies and the dollar only", async () => {
    const rates = (await loadRateBook()).on();
    expect(() => rates.rate(parseCurrency("EUR"), USD)).to.throw(InvalidInput, /USD or a home currency/);
  });

  it("list their dates once each, in order", async () => {
    const { dates } = await loadRateBook();
    expect(dates).to.deep.equal([...new Set(dates)].sort());
    expect([dates[0], dates.at(-1)]).to.deep.equal(["2024-03-02", "2026-09-29"]);
  });

  describe("of the package's file", () => {
    it("keep digits that binary floating point would lose", () => {
      const book = createRateBook(packageText({ cny: "7.123456789012345678901" }));
      expect(book.on().rate(USD, parseCurrency("CNY"))).to.deep.equal({
        numerator: 7_123_456_789_012_345_678_901n,
        denominator: 10n ** 21n,
      });
    });

    it("take precedence over restated ones of the same date", () => {
      const text = packageText().replace("2030-01-02", "2025-03-14");
      expect(createRateBook(text).on("2025-03-14").rate(USD, parseCurrency("CNY"))).to.deep.equal({
        numerator: 2n,
        denominator: 1n,
      });
    });

    for (const [problem, text] of [
      ["a rate is missing", packageText().replace('"thb"', '"xyz"')],
      ["a rate is zero", packageText({ thb: "0.000" })],
      ["a rate is negative", packageText({ thb: "-33.5" })],
      ["a rate has an exponent", packageText({ thb: "3.3e1" })],
      ["a rate is no number", packageText({ thb: '"33.5"' })],
    ] as const) {
      it(`are refused when ${problem}`, () => {
        expect(() => createRateBook(text)).to.throw(InvalidInput, /rate of THB/);
      });
    }

    it("are refused without a date", () => {
      expect(() => createRateBook(packageText().replace("2030-01-02", ""))).to.throw(InvalidInput, /usd.json date/);
    });
  });
});
