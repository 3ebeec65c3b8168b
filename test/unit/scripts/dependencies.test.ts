import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod/v4";

/** What runs where the product is installed: .dependency-cruiser.js keeps development packages out of it. */
const PRODUCT = ["bin", "src", "sdk", "deploy/besu"];

describe("package.json", () => {
  it("has as dependencies only what the product itself imports", async () => {
    const manifest = z.object({ dependencies: z.record(z.string(), z.string()) });
    const { dependencies } = manifest.parse(JSON.parse(await readFile("package.json", "utf8")));
    const texts = await Promise.all(PRODUCT.map(textsOf));
    const imported = new Set(texts.flat().flatMap(packagesIn));
    expect(Object.keys(dependencies).filter((name) => !imported.has(name))).to.deep.equal([]);
  });
});

async function textsOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.[jt]s$/.test(name));
  return Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
}

/** Names of packages, without the paths in them. */
function packagesIn(text: string): readonly string[] {
  return [...text.matchAll(/(?:from|import\()\s*"((?:@[^/"]+\/)?[^./"][^/"]*)/g)].map(([, name = ""]) => name);
}
