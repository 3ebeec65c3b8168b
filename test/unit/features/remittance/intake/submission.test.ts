import { expect } from "chai";
import fc from "fast-check";
import { plainSubmission } from "../../../../../src/features/remittance/intake/plain-submission.ts";
import { readSubmission, readSubmissionBySchema } from "../../../../../src/features/remittance/intake/submission.ts";
import { anyText } from "../../../domain/texts.ts";

type Json = Readonly<Record<string, unknown>>;

const uetr = fc.uuid({ version: 4 });
const money = fc.record({
  currency: fc.constantFrom("HKD", "PHP", "CNY", "KWD"),
  minor: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }).map(String),
});
const currency = fc.constantFrom("HKD", "CNY");
const amount = fc.oneof(
  fc.record({ send: money, receiveCurrency: currency }, { requiredKeys: ["send"] }),
  fc.record({ receive: money, sendCurrency: currency }, { requiredKeys: ["receive"] }),
  fc.record({ quoteId: fc.uuid() }),
);
const name = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("Chan Tai Man", "陳大文", "Nguyễn Thị Ánh", " Maria  Dela Cruz ") },
  { weight: 1, arbitrary: anyText },
);
const alias = fc.record({
  type: fc.constantFrom("MSISDN", "EMAIL", "ACCOUNT_ID", "ALIAS"),
  value: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom("+85291234567", "+63 (0)917 123 4567", "maria@mail.example") },
    { weight: 1, arbitrary: anyText },
  ),
});
const valid: fc.Arbitrary<Json> = fc.record(
  {
    uetr,
    target: fc.integer({ min: 1, max: 65_535 }),
    amount,
    debtor: fc.record({ name, nameLocal: name, alias }, { requiredKeys: ["name", "alias"] }),
    creditor: fc.record({ name, alias }, { requiredKeys: ["alias"] }),
    purpose: fc.constantFrom("FAMI", "DEPD", "A1B2"),
    remittance: name,
    ifUnfunded: fc.constantFrom("wait", "fail"),
  },
  { requiredKeys: ["uetr", "target", "amount", "debtor", "creditor", "purpose"] },
);

/** What else may stand in the place of a member. */
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(0, -1, 1.5, 65_536, "", "0", "01", "XXX", "hkd", "9".repeat(39), "9".repeat(38), {}, [], null, {
    currency: "HKD",
  }),
);
/** Members, by their paths, that are replaced, left out, or put where there are none. */
const PATHS = [
  ...["uetr", "target", "amount", "debtor", "creditor", "purpose", "remittance", "ifUnfunded", "more"],
  ...[
    "amount.send",
    "amount.receive",
    "amount.quoteId",
    "amount.sendCurrency",
    "amount.receiveCurrency",
    "amount.more",
  ],
  ...["amount.send.currency", "amount.send.minor", "amount.send.more", "amount.receive.minor"],
  ...["debtor.name", "debtor.nameLocal", "debtor.alias", "debtor.more", "debtor.alias.type", "debtor.alias.value"],
  ...["creditor.name", "creditor.alias", "creditor.more", "creditor.alias.type", "creditor.alias.more"],
];

function changed(value: unknown, [first = "", ...rest]: readonly string[], by: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  // An object of JSON.
  const { [first]: member, ...others } = value as Json;
  const next = rest.length === 0 ? by : changed(member, rest, by);
  return next === undefined ? others : { ...others, [first]: next };
}

describe("a submission", () => {
  it("that is as it is to be is what the schema makes of it, without it (property)", () => {
    let plain = 0;
    fc.assert(
      fc.property(valid, (given) => {
        // As it comes.
        const json: unknown = JSON.parse(JSON.stringify(given));
        const read = readSubmission(json);
        expect(read).to.deep.equal(readSubmissionBySchema(json));
        if (plainSubmission(json) !== undefined) plain++;
      }),
      { numRuns: 1_000 },
    );
    expect(plain).to.be.greaterThan(100);
  });

  it("is what the schema says of it, with members that are otherwise, one more or one less (property)", () => {
    const change = fc.tuple(fc.constantFrom(...PATHS), fc.oneof(odd, fc.constant(undefined)));
    let [plain, refused] = [0, 0];
    fc.assert(
      fc.property(valid, fc.array(change, { minLength: 1, maxLength: 2 }), (given, changes) => {
        const otherwise = changes.reduce<unknown>((value, [path, by]) => changed(value, path.split("."), by), given);
        const json: unknown = JSON.parse(JSON.stringify(otherwise));
        const read = readSubmission(json);
        expect(read).to.deep.equal(readSubmissionBySchema(json));
        if (plainSubmission(json) !== undefined) plain++;
        if ("fault" in read || "kind" in read) refused++;
      }),
      { numRuns: 3_000 },
    );
    expect(plain).to.be.greaterThan(50);
    expect(refused).to.be.greaterThan(500);
  });

  it("that is no object is none", () => {
    for (const json of [undefined, null, 1, "text", [], [submissionOf()]]) {
      expect(readSubmission(json)).to.deep.equal(readSubmissionBySchema(json)).and.include({ code: "uetr-unreadable" });
    }
  });
});

function submissionOf(): Json {
  return fc.sample(valid, 1)[0] ?? {};
}
