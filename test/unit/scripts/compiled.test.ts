import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { digestLine, isCompiledFromSources, renderCompiled, staleCompiled } from "../../../scripts/lib/compiled.ts";
import { BUILD } from "../../../src/ledger/deployment/build.ts";

const TREASURY = "contracts/core/Treasury.sol/Treasury.json";

describe("What clients know of the compiled contracts", () => {
  let artifacts: string;

  beforeEach(async () => {
    artifacts = await mkdtemp(join(tmpdir(), "feiqian-artifacts-"));
    await cp("artifacts", artifacts, { recursive: true, filter: (path) => !path.endsWith("/build-info") });
  });
  afterEach(async () => rm(artifacts, { recursive: true }));

  async function changeTreasury(change: (code: string) => string): Promise<void> {
    const file = join(artifacts, TREASURY);
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(BUILD.treasury.runtime, change));
  }

  it("is committed as the compiler writes it", async () => {
    expect(await staleCompiled()).to.deep.equal([]);
  });

  it("is stale as soon as one contract compiles to other code, and only where that is", async () => {
    await changeTreasury((code) => `${code}00`);
    expect(await staleCompiled(artifacts)).to.deep.equal(["src/ledger/compiled/codes.ts"]);
  });

  it("says what it was compiled from: a start compiles nothing while that has not changed", async () => {
    expect(await isCompiledFromSources()).to.equal(true);
    const committed = await digestLine();
    const changes: readonly [string, string][] = [
      ["contracts/core/Treasury.sol", "// one more line\n"],
      ["contracts/core/Another.sol", "// one more file\n"],
      ["hardhat.config.ts", "// another setting\n"],
      ["node_modules/solc/package.json", "\n"],
      ["node_modules/@openzeppelin/contracts/package.json", "\n"],
    ];
    for (const [path, addition] of changes) {
      const root = await mkdtemp(join(tmpdir(), "feiqian-sources-"));
      const copied = ["contracts", ...changes.map(([each]) => each).filter((each) => !each.startsWith("contracts/"))];
      await Promise.all(copied.map((each) => cp(each, join(root, each), { recursive: true })));
      expect(await digestLine(root)).to.equal(committed);
      await appendFile(join(root, path), addition);
      expect(await digestLine(root), path).to.not.equal(committed);
      await rm(root, { recursive: true });
    }
  });

  it("is not made of code that waits for a library's address", async () => {
    await changeTreasury((code) => code.replace(/.{40}$/, `__$${"0".repeat(34)}$__`));
    const failure = await renderCompiled(artifacts).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error).with.property("message").that.contains("deployedBytecode");
  });
});
