import { expect } from "chai";
import { parse } from "csv-parse/sync";
import * as fc from "fast-check";
import { createRandom } from "../../../../src/kernel/random.ts";
import { readOrders, type OrderResult } from "../../../../sandbox/orders/orders.ts";
import { joinCsvRecords, MAX_RECORD_BYTES, splitLines } from "../../../../sandbox/orders/lines.ts";
import {
  accepted,
  collect,
  csvLine,
  GOOD,
  jsonLine,
  read,
  readCsv,
  readNdjson,
  refused,
  toChunks,
  UETR,
} from "./orders-support.ts";

const HEADER = Object.keys(GOOD).join(",");
const BOM = "\ufeff";

/** "2" for an order accepted on line 2, "3 AM05" for one refused there, "3-5 FF01" over several lines. */
const outline = (results: readonly OrderResult[]) =>
  results.map((result) => {
    if (result.accepted) return String(result.line);
    return `${result.line}${result.lastLine === result.line ? "" : `-${result.lastLine}`} ${result.reason}`;
  });

describe("order files", () => {
  describe("in CSV", () => {
    it("go through with BOM, CRLF, blank lines, and without a line end at the end", async () => {
      const content = `${BOM}${HEADER}\r\n\r\n${csvLine()}\r\n   \r\n,,,,,,,\r\n${csvLine()}`;
      expect(outline(await read(content))).to.deep.equal(["3", "6"]);
    });

    it("may begin with blank lines", async () => {
      expect(outline(await read(`\n \n${HEADER}\n${csvLine()}\n`))).to.deep.equal(["4"]);
    });

    it("may have their columns in any order, and spaces around names and values", async () => {
      const columns = Object.keys(GOOD).toReversed();
      const content = `${columns.join(" , ")}\n${csvLine({ amount: " 12 " }, columns)}\n`;
      expect(accepted(await read(content))[0]?.order.sourceAmount.minor).to.equal(1_200n);
    });

    it("have line breaks and quotes in quoted fields, and count lines past them", async () => {
      const lines = [
        csvLine({ remittance: 'the "red"\r\none,\n\nthen' }),
        csvLine({ remittance: "" }),
        csvLine({ amount: "0", remittance: "a\nb" }),
      ];
      const results = await readCsv(lines.join("\n"), ["remittance"]);
      expect(outline(results)).to.deep.equal(["2", "6", "7-8 AM01"]);
      expect(accepted(results)[0]?.order.remittance).to.equal('the "red" one, then');
    });

    it("have no line breaks in names", async () => {
      const [problem] = refused(await readCsv(csvLine({ creditor_name: "Maria\nCruz" })));
      expect(problem).to.deep.include({ line: 2, lastLine: 3, field: "creditor_name", reason: "RR10" });
    });

    it("name every unknown, repeated and missing column, and end there", async () => {
      const content = `source,target,amount,Currency,debtor_name,debtor_phone,creditor_name,source\n${csvLine()}\n`;
      const problems = refused(await read(content));
      expect(problems.map(({ line, field, reason }) => [line, field, reason])).to.deep.equal([
        [1, '"Currency"', "CH17"],
        [1, "source", "FF01"],
        [1, "currency", "CH21"],
        [1, "creditor_phone", "CH21"],
      ]);
    });

    it("name a column without disturbing a terminal", async () => {
      const [problem] = refused(await read(`${HEADER},\u001b[31m${"x".repeat(500)}\n`));
      expect(problem?.field).to.equal(JSON.stringify(`?[31m${"x".repeat(35)}`));
    });

    it("refuse rows with another number of fields than the header", async () => {
      const results = await readCsv([`${csvLine()},extra`, "a,b", csvLine()].join("\n"));
      expect(outline(results)).to.deep.equal(["2 FF01", "3 FF01", "4"]);
      expect(refused(results)[0]?.rule).to.equal("8 fields, as the header has (this has 9)");
    });

    it("lose only the line of a quote that never closes or is in a wrong place", async () => {
      const good = csvLine();
      const lines = [good, `"${good}`, good, `${good}"x"`, good, `"a"b,${good}`, good, `"open\n"closed"x`, good];
      const results = await readCsv(lines.join("\n"));
      expect(outline(results)).to.deep.equal([
        ...["2", "3 FF01", "4", "5 FF01", "6", "7 FF01", "8", "9 FF01", "10 FF01", "11"],
      ]);
      const rules = refused(results).map(({ field, rule }) => `${field}: ${rule}`);
      expect(rules[1]).to.match(/^line: RFC 4180/);
    });

    it("lose only the line of a quote that never closes at the end of the file, or within 64 KiB", async () => {
      const atEnd = await readCsv([`"${csvLine()}`, csvLine(), csvLine()].join("\n"));
      expect(outline(atEnd)).to.deep.equal(["2 FF01", "3", "4"]);
      expect(refused(atEnd)[0]?.rule).to.equal("a quote that opens has to close, within 65536 bytes");
      const many = Array.from({ length: 1_000 }, () => csvLine());
      const far = await readCsv([`"${csvLine()}`, ...many, csvLine({ remittance: "a,b" })].join("\n"), ["remittance"]);
      // The rows lack the last column: what matters is that each is looked at.
      expect(far.length).to.equal(1_002);
      expect(outline(far.slice(0, 2))).to.deep.equal(["2 FF01", "3 FF01"]);
      expect(outline(far.slice(-1))).to.deep.equal(["1003"]);
    });

    it("never take the middle of a well-formed record for an order", async () => {
      const hidden = csvLine({ amount: "99999" });
      const results = await readCsv(csvLine({ amount: "0", remittance: `look:\n${hidden}\n` }), ["remittance"]);
      expect(outline(results)).to.deep.equal(["2-4 AM01"]);
    });

    it("refuse records of more than 64 KiB without keeping them, and go on", async () => {
      const long = "x".repeat(MAX_RECORD_BYTES + 1);
      const results = await readCsv([long, csvLine(), `"${"x".repeat(MAX_RECORD_BYTES)}"`, csvLine()].join("\r\n"));
      expect(outline(results)).to.deep.equal(["2 FF01", "3", "4 FF01", "5"]);
      expect(refused(results)[0]?.rule).to.equal("at most 65536 bytes");
    });

    it("count the line breaks inside quotes towards the 64 KiB", async () => {
      const record = (bytes: number) => `"${"x".repeat(1_000)}\n${"y".repeat(bytes - 1_003)}"`;
      const outcomes = await readCsv([record(MAX_RECORD_BYTES), record(MAX_RECORD_BYTES + 1)].join("\n"));
      // The first is a record, of one field instead of eight; the second is none, and so its last line is looked at too.
      expect(outline(outcomes)).to.deep.equal(["2-3 FF01", "4 FF01", "5 FF01"]);
    });

    it("take a lone CR for no line end", async () => {
      const [problem] = refused(await readCsv(csvLine({ creditor_name: "Maria\rCruz" })));
      expect(problem).to.deep.include({ line: 2, lastLine: 2, field: "creditor_name", reason: "RR10" });
    });

    it("split records exactly as csv-parse does where it takes the whole file", async () => {
      const anyCsv = fc
        .array(fc.constantFrom('"', '""', ",", "\n", "a", "b c", "é", "\r\n", '"x,y"', '"q\nr"'), { maxLength: 40 })
        .map((parts) => parts.join(""));
      await fc.assert(
        fc.asyncProperty(anyCsv, fc.integer({ min: 1, max: 9 }), async (content, chunkBytes) => {
          const whole = parseOrUndefined(content);
          const records = await collect(joinCsvRecords(splitLines(toChunks(content, chunkBytes))));
          const malformed = records.filter(({ bytes }) => bytes === undefined);
          expect(malformed.length === 0).to.equal(whole !== undefined);
          if (whole === undefined) return;
          const texts = records.map(({ bytes }) => Buffer.from(bytes ?? []).toString());
          const joined = texts.flatMap((text) => (text === "" ? [[""]] : parseOrUndefined(text)));
          // Line breaks inside quotes come out as LF.
          expect(joined).to.deep.equal(whole.map((row) => row.map((value) => value.replaceAll("\r\n", "\n"))));
        }),
        { numRuns: 1_000 },
      );
    });
  });

  describe("in NDJSON", () => {
    it("go through with BOM, CRLF and blank lines", async () => {
      const content = `${BOM}${jsonLine()}\r\n\r\n  \t\r\n ${jsonLine()} \r\n`;
      expect(outline(await read(content))).to.deep.equal(["1", "4"]);
    });

    const { amount: _, ...withoutAmount } = GOOD;
    const badLines = [
      ["no JSON", "{oops", "line", "FF01"],
      ["text after the object", `${jsonLine()} {}`, "line", "FF01"],
      ["an array", `[${jsonLine()}]`, "line", "FF01"],
      ["a string", '"order"', "line", "FF01"],
      ["null", "null", "line", "FF01"],
      ["a number for the amount", jsonLine().replace('"1500.50"', "1500.50"), "amount", "CH16"],
      ["null for the amount", jsonLine().replace('"1500.50"', "null"), "amount", "CH16"],
      ["an object for the amount", jsonLine().replace('"1500.50"', '{"value":"1"}'), "amount", "CH16"],
      ["true for creditor_exists", jsonLine().replace("}", ',"creditor_exists":true}'), "creditor_exists", "CH16"],
      ["an unknown member", jsonLine({ Amount: "1" }), '"Amount"', "CH17"],
      ["a member of the prototype", jsonLine().replace("}", ',"__proto__":"x"}'), '"__proto__"', "CH17"],
      ["a missing member", JSON.stringify(withoutAmount), "amount", "CH21"],
      ["one member twice", jsonLine().replace("}", ',"amount":"9"}'), '"amount"', "FF01"],
      ["one member twice, once escaped", jsonLine().replace("}", ',"\\u0061mount":"9"}'), '"amount"', "FF01"],
      ["half a surrogate pair", jsonLine().replace("Chan", "\\ud800"), "debtor_name", "RR10"],
    ] as const;
    for (const [name, line, field, reason] of badLines) {
      it(`refuse ${name}, and go on`, async () => {
        const results = await readNdjson([jsonLine(), line, jsonLine()].join("\n"));
        expect(outline(results)).to.deep.equal(["1", `2 ${reason}`, "3"]);
        expect(refused(results)[0]?.field).to.equal(field);
      });
    }

    it("say that JSON numbers are floating point", async () => {
      const [problem] = refused(await readNdjson(jsonLine().replace('"1500.50"', "1500.50")));
      expect(problem?.rule).to.match(/floating point/);
    });

    it("are not confused by keys inside strings", async () => {
      const results = await readNdjson(jsonLine({ remittance: 'x","amount":"9' }));
      expect(accepted(results)[0]?.order.remittance).to.equal('x","amount":"9');
    });

    it("refuse lines of more than 64 KiB, and go on", async () => {
      const exact = jsonLine().padEnd(MAX_RECORD_BYTES);
      const results = await readNdjson([`${exact} `, exact, "{".repeat(200_000), jsonLine()].join("\n"));
      expect(outline(results)).to.deep.equal(["1 FF01", "2", "3 FF01", "4"]);
      expect(outline(await readNdjson(`${exact}\r\n${exact} \r\n`))).to.deep.equal(["1", "2 FF01"]);
    });
  });

  it("are told apart by their content where the name does not say", async () => {
    expect(outline(await read(`${HEADER}\n${csvLine()}`))).to.deep.equal(["2"]);
    expect(outline(await read(`\n  ${jsonLine()}`))).to.deep.equal(["2"]);
  });

  it("give the same results however they arrive in chunks", async () => {
    const content = `${BOM}${HEADER},remittance\r\n${csvLine({ remittance: "é\r\n漢𠮷" })}\r\n${csvLine({ amount: "x" })}`;
    const results = async (chunkBytes: number) =>
      collect(readOrders(() => toChunks(content, chunkBytes), { random: createRandom("1") }));
    const whole = await results(100_000);
    expect(outline(whole)).to.deep.equal(["2", "4 FF01"]);
    for (const chunkBytes of [1, 2, 3, 7, 64]) expect(await results(chunkBytes)).to.deep.equal(whole);
  });

  it("are refused as a whole when some of it is not UTF-8: lines that are, by chance, say something else", async () => {
    // The two letters of the second name are valid UTF-8 in GBK: they read "Ҷ÷".
    const gbk = new Map([
      ["李", "\xc0\xee"],
      ["叶", "\xd2\xb6"],
      ["恩", "\xb6\xf7"],
      ["叶敏", "\xd2\xb6\xc3\xf4"],
    ]);
    const byChance = Buffer.from("\xd2\xb6\xc3\xb7", "latin1");
    expect(new TextDecoder("utf-8", { fatal: true }).decode(byChance)).to.equal("Ҷ÷");
    const line = (name: string) => Buffer.from(`${csvLine({ debtor_name: name })}\n`, "latin1");
    const rows = [csvLine(), byChance.toString("latin1"), gbk.get("李") ?? ""].map(line);
    const results = await read(Buffer.concat([Buffer.from(`${HEADER}\n`), ...rows]));
    expect(results).to.have.length(1);
    const [problem] = refused(results);
    expect(problem).to.deep.include({ line: 4, field: "file", reason: "RR10" });
    expect(problem?.rule).to.match(/^in UTF-8, and it looks like .*GBK.*iconv -f /);
  });

  it("are refused as a whole for one byte at the very end, in either format", async () => {
    const many = Array.from({ length: 500 }, () => jsonLine());
    const json = Buffer.concat([
      Buffer.from(`${many.join("\n")}\n`),
      Buffer.from(jsonLine({ debtor_name: "José" }), "latin1"),
    ]);
    expect(outline(await read(json))).to.deep.equal(["501 RR10"]);
    const cut = Buffer.from(`${HEADER},remittance\n${csvLine({ remittance: "漢" })}`).subarray(0, -1);
    expect(outline(await read(cut))).to.deep.equal(["2 RR10"]);
    const header = Buffer.concat([Buffer.from("\xe9,", "latin1"), Buffer.from(`${HEADER}\n${csvLine()}`)]);
    expect(outline(await read(header))).to.deep.equal(["1 RR10"]);
  });

  for (const [name, delimiter, rule] of [
    ["semicolons", ";", /commas between the columns, not semicolons/],
    ["tabs", "\t", /commas between the columns, not tabs/],
    ["quoted names and semicolons", '";"', /not semicolons/],
  ] as const) {
    it(`with ${name} between their columns are told so, once`, async () => {
      const columns = Object.keys(GOOD).join(delimiter);
      const header = delimiter === '";"' ? `"${columns}"` : columns;
      const results = await read(`${BOM}${header}\n${csvLine()}\n`);
      expect(outline(results)).to.deep.equal(["1 FF01"]);
      expect(refused(results)[0]?.rule).to.match(rule);
      expect(refused(results)[0]?.field).to.equal("header");
    });
  }

  it("with a line for spreadsheets before the header are told to delete it", async () => {
    const [problem] = refused(await read(`sep=,\n${HEADER}\n${csvLine()}\n`));
    expect(problem).to.deep.include({ line: 1, field: "header" });
    expect(problem?.rule).to.match(/delete the line "sep="/);
  });

  it("take a byte order mark wherever files were put together", async () => {
    expect(outline(await read(`${BOM}${jsonLine()}\n${BOM}${jsonLine()}\n`))).to.deep.equal(["1", "2"]);
    expect(outline(await read(`${BOM}${HEADER}\n${csvLine()}\n${BOM}${csvLine()}\n`))).to.deep.equal(["2", "3"]);
  });

  for (const [name, content, rule] of [
    ["empty", "", /not empty/],
    ["blank", "\n \r\n\n", /not empty/],
    ["a JSON array", `[\n${jsonLine()}\n]`, /not a JSON array/],
    ["UTF-16", Buffer.from(`${BOM}${HEADER}`, "utf16le"), /UTF-8, not UTF-16: convert it \("iconv -f UTF-16/],
    ["UTF-16 without its mark", Buffer.from(`${HEADER}\n${csvLine()}`, "utf16le"), /UTF-8, not UTF-16/],
  ] as const) {
    it(`are refused as a whole when ${name}`, async () => {
      const results = await read(content);
      expect(results.length).to.equal(1);
      expect(refused(results)[0]).to.deep.include({ line: 1, field: "file" });
      expect(refused(results)[0]?.rule).to.match(rule);
    });
  }

  it("let go of the stream when the reader has enough", async () => {
    const released: number[] = [];
    async function* long() {
      let given = 0;
      try {
        for (; given < 1_000; given++) yield await Promise.resolve(Buffer.from(`${jsonLine()}\n`));
      } finally {
        released.push(given);
      }
    }
    for await (const result of readOrders(long, { random: createRandom("1") })) {
      expect(result.accepted).to.equal(true);
      if (result.line === 3) break;
    }
    // All of it was gone through for its encoding, and then as much as was wanted.
    expect(released).to.deep.equal([1_000, 2]);
  });

  it("pass on the errors of their stream", async () => {
    async function* broken() {
      yield await Promise.resolve(Buffer.from(`${jsonLine({ uetr: UETR })}\n`));
      throw new Error("the disk is gone");
    }
    const reading = collect(readOrders(broken, { random: createRandom("1") }));
    const error: unknown = await reading.catch((reason: unknown) => reason);
    expect(error).to.have.property("message", "the disk is gone");
  });
});

function parseOrUndefined(content: string): string[][] | undefined {
  try {
    return parse(content, { record_delimiter: ["\r\n", "\n"], relax_column_count: true });
  } catch {
    return undefined;
  }
}
