import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { parse as parseToml } from "smol-toml";
import { quorumOf } from "../../../../deploy/besu/alerts.ts";
import { composeFiles } from "../../../../deploy/besu/compose.ts";
import { nodeConfig } from "../../../../deploy/besu/node-config.ts";
import { examplePlan, memberOf } from "./fixtures.ts";
import { strings, tree, yamlOf } from "./output-support.ts";

const FOLDER = new URL("../../../../docs/runbooks/", import.meta.url);
const PAGES = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(new URL(name, FOLDER), "utf8")]));
const EXPECTED = [
  "README.md",
  "activate-a-fork.md",
  "alerts.md",
  "back-up.md",
  "join.md",
  "kubernetes.md",
  "leave.md",
  "more-than-a-third-lost.md",
  "moving-a-relay.md",
  "new-registry.md",
  "new-treasury.md",
  "replace-a-validator.md",
  "rotate-keys.md",
  "upgrade.md",
];
/** Of besu.hyperledger.org: private-networks/reference/api (qbft, perm) and public-networks/reference/api (eth, net). */
const DOCUMENTED_METHODS = [
  "eth_blockNumber",
  "eth_getBlockByNumber",
  "eth_syncing",
  "net_peerCount",
  "perm_getAccountsAllowlist",
  "perm_getNodesAllowlist",
  "perm_reloadPermissionsFromFile",
  "qbft_discardValidatorVote",
  "qbft_getPendingVotes",
  "qbft_getSignerMetrics",
  "qbft_getValidatorsByBlockNumber",
  "qbft_proposeValidatorVote",
];

describe("the runbooks", () => {
  it("are there, each in the index", () => {
    expect([...PAGES.keys()].toSorted()).to.deep.equal(EXPECTED);
    for (const name of EXPECTED.slice(1)) expect(page("README.md"), name).to.contain(`(${name})`);
  });

  it("say at their head that their commands for Besu were not run", () => {
    for (const [name, text] of PAGES) {
      expect(text.slice(0, 900).replaceAll(/\n> /g, " "), name).to.contain("**not run by this project's tests**");
    }
  });

  it("ask a validator only for documented methods of APIs that its configuration opens", () => {
    const plan = examplePlan();
    const config = parseToml(nodeConfig(plan, memberOf(plan, "gcash"), "validator"));
    const apis = strings(config["rpc-http-api"]).map((api) => api.toLowerCase());
    const asked = [...PAGES].flatMap(([name, text]) =>
      [...text.matchAll(/\bask ([a-z0-9]+_\w+)/g)].map(([, method]) => [name, method]),
    );
    expect(asked.length).to.be.greaterThan(40);
    for (const [name, method = ""] of asked) {
      expect(DOCUMENTED_METHODS, name).to.include(method);
      expect(apis, `${String(name)} ${method}`).to.include(method.split("_")[0]);
    }
    expect(config["rpc-http-port"]).to.equal(8545);
    expect(page("README.md")).to.contain("/dev/tcp/127.0.0.1/8545");
  });

  it("name services that compose.yaml has", () => {
    const services = Object.keys(tree(yamlOf(composeFiles(examplePlan()), "members/gcash/compose.yaml")["services"]));
    const calls = /docker compose (?:up -d|restart|stop|start|pull|ps -a|exec -T|logs(?: -f)?(?: --tail \d+)?) (\w+)/g;
    const named = [...PAGES.values()].flatMap((text) => [...text.matchAll(calls)].map(([, service]) => service));
    expect(named.length).to.be.greaterThan(20);
    expect(services).to.include.members([...new Set(named)]);
  });

  it("have the numbers of the consensus right", () => {
    const rows = [...page("README.md").matchAll(/^\| +(\d+) \| +(\d+) \| +(\d+) \| +(\d+) \|$/gm)].map((row) =>
      row.slice(1).map((cell) => Number.parseInt(cell, 10)),
    );
    expect(rows.length).to.equal(8);
    for (const [validators = 0, quorum, lost, votes] of rows) {
      expect(quorum).to.equal(quorumOf(validators));
      expect(lost).to.equal(validators - quorumOf(validators));
      expect(votes).to.equal(Math.floor(validators / 2) + 1);
    }
  });

  it("link to pages and headings that are there", () => {
    for (const [name, text] of PAGES) {
      for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
        const [path = "", anchor] = target.split("#");
        const linked = path === "" ? new URL(name, FOLDER) : new URL(path, FOLDER);
        expect(existsSync(linked), `${name}: ${target}`).to.equal(true);
        if (anchor === undefined) continue;
        const headings = [...readFileSync(linked, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
          heading
            .toLowerCase()
            .replaceAll(/[^\w -]/g, "")
            .replaceAll(" ", "-"),
        );
        expect(headings, `${name}: ${target}`).to.include(anchor);
      }
    }
  });
});

function page(name: string): string {
  const text = PAGES.get(name);
  if (text === undefined) throw new Error(`no page ${name}`);
  return text;
}
