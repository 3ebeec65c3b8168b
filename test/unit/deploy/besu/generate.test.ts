import { expect } from "chai";
import { check } from "../../../../deploy/besu/check.ts";
import { generate, nodeFiles } from "../../../../deploy/besu/generate.ts";
import { MANIFEST_FILE, parseManifest, sha256 } from "../../../../deploy/besu/manifest.ts";
import { parsePlan } from "../../../../deploy/besu/plan.ts";
import { exampleJson, examplePlan, jsonWith, planWith } from "./fixtures.ts";
import { RELAY_ALERTS } from "./relay-alerts.ts";

describe("the files of a network", () => {
  it("are what Besu reads, for each member's two nodes", () => {
    const paths = [...nodeFiles(examplePlan()).keys()];
    expect(paths).to.include("genesis/genesis.json");
    for (const { name } of examplePlan().members) {
      for (const role of ["validator", "rpc"]) {
        for (const file of ["config.toml", "static-nodes.json", "permissions_config.toml"]) {
          expect(paths).to.include(`members/${name}/${role}/${file}`);
        }
      }
    }
    expect(paths).to.have.lengthOf(1 + 10 * 2 * 3);
  });

  it("are the same bytes for the same plan, however it is written", () => {
    const rewritten = JSON.stringify(JSON.parse(exampleJson()));
    expect([...generate(parsePlan(rewritten), RELAY_ALERTS)]).to.deep.equal([...generate(examplePlan(), RELAY_ALERTS)]);
  });

  it("are all in the manifest, each with its sum", () => {
    const files = generate(examplePlan(), RELAY_ALERTS);
    const manifest = parseManifest(files.get(MANIFEST_FILE));
    expect(Object.entries(manifest?.files ?? {})).to.deep.equal(
      [...files].filter(([path]) => path !== MANIFEST_FILE).map(([path, text]) => [path, sha256(text)]),
    );
  });

  it("are texts that end with a line, at paths that stay in their folder", () => {
    for (const [path, text] of generate(examplePlan(), RELAY_ALERTS)) {
      expect(text, path).to.match(/\n$/);
      expect(path).to.match(/^[a-z0-9A-Z_.-]+(?:\/[a-z0-9A-Z_.-]+)*$/);
      expect(path).not.to.contain("..");
    }
  });

  it("have no finding against them, with names or with addresses", () => {
    const plan = examplePlan();
    expect(check(plan, generate(plan, RELAY_ALERTS), RELAY_ALERTS)).to.deep.equal([]);
    const hosts = plan.members.flatMap((_, index) => [
      [`members.${index}.validator.host`, `10.0.0.${index + 10}`],
      [`members.${index}.rpc.host`, `10.0.0.${index + 30}`],
    ]);
    const byAddress = planWith(Object.fromEntries(hosts) as Record<string, unknown>);
    expect(check(byAddress, generate(byAddress, RELAY_ALERTS), RELAY_ALERTS)).to.deep.equal([]);
  });

  it("tell of another plan by its manifest", () => {
    const findings = check(
      examplePlan(),
      generate(parsePlan(jsonWith({ "chain.gasLimit": 100_000_000 })), RELAY_ALERTS),
      RELAY_ALERTS,
    );
    expect(findings.map(({ file }) => file)).to.include.members([MANIFEST_FILE, "genesis/genesis.json"]);
  });
});
