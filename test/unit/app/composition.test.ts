import { expect } from "chai";
import { z } from "zod/v4";
import { alertsOf, compose } from "../../../src/app/composition.ts";
import { configSchemaOf } from "../../../src/app/config-schema.ts";
import { FEATURES } from "../../../src/app/features.ts";
import { rule } from "../../../src/kernel/telemetry/alert.ts";
import { gauge, type MetricSpecs } from "../../../src/kernel/telemetry/metric.ts";
import { KERNEL_METRICS } from "../../../src/kernel/telemetry/metrics.ts";
import type { RelayFeature } from "../../../src/features/context.ts";

describe("a list of features", () => {
  const refusal = async (feature: RelayFeature): Promise<string> => {
    try {
      await compose([...FEATURES, feature]);
    } catch (failure) {
      if (failure instanceof Error) return failure.message;
    }
    return "none";
  };

  it("is composed of those that a relay has", async () => {
    expect((await compose(FEATURES)).steps.map(({ name }) => name)).to.include.members(["watcher", "pricing"]);
  });

  it("adds no section to the configuration that every relay has", () => {
    const taken: RelayFeature = { name: "taken", settings: { api: z.strictObject({}).prefault({}) } };
    expect(() => configSchemaOf([...FEATURES, taken])).to.throw(/contribute the section of the configuration api$/);
  });

  it("alerts people to what each feature counts itself, or any relay does", () => {
    const told = ({ metrics = {} }: { readonly metrics?: MetricSpecs }) =>
      Object.values(metrics).map(({ name }) => `feiqian_${name}`);
    const ofAll = told({ metrics: KERNEL_METRICS });
    for (const feature of FEATURES) {
      for (const { alert, expr } of feature.alerts?.({ idleSeconds: 1 }) ?? []) {
        const names = [...expr.matchAll(/feiqian_[a-z_]+/g)].map(([name]) =>
          name.replace(/(_seconds_bucket|_total)$/, ""),
        );
        expect([...told(feature), ...ofAll], `${feature.name}: ${alert}`).to.include.members(names);
      }
    }
    const { rules } = alertsOf(FEATURES, { idleSeconds: 100 });
    expect(rules.map(({ alert }) => alert)).to.include.members(["RelayDown", "LiquidityLow", "CreditsStuck"]);
    // Three of the ledger's pauses, where those are long.
    expect(rules.find(({ alert }) => alert === "RelayReadsNothing")?.expr).to.include("[300s]");
  });

  it("has no two of one name, nor two that contribute the same", async () => {
    const run = () => Promise.resolve(false);
    const work = () => Promise.resolve({ steps: [{ name: "watcher", run, pollIntervalMs: 1 }] as const });
    const doubleAlert = rule("LiquidityLow", "info", "feiqian_leader == 1", "0s", {
      summary: "Another",
      description: "Of a name that is taken.",
      runbook: "alerts.md#liquiditylow",
    });
    const doubles: readonly RelayFeature[] = [
      { name: "pricing" },
      { name: "double", events: { "transfer.settled": "Told twice." } },
      { name: "double", problems: { "no-quote": { status: 422, title: "Another", transfer: "none" } } },
      { name: "double", metrics: { leader: gauge("double", "Of the kernel's name") } },
      { name: "double", alerts: () => [doubleAlert] },
      { name: "double", settings: { batch: z.strictObject({}).prefault({}) } },
      { name: "double", work },
    ];
    expect(await Promise.all(doubles.map(refusal))).to.deep.equal([
      "two contribute the feature pricing",
      "two contribute the type of event transfer.settled",
      "two contribute the problem no-quote",
      "two contribute the metric leader",
      "two contribute the alert LiquidityLow",
      "two contribute the section of the configuration batch",
      "two contribute the step watcher",
    ]);
  });
});
