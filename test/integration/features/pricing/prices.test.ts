import { expect } from "chai";
import { corridorKey } from "../../../../src/domain/corridor.ts";
import { encodeCall } from "../../../../src/ledger/calls.ts";
import { corridorPrices } from "../../../../src/features/pricing/availability.ts";
import { recordProviderFailure } from "../../../../src/features/pricing/failures.ts";
import { pricingStep } from "../../../../src/features/pricing/pricing.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { writeProviderFunds } from "../../../../src/features/pricing/store/providers.ts";
import { GCASH, HKD_TO_HKD, HKD_TO_PHP, PROVIDER } from "../../support/chain.ts";
import { describeOn } from "../../support/databases.ts";
import { run, SETTINGS, standingQuote, testRelay, type TestRelay } from "../../support/relay-context.ts";

describeOn("PGlite", "whether a price can be given in a corridor", (open) => {
  let relay: TestRelay;

  beforeEach(async () => {
    relay = await testRelay({ db: await open() });
    await run(relay, watcherStep);
  });

  const prices = async () =>
    Object.fromEntries(
      (await corridorPrices(relay)).map(({ corridor, isPriced }) => [corridorKey(corridor), isPriced]),
    );
  const metric = async () => relay.metrics.registry.metrics();
  const pricedIf = (isPriced: boolean) => ({ [corridorKey(HKD_TO_PHP)]: isPriced, [corridorKey(HKD_TO_HKD)]: true });
  const secondsFromNow = (seconds: number) => Math.floor(relay.clock.nowMs() / 1_000) + seconds;

  it("is so where an offer stands, and always within one currency; a metric tells", async () => {
    expect(await prices()).to.deep.equal(pricedIf(false));
    await run(relay, pricingStep);
    expect(await metric()).to.match(/^feiqian_corridor_priced\{target="4",pair="HKD>PHP",partner="7"\} 0$/m);
    await standingQuote(relay);
    expect(await prices()).to.deep.equal(pricedIf(true));
    await run(relay, pricingStep);
    expect(await metric()).to.match(/^feiqian_corridor_priced\{target="4",pair="HKD>PHP",partner="7"\} 1$/m);
  });

  const unfit: Readonly<Record<string, () => Promise<unknown>>> = {
    "ends too soon": () =>
      standingQuote(relay, { validUntil: secondsFromNow(SETTINGS.quote.leastValiditySeconds - 2) }),
    "lets its money be held too shortly": () => standingQuote(relay, { maxHold: SETTINGS.batch.holdSeconds - 1 }),
    "is used up": async () => {
      await standingQuote(relay);
      await relay.db.query("UPDATE provider_quotes SET reserved = capacity");
    },
    "is of a provider that is passed over": async () => {
      await standingQuote(relay);
      const { db, clock } = relay;
      await db.transaction((tx) => recordProviderFailure(tx, PROVIDER, HKD_TO_PHP, "test", clock.nowMs()));
    },
    "is of a provider that has nothing on the ledger": async () => {
      await standingQuote(relay);
      const { treasury } = relay.ledger.addresses;
      const nothing = { treasury, provider: PROVIDER, currency: HKD_TO_PHP.targetCurrency, available: 0n, block: 1 };
      await writeProviderFunds(relay.db, [nothing]);
    },
  };
  for (const [why, offer] of Object.entries(unfit)) {
    it(`is not so where the only offer ${why}`, async () => {
      await offer();
      expect(await prices()).to.deep.equal(pricedIf(false));
    });
  }

  it("is not asked of a corridor that is closed to its partner's customers", async () => {
    const { sandbox } = relay;
    const guardian = await sandbox.submitterOf({ kind: "guardian" });
    const { partnerRegistry } = sandbox.ledger.addresses;
    await guardian.submit(encodeCall("partnerRegistry", partnerRegistry, "suspend", [GCASH]));
    await relay.registry.refresh();
    expect(await prices()).to.deep.equal({ [corridorKey(HKD_TO_HKD)]: true });
    await run(relay, pricingStep);
    expect(await metric()).not.to.contain('pair="HKD>PHP"');
  });
});
