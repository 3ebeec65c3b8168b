import { expect } from "chai";
import { parse } from "smol-toml";
import { ALLOWED_OPTIONS, DOCUMENTED_IN } from "../../../../deploy/besu/besu-options.ts";
import { auditConfig } from "../../../../deploy/besu/audit-config.ts";
import { NODE_ROLES, type NodeRole } from "../../../../deploy/besu/layout.ts";
import { nodeConfig } from "../../../../deploy/besu/node-config.ts";
import type { NetworkPlan } from "../../../../deploy/besu/plan.ts";
import { examplePlan, memberOf, planWith } from "./fixtures.ts";

function optionsOf(role: NodeRole, plan: NetworkPlan = examplePlan(), name = "gcash"): Record<string, unknown> {
  return parse(nodeConfig(plan, memberOf(plan, name), role));
}

/** On four validators with addresses in place of names. */
function planByAddress(): NetworkPlan {
  const { members } = examplePlan();
  const hosts = members.flatMap((_, index) => [
    [`members.${index}.validator.host`, `10.0.${index}.1`],
    [`members.${index}.rpc.host`, `10.0.${index}.2`],
  ]);
  return planWith(Object.fromEntries(hosts) as Record<string, unknown>);
}

describe("the configuration of a node", () => {
  it("has options only that were looked up, each in a document that is named", () => {
    for (const plan of [examplePlan(), planByAddress()]) {
      for (const member of plan.members) {
        for (const role of NODE_ROLES) {
          for (const option of Object.keys(parse(nodeConfig(plan, member, role)))) {
            expect(ALLOWED_OPTIONS, option).to.have.property(option);
          }
        }
      }
    }
    for (const document of Object.values(ALLOWED_OPTIONS)) expect(DOCUMENTED_IN).to.have.property(document);
  });

  it("leaves no option in the table that no node has", () => {
    const used = [examplePlan(), planByAddress()].flatMap((plan) =>
      NODE_ROLES.flatMap((role) => Object.keys(optionsOf(role, plan))),
    );
    expect([...new Set(used)]).to.have.members(Object.keys(ALLOWED_OPTIONS));
  });

  it("keeps the rules that it is checked by", () => {
    for (const plan of [examplePlan(), planByAddress()]) {
      for (const role of NODE_ROLES) {
        expect(auditConfig(nodeConfig(plan, memberOf(plan, "gcash"), role))).to.deep.equal([]);
      }
    }
  });

  it("is the same for all nodes in what all have to agree on", () => {
    const shared = (options: Record<string, unknown>) =>
      Object.fromEntries(
        ["network-id", "min-gas-price", "target-gas-limit", "tx-pool", "sync-mode", "discovery-enabled"].map((name) => [
          name,
          options[name],
        ]),
      );
    for (const { name } of examplePlan().members) {
      for (const role of NODE_ROLES) {
        expect(shared(optionsOf(role, examplePlan(), name))).to.deep.equal({
          "network-id": 7_740_010,
          "min-gas-price": 0,
          "target-gas-limit": 150_000_000,
          "tx-pool": "SEQUENCED",
          "sync-mode": "FULL",
          "discovery-enabled": false,
        });
      }
    }
  });

  it("has its node's own name, ports and hosts", () => {
    expect(optionsOf("validator")).to.deep.include({
      identity: "gcash-validator",
      "p2p-port": 30_303,
      "metrics-port": 9_545,
      "host-allowlist": ["localhost", "127.0.0.1", "validator.gcash.example.net"],
    });
    expect(optionsOf("rpc", planWith({ "members.3.rpc.rpcPort": 8_600 }))).to.deep.include({
      identity: "gcash-rpc",
      "rpc-http-port": 8_600,
    });
  });

  it("has names resolved only where the plan has names, and tells its own address only where it is known", () => {
    expect(optionsOf("validator")).to.include({ "Xdns-enabled": true, "Xdns-update-enabled": true });
    expect(optionsOf("validator")).not.to.have.property("p2p-host");
    const byAddress = optionsOf("validator", planByAddress());
    expect(byAddress).not.to.have.any.keys("Xdns-enabled", "Xdns-update-enabled");
    expect(byAddress).to.include({ "p2p-host": "10.0.3.1" });
  });

  it("has room for a peer of every node", () => {
    expect(optionsOf("rpc")).to.include({ "max-peers": 25 });
  });
});

describe("a validator", () => {
  it("answers its own operator only, and no relay", () => {
    expect(optionsOf("validator")).to.deep.include({
      "rpc-http-host": "127.0.0.1",
      "rpc-http-api": ["ETH", "NET", "QBFT", "PERM"],
      "rpc-ws-enabled": false,
    });
    expect(optionsOf("validator")).not.to.have.any.keys("rpc-http-tls-enabled", "revert-reason-enabled");
  });
});

describe("an RPC node", () => {
  it("answers over TLS, who has a token, and what relays ask", () => {
    expect(optionsOf("rpc")).to.deep.include({
      "rpc-http-host": "0.0.0.0",
      "rpc-http-api": ["ETH", "NET", "WEB3"],
      "rpc-http-authentication-enabled": true,
      "rpc-http-tls-enabled": true,
      "revert-reason-enabled": true,
    });
    expect(optionsOf("rpc")).not.to.have.property("rpc-http-cors-origins");
  });

  it("has its allow-lists read again by its own operator only", () => {
    expect(optionsOf("rpc")).to.deep.include({ "rpc-ws-host": "127.0.0.1", "rpc-ws-api": ["PERM"] });
  });
});
