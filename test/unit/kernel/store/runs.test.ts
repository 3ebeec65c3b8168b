import { expect } from "chai";
import fc from "fast-check";
import { runsOf } from "../../../../src/kernel/store/runs.ts";

describe("runs of rows", () => {
  const areAlike = (left: { readonly at: number }, right: { readonly at: number }) => left.at === right.at;

  it("are of rows that are alike and follow each other, and are as few as can be", () => {
    const rows = [1, 2, 3, 5, 6, 7].map((number) => ({ seq: BigInt(number), at: number === 7 ? 2 : 1 }));
    const runs = runsOf(rows, areAlike).map(({ first, last, row }) => [first, last, row.at]);
    expect(runs).to.deep.equal([
      [1n, 3n, 1],
      [5n, 6n, 1],
      [7n, 7n, 2],
    ]);
    expect(runsOf([], areAlike)).to.deep.equal([]);
  });

  it("say of each number what its row says, and nothing of others", () => {
    const numbers = fc.uniqueArray(fc.nat(60));
    fc.assert(
      fc.property(numbers, fc.func(fc.nat(1)), (seqs, timeOf) => {
        const rows = seqs.toSorted((left, right) => left - right).map((seq) => ({ seq: BigInt(seq), at: timeOf(seq) }));
        const read: unknown[] = [];
        for (const { first, last, row } of runsOf(rows, areAlike)) {
          for (let seq = first; seq <= last; seq += 1n) read.push({ seq, at: row.at });
        }
        expect(read).to.deep.equal(rows);
      }),
    );
  });
});
