import { randomUUID } from "node:crypto";
import { until } from "../../support/until.ts";
import { startPlayNetwork } from "../support/play-network.ts";
import type { RunningNetwork } from "../../../sandbox/network-up.ts";
import { parseWallet } from "../../../sandbox/wallet/wallets.ts";

const [HK, GCASH] = [parseWallet("AlipayHK"), parseWallet("GCash")];
const IDLE_SECONDS = 3_600;

describe("a sandbox that was left alone", function () {
  let network: RunningNetwork;
  let leaveAlone: () => Promise<unknown>;

  before(async () => {
    const { chain, ...started } = await startPlayNetwork("idle", {
      // The hour passes on the chain alone.
      relaySettings: { ledger: { pollIntervalMs: 50 }, clock: { maxSkewSeconds: 0 } },
      wallets: [HK, GCASH],
    });
    ({ network } = started);
    // Without a block: nobody sends anything.
    leaveAlone = () => chain.request({ method: "evm_increaseTime", params: [IDLE_SECONDS] });
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
