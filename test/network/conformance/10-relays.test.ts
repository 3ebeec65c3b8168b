import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { createLogger } from "../../../src/kernel/telemetry/logger.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";
import { startNetwork, type RunningNetwork, type RunningPartner } from "../../../sandbox/network-up.ts";
import { playCustomers } from "../../../sandbox/day/play.ts";
import { loadRateBook } from "../../../sandbox/provider/rates.ts";
import { walletOf } from "../../../sandbox/wallet/wallets.ts";
import { ALIPAY_HK, GCASH } from "../support/accounts.ts";
import { useFreshNetwork, type Network } from "../support/network.ts";
import { eventually } from "../support/pace.ts";

const START_TIMEOUT_MS = 300_000;
const STRANGER = "+639170000000";

/** All of it together: two relays with their wallets and databases, on all nodes of the ledger. */
describe("two relays on this ledger", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;
  let running: RunningNetwork;
  let source: RunningPartner;
  let target: RunningPartner;

  before(async function () {
    network = await useFreshNetwork(this);
    const rates = (await loadRateBook()).on();
    const { addresses, config, accounts, first, fromBlock, nodes } = network;
    running = await startNetwork({
      chain: { kind: "nodes", rpcUrls: nodes.map(({ url }) => url) },
      provider: first.provider,
      addresses,
      config,
      keys: accounts.keys,
      holdersOf: playCustomers(rates, createRandom("conformance")),
      deposits: [],
      rates,
      seed: "conformance",
      drawBytes: drawSecurely,
      relaySettings: { ledger: { fromBlock } },
      log: createLogger({ level: "error", destination: process.stderr }),
      wallets: [walletOf(ALIPAY_HK), walletOf(GCASH)],
    });
    source = partnerOf(ALIPAY_HK);
    target = partnerOf(GCASH);
    await eventually(network.pace, "the relay has read what it has on the ledger", async () => {
      const balances = await source.client.balances();
      return balances.some(({ available }) => BigInt(available.minor) > 0n) ? true : undefined;
    });
  });

  after(async () => {
    // Undefined where the set-up was skipped, or failed.
    await (running as RunningNetwork | undefined)?.stop();
  });

  const partnerOf = (id: typeof GCASH): RunningPartner => {
    const partner = running.partners.get(id);
    if (partner === undefined) throw new Error(`test set-up: partner ${id}`);
    return partner;
  };
  const phoneOf = (partner: RunningPartner, index: number): { readonly name: string; readonly phone: string } =>
    [...partner.server.books.accounts()][index] ?? { name: "nobody", phone: STRANGER };

  const send = async (amount: string, phone: string): Promise<string> => {
    const uetr = randomUUID();
    const payer = phoneOf(source, 0);
    await source.client.submit({
      uetr,
      target: GCASH,
      amount: { send: { currency: "HKD", minor: amount } },
      debtor: { name: payer.name, alias: { type: "MSISDN", value: payer.phone } },
      creditor: { name: phoneOf(target, 0).name, alias: { type: "MSISDN", value: phone } },
      purpose: "FAMI",
    });
    return uetr;
  };
  /** A transfer takes two transactions, and each relay some polls. */
  const ended = (uetr: string) =>
    eventually(network.pace, `the end of transfer ${uetr}`, async () => {
      const found = await source.client.transfer(uetr);
      // Settled is final, too; but the news of the credit is still to come.
      return found.isFinal && found.status !== "settled" ? found : undefined;
    });

  it("bring money to a customer, to the minor unit that was promised", async () => {
    const payee = phoneOf(target, 0);
    const before = balanceOf(target, payee.phone);
    const uetrs = await Promise.all(["150000", "100"].map((amount) => send(amount, payee.phone)));
    const transfers = await Promise.all(uetrs.map(ended));
    expect(transfers.map(({ status, pacs002 }) => [status, pacs002])).to.deep.equal([
      ["credited", "ACCC"],
      ["credited", "ACCC"],
    ]);
    const promised = transfers.reduce((sum, { receive }) => sum + BigInt(receive.minor), 0n);
    expect(balanceOf(target, payee.phone)).to.equal(before + promised);
  });

  it("and give it back where nobody knows the payee", async () => {
    const found = await ended(await send("5000", STRANGER));
    expect(found).to.deep.include({ status: "failed", pacs002: "RJCT", reason: "AC03" });
  });

  it("and find that their stores are what the ledger has", async () => {
    for (const { client, wallet } of [source, target]) {
      const { differences } = await client.ask("POST /v1/reconciliations");
      expect(differences, wallet.name).to.deep.equal([]);
    }
  });
});

function balanceOf({ server }: RunningPartner, phone: string): bigint {
  return [...server.books.accounts()].find((account) => account.phone === phone)?.balanceMinor ?? 0n;
}
