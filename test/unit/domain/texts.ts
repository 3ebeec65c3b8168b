import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { referenceText } from "./reference-data.ts";

/** What text from outside has in it besides letters: blanks, joiners, selectors, controls, overrides, halves, marks. */
const ODD = [
  ...Array.from(
    " \u00a0\u3000\t\n\r\u2028\u0000\u001b\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202d\u202e\u2066\u2069",
  ),
  ...Array.from("\u00ad\u2060\ufeff\u3164\u2800\ufe0f\ufffd\u0301\u0327\u20e3\ue000\uffff\u180b"),
  ...["\ud800", "\udc00", "\u{e0100}", "\u{3fffd}", "\u{e0041}"],
];
const SCRIPTS = Array.from("aZé1#陳𠮷邊김ᄀ가ณัকর্যक्षम्ශ්عليᠠ🎂👩👍🏽🇵❤");

/** Text as careless programs and people send it, in many scripts, well formed or not. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(fc.oneof(fc.constantFrom(...SCRIPTS), fc.constantFrom(...ODD)), { maxLength: 30 })
    .map((all) => all.join("")),
  fc.string({ unit: "grapheme", maxLength: 160 }),
  fc.string({ unit: "binary", maxLength: 160 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xff_ff }).map((unit) => String.fromCharCode(unit)), maxLength: 40 }),
);

/** Names of people from published lists, in many scripts; skips the running test where the files are not there. */
export function namesOfSanctionsLists(test: Mocha.Context): readonly string[] {
  const rows = (path: string): Record<string, string>[] => parse(referenceText(test, path), { columns: true });
  return [
    ...rows("screening/ofac/ofac_alias_pairs_ten_countries.csv").flatMap(({ sdn_name = "", alias = "" }) => [
      sdn_name,
      alias,
    ]),
    ...rows("screening/name-matching/opensanctions_name_bench_cases.csv").flatMap(({ name1 = "", name2 = "" }) => [
      name1,
      name2,
    ]),
    ...rows("screening/name-matching/rigour_sample_names.csv").map(({ name = "" }) => name),
  ].filter((name) => name !== "");
}
