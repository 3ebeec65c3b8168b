import { expect } from "chai";
import { NODE_PATHS } from "../../../../network/besu/container-paths.ts";
import { helmFiles } from "../../../../network/besu/helm.ts";
import { watchedTargets } from "../../../../network/besu/monitoring.ts";
import { examplePlan, memberOf } from "../besu/fixtures.ts";
import { addressPlan, at, documentsOf, list, textOf, yamlOf } from "./support.ts";

describe("the Helm overlay", () => {
  const plan = examplePlan();
  const files = helmFiles(plan);

  it("has values for every member and each of its nodes", () => {
    for (const { name } of plan.members) {
      expect([...files.keys()].filter((path) => path.startsWith(`helm/${name}/`))).to.deep.equal(
        ["values.yaml", "validator.yaml", "rpc.yaml", "policies.yaml", "scrape.yaml"].map(
          (file) => `helm/${name}/${file}`,
        ),
      );
    }
  });

  it("has the image with its version and digest, storage that stays, and no privileges", () => {
    const values = yamlOf(helmFiles(addressPlan()), "helm/alipay/values.yaml");
    expect(at(values, "image", "besu")).to.deep.equal({
      repository: "hyperledger/besu",
      tag: `26.9.0@sha256:${"0a".repeat(32)}`,
      pullPolicy: "IfNotPresent",
    });
    expect(at(values, "storage", "reclaimPolicy")).to.equal("Retain");
    expect(at(values, "quorumFlags", "removeKeysOnDelete")).to.equal(false);
    expect(at(values, "podSecurityContext", "runAsNonRoot")).to.equal(true);
    expect(at(values, "containerSecurityContext", "readOnlyRootFilesystem")).to.equal(true);
  });

  it("takes the generated configuration, and secrets by reference", () => {
    const gcash = memberOf(plan, "gcash");
    const rpc = at(yamlOf(files, "helm/gcash/rpc.yaml"), "node", "besu");
    expect(at(rpc, "configMap")).to.equal("gcash-rpc");
    expect(at(rpc, "configPath")).to.equal(NODE_PATHS.config);
    expect(at(rpc, "secretName")).to.equal("gcash-rpc");
    expect(at(rpc, "privateKeyPath")).to.equal(NODE_PATHS.nodeKey);
    expect(at(rpc, "p2p", "port")).to.equal(gcash.rpc.p2pPort);
    expect(at(rpc, "rpc")).to.deep.equal({ enabled: true, port: gcash.rpc.rpcPort, authenticationEnabled: true });
    expect(at(yamlOf(files, "helm/gcash/validator.yaml"), "node", "besu", "rpc")).to.deep.equal({ enabled: false });
    expect(textOf(files, "helm/gcash/rpc.yaml")).to.contain("--from-file=members/gcash/rpc");
  });

  it("has none of the chart's dangerous values", () => {
    for (const [path, text] of files) {
      expect(text, path).not.to.match(/ADMIN|DEBUG|"all"|'all'|\["\*"\]|tessera|password:/i);
    }
  });

  it("lets only the plan's nodes in by the peers' port, Prometheus by that of metrics, and the relay by the API's", () => {
    const [validator, rpc] = documentsOf(helmFiles(addressPlan()), "helm/alipay/policies.yaml");
    const [peers, metrics, ...more] = list(at(validator, "spec", "ingress"));
    const blocks = list(at(peers, "from")).map((block) => String(at(block, "ipBlock", "cidr")));
    expect(blocks).to.have.members(
      addressPlan()
        .members.flatMap((member) => [member.validator.host, member.rpc.host])
        .filter((host) => host !== "10.20.1.11")
        .map((host) => `${host}/32`),
    );
    expect(at(peers, "ports")).to.deep.equal([{ protocol: "TCP", port: 30_303 }]);
    expect(at(metrics, "ports")).to.deep.equal([{ protocol: "TCP", port: 30_304 }]);
    expect(more).to.deep.equal([]);
    const [, , relay] = list(at(rpc, "spec", "ingress"));
    expect(at(relay, "ports")).to.deep.equal([{ protocol: "TCP", port: 30_305 }]);
    expect(JSON.stringify(at(relay, "from"))).to.contain("feiqian-relay");
    expect(at(rpc, "spec", "podSelector", "matchLabels")).to.deep.equal(
      at(yamlOf(helmFiles(addressPlan()), "helm/alipay/rpc.yaml"), "node", "besu", "customLabels"),
    );
  });

  it("watches what Prometheus watches elsewhere, by host", () => {
    const scraped = documentsOf(files, "helm/dana/scrape.yaml");
    expect(
      scraped.map((document) => [at(document, "spec", "jobName"), at(document, "spec", "staticConfigs")]),
    ).to.deep.equal(watchedTargets([memberOf(plan, "dana")]).map(({ job, targets }) => [job, targets]));
  });
});
