import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { formatAmount } from "../../../../src/domain/money.ts";
import { createRandom } from "../../../../src/kernel/random.ts";
import { makeDay } from "../../../../sandbox/day/day.ts";
import { readOrders, readOrdersFile } from "../../../../sandbox/orders/orders.ts";
import { ORDER_REASONS, REQUIRED_COLUMNS } from "../../../../sandbox/orders/columns.ts";
import { loadRateBook } from "../../../../sandbox/provider/rates.ts";
import { referenceText } from "../../domain/reference-data.ts";
import {
  accepted,
  collect,
  csvLine,
  GOOD,
  jsonLine,
  readCsv,
  readNdjson,
  refused,
  toChunks,
  UETR,
} from "./orders-support.ts";

const example = (name: string) => new URL(`../../../../examples/${name}`, import.meta.url).pathname;

async function readFile(name: string) {
  return collect(readOrdersFile(example(name), { random: createRandom("example") }));
}

describe("orders", () => {
  describe("of the example files", () => {
    for (const name of ["orders.csv", "orders.ndjson"]) {
      it(`${name} are all accepted`, async () => {
        const results = await readFile(name);
        expect(refused(results)).to.deep.equal([]);
        expect(accepted(results).length).to.equal(10);
        expect(accepted(results).filter(({ creditorExists }) => !creditorExists).length).to.equal(1);
      });
    }

    it("are the same ten in both formats, but for UETRs and lines", async () => {
      const [csv = [], ndjson = []] = await Promise.all(["orders.csv", "orders.ndjson"].map(readFile));
      const essence = (results: typeof csv) =>
        accepted(results).map(({ order, creditorExists }) => ({ ...order, uetr: undefined, creditorExists }));
      expect(essence(csv)).to.deep.equal(essence(ndjson));
    });

    it("have what the file says", async () => {
      const results = accepted(await readFile("orders.csv"));
      const [first] = results;
      expect(first?.line).to.equal(2);
      expect(first?.order).to.deep.equal({
        uetr: "0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10",
        source: 7,
        target: 4,
        sourceAmount: { minor: 150_000n, currency: "HKD" },
        debtor: { name: "Chan Tai Man", nameLocal: "陳大文", phone: "+85251234567" },
        creditor: { name: "Maria Dela Cruz", nameLocal: "Maria Dela Cruz", phone: "+639051234567" },
        purpose: "DEPD",
        remittance: "Family support",
        atSecond: 4_500,
      });
      expect(results[2]?.order.sourceAmount).to.deep.equal({ minor: 350_000n, currency: "KRW" });
      expect(results[3]?.order.remittance).to.equal("Household and the electricity bill");
      // The record before has a line break inside quotes.
      expect(results.map(({ line }) => line)).to.deep.equal([2, 3, 4, 5, 7, 8, 9, 10, 11, 12]);
      expect(results[8]?.order.remittance).to.equal('The "loan" from May');
    });
  });

  for (const [format, readOne] of [
    ["CSV", (fields: Record<string, string>) => readCsv(csvLine(fields), Object.keys(fields))],
    ["NDJSON", (fields: Record<string, string>) => readNdjson(jsonLine(fields))],
  ] as const) {
    describe(`in ${format}`, () => {
      it("are accepted with the required columns alone", async () => {
        const [result] = accepted(await readOne({}));
        expect(result?.creditorExists).to.equal(true);
        expect(result?.order).to.deep.include({ purpose: "OTHR", remittance: "", atSecond: 0, source: 7, target: 4 });
        expect(result?.order.debtor.nameLocal).to.equal(GOOD.debtor_name);
        expect(result?.order.sourceAmount).to.deep.equal({ minor: 150_050n, currency: "HKD" });
      });

      it("get a UETR from seed and line when they come without one", async () => {
        const one = accepted(await readOne({}))[0]?.order.uetr;
        expect(one).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
        expect(accepted(await readOne({}))[0]?.order.uetr).to.equal(one);
      });

      const badFields = [
        ["source", "Alypay", "RC03", /a wallet's name or partner id/],
        ["source", "", "RC03", /a wallet's name/],
        ["target", "12", "RC04", /a wallet's name/],
        ["target", "AlipayHK", "AG12", /another wallet/],
        ["amount", "", "AM12", /digits/],
        ["amount", "0", "AM01", /more than 0.00 HKD/],
        ["amount", "0.00", "AM01", /more than/],
        ["amount", "-5", "AM12", /no sign/],
        ["amount", "1,500", "AM12", /separator/],
        ["amount", "1e3", "AM12", /exponent/],
        ["amount", "NaN", "AM12", /digits/],
        ["amount", "１５００", "AM12", /digits/],
        ["amount", "1.234", "CH20", /at most 2 decimals for HKD/],
        ["amount", "9".repeat(50), "AM12", /2\^128-1/],
        ["currency", "", "AM11", /ISO 4217/],
        ["currency", "hkd", "AM11", /upper case/],
        ["currency", "USD", "AM03", /HKD, the currency of AlipayHK/],
        ["debtor_name", "", "BE08", /not empty/],
        ["creditor_name", "", "BE22", /not empty/],
        ["debtor_name", "x".repeat(141), "BE21", /at most 140/],
        ["creditor_name_local", "x".repeat(141), "BE21", /at most 140/],
        ["creditor_name", "Maria\u202eCruz", "RR10", /order in which it is read \(U\+202E\)/],
        ["creditor_name", "Maria\u0007Cruz", "RR10", /control characters \(U\+0007\)/],
        ["creditor_name", "Maria\u200bCruz", "RR10", /invisible characters \(U\+200B\)/],
        ["creditor_name", "Jos\ufffd", "RR10", /lost in a conversion \(U\+FFFD\)/],
        ["creditor_name", "\u3164", "BE21", /not empty/],
        ["debtor_name_local", "\u200b\u2800", "BE21", /not empty/],
        ["creditor_name", "#NAME?", "BE21", /a spreadsheet shows this/],
        ["remittance", "one\u2028two", "RR10", /line breaks \(U\+2028\)/],
        ["remittance", "one\u2029two", "RR10", /line breaks \(U\+2029\)/],
        ["remittance", "one\u2066two", "RR10", /order in which it is read/],
        ["debtor_phone", "", "BE23", /international form/],
        ["debtor_phone", "+8525123456 78901", "BE23", /too long/],
        ["debtor_phone", "85251234567", "BE23", /the "\+" before the calling code: spreadsheets drop it/],
        ["creditor_phone", "639171234567", "BE23", /the "\+" before the calling code/],
        ["creditor_phone", "6.39E+11", "BE23", /a spreadsheet has shortened it/],
        ["creditor_phone", "6,39E+11", "BE23", /Format the column as text/],
        ["creditor_phone", "'+639171234567", "BE23", /without the apostrophe/],
        ["creditor_phone", '="+639171234567"', "BE23", /not a spreadsheet's formula/],
        ["creditor_phone", "639171234567.0", "BE23", /a program has made a decimal number of it/],
        ["creditor_phone", "+639171234567.0", "BE23", /a program has made a decimal number of it/],
        ["creditor_phone", "########", "BE23", /a spreadsheet shows this/],
        ["amount", "1.5E+06", "AM12", /a spreadsheet has shortened it/],
        ["amount", "'1500", "AM12", /apostrophe/],
        ["amount", "#VALUE!", "AM12", /a spreadsheet shows this/],
        ...["01-May", "May-01", "1.5.2026", "2026-05-01", "15/05/26", "5 may 2026"].map(
          (date) => ["amount", date, "AM12", /made a date of it/] as const,
        ),
        ["uetr", "6.39E+11", "FF08", /a spreadsheet has shortened it/],
        ["debtor_phone", "+639051234567", "BE23", /mobile number of Hong Kong/],
        ["creditor_phone", "+85251234567", "BE23", /mobile number of Philippines/],
        ["creditor_phone", "+63281234567", "BE23", /mobile number of Philippines/],
        ["purpose", "FAMI", "FF07", /DEPD, EDUC/],
        ["remittance", "x".repeat(141), "RR07", /at most 140/],
        ["at", "24:00:00", "DT02", /HH:MM:SS/],
        ["at", "9:00", "DT02", /HH:MM:SS/],
        ["creditor_exists", "maybe", "CH16", /"yes", "no"/],
        ["uetr", "not-a-uuid", "FF08", /UUID/],
        ["uetr", UETR.toUpperCase(), "FF08", /lower case/],
      ] as const;
      for (const [field, value, reason, rule] of badFields) {
        it(`are refused with ${reason} for the ${field} ${JSON.stringify(value.slice(0, 20))}`, async () => {
          const results = await readOne({ [field]: value });
          expect(accepted(results)).to.deep.equal([]);
          const [problem, ...others] = refused(results);
          expect(others).to.deep.equal([]);
          expect(problem).to.deep.include({ field, reason });
          expect(problem?.rule).to.match(rule);
        });
      }

      it("are refused where the network has no corridor", async () => {
        const fields = {
          ...{ source: "Paytm", currency: "INR", debtor_phone: "+918123456789" },
          ...{ target: "Easypaisa", creditor_phone: "+923012345678" },
        };
        const [problem] = refused(await readOne(fields));
        expect(problem).to.deep.include({
          field: "target",
          reason: "AG03",
          rule: "a wallet that Paytm has a corridor to",
        });
      });

      it("have no decimals in won", async () => {
        const won = { source: "KakaoPay", currency: "KRW", debtor_phone: "+821020000000" };
        expect(accepted(await readOne({ ...won, amount: "350000" }))[0]?.order.sourceAmount.minor).to.equal(350_000n);
        const [problem] = refused(await readOne({ ...won, amount: "350000.5" }));
        expect(problem).to.deep.include({ field: "amount", reason: "CH20", rule: "no decimals for KRW" });
      });

      it("keep exactly what can be written: 140 characters of any script, spaces around dropped", async () => {
        const name = `${"陳".repeat(139)}𠮷`;
        const [result] = accepted(await readOne({ creditor_name: `  ${name} `, amount: " 7 " }));
        expect(result?.order.creditor.name).to.equal(name);
        expect(result?.order.sourceAmount.minor).to.equal(700n);
      });

      it("keep telephone numbers in the one form that all wallets know their customers by", async () => {
        for (const [given, kept] of [
          ["+63 (0)917 123 4567", "+639171234567"],
          ["+63 0 917-123-4567", "+639171234567"],
          ["\u202a+63 917 123 4567\u202c", "+639171234567"],
          ["0917 123 4567", "+639171234567"],
          ["+639041234567", "+639041234567"],
          ["+639131234567", "+639131234567"],
          ["+639411234567", "+639411234567"],
        ]) {
          const [result] = accepted(await readOne({ creditor_phone: given ?? "" }));
          expect(result?.order.creditor.phone, given).to.equal(kept);
        }
        expect(accepted(await readOne({ debtor_phone: "5123 4567" }))[0]?.order.debtor.phone).to.equal("+85251234567");
      });

      it("keep names as they look, in one spelling", async () => {
        const [result] = accepted(
          await readOne({ creditor_name: "\ufeffNguyễn\u00a0 Ánh\u200b".normalize("NFD"), remittance: "" }),
        );
        expect(result?.order.creditor.name).to.equal("Nguyễn Ánh");
        expect(result?.order.creditor.nameLocal).to.equal("Nguyễn Ánh");
      });

      it("keep the joiners that Indic and Persian script need", async () => {
        const nameLocal = "क्\u200dष ن\u200cن";
        const [result] = accepted(await readOne({ creditor_name_local: nameLocal }));
        expect(result?.order.creditor.nameLocal).to.equal(nameLocal);
      });

      it("know wallets by id and by name in any case", async () => {
        for (const source of ["7", "alipayhk", "ALIPAYHK"]) {
          expect(accepted(await readOne({ source }))[0]?.order.source).to.equal(7);
        }
      });
    });
  }

  it("are refused with AM05 from the second of one UETR on, and only after an accepted one", async () => {
    const results = await readCsv(
      [
        csvLine({ uetr: UETR, amount: "0" }),
        csvLine({ uetr: UETR }),
        csvLine({ uetr: UETR, amount: "2" }),
        csvLine({ uetr: UETR.replace("0", "1") }),
        csvLine({ uetr: UETR }),
      ].join("\n"),
      [...REQUIRED_COLUMNS, "uetr"],
    );
    expect(results.map((result) => [result.line, result.accepted ? "accepted" : result.reason])).to.deep.equal([
      [2, "AM01"],
      [3, "accepted"],
      [4, "AM05"],
      [5, "accepted"],
      [6, "AM05"],
    ]);
  });

  it("never have a personal detail repeated in a refusal", async () => {
    const secret = "Ng Lok Yiu\u0007";
    const results = await readNdjson(
      [jsonLine({ debtor_name: secret }), jsonLine({ creditor_phone: "+85291112222" })].join("\n"),
    );
    expect(refused(results).length).to.equal(2);
    expect(JSON.stringify(results)).to.not.match(/Ng Lok|91112222/);
  });

  it("take the corridors they are given", async () => {
    const options = { random: createRandom("1"), hasCorridor: () => false };
    const [problem] = await collect(readOrders(() => toChunks(jsonLine({})), options));
    expect(problem).to.deep.include({ accepted: false, reason: "AG03" });
  });

  it("are accepted up to a limit; blank lines after it do not count", async () => {
    const lines = [jsonLine(), jsonLine({ amount: "0" }), jsonLine(), ""].join("\n");
    const upTo = async (content: string) =>
      collect(readOrders(() => toChunks(content), { random: createRandom("1"), maxOrders: 2 }));
    expect((await upTo(lines)).map(({ accepted: isAccepted }) => isAccepted)).to.deep.equal([true, false, true]);
    const more = await upTo(`${lines}${jsonLine()}\n${jsonLine()}\n`);
    expect(more.length).to.equal(4);
    expect(more[3]).to.deep.include({ line: 4, field: "file", rule: "at most 2 orders; the rest is not read" });
  });

  it("do not hide a fault behind a refusal", async () => {
    const hasCorridor = () => {
      throw new TypeError("a fault");
    };
    const reading = collect(readOrders(() => toChunks(jsonLine()), { random: createRandom("1"), hasCorridor }));
    expect(await reading.catch((reason: unknown) => reason)).to.be.an.instanceof(TypeError);
  });

  it("are read by the file's extension in any case, or by its content without a known one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "feiqian-orders-"));
    try {
      const contents = { "a.JSONL": jsonLine(), "b.txt": jsonLine(), "c.csv": jsonLine() };
      for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content);
      const outcome = async (name: string) =>
        (await collect(readOrdersFile(join(folder, name), { random: createRandom("1") })))[0]?.accepted;
      expect(await outcome("a.JSONL")).to.equal(true);
      expect(await outcome("b.txt")).to.equal(true);
      expect(await outcome("c.csv")).to.equal(false);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("of a made-up day come back as they were, from both formats", async () => {
    const { orders } = makeDay({ transfers: 300, seed: "round trip", rates: (await loadRateBook()).on() });
    const fields = orders.map((order) => {
      const time = new Date(order.atSecond * 1_000).toISOString().slice(11, 19);
      return {
        uetr: order.uetr,
        source: String(order.source),
        target: String(order.target),
        amount: formatAmount(order.sourceAmount),
        currency: order.sourceAmount.currency,
        debtor_name: order.debtor.name,
        debtor_name_local: order.debtor.nameLocal,
        debtor_phone: order.debtor.phone,
        creditor_name: order.creditor.name,
        creditor_name_local: order.creditor.nameLocal,
        creditor_phone: order.creditor.phone,
        purpose: order.purpose,
        remittance: order.remittance,
        at: time,
      };
    });
    const fromCsv = await readCsv(fields.map((row) => csvLine(row)).join("\n"), Object.keys(fields[0] ?? {}));
    expect(fromCsv.map((result) => (result.accepted ? result.order : result))).to.deep.equal(orders);
    const fromNdjson = await readNdjson(fields.map((row) => JSON.stringify(row)).join("\n"));
    expect(fromNdjson.map((result) => (result.accepted ? result.order : result))).to.deep.equal(orders);
  });

  it("have reasons that ISO 20022 knows", function () {
    // The file's own shape: a code set of { codes: { CODE: text } }.
    const { codes } = JSON.parse(referenceText(this, "iso20022/codesets/external_status_reason_code.json")) as {
      readonly codes: Readonly<Record<string, string>>;
    };
    for (const [code, text] of Object.entries(ORDER_REASONS)) expect(codes[code], code).to.equal(text);
  });

  it("of a file that is not there fail with Node's error", async () => {
    const reading = collect(readOrdersFile(example("nowhere.csv"), { random: createRandom("1") }));
    const error: unknown = await reading.catch((reason: unknown) => reason);
    expect(error).to.have.property("code", "ENOENT");
  });
});
