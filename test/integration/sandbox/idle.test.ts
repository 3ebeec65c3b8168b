import { randomBytes, randomUUID } from "node:crypto";
import { until } from "../../support/until.ts";
import hre from "hardhat";
import { deployLedger } from "../../../ignition/deploy.ts";
import { silentLogger } from "../../../src/kernel/telemetry/logger.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { sandboxConfig, sandboxKeys } from "../../../sandbox/network.ts";
import { startNetwork, type RunningNetwork } from "../../../sandbox/network-up.ts";
import { playCustomers, playDeposits } from "../../../sandbox/day/play.ts";
import { loadRateBook } from "../../../sandbox/provider/rates.ts";
import { parseWallet } from "../../../sandbox/wallet/wallets.ts";

const [HK, GCASH] = [parseWallet("AlipayHK"), parseWallet("GCash")];
const IDLE_SECONDS = 3_600;

describe("a sandbox that was left alone", function () {
  let network: RunningNetwork;
  let leaveAlone: () => Promise<unknown>;

  before(async () => {
    const connection = await hre.network.create({
      override: { initialBaseFeePerGas: 0, allowBlocksWithSameTimestamp: true },
    });
    const config = sandboxConfig(sandboxKeys());
    const rates = (await loadRateBook()).on();
    network = await startNetwork({
      chain: { kind: "inProcess", chain: connection.provider },
      provider: connection.ethers.provider,
      addresses: await deployLedger(connection, config),
      config,
      holdersOf: playCustomers(rates, createRandom("idle")),
      deposits: playDeposits(rates),
      rates,
      seed: "idle",
      drawBytes: (length) => randomBytes(length),
      // The hour passes on the chain alone.
      relaySettings: { ledger: { pollIntervalMs: 50 }, clock: { maxSkewSeconds: 0 } },
      log: silentLogger,
      wallets: [HK, GCASH],
    });
    // Without a block: nobody sends anything.
    leaveAlone = () =>
      connection.provider.request({ method: "evm_increaseTime", params: [IDLE_SECONDS] }) as Promise<unknown>; // its type is any
  });
  after(() => network.stop());

  it("still has prices, and a transfer goes through", async () => {
    await leaveAlone();
    const [source, target] = [HK, GCASH].map(({ id }) => network.partners.get(id));
    if (source === undefined || target === undefined) throw new Error("test set-up: two wallets");
    const [payer] = [...source.server.books.accounts()];
    const [payee] = [...target.server.books.accounts()];
    const alias = (value = "") => ({ type: "MSISDN" as const, value });
    // The hour has passed on the chain alone: a transfer may still be priced by an offer from before it, and fails then.
    await until(async () => {
      const uetr = randomUUID();
      await source.client.submit({
        uetr,
        target: GCASH.id,
        amount: { send: { currency: "HKD", minor: "10000" } },
        debtor: { name: payer?.name ?? "", alias: alias(payer?.phone) },
        creditor: { alias: alias(payee?.phone) },
        purpose: "OTHR",
      });
      await until(async () => (await source.client.transfer(uetr)).isFinal);
      const { status } = await source.client.transfer(uetr);
      return status === "settled" || status === "credited";
    });
  });
});
