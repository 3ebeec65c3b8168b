import { posix } from "node:path";
import { expect } from "chai";
import { auditFile } from "../../../../deploy/besu/check.ts";
import { NODE_PATHS } from "../../../../deploy/besu/container-paths.ts";
import { kubernetesFiles } from "../../../../deploy/besu/kubernetes.ts";
import { watchedTargets } from "../../../../deploy/besu/monitoring.ts";
import { examplePlan, memberOf } from "./fixtures.ts";
import { RELAY_ALERTS } from "./relay-alerts.ts";
import type { Files } from "../../../../deploy/besu/plan.ts";
import { addressPlan, at, documentsOf, list, textOf } from "./output-support.ts";

describe("the manifests for Kubernetes", () => {
  const plan = examplePlan();
  const files = kubernetesFiles(plan, RELAY_ALERTS);

  it("are there for every member and each of its nodes", () => {
    for (const { name } of plan.members) {
      expect([...files.keys()].filter((path) => path.startsWith(`kubernetes/${name}/`))).to.deep.equal(
        ["validator.yaml", "rpc.yaml", "policies.yaml", "scrape.yaml"].map((file) => `kubernetes/${name}/${file}`),
      );
    }
  });

  const podOf = (from: Files, path: string) => {
    const [service, set] = documentsOf(from, path);
    const pod = at(set, "spec", "template");
    const [container] = list(at(pod, "spec", "containers"));
    return { service, set, pod, container };
  };

  it("run the image with its digest on storage that stays, without privileges", () => {
    const { set, pod, container } = podOf(
      kubernetesFiles(addressPlan(), RELAY_ALERTS),
      "kubernetes/alipay/validator.yaml",
    );
    expect(at(container, "image")).to.equal(`hyperledger/besu:26.9.0@sha256:${"0a".repeat(32)}`);
    expect(at(set, "spec", "replicas")).to.equal(1);
    expect(at(set, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")).to.equal("Retain");
    expect(at(pod, "spec", "securityContext", "runAsNonRoot")).to.equal(true);
    expect(at(pod, "spec", "automountServiceAccountToken")).to.equal(false);
    expect(at(container, "securityContext", "readOnlyRootFilesystem")).to.equal(true);
  });

  it("mount what config.toml names where it names it, secrets by reference", () => {
    const { pod, container } = podOf(files, "kubernetes/gcash/rpc.yaml");
    expect(at(container, "args")).to.deep.equal([`--config-file=${NODE_PATHS.config}`]);
    const mounts = list(at(container, "volumeMounts")).map((mount) => String(at(mount, "mountPath")));
    expect(mounts).to.have.members([
      posix.dirname(NODE_PATHS.config),
      NODE_PATHS.genesisFolder,
      NODE_PATHS.secrets,
      NODE_PATHS.data,
      "/tmp",
    ]);
    const volumes = list(at(pod, "spec", "volumes"));
    expect(volumes).to.deep.include({ name: "config", configMap: { name: "gcash-rpc" } });
    expect(volumes).to.deep.include({ name: "genesis", configMap: { name: "besu-genesis" } });
    expect(textOf(files, "kubernetes/gcash/rpc.yaml")).to.contain("--from-file=members/gcash/rpc");
  });

  it("close the services that Besu's image opens, and pass the check of containers", () => {
    for (const path of files.keys()) expect(auditFile(path, textOf(files, path)), path).to.deep.equal([]);
    const { container } = podOf(files, "kubernetes/gcash/validator.yaml");
    expect(list(at(container, "env"))).to.deep.include.members([
      { name: "BESU_RPC_HTTP_HOST", value: "127.0.0.1" },
      { name: "BESU_RPC_WS_HOST", value: "127.0.0.1" },
    ]);
    const open = textOf(files, "kubernetes/gcash/validator.yaml").replaceAll("127.0.0.1\n", "0.0.0.0\n");
    expect(auditFile("kubernetes/gcash/validator.yaml", open).map(({ subject }) => subject)).to.deep.equal([
      "gcash-validator: BESU_RPC_HTTP_HOST",
      "gcash-validator: BESU_RPC_WS_HOST",
    ]);
  });

  it("reach a node from outside by its ports, where its peers see their own addresses", () => {
    const { rpc } = memberOf(plan, "gcash");
    const { service, pod } = podOf(files, "kubernetes/gcash/rpc.yaml");
    expect(at(service, "spec", "type")).to.equal("LoadBalancer");
    expect(at(service, "spec", "externalTrafficPolicy")).to.equal("Local");
    expect(at(service, "spec", "selector")).to.deep.equal(at(pod, "metadata", "labels"));
    const ports = list(at(service, "spec", "ports")).map((port) => at(port, "port"));
    expect(ports).to.deep.equal([rpc.p2pPort, rpc.metricsPort, rpc.rpcPort]);
  });

  it("lets only the plan's nodes in by the peers' port, Prometheus by that of metrics, and the relay by the API's", () => {
    const [validator, rpc] = documentsOf(
      kubernetesFiles(addressPlan(), RELAY_ALERTS),
      "kubernetes/alipay/policies.yaml",
    );
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
    // Policies look for pods.
    expect(at(rpc, "spec", "podSelector", "matchLabels")).to.deep.equal(
      at(podOf(kubernetesFiles(addressPlan(), RELAY_ALERTS), "kubernetes/alipay/rpc.yaml").pod, "metadata", "labels"),
    );
  });

  it("watches what Prometheus watches elsewhere, by host", () => {
    const scraped = documentsOf(files, "kubernetes/dana/scrape.yaml");
    expect(
      scraped.map((document) => [at(document, "spec", "jobName"), at(document, "spec", "staticConfigs")]),
    ).to.deep.equal(watchedTargets([memberOf(plan, "dana")]).map(({ job, targets }) => [job, targets]));
  });
});
