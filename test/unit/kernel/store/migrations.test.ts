import { readdir } from "node:fs/promises";
import { expect } from "chai";

const MIGRATIONS = new URL("../../../../src/kernel/store/migrations/", import.meta.url);

describe("migrations", () => {
  it("are numbered one after the other, so that their order is that of their making", async () => {
    const names = (await readdir(MIGRATIONS)).sort();
    const numbers = names.map((name) => name.slice(0, 4));
    expect(numbers).to.deep.equal(names.map((_, index) => String(index + 1).padStart(4, "0")));
  });
});
