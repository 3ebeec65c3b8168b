import { expect } from "chai";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import { generate } from "../../../../deploy/besu/generate.ts";
import { staleChart } from "../../../../scripts/lib/chart.ts";
import { parseConfigFile } from "../../../../src/app/config.ts";
import { RELAY_ALERTS } from "../besu/relay-alerts.ts";
import { addressPlan, at, documentsOf, list, tree, type Tree } from "../besu/output-support.ts";
import { chartValues, manifestOf, RELEASE, renderChart } from "./chart-render.ts";
import { fileOf, productVersion, SECRETS_FOLDER, secretsIn, yamlFileOf } from "./files.ts";
import { unknownFields } from "./manifest-types.ts";

const EXAMPLE = yamlFileOf("chart/example-values.yaml");
const ALL = { monitoring: { enabled: true }, env: { NODE_EXTRA_CA_CERTS: "/run/secrets/ca.pem" } };
const OTHERS = 0o007;

describe("The values of a relay's chart", () => {
  const ajv = new Ajv({ allErrors: true, strictTypes: false });
  addFormats.default(ajv);
  const schema = tree(JSON.parse(fileOf("chart/values.schema.json")));
  const faultsOf = (...given: readonly Tree[]): readonly string[] => {
    ajv.validate(schema, chartValues(...given));
    return (ajv.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`);
  };

  it("are held to what the code says", async () => {
    expect(await staleChart(), "run npm run chart").to.deep.equal([]);
  });

  it("are accepted as in the example", () => {
    expect(faultsOf(EXAMPLE)).to.deep.equal([]);
  });

  const refused: readonly (readonly [string, Tree, string])[] = [
    ["a key that no relay knows", { config: { api: { prot: 8480 } } }, "/config/api additionalProperties"],
    ["a key that the chart does not know", { replica: 2 }, " additionalProperties"],
    ["a value of another kind", { config: { batch: { holdSeconds: "300" } } }, "/config/batch/holdSeconds type"],
    ["no partner", { config: { partner: null } }, "/config required"],
    ["no secret", { existingSecret: "" }, "/existingSecret pattern"],
    ["the embedded database", { config: { database: { urlFile: null } } }, "/config/database required"],
    [
      "the database's password among them",
      { config: { database: { url: "postgres://a:b@c/d" } } },
      "/config/database not",
    ],
    ["a port that the image would not go by", { config: { api: { port: 9_000 } } }, "/config/api not"],
    ["no drain", { config: { shutdown: { drainSeconds: null } } }, "/config/shutdown required"],
    ["an image at nobody's registry", { image: { repository: "feiqian-relay" } }, "/image/repository pattern"],
    ["a namespace of Docker Hub", { image: { repository: "feiqian/relay" } }, "/image/repository pattern"],
    ["a secret as a variable", { env: { FEIQIAN_DATA_KEY: "00" } }, "/env not"],
    ["the database's password as a variable", { env: { DATABASE_URL: "postgres://" } }, "/env not"],
    ["another strategy", { strategy: "OnDelete" }, "/strategy enum"],
  ];
  for (const [what, given, fault] of refused) {
    it(`are refused with ${what}`, () => {
      expect(faultsOf(EXAMPLE, given)).to.include(fault);
    });
  }

  it("are checked by patterns that Helm's engine of regular expressions has, too", () => {
    const patterns = [...JSON.stringify(schema).matchAll(/"pattern":"([^"]*)"/g)].map(([, pattern = ""]) => pattern);
    expect(patterns.length).to.be.greaterThan(5);
    for (const pattern of patterns) expect(pattern).not.to.match(/\(\?[=!<]|\\[1-9]/);
  });
});

describe("A relay's chart", () => {
  const example = chartValues(EXAMPLE);
  const everything = chartValues(EXAMPLE, ALL);

  it("becomes manifests in which Kubernetes and the Prometheus operator know every field", async () => {
    const least = await renderChart(chartValues(EXAMPLE, { networkPolicy: { enabled: false } }));
    expect(kindsOf(least)).to.deep.equal(["ConfigMap", "Deployment", "PodDisruptionBudget", "Service"]);
    const all = await renderChart(everything);
    const more = ["NetworkPolicy", "PrometheusRule", "ServiceMonitor"];
    expect(kindsOf(all)).to.deep.equal([...kindsOf(least), ...more].toSorted());
    const placed = await renderChart(
      chartValues(everything, {
        image: { digest: `sha256:${"0a".repeat(32)}`, pullSecrets: ["registry"] },
        nodeSelector: { "kubernetes.io/arch": "amd64" },
        tolerations: [{ key: "relays", operator: "Exists", effect: "NoSchedule" }],
        strategy: "RollingUpdate",
        networkPolicy: { from: [] },
      }),
    );
    expect(unknownFields([...least, ...all, ...placed])).to.deep.equal([]);
    const pod = podOf(placed);
    expect(at(container(placed), "image")).to.equal(`registry.wallet.example/feiqian-relay@sha256:${"0a".repeat(32)}`);
    expect(pod["nodeSelector"]).to.deep.equal({ "kubernetes.io/arch": "amd64" });
    expect(pod["imagePullSecrets"]).to.deep.equal([{ name: "registry" }]);
  });

  it("is held to fields that there are", async () => {
    const manifests = await renderChart(example);
    const misspelt: unknown = JSON.parse(
      JSON.stringify(manifests).replace("readOnlyRootFilesystem", "readOnlyRootFileSystem"),
    );
    expect(unknownFields(list(misspelt).map(tree)).join()).to.contain("readOnlyRootFileSystem");
  });

  it("is of the product's version", async () => {
    const { version, appVersion } = yamlFileOf("chart/Chart.yaml");
    expect([version, appVersion]).to.deep.equal([productVersion(), productVersion()]);
    const image = at(container(await renderChart(example)), "image");
    expect(image).to.equal(`registry.wallet.example/feiqian-relay:${productVersion()}`);
  });

  it("gives the relay a configuration that it takes, with amounts and addresses as they were", async () => {
    const text = String(at(manifestOf(await renderChart(example), "ConfigMap"), "data", "relay.yaml"));
    const config = parseConfigFile(text);
    expect(config.liquidity.lowWater).to.deep.equal({ PHP: 500_000_000n });
    expect(config.ledger.chainId).to.equal(7_740_010);
    expect(config.ledger.addresses).to.deep.equal(at(EXAMPLE, "config", "ledger", "addresses"));
    // Helm writes them as YAML 1.1 would need it, and reads numbers as floats.
    expect(tree(parse(text, { version: "1.1" }))).to.deep.equal(example["config"]);
  });

  it("mounts secrets where the configuration looks for them, for no others to read", async () => {
    const manifests = await renderChart(example);
    const pod = podOf(manifests);
    const [mount] = list(at(container(manifests), "volumeMounts")).filter((each) => at(each, "name") === "secrets");
    expect(`${String(at(mount, "mountPath"))}/`).to.equal(SECRETS_FOLDER);
    const [volume] = list(pod["volumes"]).filter((each) => at(each, "name") === "secrets");
    expect(at(volume, "secret", "secretName")).to.equal(EXAMPLE["existingSecret"]);
    expect(Number.parseInt(String(at(volume, "secret", "defaultMode")), 10) & OTHERS).to.equal(0);
    expect(at(pod, "securityContext", "fsGroup")).to.equal(at(pod, "securityContext", "runAsGroup"));
    // As many as compose.yaml mounts, in the same places.
    expect(secretsIn(fileOf("chart/values.yaml"))).to.include.all.keys([...secretsIn(fileOf("relay.yaml"))]);
  });

  it("starts no process with variables of Services, of which a relay would refuse those named FEIQIAN_…", async () => {
    expect(podOf(await renderChart(example))["enableServiceLinks"]).to.equal(false);
  });

  it("gives a pod nothing more than it needs", async () => {
    const manifests = await renderChart(everything);
    const pod = podOf(manifests);
    expect(pod["automountServiceAccountToken"]).to.equal(false);
    expect(pod["securityContext"]).to.deep.include({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(at(container(manifests), "securityContext")).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(at(container(manifests), "resources", "limits", "memory")).to.be.a("string");
  });

  it("asks for life and readiness where a relay tells of them", async () => {
    const manifests = await renderChart(example);
    const probe = (name: string): unknown => at(container(manifests), name, "httpGet");
    expect(probe("livenessProbe")).to.deep.equal({ path: "/livez", port: "api" });
    expect(probe("startupProbe")).to.deep.equal({ path: "/livez", port: "api" });
    expect(probe("readinessProbe")).to.deep.equal({ path: "/readyz", port: "api" });
  });

  it("waits for a pod to end what is under way, however long that may take", async () => {
    for (const drainSeconds of [30, 600]) {
      const manifests = await renderChart(chartValues(EXAMPLE, { config: { shutdown: { drainSeconds } } }));
      const before = at(container(manifests), "lifecycle", "preStop", "sleep", "seconds");
      const least = drainSeconds + Number.parseInt(String(before), 10);
      expect(podOf(manifests)["terminationGracePeriodSeconds"]).to.be.greaterThan(least);
    }
  });

  it("lets no process of another version be at the database that a new one migrates", async () => {
    expect(at(deployment(await renderChart(example)), "strategy", "type")).to.equal("Recreate");
  });

  it("starts other pods when the configuration is another one", async () => {
    const sums = await Promise.all(
      [{}, { config: { batch: { maxTransfers: 500 } } }, { replicas: 3 }].map(async (given) =>
        at(deployment(await renderChart(chartValues(EXAMPLE, given))), "template", "metadata", "annotations"),
      ),
    );
    expect(sums[1]).not.to.deep.equal(sums[0]);
    expect(sums[2]).to.deep.equal(sums[0]);
  });

  it("has the same pods in mind everywhere, and one port", async () => {
    const manifests = await renderChart(everything);
    const labels = at(deployment(manifests), "template", "metadata", "labels");
    const service = manifestOf(manifests, "Service");
    expect(at(deployment(manifests), "selector", "matchLabels")).to.deep.equal(labels);
    expect(at(service, "spec", "selector")).to.deep.equal(labels);
    expect(at(manifestOf(manifests, "PodDisruptionBudget"), "spec", "selector", "matchLabels")).to.deep.equal(labels);
    const policy = at(manifestOf(manifests, "NetworkPolicy"), "spec");
    expect(at(policy, "podSelector", "matchLabels")).to.deep.equal(labels);
    const monitor = at(manifestOf(manifests, "ServiceMonitor"), "spec");
    expect(at(monitor, "selector", "matchLabels")).to.deep.equal(at(service, "metadata", "labels"));

    const [port] = list(at(container(manifests), "ports"));
    expect(port).to.deep.equal({ name: "api", containerPort: 8480, protocol: "TCP" });
    expect(at(list(at(service, "spec", "ports"))[0], "targetPort")).to.equal("api");
    expect(at(list(at(monitor, "endpoints"))[0], "port")).to.equal(at(list(at(service, "spec", "ports"))[0], "name"));
    expect(at(list(at(policy, "ingress"))[0], "ports")).to.deep.equal([{ protocol: "TCP", port: "api" }]);
  });

  it("has the label by which a member's own nodes let its relay in", async () => {
    const policies = documentsOf(generate(addressPlan(), RELAY_ALERTS), "kubernetes/alipay/policies.yaml");
    // Without a selector of namespaces it is pods of the policy's own.
    for (const policy of policies) {
      expect(fileOf("README.md")).to.contain(`helm -n ${String(at(policy, "metadata", "namespace"))} install`);
    }
    const from = policies
      .flatMap((policy) => list(at(policy, "spec", "ingress")))
      .flatMap((rule) => list(at(rule, "from")));
    const wanted = from.flatMap((each) =>
      "podSelector" in tree(each) ? [at(each, "podSelector", "matchLabels")] : [],
    );
    const labels = tree(at(deployment(await renderChart(example)), "template", "metadata", "labels"));
    expect(wanted.some((label) => Object.entries(tree(label)).every(([key, value]) => labels[key] === value))).to.equal(
      true,
    );
  });

  it("lets in Prometheus and whom the values name, and out to no cloud's secrets", async () => {
    const policy = at(manifestOf(await renderChart(example), "NetworkPolicy"), "spec");
    const [ingress] = list(at(policy, "ingress"));
    expect(list(at(ingress, "from")).slice(1)).to.deep.equal(at(EXAMPLE, "networkPolicy", "from"));
    const egress = list(at(policy, "egress")).flatMap((rule) => ("to" in tree(rule) ? list(at(rule, "to")) : []));
    expect(egress).to.deep.equal([
      { namespaceSelector: {} },
      { ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } },
      { ipBlock: { cidr: "::/0", except: ["fe80::/10", "fd00:ec2::254/128"] } },
    ]);
  });

  it("has the alerts of a relay, with labels that they know it by", async () => {
    const manifests = await renderChart(everything);
    const rules = at(manifestOf(manifests, "PrometheusRule"), "spec", "groups");
    expect(JSON.stringify(rules)).to.equal(JSON.stringify([RELAY_ALERTS({ idleSeconds: 30 })]));
    const [endpoint] = list(at(manifestOf(manifests, "ServiceMonitor"), "spec", "endpoints"));
    const given = list(at(endpoint, "relabelings")).map((each) => [at(each, "targetLabel"), at(each, "replacement")]);
    expect(Object.fromEntries(given)).to.deep.equal({ job: "relay", role: "relay", member: RELEASE });
  });
});

function kindsOf(manifests: readonly Tree[]): readonly string[] {
  return manifests.map(({ kind }) => String(kind)).toSorted();
}

function deployment(manifests: readonly Tree[]): Tree {
  return tree(manifestOf(manifests, "Deployment")["spec"]);
}

function podOf(manifests: readonly Tree[]): Tree {
  return tree(at(deployment(manifests), "template", "spec"));
}

function container(manifests: readonly Tree[]): unknown {
  const [only, ...more] = list(podOf(manifests)["containers"]);
  expect(more).to.deep.equal([]);
  return only;
}
