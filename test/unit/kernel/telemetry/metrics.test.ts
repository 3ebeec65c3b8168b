import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { createMetrics } from "../../../../src/kernel/telemetry/metrics.ts";
import { metricsOf } from "../../../../src/app/composition.ts";
import { FEATURES } from "../../../../src/app/features.ts";

describe("the metrics", () => {
  it("are each relay's own, named for the product, and carry the partner", async () => {
    const gcash = createMetrics({ partner: 4 }, metricsOf(FEATURES));
    const alipayHk = createMetrics({ partner: 7 }, metricsOf(FEATURES));
    gcash.transfersAccepted.inc({ target: "7" });
    gcash.acceptedToCredited.observe(0.04);
    const told = await gcash.registry.metrics();
    expect(told).to.contain('feiqian_transfers_accepted_total{target="7",partner="4"} 1');
    expect(told).to.contain('feiqian_accepted_to_credited_seconds_bucket{le="0.05",partner="4"} 1');
    expect(await alipayHk.registry.metrics()).not.to.contain('target="7"');
  });

  it("tell the process's own where asked to", async () => {
    const told = await createMetrics({ partner: 4, process: true }, metricsOf(FEATURES)).registry.metrics();
    expect(told).to.contain("feiqian_process_resident_memory_bytes");
    expect(await createMetrics({ partner: 4 }, metricsOf(FEATURES)).registry.metrics()).not.to.contain(
      "resident_memory",
    );
  });

  it("are all in the operator's page, and no others", async () => {
    const page = await readFile(new URL("../../../../docs/relay-operator.md", import.meta.url), "utf8");
    const told = new Set(page.match(/feiqian_[a-z_]*[a-z]\b(?!_…)/g));
    const metrics = createMetrics({ partner: 4 }, metricsOf(FEATURES)).registry.getMetricsAsArray();
    expect([...told]).to.have.members(metrics.map(({ name }) => name));
  });
});
