import { expect } from "chai";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { ABI } from "../../../src/ledger/abi.ts";
import { encodeCall } from "../../../src/ledger/calls.ts";
import { verifyDeployment, differences } from "../../../src/ledger/deployment/verify.ts";
import { decodeLedgerError } from "../../../src/ledger/errors.ts";
import { openRegistry } from "../../../src/ledger/registry.ts";
import { blockHead, clockAt, statusesAt } from "../../../src/ledger/state.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";
import { ALIPAY_HK, HUB } from "../support/accounts.ts";
import { PROVIDER } from "../../support/transfers.ts";
import { makeBatch } from "../support/batches.ts";
import { askEach, everywhere, theSame } from "../support/everywhere.ts";
import { HKD, useNetwork, type Network } from "../support/network.ts";
import { balanceAt, failureOf } from "../support/watching.ts";

const START_TIMEOUT_MS = 300_000;

/** What the relay's code asks of a node. Each fails by itself, so that it is plain which method is wanting. */
describe("every node answers what relays ask:", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;

  before(async function () {
    network = await useNetwork(this);
  });

  it("the deployment, as configured", async () => {
    for (const { name, value } of await askEach(network.nodes, ({ ledger }) =>
      verifyDeployment(ledger, network.config, {
        fromBlock: network.fromBlock,
        toBlock: network.addresses.deployedBy,
      }),
    )) {
      expect(differences(value), `${name}: roles and settings that differ`).to.deep.equal([]);
    }
  });

  for (const method of ["call", "estimateGas"] as const) {
    it(`why a contract refuses, in the revert data of eth_${method}`, async () => {
      const { sandbox, addresses } = network;
      const suspend = encodeCall("partnerRegistry", addresses.partnerRegistry, "suspend", [HUB]);
      const from = sandbox.keys.addressOf({ kind: "courier" });
      for (const { name, value } of await askEach(network.nodes, ({ provider }) =>
        failureOf(provider[method]({ ...suspend, from })),
      )) {
        expect(decodeLedgerError(value)?.code, `${name} leaves the revert data out: ${String(value)}`).to.equal(
          "AccessManagedUnauthorized",
        );
        expect(String(decodeLedgerError(value)?.values["caller"]).toLowerCase()).to.equal(from);
      }
    });
  }

  it("logs by address, topics and range", async () => {
    const { addresses, fromBlock, first } = network;
    const latest = await first.provider.getBlockNumber();
    const count = async (topics: (string | string[] | null)[]) =>
      everywhere(network, latest, `eth_getLogs with the topics ${JSON.stringify(topics)}`, async ({ provider }) => {
        const logs = await provider.getLogs({
          address: [addresses.partnerRegistry, addresses.treasury],
          topics,
          fromBlock: fromBlock + 1,
          toBlock: latest,
        });
        return logs.length;
      });
    const registered = ABI.partnerRegistry.getEvent("PartnerRegistered")?.topicHash ?? "";
    const deposited = ABI.treasury.getEvent("Deposited")?.topicHash ?? "";
    const [partners, corridors] = [network.config.partners.length, network.config.corridors.length];
    const hub = toHex(new Uint8Array([...new Uint8Array(31), HUB]));
    expect(await count([registered]), "all partners").to.equal(partners);
    expect(await count([[registered, deposited]]), "a choice of first topics").to.be.at.least(partners + 3);
    expect(await count([registered, hub]), "an indexed argument").to.equal(1);
    expect(await count([null, hub]), "any first topic").to.be.at.least(2);
    expect(await count([]), "no topics").to.be.at.least(2 * partners + corridors);
  });

  it("no logs outside the range", async () => {
    const { addresses, fromBlock, first } = network;
    const asked = { address: addresses.partnerRegistry, fromBlock: Math.max(1, fromBlock - 1), toBlock: fromBlock };
    const latest = await first.provider.getBlockNumber();
    const before = await everywhere(network, latest, "eth_getLogs of what was before", ({ provider }) =>
      provider.getLogs(asked),
    );
    expect(before).to.deep.equal([]);
  });

  it("the registry, read from its events", async () => {
    const latest = await network.first.provider.getBlockNumber();
    const read = await everywhere(network, latest, "the registry", async ({ ledger }) => {
      const options = { clock: systemClock, fromBlock: network.fromBlock, maxBlockRange: 1_000, timeToLiveMs: 60_000 };
      const { partners, corridors } = await openRegistry(ledger, { ...options, onError: fail }).read();
      return { partners: [...partners.keys()], corridors: [...corridors.keys()], roles: partners.get(PROVIDER)?.roles };
    });
    expect(read.partners).to.have.members(network.config.partners.map(({ id }) => id));
    expect(read.corridors).to.have.members(["7:HKD>4:PHP", "7:HKD>1:HKD"]);
    expect(read.roles).to.deep.equal(["liquidityProvider"]);
  });

  it("the ledger's clock at a block, with its last beat", async () => {
    const { first, nodes, pace, receipts } = network;
    for (const number of [receipts[0]?.blockNumber ?? 0, await first.provider.getBlockNumber()]) {
      const clock = await everywhere({ nodes, pace }, number, "the ledger's clock", async ({ ledger }) => {
        const block = await blockHead(ledger, number);
        if (block === undefined) throw new Error(`no block ${number}`);
        return clockAt(ledger, block);
      });
      expect(clock.graceSeconds).to.equal(network.config.clock.graceSeconds);
    }
  });

  it("state at a past block", async () => {
    const { fromBlock, first, receipts } = network;
    const latest = await first.provider.getBlockNumber();
    const funded = await balanceAt(network, ALIPAY_HK, HKD.code, latest);
    expect(funded.available > 0n).to.equal(true);
    const early = Math.min(...receipts.map(({ blockNumber }) => blockNumber));
    const hint = "relays ask for the state at blocks just past: does the node prune too soon?";
    expect(await balanceAt(network, ALIPAY_HK, HKD.code, early), hint).to.deep.equal({ available: 0n, held: 0n });
    const code = await askEach(network.nodes, ({ provider, ledger }) =>
      provider.getCode(ledger.addresses.treasury, fromBlock),
    );
    expect(theSame("the code at the block before the deployment", code, hint)).to.equal("0x");
  });

  it("many reads in one call (multicall)", async () => {
    const { id } = await makeBatch(network);
    const latest = await network.first.provider.getBlockNumber();
    const unknown = Array.from({ length: 199 }, () => toHex(drawSecurely(32)));
    const statuses = await everywhere(network, latest, "the status of 200 batches", ({ ledger }) =>
      statusesAt(ledger, [id, ...unknown], latest),
    );
    expect(statuses).to.deep.equal(Array.from({ length: 200 }, () => 0));
  });

  it("that it knows nothing of a transaction or block that does not exist", async () => {
    const hash = toHex(drawSecurely(32));
    for (const { name, value } of await askEach(network.nodes, async ({ provider }) => [
      await provider.getTransaction(hash),
      await provider.getTransactionReceipt(hash),
      await provider.getBlock(hash),
      await provider.getBlock((await provider.getBlockNumber()) + 1_000_000),
    ])) {
      expect(value, `${name}: null for each`).to.deep.equal([null, null, null, null]);
    }
  });
});

function fail(error: unknown): never {
  throw error;
}
