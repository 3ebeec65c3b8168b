import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { exampleJson, jsonWith } from "../deploy/besu/fixtures.ts";
import { run, type Ran } from "./fixtures.ts";

/** JSON that was printed: whatever it is, the assertions look at it. */
function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

describe("the files of a ledger by the command line", () => {
  let folder: string;
  let plan: string;
  let out: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-cli-network-"));
    [plan, out] = [join(folder, "network.json"), join(folder, "ledger")];
    await writeFile(plan, exampleJson());
  });
  afterEach(() => rm(folder, { recursive: true }));

  const network = (command: "generate" | "check", ...options: string[]): Promise<Ran> =>
    run(["network", command, "--plan", plan, "--out", out, ...options], { environment: {} });

  it("are generated, told of, and nothing is found against them", async () => {
    const { code, out: told, err } = await network("generate");
    expect({ code, err }).to.deep.equal({ code: 0, err: "" });
    expect(told)
      .to.contain("feiqian-example, 10 members")
      .and.to.match(/digest\s+[0-9a-f]{64}/);
    const manifest = parsed(await readFile(join(out, "feiqian-network.json"), "utf8"));
    expect(told).to.contain(manifest["digest"]);
    const checked = await network("check");
    expect(checked).to.include({ code: 0, err: "" });
    expect(checked.out).to.contain("No findings");
  });

  it("are told of as JSON, and what changes when the plan does", async () => {
    const first = parsed((await network("generate", "--json")).out);
    expect(first).to.include({ network: "feiqian-example", folder: out, unchanged: 0 });
    expect(first["added"]).to.include.members(["genesis/genesis.json", "members/dana/rpc/config.toml"]);
    await writeFile(plan, jsonWith({ "members.0.validator.metricsPort": 9_546 }));
    const second = parsed((await network("generate", "--json")).out);
    expect(second["changed"]).to.include("members/alipay/validator/config.toml");
    expect(second["changed"]).not.to.include("genesis/genesis.json");
    expect(second["digest"]).not.to.equal(first["digest"]);
  });

  it("end a check with 9 when something is found, named with its reason", async () => {
    await network("generate");
    const file = join(out, "members", "gcash", "rpc", "config.toml");
    await writeFile(file, `${await readFile(file, "utf8")}rpc-http-cors-origins=["*"]\n`);
    const { code, out: told, err } = await network("check");
    expect(code).to.equal(9);
    expect(told).to.contain("members/gcash/rpc/config.toml").and.to.contain("rpc-http-cors-origins");
    expect(err).to.contain("2 findings");
    const { findings } = parsed((await network("check", "--json")).out);
    expect(findings).to.have.lengthOf(2);
    expect(findings).to.deep.include({
      file: "members/gcash/rpc/config.toml",
      subject: "rpc-http-cors-origins",
      kind: "dangerous",
      reason: "it lets web pages call the node from a visitor's browser; no part of Feiqian does",
      instead: "leave it out",
    });
  });

  it("are not written over what was changed by hand, or over a folder of something else", async () => {
    await network("generate");
    await writeFile(join(out, "compose.yaml"), "services: {}\n");
    const changed = await network("generate");
    expect(changed).to.include({ code: 7, out: "" });
    expect(changed.err).to.contain("compose.yaml");
    out = folder;
    expect(await network("generate")).to.include({ code: 7 });
    expect(await readdir(folder)).to.have.members(["network.json", "ledger"]);
  });

  it("are not given another genesis by oversight, and the plan is told what to keep", async () => {
    await network("generate");
    await writeFile(plan, jsonWith({ "chain.gasLimit": 200_000_000, "chain.forks": { prague: 1_900_000_000 } }));
    const { code, err } = await network("generate");
    expect(code).to.equal(7);
    expect(err).to.contain("another genesis (gasLimit)").and.to.contain("--new-genesis");
    // What is said to be kept, is kept.
    const [, kept = ""] = /"genesis": (\{[^}]*\})/.exec(err) ?? [];
    const changes = { "chain.gasLimit": 200_000_000, "chain.forks": { prague: 1_900_000_000 } };
    await writeFile(plan, jsonWith({ ...changes, genesis: parsed(kept) }));
    expect(await network("generate")).to.include({ code: 0 });
    await writeFile(plan, jsonWith({ "chain.chainId": 7 }));
    expect((await network("generate")).err).to.contain("config.chainId");
    expect(await network("generate", "--new-genesis")).to.include({ code: 0 });
  });

  it("are not made of a plan that is wrong: every field is named, and no secret is shown", async () => {
    const secret = "4b".repeat(32);
    await writeFile(plan, jsonWith({ "members.0.validator.privateKey": secret, "chain.gasLimit": 1 }));
    const { code, err } = await network("generate");
    expect(code).to.equal(3);
    expect(err).to.contain("members.0.validator.privateKey: keys are referenced, never written here");
    expect(err).to.contain("chain.gasLimit: an integer from").and.not.to.contain("4b4b");
    expect(await network("check")).to.include({ code: 3 });
    expect(await readdir(folder)).to.deep.equal(["network.json"]);
  });

  it("need a plan and a folder", async () => {
    expect(await run(["network", "generate", "--plan", plan])).to.include({ code: 2 });
    expect(await run(["network", "check", "--out", out])).to.include({ code: 2 });
    expect(await network("check")).to.include({ code: 4 });
    plan = join(folder, "nowhere.json");
    expect(await network("generate")).to.include({ code: 4 });
  });
});
