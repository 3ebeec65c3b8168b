import { concat, dataSlice, getBytes, toBeHex } from "ethers";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { quoteId } from "../../../src/domain/quote.ts";
import { settlementDigest } from "../../../src/domain/settlement.ts";
import { expect } from "chai";
import { idOf, makeBatch, openArgs, openedBatch, settleArgs, signBatch } from "../support/batches.ts";
import { PROVIDER, proveRefusals } from "../../support/transfers.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { freshNetwork, keysOf } from "../support/network.ts";

/** Order of secp256k1: (r, n - s) with the other parity signs the same digest. */
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

interface Parts {
  readonly r: string;
  readonly s: string;
  readonly v: number;
}

function split(signature: string): Parts {
  return { r: dataSlice(signature, 0, 32), s: dataSlice(signature, 32, 64), v: getBytes(signature)[64] ?? 0 };
}

function join({ r, s, v }: Parts): string {
  return concat([r, s, Uint8Array.of(v)]);
}

/** Other bytes made of a good signature, none of which may pass for one. */
const MUTATIONS: readonly [title: string, mutate: (signature: string) => string][] = [
  [
    "its malleable twin with a high s",
    (signature) => {
      const { r, s, v } = split(signature);
      return join({ r, s: toBeHex(CURVE_ORDER - BigInt(s), 32), v: v === 27 ? 28 : 27 });
    },
  ],
  [
    "its compact form of 64 bytes (ERC-2098)",
    (signature) => {
      const { r, s, v } = split(signature);
      return concat([r, toBeHex(BigInt(s) | (BigInt(v - 27) << 255n), 32)]);
    },
  ],
  [
    "the other recovery id",
    (signature) => ((parts) => join({ ...parts, v: parts.v === 27 ? 28 : 27 }))(split(signature)),
  ],
  ["a recovery id of 0 or 1", (signature) => ((parts) => join({ ...parts, v: parts.v - 27 }))(split(signature))],
  ["a recovery id of 29", (signature) => join({ ...split(signature), v: 29 })],
  ["an EIP-155 recovery id", (signature) => ((parts) => join({ ...parts, v: parts.v + 8 }))(split(signature))],
  ["no bytes at all", () => "0x"],
  ["its last byte cut off", (signature) => dataSlice(signature, 0, 64)],
  ["a byte added", (signature) => concat([signature, "0x00"])],
  ["itself twice", (signature) => concat([signature, signature])],
  ["r and s of zero", () => join({ r: toBeHex(0, 32), s: toBeHex(0, 32), v: 27 })],
  ["s of zero", (signature) => join({ ...split(signature), s: toBeHex(0, 32) })],
  ["r and s swapped", (signature) => ((parts) => join({ ...parts, r: parts.s, s: parts.r }))(split(signature))],
];

describe("Attack: a signature is changed", () => {
  for (const [title, mutate] of MUTATIONS) {
    it(`${title} is not the source partner's`, async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const [header, { key, signature }, quote] = await openArgs(network, batch);
      const call = network.transfers.open(header, { key, signature: mutate(signature) }, quote);
      const args = [7, key, idOf(network, batch)];
      await expectRevert(call, "Module_InvalidSignature", args);
    });

    it(`${title} is not the provider's`, async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const [header, send, { key, signature }] = await openArgs(network, batch);
      const call = network.transfers.open(header, send, { key, signature: mutate(signature) });
      const args = [PROVIDER, key, quoteId(batch.header.quote, network.chain)];
      await expectRevert(call, "QuoteBook_InvalidSignature", args);
    });

    it(`${title} is not the target partner's`, async () => {
      const network = await freshNetwork();
      const batch = await openedBatch(network);
      const [header, rejections, proof, { key, signature }] = await settleArgs(network, batch, { 1: "AC03" });
      const call = network.transfers.settle(header, rejections, proof, { key, signature: mutate(signature) });
      const { rejectionsHash } = proveRefusals(batch, { 1: "AC03" });
      const digest = settlementDigest({ batchId: idOf(network, batch), rejectionsHash }, network.chain);
      await expectRevert(call, "Module_InvalidSignature", [4, key, digest]);
    });
  }

  it("two signatures over one header, however made, open one batch", async () => {
    const network = await freshNetwork();
    const batch = await makeBatch(network);
    const [header, send, quote] = await openArgs(network, batch);
    const [second] = network.cast.spare;
    const { admin } = keysOf(network, 7);
    await network.registry.connect(admin).authorizeKey(7, second, 1, 2_082_758_400);
    await network.transfers.open(header, send, quote);
    const other = await signBatch(network, batch.header, second);
    const args = [idOf(network, batch), BatchStatus.Open, BatchStatus.None];
    const call = network.transfers.open(header, other, quote);
    await expectRevert(call, "TransferRegistry_IllegalStatus", args);
    const { quote: drawnOn, targetTotal } = batch.header;
    expect(await network.quotes.drawnOf(quoteId(drawnOn, network.chain))).to.equal(targetTotal);
  });
});
