import { expect } from "chai";
import { z } from "zod/v4";
import { compose } from "../../../src/app/composition.ts";
import { configSchemaOf } from "../../../src/app/config-schema.ts";
import { FEATURES } from "../../../src/app/features.ts";
import { gauge } from "../../../src/kernel/telemetry/metric.ts";
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

  it("has no two of one name, nor two that contribute the same", async () => {
    const run = () => Promise.resolve(false);
    const work = () => Promise.resolve({ steps: [{ name: "watcher", run, pollIntervalMs: 1 }] as const });
    const doubles: readonly RelayFeature[] = [
      { name: "pricing" },
      { name: "double", events: { "transfer.settled": "Told twice." } },
      { name: "double", problems: { "no-quote": { status: 422, title: "Another", transfer: "none" } } },
      { name: "double", metrics: { leader: gauge("double", "Of the kernel's name") } },
      { name: "double", settings: { batch: z.strictObject({}).prefault({}) } },
      { name: "double", work },
    ];
    expect(await Promise.all(doubles.map(refusal))).to.deep.equal([
      "two contribute the feature pricing",
      "two contribute the type of event transfer.settled",
      "two contribute the problem no-quote",
      "two contribute the metric leader",
      "two contribute the section of the configuration batch",
      "two contribute the step watcher",
    ]);
  });
});
