import { expect } from "chai";
import type { HDNodeWallet, Signer, TransactionRequest } from "ethers";
import { broadcast, isSuperseded, type SignedTransaction } from "../../../src/ledger/rpc/broadcast.ts";
import { beatCall } from "../../../src/ledger/calls.ts";
import { createSubmitter, type Submitter } from "../../../src/ledger/submitter.ts";
import { withMethods } from "../../integration/support/provider.ts";
import { makeBatch } from "../support/batches.ts";
import { countEffects, OPERATOR, withdrawCall } from "../support/effects.ts";
import { askEach, everywhere } from "../support/everywhere.ts";
import { useNetwork, type Network } from "../support/network.ts";
import { submitterFor, submitterOptions } from "../support/nodes.ts";
import { eventually } from "../support/pace.ts";
import { receiptWithin, signRaw } from "../support/raw.ts";
import { refusalOf, submissionError } from "../support/watching.ts";

const START_TIMEOUT_MS = 300_000;
const MANY = 100;
/** Init code of a contract without code. */
const PROBE = "0x5f5ff3";
/** Shorter than relays have it, since a test waits for all of it. */
const IMPATIENT = { maxBroadcasts: 2 };

/** Nodes word their refusals differently. Whatever they say, a submitter has to draw the right conclusion. */
describe("a transaction that is refused, or reverts:", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;

  before(async function () {
    network = await useNetwork(this);
  });

  const operator = () => network.accounts.keys.walletOf(OPERATOR);
  const sign = (request: TransactionRequest) => signRaw(network.first.provider, operator(), request);
  const nextNonce = () => network.first.provider.getTransactionCount(operator().address, "latest");
  /** The operator's submitter, with the gas it uses instead of what the node estimates. */
  const submitterWithGas = (gas: bigint): Promise<Submitter> => {
    const { provider } = network.first;
    // The submitter adds to it.
    const estimateGas = () => Promise.resolve((gas * 100n) / 130n);
    return submitterFor(network, operator(), withMethods(provider, { estimateGas }), {
      ...IMPATIENT,
      receiptTimeoutMs: 4 * network.pace.roundTripMs,
    });
  };
  const next = async () => network.submit(withdrawCall(network), OPERATOR);

  it("a contract's refusal is told before anything is sent", async () => {
    const { open } = await makeBatch(network);
    await network.submit(open, OPERATOR);
    const effects = await countEffects(network);
    const refused = await refusalOf(network.submit(open, OPERATOR));
    expect([refused.code, refused.remedy]).to.deep.equal(["TransferRegistry_IllegalStatus", "done"]);
    expect(await effects.nonces()).to.equal(0);
  });

  it("a contract's refusal in a block is told by its reason, and spends the nonce", async () => {
    const { open } = await makeBatch(network);
    await network.submit(open);
    const effects = await countEffects(network);
    const refused = await refusalOf((await submitterWithGas(1_000_000n)).submit(open));
    expect([refused.code, refused.remedy]).to.deep.equal(["TransferRegistry_IllegalStatus", "done"]);
    await next();
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([2, 1n]);
  });

  it("one that runs out of gas has a receipt that says so, and no effect", async () => {
    const effects = await countEffects(network);
    const failure = await submissionError((await submitterWithGas(45_000n)).submit(withdrawCall(network)));
    expect(failure.code, failure.message).to.equal("REVERTED");
    const latest = await network.first.provider.getBlockNumber();
    const status = await everywhere(network, latest, "the receipt's status", async ({ provider }) => {
      return (await provider.getTransactionReceipt(failure.transactionHash ?? ""))?.status;
    });
    expect(status).to.equal(0);
    await next();
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([2, 1n]);
  });

  it("one with less gas than its data costs is refused, and the next takes its nonce", async () => {
    const effects = await countEffects(network);
    const failure = await submissionError((await submitterWithGas(21_500n)).submit(withdrawCall(network)));
    expect(failure.code, `${failure.message}: neither refused nor in a block`).to.equal("NOT_ACCEPTED");
    await next();
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([1, 1n]);
  });

  it("one with a nonce that was used is refused for its nonce, by every node", async () => {
    const used = await sign({ ...withdrawCall(network, 7n), nonce: (await nextNonce()) - 1 });
    for (const { name, value } of await askEach(network.nodes, ({ provider }) => broadcast(provider, used))) {
      expect(value, `${name} words it so that it is not taken for a nonce: ${JSON.stringify(value)}`).to.deep.include({
        kind: "refused",
        isNonce: true,
      });
    }
  });

  it("one whose nonce leaves a gap is refused for its nonce, or waits until the gap is filled", async () => {
    const { first, pace } = network;
    const effects = await countEffects(network);
    const nonce = await nextNonce();
    const early = await sign({ ...withdrawCall(network), nonce: nonce + 1 });
    const answer = await broadcast(first.provider, early);
    if (answer.kind === "refused") expect(answer.isNonce, `not taken for a nonce: ${answer.message}`).to.equal(true);
    else expect(answer.kind).to.equal("accepted");
    const between = await sign({ ...withdrawCall(network), nonce });
    await first.provider.broadcastTransaction(between.raw);
    expect((await receiptWithin(first.provider, pace, between))?.status).to.equal(1);
    if (answer.kind === "refused") await broadcast(first.provider, early);
    expect((await receiptWithin(first.provider, pace, early))?.status, "after the gap is filled").to.equal(1);
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([2, 2n]);
  });

  it("one that pays less than the base fee is refused, where there is one", async function () {
    const { first } = network;
    const baseFee = (await first.provider.getBlock("latest"))?.baseFeePerGas ?? 0n;
    if (baseFee === 0n) this.skip();
    const effects = await countEffects(network);
    const cheap = await sign({ ...withdrawCall(network), maxFeePerGas: baseFee - 1n });
    const answer = await broadcast(first.provider, cheap);
    expect(answer, JSON.stringify(answer)).to.deep.include({ kind: "refused", isNonce: false });
    await next();
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([1, 1n]);
  });

  it("one that the ledger drops without a receipt is told so, and the next goes on behind it", async function () {
    const { first, accounts, pace } = network;
    const courier = accounts.keys.walletOf({ kind: "secondCourier" });
    const submitter = await createSubmitter(deployingInstead(courier.connect(first.provider)), {
      ...submitterOptions(pace),
      ...IMPATIENT,
      receiptTimeoutMs: 4 * pace.roundTripMs,
    });
    const outcome: unknown = await submitter.submit(beatCall(first.ledger)).catch((failure: unknown) => failure);
    if (!(outcome instanceof Error)) this.skip();
    const failure = await submissionError(Promise.reject(outcome));
    expect(failure.code, failure.message).to.be.oneOf(["NOT_ACCEPTED", "NO_RECEIPT"]);
    const honest = await submitterFor(network, courier, first.provider);
    expect((await honest.submit(beatCall(first.ledger))).status).to.equal(1);
  });
});

describe("one key, many ways to the ledger:", function () {
  this.timeout(START_TIMEOUT_MS);
  let network: Network;

  before(async function () {
    network = await useNetwork(this);
  });

  const operator = () => network.accounts.keys.walletOf(OPERATOR);
  const sign = (request: TransactionRequest) => signRaw(network.first.provider, operator(), request);
  const lastNode = () => network.nodes.at(-1) ?? network.first;

  it("the same transaction through every node takes effect once", async () => {
    const { first, nodes, pace } = network;
    const effects = await countEffects(network);
    const signed = await sign(withdrawCall(network));
    const answers = await askEach(nodes, ({ provider }) => broadcast(provider, signed));
    const taken = answers.filter(({ value }) => value.kind === "accepted");
    // A node that has seen it in a block already refuses its nonce.
    expect(taken, JSON.stringify(answers)).not.to.be.empty;
    expect((await receiptWithin(first.provider, pace, signed))?.status).to.equal(1);
    await network.submit(beatCall(first.ledger));
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([1, 1n]);
  });

  it("two transactions with one nonce through two nodes: one wins, and of the other it is known", async () => {
    const { first, pace, nodes } = network;
    const effects = await countEffects(network);
    const nonce = await first.provider.getTransactionCount(operator().address, "latest");
    const rivals = [
      await sign({ ...withdrawCall(network, 1n), nonce }),
      await sign({ ...withdrawCall(network, 10n), nonce }),
    ];
    const [one, other] = rivals;
    if (one === undefined || other === undefined) throw new Error("test set-up: two");
    await Promise.all([broadcast(first.provider, one), broadcast(lastNode().provider, other)]);
    const hasWon = async ({ hash }: SignedTransaction) => (await first.provider.getTransactionReceipt(hash)) !== null;
    await eventually(pace, "one of the two is in a block", async () => {
      const won = await Promise.all(rivals.map(hasWon));
      return won.includes(true) ? true : undefined;
    });
    const winners = await Promise.all(rivals.map(hasWon));
    expect(winners.filter(Boolean), "exactly one has a receipt").to.have.length(1);
    const loser = winners[0] === true ? other : one;
    for (const { name, provider } of nodes) {
      await eventually(pace, `${name} proves that the other can never take effect`, async () =>
        (await isSuperseded(provider, loser)) ? true : undefined,
      );
    }
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([1, winners[0] === true ? 1n : 10n]);
  });

  it("two submitters of one key at two nodes step aside for each other: each call takes effect once", async () => {
    const { first } = network;
    const effects = await countEffects(network);
    const receiptTimeoutMs = 4 * network.pace.roundTripMs;
    const [one, other] = await Promise.all([
      submitterFor(network, operator(), first.provider, { receiptTimeoutMs }),
      submitterFor(network, operator(), lastNode().provider, { receiptTimeoutMs }),
    ]);
    const receipts = await Promise.all([
      one.submit(withdrawCall(network, 1n)),
      other.submit(withdrawCall(network, 10n)),
      one.submit(withdrawCall(network, 100n)),
      other.submit(withdrawCall(network, 1_000n)),
    ]);
    expect(receipts.map(({ status }) => status)).to.deep.equal([1, 1, 1, 1]);
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([4, 1_111n]);
  });

  it(`${MANY} calls at once from one key have nonces without a gap, and take effect once each`, async () => {
    const effects = await countEffects(network);
    const receipts = await Promise.all(
      Array.from({ length: MANY }, () => network.submit(withdrawCall(network), OPERATOR)),
    );
    expect(receipts.every(({ status }) => status === 1)).to.equal(true);
    expect(new Set(receipts.map(({ hash }) => hash)).size).to.equal(MANY);
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([MANY, BigInt(MANY)]);
  });

  it("a submitter that is started anew goes on behind what is on its way", async () => {
    const { first } = network;
    const effects = await countEffects(network);
    const used = await first.provider.getTransactionCount(operator().address, "latest");
    const submitting: Promise<unknown>[] = [];
    for (let starts = 0; starts < 3; starts++) {
      const submitter = await submitterFor(network, operator(), first.provider);
      submitting.push(submitter.submit(withdrawCall(network, 10n ** BigInt(starts))));
      // Until it is under way: the node counts it, or it is in a block.
      await eventually(network.pace, "the call is broadcast", async () =>
        (await first.provider.getTransactionCount(operator().address, "pending")) > used + starts ? true : undefined,
      );
    }
    await Promise.all(submitting);
    expect([await effects.nonces(), await effects.withdrawn()]).to.deep.equal([3, 111n]);
  });
});

/**
 * Signs a deployment instead of what it is asked for. By an account that may send but not deploy, it is what some ledgers
 * take in and never act on.
 */
function deployingInstead(wallet: HDNodeWallet): Signer {
  return new Proxy(wallet, {
    get(given, name) {
      if (name === "signTransaction") {
        return (request: TransactionRequest) =>
          given.signTransaction({ ...request, to: null, data: PROBE, gasLimit: 200_000n });
      }
      const value: unknown = Reflect.get(given, name, given);
      return typeof value === "function" ? (value.bind(given) as unknown) : value;
    },
  });
}
