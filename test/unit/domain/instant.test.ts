import { expect } from "chai";
import { InvalidInput } from "../../../src/domain/errors.ts";
import {
  believedInstant,
  EARLIEST_MS,
  formatInstant,
  LATEST_MS,
  MAX_SKEW_MS,
  parseInstant,
  readInstant,
} from "../../../src/domain/instant.ts";

describe("times that others tell", () => {
  const taken: readonly (readonly [string, number])[] = [
    ["2026-11-29", Date.UTC(2026, 10, 29)],
    ["2026-11-29T08:30Z", Date.UTC(2026, 10, 29, 8, 30)],
    ["2026-11-29T08:30:15.123456Z", Date.UTC(2026, 10, 29, 8, 30, 15, 123)],
    ["2026-11-29T16:30:00+08:00", Date.UTC(2026, 10, 29, 8, 30)],
    ["2020-01-01T00:00:00.000Z", EARLIEST_MS],
    ["2099-12-31T23:59:59.999Z", LATEST_MS],
    ["2028-02-29", Date.UTC(2028, 1, 29)],
  ];
  for (const [text, ms] of taken) it(`are read: ${text}`, () => expect(readInstant(text)).to.equal(ms));

  for (const text of [
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "2019-12-31T23:59:59.999Z",
    "2100-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "+275760-09-13T00:00:00.000Z",
    "2026-02-30",
    "2026-13-01",
    "2026-11-29T25:00Z",
    "2026-11-29T08:30",
    "29 Nov 2026",
    "1764405000000",
    "",
  ]) {
    it(`are refused, by name and rule: ${text}`, () => {
      expect(readInstant(text)).to.equal(undefined);
      expect(() => parseInstant(text, "--expires")).to.throw(
        InvalidInput,
        "--expires: a date, or a time with its zone",
      );
    });
  }

  it("are believed from the earliest to now, give or take the clocks' skew; else it is now", () => {
    const [earliest, now] = [Date.UTC(2026, 10, 29, 8), Date.UTC(2026, 10, 29, 9)];
    const believed = (told: number | undefined) => believedInstant(told, earliest, now);
    const right = [earliest - MAX_SKEW_MS, earliest, now, now + MAX_SKEW_MS];
    expect(right.map(believed)).to.deep.equal(right);
    const wrong = [earliest - MAX_SKEW_MS - 1, now + MAX_SKEW_MS + 1, 8.64e15, 2 ** 63, 0, -1, 1.5, NaN, undefined];
    for (const told of wrong) expect(believed(told), String(told)).to.equal(now);
  });

  it("are told as four-digit years, whatever is stored", () => {
    expect(formatInstant(Date.UTC(2026, 10, 29))).to.equal("2026-11-29T00:00:00.000Z");
    expect(formatInstant(8.64e15)).to.equal("9999-12-31T23:59:59.999Z");
    expect(formatInstant(2 ** 60)).to.equal("9999-12-31T23:59:59.999Z");
    expect(formatInstant(-62_135_596_800_000)).to.equal("1970-01-01T00:00:00.000Z");
    expect(formatInstant(NaN)).to.equal("1970-01-01T00:00:00.000Z");
  });
});
