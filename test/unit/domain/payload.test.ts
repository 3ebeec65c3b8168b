import { expect } from "chai";
import fc from "fast-check";
import { buildBatch, type Batch } from "../../../src/domain/batch.ts";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { hashDetails } from "../../../src/domain/details.ts";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { buildMerkleTree, merkleRoot } from "../../../src/domain/merkle.ts";
import {
  commitsTo,
  detailsOf,
  isPayable,
  MAX_PAYLOAD_TRANSFERS,
  opensDetails,
  parseParties,
  payloadSchema,
  readParties,
  readPartiesBySchema,
  type PayloadTransfer,
  type TransferParties,
} from "../../../src/domain/payload.ts";
import { transferLeaf } from "../../../src/domain/transfer.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { parseWire, toJson } from "../../../src/domain/wire.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { HKD_TO_PHP, makeQuote, openable } from "../../support/transfers.ts";
import { anyText } from "./texts.ts";

const random = createRandom("payloads");
const quote = makeQuote(HKD_TO_PHP, { validUntil: 2_000_000_000, rateNumerator: 72n, rateDenominator: 10n });
const PARTIES: TransferParties = {
  debtor: { name: "Chan Tai Man", nameLocal: "陳大文", alias: { type: "MSISDN", value: "+85291234567" } },
  creditor: { name: "Maria Dela Cruz", alias: { type: "EMAIL", value: "maria@mail.example" } },
  remittance: { purpose: "FAMI", unstructured: "For Mum" },
};

function transfer(sourceAmount: bigint, targetAmount = (sourceAmount * 72n) / 10n): PayloadTransfer {
  const salt = toHex(random.bytes(32));
  return openable({ uetr: uetrFromRandom(random.bytes(16)), sourceAmount, targetAmount }, salt, detailsOf(PARTIES));
}

const transfers = [transfer(1_000n), transfer(2_500n), transfer(99n)];
const [first = fail(), second = fail(), third = fail()] = transfers;
const batch: Batch = buildBatch(transfers, HKD_TO_PHP, quote, 5n, 1_900_000_000);
const { header } = batch;

/** A header that commits to whatever it is told to, as a source partner might sign it. */
function committing(given: readonly PayloadTransfer[]) {
  const total = (amounts: readonly bigint[]) => amounts.reduce((sum, amount) => sum + amount, 0n);
  return {
    ...header,
    count: given.length,
    sourceTotal: total(given.map(({ sourceAmount }) => sourceAmount)),
    targetTotal: total(given.map(({ targetAmount }) => targetAmount)),
    root: toHex(merkleRoot(buildMerkleTree(given.map(transferLeaf)))),
  };
}

describe("a batch's payload", () => {
  it("is what the header commits to, in any order, and nothing else is", () => {
    expect(commitsTo(header, transfers)).to.equal(true);
    expect(commitsTo(header, transfers.toReversed())).to.equal(true);
    expect(commitsTo(header, transfers.slice(1))).to.equal(false);
    expect(commitsTo(header, [...transfers, transfer(1n, 1n)])).to.equal(false);
    expect(commitsTo(header, [{ ...first, sourceAmount: 1_001n }, second, third])).to.equal(false);
    expect(commitsTo(header, [first, first, third])).to.equal(false);
  });

  it("is refused where one UETR is there twice, although the header commits to both", () => {
    const twice = [first, { ...second, uetr: first.uetr }];
    expect(commitsTo(committing(twice), twice)).to.equal(false);
  });

  it("opens the details that its transfers commit to", () => {
    expect(transfers.every(opensDetails)).to.equal(true);
    expect(opensDetails({ ...first, salt: second.salt })).to.equal(false);
    const debtor = { ...first.details.debtor, name: "Somebody Else" };
    expect(opensDetails({ ...first, details: { ...first.details, debtor } })).to.equal(false);
    // As another relay may send it.
    const broken = { ...first.details, debtor: { name: 0.5 } };
    expect(opensDetails({ ...first, details: broken })).to.equal(false);
  });

  it("has each transfer held to the rate, so that refusing some never makes the rest too dear for the ledger", () => {
    expect(transfers.every((each) => isPayable(header, each))).to.equal(true);
    // The totals keep to the rate; without the second, the first would be above it.
    const skewed = [transfer(1_000n, 7_300n), transfer(1_000n, 7_100n)];
    const signed = committing(skewed);
    expect(commitsTo(signed, skewed)).to.equal(true);
    expect(skewed.map((each) => isPayable(signed, each))).to.deep.equal([false, true]);
    for (const none of [
      { ...first, targetAmount: 0n },
      { ...first, sourceAmount: 0n, targetAmount: 0n },
    ]) {
      expect(isPayable(header, none)).to.equal(false);
    }
  });

  it("travels as JSON and comes back the same", () => {
    const wire: unknown = JSON.parse(JSON.stringify(toJson({ header, transfers })));
    expect(parseWire(payloadSchema, wire, "payload")).to.deep.equal({ header, transfers });
  });

  it("is refused without a member, or with one of the wrong kind, without quoting it; one that it does not know is left out", () => {
    // JSON of our own making.
    const wire = JSON.parse(JSON.stringify(toJson({ header, transfers: [first] }))) as {
      transfers: Record<string, unknown>[];
    };
    const [one = {}] = wire.transfers;
    const changes: readonly Record<string, unknown>[] = [
      { uetr: "+85291234567" },
      { salt: undefined },
      { salt: "0x00" },
      { sourceAmount: 1_000 },
      { details: { debtor: {}, creditor: {} } },
      { details: { debtor: [], creditor: {}, remittance: {} } },
    ];
    for (const change of changes) {
      const given = { ...wire, transfers: [{ ...one, ...change }] };
      expect(() => parseWire(payloadSchema, given, "payload"), JSON.stringify(change))
        .to.throw(InvalidInput)
        .satisfies((error: Error) => !error.message.includes("85291234567"));
    }
    const more = { ...wire, transfers: [{ ...one, more: "+85291234567" }] };
    expect(parseWire(payloadSchema, more, "payload")).to.deep.equal({ header, transfers: [first] });
    for (const list of [[], Array.from({ length: MAX_PAYLOAD_TRANSFERS + 1 }, () => one)]) {
      expect(() => parseWire(payloadSchema, { ...wire, transfers: list }, "payload")).to.throw(InvalidInput);
    }
  });
});

describe("the parties in a transfer's details", () => {
  it("are read as they were committed to", () => {
    expect(readParties(detailsOf(PARTIES))).to.deep.equal(PARTIES);
    const least = {
      debtor: { name: "Chan Tai Man", alias: PARTIES.debtor.alias },
      creditor: { alias: PARTIES.creditor.alias },
      remittance: { purpose: "FAMI" },
    };
    expect(readParties(detailsOf(least))).to.deep.equal(least);
  });

  it("are read past members that are not known, and with an alias in its one spelling", () => {
    const details = detailsOf(PARTIES);
    const alias = { type: "MSISDN", value: "+852 9123 4567" };
    const given = { ...details, debtor: { ...details.debtor, alias, born: "1970-01-01" } };
    expect(readParties(given)).to.deep.equal(PARTIES);
  });

  it("are the same people and words, however they were given", () => {
    const given = {
      debtor: {
        name: " Chan  Tai Man\u200b",
        nameLocal: "陳大文\u3000",
        alias: { type: "MSISDN", value: "+852 9123-4567" },
      },
      creditor: { name: "Maria Dela\u00a0Cruz", alias: { type: "EMAIL", value: "maria@MAIL.example\n" } },
      purpose: "FAMI",
      remittance: "\ufeffFor Mum ",
    };
    expect(parseParties(given)).to.deep.equal(PARTIES);
    const phone = { type: "MSISDN", value: "+63 (0)917 123 4567" };
    expect(parseParties({ ...given, creditor: { alias: phone } }).creditor).to.deep.equal({
      alias: { type: "MSISDN", value: "+639171234567" },
    });
    const apart = parseParties({ ...given, debtor: { ...given.debtor, name: "Nguyễn".normalize("NFD") } });
    expect(apart.debtor.name).to.equal("Nguyễn");
  });

  const refused: readonly (readonly [change: object, field: string])[] = [
    [{ debtor: { name: "Ma\u202eria", alias: PARTIES.debtor.alias } }, "debtor.name"],
    [{ debtor: { ...PARTIES.debtor, nameLocal: "\u3164" } }, "debtor.nameLocal"],
    [{ debtor: { ...PARTIES.debtor, alias: { type: "MSISDN", value: "+6391" } } }, "debtor.alias.value"],
    [{ creditor: { ...PARTIES.creditor, name: "..." } }, "creditor.name"],
    [{ creditor: { alias: { type: "MSISDN", value: "09171234567" } } }, "creditor.alias.value"],
    [{ creditor: { alias: { type: "IBAN", value: "1" } } }, "creditor.alias.type"],
    [{ remittance: "a\u2028b" }, "remittance"],
  ];
  for (const [change, field] of refused) {
    it(`are refused where they are given with a fault, named: ${field}`, () => {
      expect(() => parseParties({ ...PARTIES, purpose: "FAMI", remittance: "x", ...change }))
        .to.throw(InvalidInput)
        .with.property("field", field);
    });
  }

  it("that the source takes, the target reads as they are, and PostgreSQL's jsonb can hold (property)", () => {
    const given = fc.record({
      debtor: fc.record({
        name: anyText,
        nameLocal: fc.option(anyText, { nil: undefined }),
        alias: fc.constant(PARTIES.debtor.alias),
      }),
      creditor: fc.record({
        name: fc.option(anyText, { nil: undefined }),
        alias: fc.record({ type: fc.constantFrom("ALIAS", "MSISDN"), value: anyText }),
      }),
      purpose: fc.constant("FAMI"),
      remittance: fc.option(anyText, { nil: undefined }),
    });
    fc.assert(
      fc.property(given, (one) => {
        let parties;
        try {
          parties = parseParties(one);
        } catch (failure) {
          expect(failure).to.be.instanceOf(InvalidInput);
          return;
        }
        expect(readParties(detailsOf(parties))).to.deep.equal(parties);
        expect(JSON.stringify(parties)).not.to.match(/\\u0000|\\ud[89a-f]/);
      }),
      { numRuns: 1_000 },
    );
  });

  it("that a relay of another version has taken are never refused for their form", () => {
    const details = detailsOf(PARTIES);
    const given = {
      debtor: { name: "Ma\u202eri\u200ba", nameLocal: "\u3164", alias: { type: "MSISDN", value: "+99912345678" } },
      creditor: { name: "𠮷".repeat(141), alias: { type: "MSISDN", value: "+660812345678" } },
      remittance: { purpose: "FAMI", unstructured: "For\nMum\ufffd" },
    };
    expect(readParties(given)).to.deep.equal({
      debtor: { name: "Maria", alias: { type: "MSISDN", value: "+99912345678" } },
      creditor: { name: "𠮷".repeat(140), alias: { type: "MSISDN", value: "+66812345678" } },
      remittance: { purpose: "FAMI", unstructured: "For Mum" },
    });
    expect(readParties({ ...details, debtor: { ...details.debtor, name: "\u3164" } })?.debtor.name).to.equal(
      "NOTPROVIDED",
    );
    // What they committed to is what was sent: it is read, and not changed.
    const salt = toHex(random.bytes(32));
    expect(opensDetails({ ...first, details: given, salt, detailsHash: hashDetails(given, salt) })).to.equal(true);
  });

  it("are what the schema makes of them, with a member of another kind, one more or one less (property)", () => {
    const text = fc.oneof(anyText, fc.constantFrom("Maria", "+639171234567", "+63 917 123 4567", "DEPD", "MSISDN", ""));
    const value: fc.Arbitrary<unknown> = fc.oneof(
      { weight: 8, arbitrary: text },
      { weight: 1, arbitrary: fc.jsonValue() },
      { weight: 1, arbitrary: fc.constant(undefined) },
    );
    const known = fc.constantFrom(
      { type: "MSISDN", value: "+639171234567" },
      { type: "MSISDN", value: "+63 (0)917 123 4567" },
      { type: "EMAIL", value: "maria@MAIL.example" },
      { type: "ALIAS", value: "maria", more: 1 },
    );
    const unknown = fc.record({ type: fc.constantFrom("MSISDN", "EMAIL", "PASSPORT"), value });
    const alias = fc.oneof(
      { weight: 8, arbitrary: known },
      { weight: 2, arbitrary: unknown },
      { weight: 1, arbitrary: value },
    );
    const group = (needed: Record<string, fc.Arbitrary<unknown>>, more: Record<string, fc.Arbitrary<unknown>>) => {
      const record = fc
        .tuple(fc.record(needed), fc.record({ ...more, more: value }, { requiredKeys: [] }))
        .map(([one, other]) => ({ ...other, ...one }));
      return fc.oneof({ weight: 20, arbitrary: record }, { weight: 1, arbitrary: value });
    };
    const purpose = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom("DEPD", "FAMI", "A1") },
      { weight: 1, arbitrary: value },
    );
    const given = fc.record({
      debtor: group({ name: value, alias }, { nameLocal: value }),
      creditor: group({ alias }, { name: value }),
      remittance: group({ purpose }, { unstructured: value }),
    });
    let read = 0;
    fc.assert(
      fc.property(given, (details) => {
        // Whatever JSON is: the type is a promise that nobody has kept yet.
        const parties = readParties(details as never);
        expect(parties).to.deep.equal(readPartiesBySchema(details as never));
        if (parties !== undefined) read++;
      }),
      { numRuns: 1_000 },
    );
    expect(read).to.be.greaterThan(50);
  });

  it("are undefined where they do not say who pays whom", () => {
    const details = detailsOf(PARTIES);
    expect(readParties({ ...details, debtor: {} })).to.equal(undefined);
    expect(readParties({ ...details, creditor: { name: "Maria" } })).to.equal(undefined);
    expect(readParties({ ...details, creditor: { alias: { type: "MSISDN", value: "1" } } })).to.equal(undefined);
    expect(readParties({ ...details, remittance: { purpose: "fami" } })).to.equal(undefined);
  });
});

function fail(): never {
  throw new Error("test set-up: a transfer");
}
