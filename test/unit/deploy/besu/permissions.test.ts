import { expect } from "chai";
import { parse } from "smol-toml";
import { enodeUrl, permissionsFile, staticNodesFile } from "../../../../deploy/besu/permissions.ts";
import { NODE_ROLES } from "../../../../deploy/besu/layout.ts";
import { examplePlan, memberOf } from "./fixtures.ts";

function peersOf(...args: Parameters<typeof staticNodesFile>): readonly string[] {
  // What was made here is a list of URLs.
  return JSON.parse(staticNodesFile(...args)) as readonly string[];
}

describe("static nodes", () => {
  it("of a validator are all others and its member's RPC node", () => {
    const plan = examplePlan();
    const member = memberOf(plan, "dana");
    const peers = peersOf(plan, member, "validator");
    const others = plan.members.filter(({ name }) => name !== "dana");
    expect(peers).to.have.members([...others.map(({ validator }) => enodeUrl(validator)), enodeUrl(member.rpc)]);
    expect(peers).to.have.lengthOf(10);
  });

  it("of an RPC node are all validators", () => {
    const plan = examplePlan();
    const peers = peersOf(plan, memberOf(plan, "dana"), "rpc");
    expect(peers).to.have.members(plan.members.map(({ validator }) => enodeUrl(validator)));
  });

  it("are URLs in the form of Besu's documentation", () => {
    const [first] = peersOf(examplePlan(), memberOf(examplePlan(), "dana"), "rpc");
    expect(first).to.match(/^enode:\/\/[0-9a-f]{128}@validator\.alipay\.example\.net:30303$/);
  });
});

describe("allow-lists", () => {
  const lists = () => parse(permissionsFile(examplePlan()));

  it("have every node, so that each static node is among them, as Besu asks at its start", () => {
    const plan = examplePlan();
    const allowed = lists()["nodes-allowlist"];
    expect(allowed).to.have.lengthOf(20);
    for (const member of plan.members) {
      for (const role of NODE_ROLES) expect(allowed).to.include.members([...peersOf(plan, member, role)]);
    }
  });

  it("have every account of every member, and the network's own", () => {
    const plan = examplePlan();
    const accounts = [...plan.members.flatMap((member) => member.accounts), ...plan.accounts];
    expect(lists()["accounts-allowlist"]).to.have.members(accounts.map(({ address }) => address));
    expect(accounts).to.have.lengthOf(26);
  });
});
