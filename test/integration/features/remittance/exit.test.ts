import { expect } from "chai";
import type { Hex } from "../../../../src/domain/bytes/hex.ts";
import { currencyOf } from "../../../../src/domain/currency.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import { liquidityStep } from "../../../../src/features/liquidity/liquidity.ts";
import { readBalances, readFunds } from "../../../../src/features/liquidity/store.ts";
import { batcherStep } from "../../../../src/features/remittance/steps/batcher.ts";
import { confirmerStep } from "../../../../src/features/remittance/steps/confirmer.ts";
import { crediterStep } from "../../../../src/features/remittance/steps/crediter.ts";
import { openerStep } from "../../../../src/features/remittance/steps/opener.ts";
import { responderStep } from "../../../../src/features/remittance/steps/responder.ts";
import { settlerStep } from "../../../../src/features/remittance/steps/settler.ts";
import { watcherStep } from "../../../../src/features/remittance/steps/watcher.ts";
import { findTransfer } from "../../../../src/features/remittance/store/transfers.ts";
import { statusOf } from "../../../../src/features/remittance/status.ts";
import { encodeCall } from "../../../../src/ledger/calls.ts";
import { ALIPAY_HK, HKD_TO_PHP } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import { governedCall } from "../../support/governance.ts";
import { batchesOf, expectSound, switched, untilNothingWaits } from "../../support/moving.ts";
import { openedBatch, readLedger, signedBatch, startPair, type Pair } from "../../support/peers.ts";
import { failureOf } from "../../support/relay-batches.ts";
import { acceptTransfers, passTime, run, standingQuote, testClock, testRelay } from "../../support/relay-context.ts";

const DAY = 86_400;
const HKD = currencyOf(HKD_TO_PHP.sourceCurrency).numeric;
/** Used for nothing else. */
const EXIT_ACCOUNT = { kind: "secondCourier" } as const;

describeOnBothDatabases("a suspended partner that leaves with its money, while the relays run", (open) => {
  let pair: Pair;

  beforeEach(async () => {
    pair = await startPair(open, {}, testClock());
    const { sandbox } = pair.source;
    const admin = await sandbox.submitterOf({ kind: "admin", partner: ALIPAY_HK });
    const account = sandbox.keys.addressOf(EXIT_ACCOUNT);
    await admin.submit(governedCall(sandbox, "partnerRegistry", "setExitAccount", [ALIPAY_HK, account]));
    await passTime(pair.source, 14 * DAY);
  });
  afterEach(() => pair.close());

  const exit = async (): Promise<unknown> => {
    const { sandbox, ledger } = pair.source;
    const account = await sandbox.submitterOf(EXIT_ACCOUNT);
    return account.submit(encodeCall("treasury", ledger.addresses.treasury, "exit", [ALIPAY_HK, HKD]));
  };

  const statusIn = async (uetr: Uetr | undefined): Promise<string> => {
    const { db, ledger } = pair.source;
    const record = await findTransfer(db, ledger.addresses.treasury, uetr ?? expect.fail("no transfer"));
    return statusOf(record ?? expect.fail("not stored")).status;
  };

  it("ends what is on its way, opens nothing more, and takes out all that is its own", async () => {
    const { target } = pair;
    let { source } = pair;
    const { ledger, sandbox } = source;
    // On its way: one that the target will settle, one whose details it has lost, one that the ledger has not heard of,
    // and transfers that wait for a batch.
    const settling = await openedBatch(pair);
    await run(target, responderStep);
    const expiring = await openedBatch(pair);
    await target.db.query("DELETE FROM payloads WHERE encode(batch, 'hex') = $1", [expiring.id.slice(2)]);
    const unopened = await signedBatch(source);
    const waiting = await acceptTransfers(source, 2, { quote: await standingQuote(source), ifUnfunded: "wait" });

    const guardian = await sandbox.submitterOf({ kind: "guardian" });
    await guardian.submit(governedCall(sandbox, "partnerRegistry", "suspend", [ALIPAY_HK]));
    await readLedger(source, target);
    expect((await failureOf(exit())).message).to.include("exit");

    // What was open before is settled and credited; the source hears of it.
    for (const step of [settlerStep, watcherStep, crediterStep]) await run(target, step);
    await readLedger(source);
    await run(target, confirmerStep);
    expect(await statusIn(settling.transfers[0]?.uetr)).to.equal("credited");
    // What is signed is not opened, and what waits is not lost sight of.
    await run(source, batcherStep);
    await run(source, openerStep);
    await untilNothingWaits(source);
    await passTime(source, 600);
    await run(source, batcherStep);
    await readLedger(target);
    const batches = await batchesOf(source, ledger.addresses.transferRegistry);
    expect(batches.get(settling.id)?.status).to.equal("settled");
    expect(batches.get(expiring.id)?.status).to.equal("expired");
    expect(batches.size, "opened after the suspension").to.equal(2);
    for (const { uetr } of [...unopened.transfers, ...waiting]) expect(await statusIn(uetr)).to.equal("failed");

    // Five days after the suspension the money goes to the account that was there before.
    await passTime(source, 5 * DAY);
    const { available, held } = await ledger.treasury.balanceOf(ALIPAY_HK, HKD);
    expect([available > 0n, held]).to.deep.equal([true, 0n]);
    await exit();
    const token = ledger.tokens.get(HKD_TO_PHP.sourceCurrency) ?? expect.fail("no token");
    expect(await token.balanceOf(sandbox.keys.addressOf(EXIT_ACCOUNT))).to.equal(available);

    // Its relay dies while it reads of that, reads it again, and agrees with the ledger, as the other one does.
    source.killAt("watcher.written");
    await failureOf(watcherStep(source));
    source = switched(source, sandbox);
    await readLedger(source, target);
    const funds = (await readFunds(source.db, ledger.addresses.treasury)).find(
      (each) => each.currency === HKD_TO_PHP.sourceCurrency,
    );
    expect(funds).to.deep.include({ available: 0n, held: 0n, committed: 0n });
    await run(source, liquidityStep);
    for (const relay of [source, target]) await expectSound(relay);

    // A relay that has nothing but the chain comes to the same.
    const fresh = await testRelay({ db: await open(), sandbox, clock: source.clock });
    await readLedger(fresh);
    const moneyOf = async ({ db }: typeof fresh) => (await readBalances(db)).map((money) => ({ ...money, block: 0 }));
    expect(await moneyOf(fresh)).to.deep.equal(await moneyOf(source));
    const first: Hex = ledger.addresses.transferRegistry;
    expect(await batchesOf(fresh, first)).to.deep.equal(await batchesOf(source, first));
  });
});
