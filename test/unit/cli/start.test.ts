import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const PROGRAM = new URL("../../../src/cli/program.ts", import.meta.url).href;
const SDK = new URL("../../../sdk/index.ts", import.meta.url).href;
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Tells of every module that is loaded with another one. */
const TELL = `
  import { registerHooks } from "node:module";
  const loaded = [];
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
  await import(process.argv[1]);
  console.log(JSON.stringify(loaded));
`;

async function loadedWith(module: string): Promise<readonly string[]> {
  const args = ["--input-type=module", "--eval", TELL, module];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
  // Its own words.
  const urls = JSON.parse(stdout) as readonly string[];
  return urls.filter((url) => url.startsWith("file:")).map((url) => fileURLToPath(url).slice(ROOT.length));
}

/** Packages that only a relay that runs needs. */
const OF_A_RELAY = /^node_modules\/(fastify|@fastify|pg|ethers|prom-client|pino|@electric-sql|@opentelemetry)\//;

describe("the start", () => {
  it("of the command line knows every feature, and loads nothing of a relay that runs", async () => {
    const loaded = await loadedWith(PROGRAM);
    expect(loaded).to.include.members(["src/app/features.ts", "src/features/remittance/feature.ts"]);
    expect(loaded.filter((path) => OF_A_RELAY.test(path) || path.endsWith("/work.ts"))).to.deep.equal([]);
  });

  it("of the SDK loads no feature, and nothing of a relay", async () => {
    const loaded = await loadedWith(SDK);
    expect(loaded).to.include("sdk/problems.ts");
    expect(loaded.filter((path) => OF_A_RELAY.test(path) || /^src\/(features|app|cli)\//.test(path))).to.deep.equal([]);
  });
});
