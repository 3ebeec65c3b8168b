import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { createMetrics } from "../../../../src/kernel/telemetry/metrics.ts";
import { metricsOf } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import type { AlertRule } from "../../../../src/kernel/telemetry/alert.ts";
import { alertGroups, quorumOf, stalledSeconds } from "../../../../deploy/besu/alerts.ts";
import { DATASOURCE_UID, ledgerDashboard, relayDashboard, type Dashboard } from "../../../../deploy/besu/dashboards.ts";
import { generate } from "../../../../deploy/besu/generate.ts";
import { DOCUMENTED_METRICS } from "./metric-names.ts";
import { monitoringFiles } from "../../../../deploy/besu/monitoring.ts";
import { nodeConfig } from "../../../../deploy/besu/node-config.ts";
import type { NetworkPlan } from "../../../../deploy/besu/plan.ts";
import { examplePlan, planWith } from "./fixtures.ts";
import { RELAY_ALERTS } from "./relay-alerts.ts";
import { addressPlan, at, jsonOf, list, strings, tree, yamlOf } from "./output-support.ts";

/** Labels that Prometheus or the scrape configuration put on everything. */
const SCRAPED_LABELS = ["member", "role", "instance", "job", "partner"];
const RUNBOOKS = new URL("../../../../docs/runbooks/", import.meta.url);

const PLANS: readonly NetworkPlan[] = [
  examplePlan(),
  addressPlan(),
  planWith({ "chain.emptyBlockPeriodSeconds": 60, "chain.requestTimeoutSeconds": 10 }),
];

describe("the alerts", () => {
  it("are the file that Prometheus and its operator load", () => {
    const plan = examplePlan();
    const files = generate(plan, RELAY_ALERTS);
    const groups = JSON.parse(JSON.stringify(alertGroups(plan, RELAY_ALERTS))) as unknown; // As YAML has it, without undefined.
    expect(yamlOf(files, "monitoring/alerts.yml")["groups"]).to.deep.equal(groups);
    expect(at(yamlOf(files, "kubernetes/alerts.yaml"), "spec", "groups")).to.deep.equal(groups);
  });

  it("have a name of their own, a duration, a severity, and a text", () => {
    for (const plan of PLANS) {
      const rules = rulesOf(plan);
      const seen = new Set<string>();
      for (const { alert, expr, for: duration, labels, annotations } of rules) {
        expect(seen.has(`${alert} ${expr}`), alert).to.equal(false);
        seen.add(`${alert} ${expr}`);
        expect(alert).to.match(/^[A-Z][A-Za-z]+$/);
        expect(duration, alert).to.match(/^\d+[smh]$/);
        expect(["critical", "warning", "info"], alert).to.include(labels.severity);
        expect(annotations.summary, alert).to.match(/\S/);
        expect(annotations.description, alert).to.match(/\.$/);
      }
    }
  });

  it("name a runbook that is there, at a heading that is there", () => {
    for (const { alert, annotations } of rulesOf(examplePlan())) {
      const [, file = "", anchor] = /^docs\/runbooks\/([a-z-]+\.md)(?:#([a-z-]+))?$/.exec(annotations.runbook) ?? [];
      expect(file, alert).not.to.equal("");
      expect(existsSync(new URL(file, RUNBOOKS)), `${alert}: ${file}`).to.equal(true);
      if (anchor !== undefined) expect(headingsOf(file), `${alert}: ${anchor}`).to.include(anchor);
    }
  });

  it("are all in the runbook of alerts, and no others", () => {
    const page = readFileSync(new URL("alerts.md", RUNBOOKS), "utf8");
    const told = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    const alerts = new Set(rulesOf(examplePlan()).map(({ alert }) => alert));
    expect(new Set(told)).to.deep.equal(alerts);
    expect(told.length).to.equal(alerts.size);
  });

  it("know of a halt after three rounds that failed, and never within one", () => {
    expect(stalledSeconds(examplePlan())).to.equal(30);
    expect(stalledSeconds(PLANS[2] ?? examplePlan())).to.equal(60 + 70);
    expect([4, 5, 6, 7, 10].map(quorumOf)).to.deep.equal([3, 4, 4, 5, 7]);
  });

  it("look at each signer for as many keys as it has", () => {
    const plan = planWith({ "members.3.signer.keys": [{ kind: "file", path: "/srv/keys/one" }] });
    const rules = rulesOf(plan).filter(({ alert }) => alert === "SignerKeyMissing");
    const others = plan.members.filter(({ name }) => name !== "gcash").map(({ name }) => name);
    expect(rules.map(({ expr }) => expr)).to.have.members([
      `signing_signers_loaded_count{member=~"${others.join("|")}"} < 3`,
      'signing_signers_loaded_count{member=~"gcash"} < 1',
    ]);
  });

  it("use only metrics and labels that are told", () => {
    for (const plan of PLANS) for (const { alert, expr } of rulesOf(plan)) expectKnown(expr, alert);
  });
});

describe("the dashboards", () => {
  const dashboards: readonly Dashboard[] = [ledgerDashboard(examplePlan()), relayDashboard(examplePlan())];

  it("are among the files, where Grafana is told to look", () => {
    const files = monitoringFiles(examplePlan(), RELAY_ALERTS);
    const paths = [...files.keys()].filter((path) => path.startsWith("monitoring/grafana/dashboards/"));
    expect(paths.map((path) => jsonOf(files, path)["uid"])).to.deep.equal(dashboards.map(({ uid }) => uid));
    expect(at(list(yamlOf(files, PROVIDER)["providers"])[0], "options", "path")).to.equal("/etc/grafana/dashboards");
    const [datasource] = list(yamlOf(files, DATASOURCE)["datasources"]);
    expect(tree(datasource)).to.include({ uid: DATASOURCE_UID, type: "prometheus", url: "http://prometheus:9090" });
  });

  it("have panels with a title, an id of their own and targets", () => {
    for (const { panels } of dashboards) {
      expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
      expect(new Set(panels.map(({ title }) => title)).size).to.equal(panels.length);
      for (const { title, targets, datasource, description } of panels) {
        expect(title).to.match(/\S/);
        expect(description, title).to.match(/\.$/);
        expect(targets.length, title).to.be.greaterThan(0);
        expect(new Set(targets.map(({ refId }) => refId)).size, title).to.equal(targets.length);
        for (const target of targets) expect(target.datasource).to.deep.equal(datasource);
      }
    }
  });

  it("have panels within the grid that never overlap", () => {
    for (const { panels } of dashboards) {
      const taken = new Set<string>();
      for (const { title, gridPos } of panels) {
        const { x, y, w, h } = gridPos;
        expect(x + w, title).to.be.at.most(24);
        for (let column = x; column < x + w; column++) {
          for (let row = y; row < y + h; row++) {
            expect(taken.has(`${column},${row}`), title).to.equal(false);
            taken.add(`${column},${row}`);
          }
        }
      }
    }
  });

  it("use only metrics and labels that are told", () => {
    for (const { panels } of dashboards) {
      for (const { title, targets } of panels) {
        for (const { expr, legendFormat } of targets) {
          expectKnown(expr, title);
          const legend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label ?? "");
          const known = [...SCRAPED_LABELS, "mountpoint", ...labelsOf(expr)];
          expect(known, `${title}: ${legendFormat}`).to.include.members(legend);
        }
      }
    }
  });

  it("show everything that a relay tells", () => {
    const shown = new Set(
      (dashboards[1]?.panels ?? []).flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr))),
    );
    const told = createMetrics({ partner: 1 }, metricsOf(FEATURES)).registry.getMetricsAsArray();
    for (const { name } of told) expect([...shown], name).to.include(name);
  });
});

describe("Prometheus", () => {
  it("watches every node, signer and relay, and each operator its own", () => {
    const plan = examplePlan();
    const files = monitoringFiles(plan, RELAY_ALERTS);
    const everyone = targetsOf(files, "monitoring/prometheus.yml");
    for (const { name, validator, rpc, relay, signer } of plan.members) {
      const own = [
        `besu ${validator.host}:${validator.metricsPort} ${name} validator`,
        `besu ${rpc.host}:${rpc.metricsPort} ${name} rpc`,
        `web3signer ${signer.host}:9001 ${name} signer`,
        `relay ${relay.metricsHost}:${relay.metricsPort} ${name} relay`,
        ...new Set([validator, rpc, signer].map(({ host }) => `host ${host}:9100 ${name} host`)),
        `host ${relay.metricsHost}:9100 ${name} host`,
      ];
      expect(everyone).to.include.members(own);
      expect(new Set(targetsOf(files, `members/${name}/monitoring/prometheus.yml`))).to.deep.equal(new Set(own));
    }
  });

  it("asks nodes under a name that their allow-list of hosts has", () => {
    const plan = examplePlan();
    for (const path of ["monitoring/prometheus.yml", "monitoring/try-out/prometheus.yml"]) {
      const targets = targetsOf(monitoringFiles(plan, RELAY_ALERTS), path).filter((target) =>
        target.startsWith("besu "),
      );
      expect(targets.length, path).to.equal(2 * plan.members.length);
      for (const target of targets) {
        const [, address = "", name, role] = target.split(" ");
        const member = plan.members.find((candidate) => candidate.name === name);
        if (member === undefined || (role !== "validator" && role !== "rpc")) throw new Error(target);
        expect(nodeConfig(plan, member, role)).to.contain(`"${address.split(":")[0] ?? ""}"`);
      }
    }
  });

  it("asks signers of the try-out under a name that theirs have", () => {
    const plan = examplePlan();
    const files = generate(plan, RELAY_ALERTS);
    const targets = targetsOf(files, "monitoring/try-out/prometheus.yml").filter((target) => target.startsWith("web3"));
    for (const { name } of plan.members) {
      expect(targets).to.include(`web3signer ${name}-web3signer:9001 ${name} signer`);
      const allowed = strings(yamlOf(files, `members/${name}/web3signer/config.yaml`)["metrics-host-allowlist"]);
      expect(allowed).to.include(`${name}-web3signer`);
    }
  });

  it("loads the alerts, and tells an operator's Alertmanager of them", () => {
    const files = monitoringFiles(examplePlan(), RELAY_ALERTS);
    for (const path of ["monitoring/prometheus.yml", "members/dana/monitoring/prometheus.yml"]) {
      const config = yamlOf(files, path);
      expect(config["rule_files"]).to.deep.equal(["/etc/prometheus-rules/alerts.yml"]);
      expect(JSON.stringify(config["alerting"])).to.contain("alertmanager:9093");
    }
  });
});

const PROVIDER = "monitoring/grafana/provisioning/dashboards/feiqian.yaml";
const DATASOURCE = "monitoring/grafana/provisioning/datasources/prometheus.yaml";

function rulesOf(plan: NetworkPlan): readonly AlertRule[] {
  return alertGroups(plan, RELAY_ALERTS).flatMap(({ rules }) => rules);
}

/** As a Markdown page's headings are linked to. */
function headingsOf(file: string): readonly string[] {
  const page = readFileSync(new URL(file, RUNBOOKS), "utf8");
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}

function targetsOf(files: ReadonlyMap<string, string>, path: string): readonly string[] {
  return list(yamlOf(files, path)["scrape_configs"]).flatMap((job) => {
    const name = String(at(job, "job_name"));
    if (name === "prometheus") return [];
    return list(at(job, "static_configs")).map((config) => {
      const [address = ""] = strings(at(config, "targets"));
      return `${name} ${address} ${String(at(config, "labels", "member"))} ${String(at(config, "labels", "role"))}`;
    });
  });
}

const FUNCTIONS =
  /^(?:time|absent|max|min|sum|count|rate|delta|increase|changes|scalar|histogram_quantile|predict_linear|count_over_time)$/;
const WORDS = /^(?:and|or|unless|by|on)$/;

/** Names of metrics in an expression; fails for one that is neither a metric's nor a function of Prometheus. */
function namesIn(expr: string): readonly string[] {
  const bare = expr.replaceAll(/\{[^}]*\}|\[[^\]]*\]|\b(?:by|on) \([^)]*\)/g, " ");
  const names = [...bare.matchAll(/([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\()?/g)].flatMap(([, word = "", isCall]) => {
    if (isCall === undefined) return WORDS.test(word) ? [] : [word];
    expect(word, expr).to.match(FUNCTIONS);
    return [];
  });
  expect([...expr].filter((sign) => sign === "(").length, expr).to.equal(
    [...expr].filter((sign) => sign === ")").length,
  );
  return names.map(baseName);
}

const RELAY_METRICS: ReadonlyMap<string, readonly string[]> = new Map(
  createMetrics({ partner: 1 }, metricsOf(FEATURES))
    .registry.getMetricsAsArray()
    .map((metric) => [metric.name, labelNames(metric)]),
);

/** prom-client keeps them on each metric, without telling so in its types. */
function labelNames(metric: object): readonly string[] {
  return strings(Reflect.get(metric, "labelNames"));
}

/** A histogram's lines have its name and an ending. */
function baseName(name: string): string {
  const base = name.replace(/_(?:bucket|sum|count)$/, "");
  return RELAY_METRICS.has(base) ? base : name;
}

function labelsOf(expr: string): readonly string[] {
  return namesIn(expr).flatMap((name) => RELAY_METRICS.get(name) ?? []);
}

function expectKnown(expr: string, where: string): void {
  const names = namesIn(expr);
  expect(names.length, `${where}: ${expr}`).to.be.greaterThan(0);
  for (const name of names) {
    const isKnown = name.startsWith("feiqian_") ? RELAY_METRICS.has(name) : DOCUMENTED_METRICS.has(name);
    expect(isKnown, `${where}: ${name}`).to.equal(true);
  }
  const isRelays = names.every((name) => name.startsWith("feiqian_"));
  if (!isRelays) return;
  const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, labels = ""]) => labels.split(", "));
  const selected = [...expr.matchAll(/[{,](\w+)(?:=|!=|=~|!~)"/g)].map(([, label = ""]) => label);
  expect([...SCRAPED_LABELS, "le", ...labelsOf(expr)], `${where}: ${expr}`).to.include.members([
    ...grouped,
    ...selected,
  ]);
}
