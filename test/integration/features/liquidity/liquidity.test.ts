import { writeBalances } from "../../../../src/features/liquidity/store.ts";
import { expect } from "chai";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { liquidityStep } from "../../../../src/features/liquidity/liquidity.ts";
import { eventsAfter } from "../../../../src/kernel/store/events.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { run, testRelay, type TestRelay } from "../../support/relay-context.ts";

const textOf = (value: unknown): string => (typeof value === "string" ? value : "?");

const [HKD, PHP] = [parseCurrency("HKD").code, parseCurrency("PHP").code];

describeOnBothDatabases("Liquidity alarms", (open) => {
  let relay: TestRelay;

  beforeEach(async () => {
    const lowWater = { HKD: 1_000n, PHP: 5_000n };
    relay = await testRelay({ db: await open(), settings: { liquidity: { lowWater } } });
  });

  /** What the step tells when the ledger says so. */
  async function with_(balances: Readonly<Record<string, bigint>>): Promise<readonly string[]> {
    const before = (await eventsAfter(relay.db, 0n, 100)).length;
    const rows = Object.entries(balances).map(([code, available]) => {
      const { treasury } = relay.ledger.addresses;
      return { treasury, currency: parseCurrency(code).code, available, held: 7n, block: 1 };
    });
    await writeBalances(relay.db, rows);
    await run(relay, liquidityStep);
    // A second look at the same changes nothing.
    await run(relay, liquidityStep);
    const events = (await eventsAfter(relay.db, 0n, 100)).slice(before);
    return events.map(({ type, data }) => `${type} ${textOf(data["currency"])} ${textOf(data["available"])}`);
  }

  it("say nothing before the ledger has been read, nor of what is enough", async () => {
    expect(await with_({})).to.deep.equal([]);
    expect(await with_({ HKD: 1_000n, PHP: 5_000n })).to.deep.equal([]);
  });

  it("are raised below the low water and end a tenth above it, for each currency by itself", async () => {
    expect(await with_({ HKD: 999n, PHP: 9_000n })).to.deep.equal(["liquidity.low HKD 999"]);
    expect(relay.woken).to.include("notifier");
    expect(await with_({ HKD: 0n })).to.deep.equal([]);
    // Around the low water nothing goes on and off.
    expect(await with_({ HKD: 1_001n })).to.deep.equal([]);
    expect(await with_({ HKD: 1_099n, PHP: 4_999n })).to.deep.equal(["liquidity.low PHP 4999"]);
    expect(await with_({ HKD: 1_100n })).to.deep.equal(["liquidity.restored HKD 1100"]);
    expect(await with_({ HKD: 1_000n })).to.deep.equal([]);
    expect(await with_({ HKD: 999n })).to.deep.equal(["liquidity.low HKD 999"]);
  });

  it("are raised once, though several processes look at the same time and again after a restart", async () => {
    await writeBalances(relay.db, [
      { treasury: relay.ledger.addresses.treasury, currency: HKD, available: 10n, held: 0n, block: 1 },
    ]);
    await Promise.all(Array.from({ length: 5 }, () => liquidityStep(relay)));
    const again = await testRelay({ ...relay, db: await open({ again: relay.db }) });
    await run(again, liquidityStep);
    const told = await eventsAfter(relay.db, 0n, 100);
    expect(told.map(({ type }) => type)).to.deep.equal(["liquidity.low"]);
    expect(told[0]?.data).to.deep.equal({ currency: "HKD", available: "10", lowWater: "1000" });
  });

  it("are measured", async () => {
    await with_({ HKD: 10n, PHP: 6_000n });
    const measured = async (name: "lowWater" | "availableMinor" | "heldMinor", currency: string) =>
      (await relay.metrics[name].get()).values.find(({ labels }) => labels.currency === currency)?.value;
    expect(await measured("lowWater", HKD)).to.equal(1);
    expect(await measured("lowWater", PHP)).to.equal(0);
    expect(await measured("availableMinor", PHP)).to.equal(6_000);
    expect(await measured("heldMinor", HKD)).to.equal(7);
  });
});
