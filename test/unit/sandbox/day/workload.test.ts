import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { loadRateBook, type DailyRates } from "../../../../sandbox/provider/rates.ts";
import { loadWorkload } from "../../../../sandbox/day/workload.ts";
import { csvLine, GOOD, UETR } from "../orders/orders-support.ts";

const GCASH = parsePartnerId(4);

describe("a workload", () => {
  let folder: string;
  let rates: DailyRates;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-workload-"));
    rates = (await loadRateBook()).on();
  });

  after(() => rm(folder, { recursive: true }));

  const fromFile = async (lines: readonly string[], extra: readonly string[] = [], seed = "a") => {
    const input = join(folder, "orders.csv");
    const columns = [...new Set([...Object.keys(GOOD), ...extra])];
    await writeFile(input, [columns.join(","), ...lines].join("\n"));
    return loadWorkload({ transfers: 1, seed, rates, input });
  };

  it("is made up where no file is given: the same for the same seed", async () => {
    const made = await loadWorkload({ transfers: 25, seed: "a", rates, input: undefined });
    expect([made.orders.length, made.refused]).to.deep.equal([25, []]);
    expect((await loadWorkload({ transfers: 25, seed: "a", rates, input: undefined })).orders).to.deep.equal(
      made.orders,
    );
    const refused: unknown = await loadWorkload({ transfers: 0, seed: "a", rates, input: undefined }).catch(
      (failure: unknown) => failure,
    );
    expect(refused).to.be.instanceOf(InvalidInput).with.property("field", "transfers");
  });

  it("names every bad line, and lets the good ones through", async () => {
    const lines = [csvLine(), csvLine({ amount: "-5" }), csvLine({ source: "Nobody" }), csvLine({ amount: "7" })];
    const { orders, refused } = await fromFile(lines);
    expect(orders.map(({ sourceAmount }) => sourceAmount.minor)).to.deep.equal([150_050n, 700n]);
    expect(refused.map(({ line, field }) => [line, field])).to.deep.equal([
      [3, "amount"],
      [4, "source"],
    ]);
  });

  it("opens an account for everybody but who is said to have none", async () => {
    const { directory } = await fromFile(
      [
        csvLine({ creditor_exists: "yes" }, [...Object.keys(GOOD), "creditor_exists"]),
        csvLine({ creditor_phone: "+639171234567", creditor_exists: "no" }, [...Object.keys(GOOD), "creditor_exists"]),
      ],
      ["creditor_exists"],
    );
    expect(directory.size).to.equal(2);
    expect(directory.find(GCASH, GOOD.creditor_phone)?.name).to.equal(GOOD.creditor_name);
    expect(directory.find(parsePartnerId(7), GOOD.debtor_phone)?.name).to.equal(GOOD.debtor_name);
    expect(directory.find(GCASH, "+639171234567")).to.equal(undefined);
  });

  it("makes the same UETRs for the same seed, and keeps those that are given", async () => {
    const columns = [...Object.keys(GOOD), "uetr"];
    const lines = [csvLine({ uetr: UETR }, columns), csvLine({ uetr: "" }, columns)];
    const uetrs = async (seed: string) => (await fromFile(lines, ["uetr"], seed)).orders.map(({ uetr }) => uetr);
    const first = await uetrs("a");
    expect(first[0]).to.equal(UETR);
    expect(await uetrs("a")).to.deep.equal(first);
    expect((await uetrs("b"))[1]).not.to.equal(first[1]);
  });

  it("refuses what is worth less than one minor unit of the target currency", async () => {
    // One Indonesian cent is far less than one Chinese fen, or a Korean won; one Korean won is some thousand of them.
    const idr = { source: "DANA", currency: "IDR", debtor_phone: "+62812345678" };
    const cny = { target: "Alipay", creditor_phone: "+8613123456789" };
    const { orders, refused } = await fromFile([
      csvLine({ ...idr, ...cny, amount: "0.01" }),
      csvLine({ ...idr, ...cny, amount: "30.00" }),
    ]);
    expect(orders.map(({ sourceAmount }) => sourceAmount.minor)).to.deep.equal([3_000n]);
    expect(refused).to.deep.equal([
      {
        accepted: false,
        line: 2,
        lastLine: 2,
        field: "amount",
        rule: "enough for one minor unit of CNY",
        reason: "AM12",
      },
    ]);
  });

  it("refuses what is above what the sandbox has money for, alone or with what went before", async () => {
    const most = "10000000000000.00";
    const lines = Array.from({ length: 11 }, () => csvLine({ amount: most }));
    const { orders, refused } = await fromFile([
      csvLine({ amount: "10000000000000.01" }),
      ...lines,
      csvLine({ amount: "0.10" }),
      csvLine({ source: "Touch 'n Go", currency: "MYR", debtor_phone: "+60123456789", amount: most }),
    ]);
    expect(orders).to.have.length(10 + 1);
    expect(refused.map(({ line, field, rule }) => [line, field, rule])).to.deep.equal([
      [2, "amount", "at most 1000000000000000 minor units"],
      ...[13, 14].map((line) => [
        line,
        "amount",
        "with the corridor's orders before, at most 10000000000000000 minor units",
      ]),
    ]);
  });

  it("throws Node's error for a file that is not there", async () => {
    const failure: unknown = await loadWorkload({ transfers: 1, seed: "a", rates, input: join(folder, "none") }).catch(
      (thrown: unknown) => thrown,
    );
    expect(failure).to.have.property("code", "ENOENT");
  });
});
