import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ACCEPTANCE, fakeRelay, run, UETR } from "./fixtures.ts";

describe("the command line's transfers", () => {
  it("reads a file with a byte order mark, and nothing of one that is not UTF-8", async () => {
    const folder = await mkdtemp(join(tmpdir(), "feiqian-cli-"));
    const file = join(folder, "transfers.ndjson");
    const line = (name: string) =>
      JSON.stringify({
        uetr: UETR,
        target: 4,
        amount: { send: { currency: "HKD", minor: "150000" } },
        debtor: { name, alias: { type: "MSISDN", value: "+85291234567" } },
        creditor: { alias: { type: "MSISDN", value: "+639171234567" } },
        purpose: "FAMI",
      });
    const result = { line: 1, uetr: UETR, status: 202, acceptance: ACCEPTANCE };
    const relay = fakeRelay(() => ({ text: `${JSON.stringify(result)}\n` }));
    await writeFile(file, `\ufeff${line("Chan Tai Man")}\r\n`);
    const marked = await run(["send", "--file", file], relay);
    // In GBK; the first of the names would be read as "Ҷ÷".
    await writeFile(file, Buffer.from(`${line("\xd2\xb6\xc3\xb7")}\n${line("\xc0\xee")}\n`, "latin1"));
    const wrong = await run(["send", "--file", file], relay);
    await rm(folder, { recursive: true });
    expect(marked).to.include({ code: 0 });
    expect(relay.asked).to.have.length(1);
    expect(wrong.code).to.equal(4);
    expect(wrong.err).to.match(/--file: in UTF-8, and it looks like .*iconv/);
  });

  it("knows a telephone number however it was pasted, and guesses at none without its country", async () => {
    const relay = fakeRelay(() => ({ status: 202, body: ACCEPTANCE }));
    const from = ["--from", "+852 9123 4567", "--from-name", "Chan Tai Man"];
    const to = (alias: string) => run(["send", "4", "--send", "1500.00HKD", ...from, "--to", alias], relay);
    expect((await to("\u202a+63 (0)917 123-4567\u202c")).code).to.equal(0);
    expect(relay.asked[0]?.body).to.have.nested.property("creditor.alias").deep.equal({
      type: "MSISDN",
      value: "+639171234567",
    });
    for (const bare of ["0917 123 4567", "639181234567", "(0917) 123.4567"]) {
      const { code, err } = await to(bare);
      expect(code, bare).to.equal(4);
      expect(err).to.contain('--to: a telephone number with its "+"').and.not.contain(bare);
    }
    expect((await to("ACCOUNT_ID:0917123")).code).to.equal(0);
    expect(relay.asked).to.have.length(2);
  });

  it("names the attempt before it, by a UETR", async () => {
    const relay = fakeRelay(() => ({ status: 202, body: ACCEPTANCE }));
    const from = ["--from", "+85291234567", "--from-name", "Chan Tai Man"];
    const again = (earlier: string) =>
      run(["send", "4", "--send", "1500.00HKD", ...from, "--to", "+639171234567", "--retry-of", earlier], relay);
    expect((await again(UETR)).code).to.equal(0);
    expect(relay.asked[0]?.body).to.have.property("retryOf", UETR);
    const { code, err } = await again("yesterday's");
    expect(code).to.equal(4);
    expect(err).to.contain("retryOf").and.contain("UUID");
    expect(relay.asked).to.have.length(1);
  });

  it("says which part of an amount it did not understand, before anybody is asked", async () => {
    const nobody = { environment: {} };
    const parts: Readonly<Record<string, string>> = {
      "10": "the currency's three letters are missing",
      "€10": "the currency's three letters are missing",
      "10,50EUR": '(given "10,50")',
      "EUR 1,000.00": '(given "1,000.00")',
      "1..0EUR": '(given "1..0")',
      "10EURO": 'an active ISO 4217 alphabetic code in upper case (given "EURO")',
      "10EU": '(given "EU")',
      "٣EUR": '(given "٣")',
      "10.5JPY": 'no decimals for JPY (given "10.5")',
      HKD1500PHP: "an amount and its currency, as 1500.00HKD (given",
    };
    for (const [amount, told] of Object.entries(parts)) {
      const { code, err } = await run(["quote", "5", "--send", amount], nobody);
      expect([code, err], amount).to.satisfy(([c, e]: [number, string]) => c === 4 && e.includes(told));
    }
    const named = await run(["quote", "GCash", "--send", "10EUR"], nobody);
    expect(named.err).to.contain('feiqian partner list shows them (given "GCash")');
  });
});
