import { expect } from "chai";
import type { Hex } from "../../../../src/domain/bytes/hex.ts";
import { currencyOf, type CurrencyCode } from "../../../../src/domain/currency.ts";
import type { PartnerId } from "../../../../src/domain/partner.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import { liquidityStep } from "../../../../src/features/liquidity/liquidity.ts";
import { readBalances, readFunds } from "../../../../src/features/liquidity/store.ts";
import { readProviderFunds } from "../../../../src/features/pricing/book.ts";
import { freeProviderMoney } from "../../../../src/features/pricing/store/providers.ts";
import { unopenedMoney } from "../../../../src/features/remittance/store/batches.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { confirmerStep } from "../../../../src/features/remittance/steps/confirmer.ts";
import { courierStep } from "../../../../src/features/remittance/steps/courier.ts";
import { crediterStep } from "../../../../src/features/remittance/steps/crediter.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../../src/features/remittance/steps/settler.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { encodeCall } from "../../../../src/ledger/calls.ts";
import { connectLedger } from "../../../../src/ledger/contracts.ts";
import { verifySuccessors } from "../../../../src/ledger/deployment/successors.ts";
import { differences } from "../../../../src/ledger/deployment/verify.ts";
import { opensAt } from "../../../../src/ledger/state.ts";
import { MODULE_STATUSES } from "../../../../src/ledger/statuses.ts";
import { CONFIG, FUNDS, GCASH, HKD_TO_PHP, PROVIDER, provider } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { govern } from "../../support/governance.ts";
import { batchOf, batchesOf, expectSound, switched, untilNothingWaits } from "../../support/moving.ts";
import {
  openedBatch,
  readLedger,
  signedBatch,
  startPair,
  startPeer,
  type Pair,
  type Peer,
} from "../../support/peers.ts";
import { failureOf } from "../../support/relay-batches.ts";
import {
  acceptTransfers,
  passTime,
  run,
  standingQuote,
  testClock,
  testRelay,
  type TestRelay,
} from "../../support/relay-context.ts";
import { succession, type Succession } from "../../support/second-registry.ts";

const { sourceCurrency: HKD, targetCurrency: PHP } = HKD_TO_PHP;

describeOnBothDatabases("a treasury that takes another's place, with money in flight", (open) => {
  let pair: Pair;
  let next: Succession;
  let [oldTreasury, newTreasury, oldRegistry, newRegistry]: Hex[] = [];
  let peer: Peer | undefined;

  beforeEach(async () => {
    pair = await startPair(open, {}, testClock());
    next = await succession(pair.source.sandbox, "treasury");
    ({ treasury: oldTreasury, transferRegistry: oldRegistry } = pair.source.ledger.addresses);
    ({ treasury: newTreasury, transferRegistry: newRegistry } = next.addresses);
  });
  afterEach(async () => {
    await peer?.app.close();
    peer = undefined;
    await pair.close();
  });

  /** A batch of three transfers from intake to credit. */
  const settleOne = async (source: TestRelay, target: TestRelay): Promise<{ readonly id: Hex }> => {
    await readLedger(source, target);
    const batch = await openedBatch({ ...pair, source, target });
    await answer(source, target);
    return batch;
  };

  /** What the target does with what is open, and the source with what it hears. */
  const answer = async (source: TestRelay, target: TestRelay): Promise<void> => {
    for (const step of [responderStep, settlerStep, watcherStep, crediterStep]) await run(target, step);
    await readLedger(source);
    await run(target, confirmerStep);
  };

  /** All that a partner has free in a currency, out of the old treasury and into the new one, with its FUND key. */
  const moveMoney = async (partner: PartnerId, currency: CurrencyCode): Promise<void> => {
    const { sandbox, ledger } = pair.source;
    const holder = { kind: "operator", partner } as const;
    const fund = await sandbox.submitterOf(holder);
    const { numeric } = currencyOf(currency);
    const { available } = await ledger.treasury.balanceOf(partner, numeric);
    if (available === 0n) return;
    const token = ledger.addresses.tokens.get(currency) ?? "0x";
    const [from, to] = [oldTreasury as Hex, newTreasury as Hex];
    await fund.submit(
      encodeCall("treasury", from, "withdraw", [partner, numeric, available, sandbox.keys.addressOf(holder)]),
    );
    await fund.submit(encodeCall("settlementToken", token, "approve", [to, available]));
    await fund.submit(encodeCall("treasury", to, "deposit", [partner, numeric, available]));
  };

  /** What is in both treasuries together, by the tokens. */
  const inBoth = async (): Promise<ReadonlyMap<CurrencyCode, bigint>> => {
    const sums = [...pair.source.ledger.tokens].map(async ([currency, token]) => {
      const parts = await Promise.all([oldTreasury, newTreasury].map((each) => token.balanceOf(each as Hex)));
      return [currency, parts.reduce((sum, part) => sum + part, 0n)] as const;
    });
    return new Map(await Promise.all(sums));
  };

  const fundsOf = async ({ db, ledger }: TestRelay, currency: CurrencyCode) =>
    (await readFunds(db, ledger.addresses.treasury)).find((funds) => funds.currency === currency);

  it("sends by the new one while the old one's batches end, and ends with all the money in the new one", async () => {
    const before = await inBoth();
    await settleOne(pair.source, pair.target);
    await next.announce();
    await passTime(pair.source, 1);
    await settleOne(pair.source, pair.target);
    const { ledger: moved } = next.moved;
    expect(await opensAt(moved, await provider.getBlockNumber()), "the books do not let it draw yet").to.equal(false);
    await next.activate();
    await passTime(pair.source, 1);
    expect(await opensAt(moved, await provider.getBlockNumber())).to.equal(true);
    await settleOne(pair.source, pair.target);

    // The target knows of it before anybody uses it.
    const announced = [{ transferRegistry: newRegistry as Hex, treasury: newTreasury as Hex }];
    const knowing = await connectLedger(provider, { ...pair.target.ledger.addresses, announced });
    const told = switched(pair.target, next.moved, knowing);
    await pair.targetPeer.app.close();
    peer = await startPeer(told);

    // In flight: one that the target has answered, one whose details it has lost, and one that nobody has heard of.
    const settling = await openedBatch({ ...pair, target: told });
    await run(told, responderStep);
    const expiring = await openedBatch({ ...pair, target: told });
    await told.db.query("DELETE FROM payloads WHERE encode(batch, 'hex') = $1", [expiring.id.slice(2)]);
    const unopened = await signedBatch(pair.source);

    // The source changes over, and dies while it reads what it has not seen.
    let source = switched(pair.source, next.moved);
    for (const point of ["watcher.registryRead", "watcher.registryWritten"]) {
      source.killAt(point);
      await failureOf(watcherStep(source));
      source = switched(source, next.moved);
    }
    await readLedger(source, told);
    const old = await pair.source.ledger.treasury.balanceOf(source.partner, currencyOf(HKD).numeric);
    const { available, held, elsewhere } = (await fundsOf(source, HKD)) ?? expect.fail("not read");
    expect([available, held]).to.deep.equal([0n, 0n]);
    expect(elsewhere).to.deep.equal({ available: old.available, held: old.held });
    expect(old.held > 0n).to.equal(true);
    await run(source, liquidityStep);
    const metric = async (name: "availableMinor" | "heldMinor" | "elsewhereMinor") =>
      BigInt((await source.metrics[name].get()).values.find(({ labels }) => labels.currency === HKD)?.value ?? -1);
    expect(await metric("availableMinor")).to.equal(0n);
    expect(await metric("heldMinor")).to.equal(old.held);
    expect(await metric("elsewhereMinor")).to.equal(old.available);
    await expectSound(source);

    // What is signed for the old one takes nothing from the new one, and counts as promised all the same.
    expect((await unopenedMoney(source.db, source.ledger)).size).to.equal(0);
    const signed = (await unopenedMoney(source.db, pair.source.ledger)).get(currencyOf(HKD).numeric);
    expect((await fundsOf(source, HKD))?.committed).to.equal(signed);

    // Without money in the new treasury nothing is signed for it, and nothing is lost by that.
    const quote = await standingQuote(source);
    const waiting = await acceptTransfers(source, 3, { quote, ifUnfunded: "wait" });
    const firstOf = waiting[0]?.uetr as Uetr;
    await run(source, batcherStep);
    expect(await batchOf(source, firstOf)).to.equal(undefined);

    for (const [partner, currency] of [
      [PROVIDER, PHP],
      [source.partner, HKD],
    ] as const) {
      await moveMoney(partner, currency);
      expect(await inBoth()).to.deep.equal(before);
    }
    // Who prices sees the provider's money where it is now.
    await readLedger(source);
    await readProviderFunds(source);
    const priced = await freeProviderMoney(source.db, newTreasury as Hex);
    expect(priced.map((money) => [money.treasury, money.provider, money.currency])).to.deep.equal([
      [newTreasury, PROVIDER, PHP],
    ]);

    await run(source, batcherStep);
    const opened = (await batchOf(source, firstOf)) ?? expect.fail("still waits");
    await run(source, courierStep);
    // It dies with the batch on the ledger, and knows nothing of that.
    source.killAt("opener.submitted");
    await failureOf(openerStep(source));
    source = switched(source, next.moved);
    await run(source, openerStep);
    await readLedger(source, told);
    expect((await batchesOf(source, oldRegistry)).get(opened)).to.deep.equal({ registry: newRegistry, status: "open" });
    const sent = await fundsOf(source, HKD);
    expect(sent?.held ?? 0n, "held where it was sent from").to.not.equal(0n);

    await next.drainFirst();
    const target = switched(told, next.moved);
    await peer.app.close();
    peer = await startPeer(target);
    await readLedger(target);
    await answer(source, target);
    await untilNothingWaits(source);
    await readLedger(target);
    const batches = await batchesOf(source, oldRegistry);
    expect(batches.get(opened)).to.deep.equal({ registry: newRegistry, status: "settled" });
    expect(batches.get(settling.id)).to.deep.equal({ registry: oldRegistry, status: "settled" });
    expect(batches.get(expiring.id)).to.deep.equal({ registry: oldRegistry, status: "expired" });
    expect(batches.has(unopened.id)).to.equal(false);

    // What could not be opened any more in the old one goes by the new one.
    await run(source, batcherStep);
    const again = (await batchOf(source, unopened.transfers[0]?.uetr as Uetr)) ?? expect.fail("still waits");
    await run(source, openerStep);
    await run(source, courierStep);
    await readLedger(source, target);
    await answer(source, target);
    expect((await batchesOf(source, oldRegistry)).get(again)).to.deep.equal({
      registry: newRegistry,
      status: "settled",
    });

    // What has been refunded, received and earned in the old one moves too, and then it is empty.
    for (const { id } of CONFIG.partners) {
      for (const currency of source.ledger.tokens.keys()) await moveMoney(id, currency);
    }
    expect(await inBoth()).to.deep.equal(before);
    for (const token of source.ledger.tokens.values()) expect(await token.balanceOf(oldTreasury as Hex)).to.equal(0n);
    await readLedger(source, target);
    for (const relay of [source, target]) {
      const balances = await expectSound(relay);
      const treasuries = new Set(balances.map(({ treasury }) => treasury));
      expect(treasuries).to.deep.equal(new Set([oldTreasury, newTreasury]));
      for (const { treasury, found } of balances) {
        if (treasury === oldTreasury) expect(found).to.deep.equal({ available: 0n, held: 0n });
      }
    }
    expect((await fundsOf(source, HKD))?.elsewhere).to.deep.equal({ available: 0n, held: 0n });
    expect(before.get(HKD)).to.equal(FUNDS);

    // As configured, by what the operators run; and the old registry may lose its place at all.
    const range = { fromBlock: 0, toBlock: await provider.getBlockNumber() };
    expect(differences(await verifySuccessors(source.ledger, CONFIG, range))).to.deep.equal([]);
    const { none, draining } = MODULE_STATUSES;
    const revoke = encodeCall("treasury", oldTreasury as Hex, "restrictModule", [oldRegistry, draining, none]);
    await govern(source.sandbox, [{ role: "upgrader", ...revoke }]);
    await passTime(source, 1);
    await settleOne(source, target);
    for (const relay of [source, target]) await expectSound(relay);

    // A relay that has nothing but the chain comes to the same.
    const fresh = await testRelay({ db: await open(), partner: GCASH, sandbox: next.moved, clock: source.clock });
    await readLedger(fresh);
    expect(await batchesOf(fresh, oldRegistry)).to.deep.equal(await batchesOf(target, oldRegistry));
    const moneyOf = async ({ db }: TestRelay) => (await readBalances(db)).map((money) => ({ ...money, block: 0 }));
    expect(await moneyOf(fresh)).to.deep.equal(await moneyOf(target));
  });
});
