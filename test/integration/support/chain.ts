import hre from "hardhat";
import { deployLedger } from "../../../ignition/deploy.ts";
import type { Batch } from "../../../src/domain/batch.ts";
import { parseCurrency } from "../../../src/domain/currency.ts";
import type { Corridor, CorridorTerms } from "../../../src/domain/corridor.ts";
import { parsePartnerId, type PartnerId } from "../../../src/domain/partner.ts";
import { beatCall } from "../../../src/ledger/calls.ts";
import { connectLedger, type LedgerAddresses } from "../../../src/ledger/contracts.ts";
import type { LedgerConfig } from "../../../src/ledger/deployment/config.ts";
import { createSubmitter, type Submitter } from "../../../src/ledger/submitter.ts";
import { fund } from "../../../sandbox/funding.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { sandboxConfig, sandboxKeys, type KeyHolder } from "../../../sandbox/network.ts";
import { openSandbox, type Sandbox } from "../../../sandbox/sandbox.ts";
import { FEE_BPS } from "../../support/batches.ts";
import { HKD_TO_HKD, HKD_TO_PHP, PROVIDER } from "../../support/transfers.ts";

export { HKD_TO_HKD, HKD_TO_PHP, PROVIDER };

/** A chain in this process, for all the tests of the ledger's clients; each test starts from a snapshot of it. */
export const connection = await hre.network.create({
  override: { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true },
});
export const { networkHelpers } = connection;
export const { provider } = connection.ethers;

const [hkd, php, cny] = [parseCurrency("HKD").code, parseCurrency("PHP").code, parseCurrency("CNY").code];
export const [HUB, GCASH, ALIPAY_HK] = [1, 4, 7].map((id) => parsePartnerId(id)) as [
  PartnerId,
  PartnerId,
  PartnerId,
  PartnerId, // as many as there are ids
];

export const CNY_TO_PHP: Corridor = { source: HUB, sourceCurrency: cny, target: GCASH, targetCurrency: php };

/** What is deposited for each of `DEPOSITS`, in minor units. */
export const FUNDS = 10n ** 12n;
const DEPOSITS = [
  { partner: ALIPAY_HK, currency: hkd, amountMinor: FUNDS },
  { partner: HUB, currency: cny, amountMinor: FUNDS },
  { partner: PROVIDER, currency: php, amountMinor: FUNDS },
];

const terms: CorridorTerms = { open: true, feeBps: FEE_BPS, maxPerBatch: 10n ** 9n, maxPerDay: 10n ** 10n };
const { tokens, partners, ...rest } = sandboxConfig(sandboxKeys());

/** The sandbox's network, small: three wallets and two providers, three currencies, three corridors. */
export const CONFIG: LedgerConfig = {
  ...rest,
  tokens: tokens.filter(({ currency }) => [hkd, php, cny].includes(currency)),
  partners: partners.filter(({ id }) => [1, 4, 7, 11, 12].includes(id)),
  corridors: [HKD_TO_PHP, CNY_TO_PHP, HKD_TO_HKD].map((corridor) => ({ corridor, terms })),
};

async function deployed(): Promise<LedgerAddresses> {
  return deployLedger(connection, CONFIG);
}

async function deployedAndFunded(): Promise<LedgerAddresses> {
  const addresses = await deployed();
  await fund(await openSandbox(provider, addresses, CONFIG), DEPOSITS);
  return addresses;
}

/** The ledger as it is deployed, with keys for everybody. */
export async function freshLedger(): Promise<Sandbox> {
  return bind(await restored(deployed));
}

/** The ledger with money on it, and every partner's operator key authorised. */
export async function fundedLedger(): Promise<Sandbox> {
  const sandbox = await bind(await restored(deployedAndFunded));
  // The snapshot may be of long ago: ledger time has been lost since, and no test is to come upon that by chance.
  const [first] = await connection.ethers.getSigners();
  if (first !== undefined) await (await first.sendTransaction(beatCall(sandbox.ledger))).wait();
  return sandbox;
}

/**
 * As the chain was, at the time that it is: what restores it lets its clock be ahead of the machine's by as long as the
 * snapshot is old, which is minutes where the machine is slow.
 */
async function restored(made: () => Promise<LedgerAddresses>): Promise<LedgerAddresses> {
  const addresses = await networkHelpers.loadFixture(made);
  for (let tries = 1; ; tries++) {
    const nowSeconds = Math.floor(systemClock.nowMs() / 1_000);
    const next = Math.max(nowSeconds, (await networkHelpers.time.latest()) + 1);
    try {
      await networkHelpers.time.setNextBlockTimestamp(next);
      return addresses;
    } catch (failure) {
      // What the test before has left behind may have made a block meanwhile.
      if (tries === 5) throw failure;
    }
  }
}

async function bind(addresses: LedgerAddresses): Promise<Sandbox> {
  const keys = sandboxKeys(provider);
  const submitters = new Map<string, Promise<Submitter>>();
  const submitterOf = (holder: KeyHolder): Promise<Submitter> => {
    const address = keys.addressOf(holder);
    const submitter = submitters.get(address) ?? createSubmitter(keys.walletOf(holder), OPTIONS);
    submitters.set(address, submitter);
    return submitter;
  };
  return { ledger: await connectLedger(provider, addresses), keys, config: CONFIG, submitterOf };
}

/** Nothing is far away here. */
export const OPTIONS = {
  receiptTimeoutMs: 2_000,
  pollIntervalMs: 5,
  maxBroadcasts: 3,
  priorityFeeWei: 0n,
} as const;

/** Lets the ledger run, beating, until a batch is past its expiry. */
export async function runPastExpiry({ ledger, submitterOf }: Sandbox, batch: Batch): Promise<void> {
  const anyone = await submitterOf({ kind: "courier" });
  for (let rounds = 0; rounds < 30; rounds++) {
    if ((await ledger.transferRegistry.time()) >= BigInt(batch.header.expiresAt)) return;
    await networkHelpers.time.increase(25);
    await anyone.submit(beatCall(ledger));
  }
  throw new Error("ledger time stands still");
}
