import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { alertsOf } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";
import { at, list, strings, tree, type Tree } from "../besu/output-support.ts";
import { RELAY_FOLDER, yamlFileOf } from "./files.ts";
import { promtool } from "./programs.ts";

const DAY_SECONDS = 86_400;
const ALERTS = `${RELAY_FOLDER}/chart/alerts.yml`;

describe("Prometheus beside one relay", () => {
  const config = yamlFileOf("monitoring/prometheus.yml");

  it("asks the relay where it answers, under labels that the alerts go by", () => {
    const job = list(config["scrape_configs"]).find((each) => at(each, "job_name") === "relay");
    const [target] = list(at(job, "static_configs"));
    expect(at(target, "targets")).to.deep.equal(["relay:8480"]);
    expect(Object.keys(tree(at(target, "labels")))).to.deep.equal(["member", "role"]);
    expect(at(job, "metrics_path")).to.equal("/metrics");
  });

  it("loads the relay's alerts, and tells the Alertmanager of them", () => {
    const prometheus = tree(at(yamlFileOf("compose.yaml"), "services", "prometheus"));
    const mounts = new Map(
      strings(prometheus["volumes"]).map((volume): [string, string] => {
        const [source = "", target = ""] = volume.split(":");
        return [target, source];
      }),
    );
    const [rules = ""] = strings(config["rule_files"]);
    expect(mounts.get(rules)).to.equal("./chart/alerts.yml");
    const [, path = ""] = /--config\.file=(\S+)/.exec(strings(prometheus["command"]).join(" ")) ?? [];
    expect(mounts.get(dirname(path))).to.equal("./monitoring");
    expect(strings(prometheus["extra_hosts"]).join(" ")).to.match(/^alertmanager:/);
    expect(JSON.stringify(config["alerting"])).to.contain("alertmanager:9093");
  });

  it("takes its configuration and the alerts", async function () {
    const check = await promtool();
    if (check === undefined) this.skip();
    // The rules are elsewhere than in the container: they are checked by themselves.
    await check("check", "config", "--syntax-only", `${RELAY_FOLDER}/monitoring/prometheus.yml`);
    await check("check", "rules", ALERTS);
  });

  const relay = 'member="gcash",instance="relay:8480"';
  const up = (value: number): Series => ({ series: `up{job="relay",${relay}}`, values: `${value}x20` });
  const leaders = (...values: readonly number[]): readonly Series[] =>
    values.map((value, index) => ({
      series: `feiqian_leader{member="gcash",instance="${index}"}`,
      values: `${value}x20`,
    }));
  /** A key of the process that leads, and of one that did: what that knows is old. */
  const keyOf = (key: string, endsSeconds: number): readonly Series[] => [
    ...leaders(1, 0),
    ...[endsSeconds, 1].map((seconds, index) => ({
      series: `feiqian_key_ends_seconds{member="gcash",instance="${index}",key="${key}"}`,
      values: `${seconds}x20`,
    })),
  ];
  const tokenOf = (endsSeconds: number): readonly Series[] => [
    {
      series: 'feiqian_ledger_token_ends_seconds{member="gcash",instance="1",endpoint="rpc:8545"}',
      values: `${endsSeconds}x20`,
    },
  ];
  const cases: readonly Case[] = [
    { what: "nobody of a relay that answers", series: [up(1)], alert: "RelayDown" },
    {
      what: "somebody of one that does not answer",
      series: [up(0)],
      alert: "RelayDown",
      fired: { labels: { job: "relay", member: "gcash", instance: "relay:8480" }, value: "0" },
    },
    {
      what: "somebody of one that is not there to be asked",
      series: [],
      alert: "RelayDown",
      fired: { labels: { job: "relay" }, value: "1" },
    },
    { what: "nobody while one process leads", series: leaders(1, 0), alert: "RelayWithoutLeader" },
    {
      what: "somebody while none leads",
      series: leaders(0, 0),
      alert: "RelayWithoutLeader",
      fired: { labels: { member: "gcash" }, value: "0" },
    },
    {
      what: "somebody while two lead",
      series: leaders(1, 1),
      alert: "RelayWithoutLeader",
      fired: { labels: { member: "gcash" }, value: "2" },
    },
    {
      what: "somebody of signatures that the relay has not made",
      series: [{ series: `feiqian_unknown_signatures{${relay},call="open"}`, values: "0x2 2x20" }],
      alert: "UnknownSignature",
      fired: { labels: { member: "gcash" }, value: "2" },
    },
    { what: "nobody of keys that last", series: keyOf("send", 40 * DAY_SECONDS), alert: "LedgerKeyEndsSoon" },
    { what: "nobody again of a key that has ended", series: keyOf("send", 0), alert: "LedgerKeyEndsSoon" },
    {
      what: "somebody of a key that ends within a month",
      series: keyOf("accept", 29 * DAY_SECONDS),
      alert: "LedgerKeyEndsSoon",
      fired: { labels: { member: "gcash", instance: "0", key: "accept" }, value: "" },
    },
    { what: "nobody of a key that may act", series: keyOf("send", DAY_SECONDS), alert: "LedgerKeyEnded" },
    {
      what: "somebody of one that may not",
      series: keyOf("send", 0),
      alert: "LedgerKeyEnded",
      fired: { labels: { member: "gcash", instance: "0", key: "send" }, value: "" },
    },
    { what: "nobody of an API key that lasts", series: keyOf("api", 8 * DAY_SECONDS), alert: "ApiKeyEndsSoon" },
    {
      what: "somebody of one that ends within a week",
      series: keyOf("api", 6 * DAY_SECONDS),
      alert: "ApiKeyEndsSoon",
      fired: { labels: { member: "gcash", instance: "0", key: "api" }, value: "" },
    },
    { what: "nobody of a token that lasts", series: tokenOf(8 * DAY_SECONDS), alert: "LedgerTokenEndsSoon" },
    ...[6 * DAY_SECONDS, 0].map((endsSeconds) => ({
      what: `somebody of a token that ends at ${endsSeconds} seconds`,
      series: tokenOf(endsSeconds),
      alert: "LedgerTokenEndsSoon",
      fired: { labels: { member: "gcash", instance: "1", endpoint: "rpc:8545" }, value: "" },
    })),
    {
      what: "somebody of rows that no data key opens",
      series: [
        ...leaders(1),
        { series: 'feiqian_seal_broken{member="gcash",instance="0",table="payloads"}', values: "3x20" },
      ],
      alert: "SealBroken",
      fired: { labels: { member: "gcash", table: "payloads" }, value: "3" },
    },
  ];
  for (const given of cases) {
    it(`tells ${given.what}`, async function () {
      const check = await promtool();
      if (check === undefined) this.skip();
      const folder = await mkdtemp(join(tmpdir(), "feiqian-alerts-"));
      try {
        await writeFile(join(folder, "test.yml"), stringify(ruleTest(given)));
        await check("test", "rules", join(folder, "test.yml"));
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});

interface Series {
  readonly series: string;
  readonly values: string;
}

interface Case {
  readonly what: string;
  readonly series: readonly Series[];
  readonly alert: string;
  /** The one alert that there is after two minutes; none unless given. */
  readonly fired?: { readonly labels: Readonly<Record<string, string>>; readonly value: string };
}

/** As promtool takes it. */
function ruleTest({ series, alert, fired }: Case): Tree {
  const rule = alertsOf(FEATURES, { idleSeconds: 0 }).rules.find((each) => each.alert === alert);
  if (rule === undefined) throw new Error(`no alert ${alert}`);
  const told = (text: string): string =>
    text
      .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => fired?.labels[label] ?? "")
      .replaceAll("{{ $value }}", fired?.value ?? "");
  const expected = {
    exp_labels: { ...fired?.labels, ...rule.labels },
    exp_annotations: Object.fromEntries(Object.entries(rule.annotations).map(([key, text]) => [key, told(text)])),
  };
  return {
    rule_files: [resolve(ALERTS)],
    evaluation_interval: "15s",
    tests: [
      {
        interval: "15s",
        input_series: series,
        alert_rule_test: [{ eval_time: "2m", alertname: alert, exp_alerts: fired === undefined ? [] : [expected] }],
      },
    ],
  };
}
