import { createHash } from "node:crypto";
import { expect } from "chai";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import { createRandom } from "../../../../src/kernel/random.ts";
import { makeDay, MAX_TRANSFERS, type Day, type DayOptions } from "../../../../sandbox/day/day.ts";
import { CORRIDOR_FLOWS } from "../../../../sandbox/day/flows.ts";
import { PURPOSES } from "../../../../sandbox/orders/order.ts";
import { parseMobileNumber } from "../../../../sandbox/wallet/phones.ts";
import { loadRateBook, type RateBook } from "../../../../sandbox/provider/rates.ts";
import { makeSizes } from "../../../../sandbox/day/sizes.ts";
import { walletOf, WALLETS } from "../../../../sandbox/wallet/wallets.ts";
import { referenceText } from "../../domain/reference-data.ts";

const USD = parseCurrency("USD");
const DATE = "2025-03-14";

const hashOf = (value: unknown) =>
  createHash("sha256")
    .update(JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? `${member}n` : member)))
    .digest("hex");

describe("day", () => {
  let book: RateBook;
  let day: Day;
  const make = (options: Partial<DayOptions> = {}) =>
    makeDay({ transfers: 5_000, seed: "1", rates: book.on(DATE), ...options });

  before(async () => {
    book = await loadRateBook();
    day = make();
  });

  it("is the same for the same seed, byte for byte, on every machine", () => {
    expect(hashOf(make({ transfers: 500 }).orders)).to.equal(
      "62ab6b9514a40c2317712594d788d8821340ab33f5a2076949172c7596029555",
    );
    expect(hashOf(make().orders)).to.equal(hashOf(day.orders));
  });

  it("is another for another seed or date", () => {
    const uetrs = (other: Day) => new Set(other.orders.map(({ uetr }) => uetr));
    const known = uetrs(day);
    for (const other of [make({ seed: "2" }), make({ rates: book.on("2025-03-15") })]) {
      expect([...uetrs(other)].filter((uetr) => known.has(uetr))).to.deep.equal([]);
      expect(other.corridors).to.deep.equal(day.corridors);
    }
  });

  it("has as many transfers as asked for, each with a UETR of its own", () => {
    for (const transfers of [1, 2, 69, 1_234]) {
      const { orders, corridors } = make({ transfers });
      expect(orders.length).to.equal(transfers);
      expect(corridors.reduce((sum, corridor) => sum + corridor.transfers, 0)).to.equal(transfers);
    }
    expect(new Set(day.orders.map(({ uetr }) => parseUetr(uetr))).size).to.equal(5_000);
  });

  it("spreads the transfers over the corridors in proportion to the World Bank's estimates", () => {
    const total = CORRIDOR_FLOWS.reduce((sum, { usdTenThousands }) => sum + usdTenThousands, 0n);
    const counts = new Map<string, number>();
    for (const { source, target } of day.orders) {
      counts.set(`${source}>${target}`, (counts.get(`${source}>${target}`) ?? 0) + 1);
    }
    for (const { source, target, usdTenThousands, transfers } of day.corridors) {
      expect(counts.get(`${source}>${target}`) ?? 0).to.equal(transfers);
      const error = BigInt(transfers) * total - 5_000n * usdTenThousands;
      expect(error < total && error > -total, `${source} to ${target}`).to.equal(true);
    }
    expect(day.corridors.length).to.equal(CORRIDOR_FLOWS.length);
  });

  it("moves volumes in the same proportion, as the mean size is everywhere the same", () => {
    const rates = book.on(DATE);
    const large = make({ transfers: 30_000 });
    const volumes = new Map<string, bigint>();
    for (const { source, target, sourceAmount } of large.orders) {
      const corridor = `${source}>${target}`;
      volumes.set(corridor, (volumes.get(corridor) ?? 0n) + sourceAmount.minor);
    }
    for (const { source, target, transfers } of large.corridors.filter((corridor) => corridor.transfers >= 50)) {
      const toCents = rates.rate(walletOf(source).currency, USD);
      const minor = volumes.get(`${source}>${target}`) ?? 0n;
      const meanCents = (minor * toCents.numerator) / (toCents.denominator * BigInt(transfers));
      // 25,000 within 5 %.
      expect(meanCents > 23_750n && meanCents < 26_250n, `${source} to ${target}: ${meanCents}`).to.equal(true);
    }
  });

  it("has amounts of the source wallet's currency, most of them round", () => {
    let round = 0;
    for (const { source, sourceAmount } of day.orders) {
      const { currency } = walletOf(source);
      expect(sourceAmount.currency).to.equal(currency.code);
      expect(sourceAmount.minor > 0n).to.equal(true);
      // Ten major units at least: the finest step of any currency.
      if (sourceAmount.minor % 10n ** BigInt(currency.minorDigits + 1) === 0n) round += 1;
    }
    expect(round).to.be.within(4_400, 4_700);
  });

  it("has every wallet's customers at both ends, with numbers of their country", () => {
    for (const { source, target, debtor, creditor } of day.orders) {
      expect(day.directory.find(source, debtor.phone)).to.deep.equal({ wallet: source, ...debtor });
      parseMobileNumber(debtor.phone, walletOf(source));
      parseMobileNumber(creditor.phone, walletOf(target));
    }
    expect(new Set(day.orders.map(({ source }) => source)).size).to.equal(WALLETS.length);
    // Of 5,000 transfers, Hong Kong's share as a receiver is not half of one.
    expect(new Set(day.orders.map(({ target }) => target)).size).to.equal(WALLETS.length - 1);
    expect(day.directory.size).to.be.greaterThan(5_000);
  });

  it("has exactly the asked share of beneficiaries that do not exist", () => {
    const strangers = (some: Day) =>
      some.orders.filter(({ target, creditor }) => some.directory.find(target, creditor.phone) === undefined);
    for (const [unknownBeneficiaryBps, expected] of [
      [100, 50],
      [0, 0],
      [1, 1],
      [250, 125],
      [10_000, 5_000],
    ] as const) {
      const some = make({ unknownBeneficiaryBps });
      expect(some.unknownBeneficiaries).to.equal(expected);
      expect(strangers(some).length).to.equal(expected);
    }
    const corridors = new Set(strangers(make({ unknownBeneficiaryBps: 250 })).map((o) => `${o.source}>${o.target}`));
    expect(corridors.size).to.be.greaterThan(5);
  });

  it("is ordered by time, from midnight to midnight UTC, quiet at night in Hong Kong", () => {
    const times = day.orders.map(({ atSecond }) => atSecond);
    expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
    expect(times[0]).to.be.at.least(0);
    expect(times.at(-1)).to.be.below(86_400);
    const localHours = day.orders
      .filter(({ source }) => source === 7)
      .map(({ atSecond }) => Math.floor((atSecond / 3_600 + 8) % 24));
    const share = (from: number, to: number) =>
      localHours.filter((hour) => hour >= from && hour < to).length / localHours.length;
    expect(share(1, 5)).to.be.below(0.02);
    expect(share(17, 21)).to.be.above(0.25);
  });

  it("has purposes that ISO 20022 knows", function () {
    // The file's own shape: a code set of { codes: { CODE: text } }.
    const { codes } = JSON.parse(referenceText(this, "iso20022/codesets/external_purpose_code.json")) as {
      readonly codes: Readonly<Record<string, string>>;
    };
    for (const { code } of PURPOSES) expect(codes, code).to.have.property(code);
    expect(new Set(day.orders.map(({ purpose }) => purpose)).size).to.equal(PURPOSES.length);
  });

  it("refuses options out of range, naming them", () => {
    for (const transfers of [0, -1, 1.5, Number.NaN, MAX_TRANSFERS + 1]) {
      expect(() => make({ transfers }))
        .to.throw(InvalidInput, /an integer from 1 to 1000000/)
        .with.property("field", "transfers");
    }
    for (const unknownBeneficiaryBps of [-1, 10_001, 0.5]) {
      expect(() => make({ unknownBeneficiaryBps }))
        .to.throw(InvalidInput, /an integer from 0 to 10000/)
        .with.property("field", "unknownBeneficiaryBps");
    }
  });

  describe("sizes", () => {
    it("have the stated mean, median and tail in US cents", () => {
      const rates = book.on(DATE);
      const hongKong = parseCurrency("HKD");
      const toCents = rates.rate(hongKong, USD);
      const cents = makeSizes(20_000, hongKong, rates, createRandom("sizes"))
        .map((minor) => (minor * toCents.numerator) / toCents.denominator)
        .sort((a, b) => (a < b ? -1 : 1));
      const mean = cents.reduce((sum, size) => sum + size, 0n) / 20_000n;
      expect(mean > 24_750n && mean < 25_250n, `mean ${mean}`).to.equal(true);
      const median = cents[10_000] ?? 0n;
      expect(median > 19_000n && median < 20_500n, `median ${median}`).to.equal(true);
      const tail = cents[19_000] ?? 0n;
      expect(tail > 59_000n && tail < 65_000n, `one in twenty ${tail}`).to.equal(true);
      expect((cents.at(-1) ?? 0n) < 130_000n).to.equal(true);
    });

    it("are in whole won, and never zero", () => {
      const sizes = makeSizes(1_000, parseCurrency("KRW"), book.on(DATE), createRandom("won"));
      expect(sizes.every((size) => size > 10_000n)).to.equal(true);
      expect(sizes.filter((size) => size % 1_000n === 0n).length).to.be.within(870, 930);
    });

    it("are refused in other currencies", () => {
      expect(() => makeSizes(1, USD, book.on(DATE), createRandom("x"))).to.throw(InvalidInput, /home currency/);
    });
  });
});
