type Damage = readonly [damaged: RegExp, rule: string];

/** What spreadsheets write where they have no value. */
const SHOWN_INSTEAD: Damage = [
  /^#(?:N\/A|REF!|VALUE!|NAME\?|DIV\/0!|NUM!|NULL!|#+)$/,
  "a value: a spreadsheet shows this in place of one",
];
/** What they make of digits that are no number of theirs; which digits there were cannot be made out any more. */
const NOT_TEXT: readonly Damage[] = [
  [
    /^[0-9]+(?:[.,][0-9]+)?E\+[0-9]+$/,
    "all its digits: a spreadsheet has shortened it (6.39E+11). Format the column as text, and enter it again",
  ],
  [/^['\u2018\u2019]/, "without the apostrophe before it, by which a spreadsheet knows text"],
  [/^=/, "a value, not a spreadsheet's formula"],
];
const DECIMAL: Damage = [
  /^\+?[0-9]{7,}[.,]0+$/,
  "a telephone number: a program has made a decimal number of it (639171234567.0)",
];
const MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*";
const DATE: Damage = [
  new RegExp(`^(?:[0-9]{1,4}([-/.])[0-9]{1,2}\\1[0-9]{1,4}|[0-9]{1,4}[-/. ]${MONTH}|${MONTH}[-/. ][0-9]{1,4})`, "i"),
  "an amount: a spreadsheet has made a date of it. Format the column as text, and enter it again",
];

/** By what a value is. Names can begin with an apostrophe, and messages with anything. */
const DAMAGES = {
  text: [SHOWN_INSTEAD],
  id: [SHOWN_INSTEAD, ...NOT_TEXT],
  phone: [SHOWN_INSTEAD, ...NOT_TEXT, DECIMAL],
  amount: [SHOWN_INSTEAD, ...NOT_TEXT, DATE],
} as const satisfies Readonly<Record<string, readonly Damage[]>>;

/** Where a spreadsheet has damaged a value, what it should be; undefined for all others. */
export function damageOf(kind: keyof typeof DAMAGES, value: string): string | undefined {
  const damages: readonly Damage[] = DAMAGES[kind];
  return damages.find(([damaged]) => damaged.test(value))?.[1];
}
