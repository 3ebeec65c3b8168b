import { expect } from "chai";
import { getCreateAddress, Wallet, type TransactionRequest } from "ethers";
import { toHex } from "../../../src/domain/bytes/hex.ts";
import { broadcast, type SignedTransaction } from "../../../src/ledger/rpc/broadcast.ts";
import { beatCall } from "../../../src/ledger/calls.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";
import { askEach } from "../support/everywhere.ts";
import { useNetwork, type Network } from "../support/network.ts";
import { submitterFor } from "../support/nodes.ts";
import { receiptWithin, signRaw } from "../support/raw.ts";
import { failureOf } from "../support/watching.ts";

const START_TIMEOUT_MS = 300_000;
/** How many transactions could follow one another, until one that has no receipt is taken for refused. */
const ROUND_TRIPS = 5;
/** Init code of a contract that returns its own code: a word of 42. */
const PROBE = "0x602a5f5260205ff3";
const GAS_LIMIT = 200_000n;

/**
 * The ledger is the members' own. An account that nobody has listed may neither deploy contracts nor send anything,
 * whichever node it asks: each node keeps a list of its own, and one that is open is enough.
 */
describe("an outsider", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;
  let outsider: Wallet;

  before(async function () {
    network = await useNetwork(this);
  });

  beforeEach(() => {
    outsider = new Wallet(toHex(drawSecurely(32)));
  });

  /** Sends a transaction to every node; at the latest after so many blocks, it has to have come to nothing. */
  const comesToNothing = async (request: TransactionRequest): Promise<SignedTransaction> => {
    const { first, nodes, pace } = network;
    const signed = await signRaw(first.provider, outsider, { gasLimit: GAS_LIMIT, ...request });
    const answers = await askEach(nodes, ({ provider }) => broadcast(provider, signed));
    const receipt = await receiptWithin(first.provider, pace, signed, ROUND_TRIPS * pace.roundTripMs);
    const taken = answers.filter(({ value }) => value.kind === "accepted").map(({ name }) => name);
    expect(
      receipt?.status ?? "no receipt",
      `a transaction of ${outsider.address}, which is nobody's, took effect; it was taken by ${taken.join(", ")}: ` +
        "is the account allow-list on at these nodes, and at the validators?",
    ).not.to.equal(1);
    return signed;
  };

  it("sends nothing", async () => {
    await comesToNothing({ ...beatCall(network.first.ledger) });
  });

  it("is told so by its submitter, which ends", async () => {
    const { first, pace } = network;
    const submitter = await submitterFor(network, outsider, first.provider, {
      receiptTimeoutMs: 2 * pace.roundTripMs,
      maxBroadcasts: 2,
    });
    const failure = await failureOf(submitter.submit(beatCall(first.ledger)));
    expect(failure, String(failure)).to.be.instanceOf(Error);
    expect(await first.provider.getTransactionReceipt(transactionHashOf(failure) ?? NO_HASH)).to.equal(null);
  });

  it("deploys nothing", async () => {
    const { nodes } = network;
    const { from, nonce } = await comesToNothing({ data: PROBE });
    const address = getCreateAddress({ from, nonce });
    for (const { name, value } of await askEach(nodes, ({ provider }) => provider.getCode(address))) {
      expect(value, `${name} has a contract that an outsider deployed, at ${address}`).to.equal("0x");
    }
  });

  it("deploys nothing with money for its fees, either", async function () {
    const { first, accounts, pace, nodes } = network;
    const baseFee = (await first.provider.getBlock("latest"))?.baseFeePerGas ?? 0n;
    // Where gas costs nothing, the test before has shown it.
    if (baseFee === 0n) this.skip();
    const value = 4n * baseFee * GAS_LIMIT;
    const gift = await signRaw(first.provider, accounts.deployer, { to: outsider.address, value });
    await first.provider.broadcastTransaction(gift.raw);
    expect((await receiptWithin(first.provider, pace, gift))?.status).to.equal(1);
    const { from, nonce } = await comesToNothing({ data: PROBE });
    const address = getCreateAddress({ from, nonce });
    for (const { name, value: code } of await askEach(nodes, ({ provider }) => provider.getCode(address))) {
      expect(code, `${name} has a contract that an outsider deployed, at ${address}`).to.equal("0x");
    }
  });
});

const NO_HASH = `0x${"0".repeat(64)}`;

function transactionHashOf(failure: unknown): string | undefined {
  if (typeof failure !== "object" || failure === null || !("transactionHash" in failure)) return undefined;
  return typeof failure.transactionHash === "string" ? failure.transactionHash : undefined;
}
