import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

describe("examples/send.ts", function () {
  // It deploys a whole network.

  it("sends a transfer, which settles at the day's rate", async () => {
    const { stdout } = await run(process.execPath, ["examples/send.ts"], { cwd: root });
    const line = /^1,500\.00 HKD → ([0-9,]+)\.[0-9]{2} PHP: settled, ACSC\n$/.exec(stdout);
    expect(line, stdout).not.to.equal(null);
    // A dollar buys some 60 pesos and just under 8 Hong Kong dollars, on whatever day the rates package is of.
    expect(Number.parseInt(line?.[1]?.replaceAll(",", "") ?? "", 10)).to.be.within(8_000, 16_000);
  });

  it("is what the page for developers quotes", async () => {
    const [example, page] = await Promise.all(
      ["examples/send.ts", "docs/developer.md"].map((file) => readFile(join(root, file), "utf8")),
    );
    const quoted = /<!-- examples\/send\.ts -->\s+```ts\n([^]*?)```/.exec(page ?? "")?.[1];
    expect(quoted).to.be.a("string").that.includes("openCall(");
    expect(example).to.include(quoted);
  });
});
