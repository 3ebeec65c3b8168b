import { readFile } from "node:fs/promises";
import { expect } from "chai";

/** The cells of every row of a page's tables, by the first one. */
async function rowsOf(page: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const lines = (await readFile(page, "utf8")).split("\n").filter((line) => line.startsWith("|"));
  const rows = lines.map((line) => line.split("|").map((cell) => cell.trim()));
  return new Map(rows.map(([, first = "", ...cells]) => [first, cells.slice(0, -1)]));
}

describe("The figures of docs/capacity.md", () => {
  let rows: ReadonlyMap<string, readonly string[]>;
  const numbersOf = (row: string): readonly number[] => {
    const cells = rows.get(row);
    if (cells === undefined) throw new Error(`no row "${row}"`);
    return cells.map((cell) => JSON.parse(cell.replaceAll(/,|\/s/g, "")) as number);
  };
  const only = (row: string): number => numbersOf(row)[0] ?? NaN;
  const perSecond = (microseconds: number): number => Math.floor(1_000_000 / microseconds);

  let source: number;
  let target: number;
  let postgres: number;
  before(async () => {
    rows = await rowsOf("docs/capacity.md");
    source = only("source relay, CPU µs a transfer");
    target = only("target relay, CPU µs a transfer");
    postgres = only("PostgreSQL, both stores, CPU µs");
  });

  it("are those that docs/performance.md has", async () => {
    const measured = await rowsOf("docs/performance.md");
    const told = (row: string): string | undefined => measured.get(row)?.[0];
    expect(told("source relay, this run")).to.equal(String(source));
    expect(told("target relay, this run")).to.equal(String(target));
    expect(told("wallet, this run")).to.equal(String(only("the target's wallet, CPU µs a transfer")));
    expect(told("ledger and providers, this run")).to.equal(String(only("ledger and providers, CPU µs a transfer")));
    expect(told("PostgreSQL, this run")).to.equal(String(postgres));
    expect(told("PostgreSQL's log, bytes")).to.equal(rows.get("PostgreSQL's log, bytes a transfer")?.[0]);
    expect(told("its fsyncs for 1,000")).to.equal(rows.get("fsyncs for 1,000 transfers")?.[0]);
  });

  it("say how many transfers a second one of each gives", () => {
    const [intake, sending] = [source / 2, source / 2];
    expect(only("one process that does all of a sending partner")).to.equal(perSecond(source));
    expect(only("an intake process")).to.equal(perSecond(intake));
    expect(only("a leader that sends, with intake elsewhere")).to.equal(perSecond(sending));
    expect(only("a leader that receives")).to.equal(perSecond(target));
    expect(only("a leader that does both, in each direction")).to.equal(perSecond(sending + target));
    expect(only("a core of PostgreSQL, of one partner's store")).to.equal(perSecond(postgres / 2));
    expect(only("a core of the target's wallet (the sandbox's)")).to.equal(
      perSecond(only("the target's wallet, CPU µs a transfer")),
    );
    expect(only("the ledger, batches of 1,000")).to.equal(only("batches a second, four validators") * 1_000);
  });

  it("say what each of the worked rates needs", () => {
    const wallet = only("the target's wallet, CPU µs a transfer");
    const all = source + target + wallet + only("ledger and providers, CPU µs a transfer") + postgres;
    const log = only("PostgreSQL's log, bytes a transfer");
    const rates = [1_000, 10_000, 47_500];
    const needs: Readonly<Record<string, (rate: number) => number>> = {
      "cores, all of it": (rate) => rounded((rate * all) / 1_000_000),
      "of these PostgreSQL": (rate) => rounded((rate * postgres) / 1_000_000),
      "intake processes": (rate) => Math.ceil(rate / perSecond(source / 2)),
      "leaders that send": (rate) => Math.ceil(rate / perSecond(source / 2)),
      "leaders that receive": (rate) => Math.ceil(rate / perSecond(target)),
      "batches a second": (rate) => rate / 1_000,
      "PostgreSQL's log, MB a second": (rate) => rounded((rate * log) / 1_000_000),
    };
    for (const [row, need] of Object.entries(needs)) expect(numbersOf(row), row).to.deep.equal(rates.map(need));
  });

  function rounded(value: number): number {
    return Math.round(value * 10) / 10;
  }
});
