import { packHeader } from "../../../src/domain/packed-header.ts";
import { expect } from "chai";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { concat, type Contract } from "ethers";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { quoteId } from "../../../src/domain/quote.ts";
import { settlementDigest } from "../../../src/domain/settlement.ts";
import type { Hex } from "../../../src/domain/bytes/hex.ts";
import { expectChanges, expectConserved } from "../support/balances.ts";
import {
  expireBatch,
  idOf,
  makeBatch,
  openArgs,
  openBatch,
  openedBatch,
  settleArgs,
  signBatch,
} from "../support/batches.ts";
import { PROVIDER, proveRefusals, refuseAll } from "../../support/transfers.ts";
import { ethers, networkHelpers } from "../support/chain.ts";
import { expectRevert } from "../support/expect-revert.ts";
import {
  CORRIDORS,
  HKD,
  KEYS_VALID_UNTIL,
  PHP,
  Purpose,
  freshNetwork,
  keysOf,
  type Network,
} from "../support/network.ts";

/** What ERC-1271 asks a contract to answer for a signature that it accepts. */
const MAGIC = "0x1626ba7e";
const PADDING = `0x${"00".repeat(28)}`;

interface Setting {
  readonly network: Network;
  readonly key: Contract;
  readonly address: string;
  readonly send: (name: string, ...args: readonly unknown[]) => Promise<void>;
}

/** A network in which a contract of this name is a key of partner 7 (send), 4 (accept) and 11 (quote) at once. */
async function withKey(name: string, args: readonly unknown[] = []): Promise<Setting> {
  const network = await freshNetwork();
  const key: Contract = await ethers.deployContract(name, [...args]);
  for (const [partner, purpose] of [
    [7, Purpose.send],
    [4, Purpose.accept],
    [PROVIDER, Purpose.quote],
  ] as const) {
    const { admin } = keysOf(network, partner);
    await network.registry.connect(admin).authorizeKey(partner, key, purpose, KEYS_VALID_UNTIL);
  }
  const send = async (method: string, ...values: readonly unknown[]) => {
    await key.getFunction(method).send(...values);
  };
  return { network, key, address: await key.getAddress(), send };
}

/** Opens a batch that the contract is said to have signed as source partner. */
async function openAs({ network, address }: Setting, signature = "0x") {
  const batch = await makeBatch(network);
  const [header, , quote] = await openArgs(network, batch);
  const send = { key: address, signature };
  return { batch, call: () => network.transfers.open(header, send, quote) };
}

function digestOf(network: Network, batchId: Hex, rejectionsHash: Hex): Hex {
  return settlementDigest({ batchId, rejectionsHash }, network.chain);
}

describe("Attack: a partner's key is a contract", () => {
  describe("that answers as ERC-1271 says", () => {
    it("signs batches, quotes and settlements for its partners", async () => {
      const setting = await withKey("AllowlistKey");
      const { network, address, send } = setting;
      const batch = await makeBatch(network);
      const { header } = batch;
      const { rejections, rejectionsHash } = proveRefusals(batch, { 0: "AC03" });
      await send("accept", idOf(network, batch));
      await send("accept", quoteId(header.quote, network.chain));
      await send("accept", digestOf(network, idOf(network, batch), rejectionsHash));
      const authorization = { key: address, signature: "0x" };
      const packed = packHeader(header);
      await network.transfers.open(packed, authorization, authorization);
      const [, structs, proof] = await settleArgs(network, batch, { 0: "AC03" });
      await network.transfers.settle(packed, structs, proof, authorization);
      expect(rejections.length).to.equal(1);
      expect(await network.transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Settled);
      await expectConserved(network);
    });

    it("does not sign what it was not told of", async () => {
      const setting = await withKey("AllowlistKey");
      const { batch, call } = await openAs(setting);
      const args = [7, setting.address, idOf(setting.network, batch)];
      await expectRevert(call(), "Module_InvalidSignature", args);
    });
  });

  describe("that accepts anything", () => {
    it("lets anyone act for its own partners, which chose it", async () => {
      const setting = await withKey("AnythingKey");
      const { call } = await openAs(setting);
      await expect(call()).to.emit(setting.network.transfers, "Opened");
    });

    it("acts for no other partner", async () => {
      const { network, address } = await withKey("AnythingKey");
      const { registry, transfers } = network;
      const anything = { key: address, signature: "0x" };
      const [header, , quote] = await openArgs(network, await makeBatch(network, { corridor: CORRIDORS.myrToPhp }));
      const fromAnother = transfers.open(header, anything, quote);
      await expectRevert(fromAnother, "PartnerRegistry_KeyNotAuthorized", [8, address, Purpose.send]);
      const purposes = [
        [8, Purpose.send],
        [8, Purpose.accept],
        [12, Purpose.quote],
        [7, Purpose.accept],
        [7, Purpose.fund],
      ] as const;
      for (const [partner, purpose] of purposes) {
        const call = registry.checkKey(partner, address, purpose);
        await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [partner, address, purpose]);
      }
    });

    it("cannot settle any more once its partner has revoked it", async () => {
      const { network, address } = await withKey("AnythingKey");
      const batch = await openedBatch(network);
      const { admin } = keysOf(network, 4);
      await network.registry.connect(admin).revokeKey(4, address);
      const [header, rejections, proof] = await settleArgs(network, batch, refuseAll(batch));
      const call = network.transfers.settle(header, rejections, proof, { key: address, signature: "0x" });
      const args = [4, address, Purpose.accept];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });
  });

  describe("that is another partner's key", () => {
    it("is refused as the source's, the provider's and the target's", async () => {
      const network = await freshNetwork();
      const { transfers } = network;
      const batch = await makeBatch(network);
      const cases: readonly [number, bigint, HardhatEthersSigner, () => Promise<unknown>][] = [
        [7, Purpose.send, keysOf(network, 8).send, () => openBatch(network, batch, { send: keysOf(network, 8).send })],
        [
          PROVIDER,
          Purpose.quote,
          keysOf(network, 12).quote,
          () => openBatch(network, batch, { quote: keysOf(network, 12).quote }),
        ],
      ];
      for (const [partner, purpose, { address }, call] of cases) {
        await expectRevert(call(), "PartnerRegistry_KeyNotAuthorized", [partner, address, purpose]);
      }
      await openBatch(network, batch);
      const { accept } = keysOf(network, 8);
      const call = transfers.settle(...(await settleArgs(network, batch, {}, accept)));
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [4, accept.address, Purpose.accept]);
    });
  });

  describe("that answers garbage", () => {
    const answers: readonly [title: string, answer: string, reverts: boolean][] = [
      ["nothing", "0x", false],
      ["the magic value alone, in 4 bytes", MAGIC, false],
      ["a byte less than a word", concat([MAGIC, `0x${"00".repeat(27)}`]), false],
      ["another value", concat(["0xffffffff", PADDING]), false],
      ["zero", `0x${"00".repeat(32)}`, false],
      ["true", `0x${"00".repeat(31)}01`, false],
      ["the magic value with dirt in its word", concat([MAGIC, `0x${"00".repeat(27)}01`]), false],
      ["the magic value on the right", concat([PADDING, MAGIC]), false],
      ["a revert without data", "0x", true],
      ["a revert with the magic value", concat([MAGIC, PADDING]), true],
    ];
    for (const [title, answer, reverts] of answers) {
      it(`is not believed when it is ${title}`, async () => {
        const setting = await withKey("GarbageKey");
        await setting.send("setAnswer", answer, reverts);
        const { batch, call } = await openAs(setting);
        const args = [7, setting.address, idOf(setting.network, batch)];
        await expectRevert(call(), "Module_InvalidSignature", args);
      });
    }

    it("is believed when the magic value is followed by more", async () => {
      const setting = await withKey("GarbageKey");
      await setting.send("setAnswer", concat([MAGIC, PADDING, `0x${"ff".repeat(64)}`]), false);
      const { call } = await openAs(setting);
      await expect(call()).to.emit(setting.network.transfers, "Opened");
    });
  });

  describe("that wastes", () => {
    it("all the gas it is given: the call is refused, at the courier's cost", async () => {
      const setting = await withKey("GasBurningKey");
      const { batch, call } = await openAs(setting);
      const args = [7, setting.address, idOf(setting.network, batch)];
      await expectRevert(call(), "Module_InvalidSignature", args);
    });

    it("a batch's settlement: it still expires", async () => {
      const { network, address } = await withKey("GasBurningKey");
      const batch = await openedBatch(network);
      const [header, rejections, proof] = await settleArgs(network, batch);
      const call = network.transfers.settle(header, rejections, proof, { key: address, signature: "0x" });
      const { rejectionsHash } = proveRefusals(batch, {});
      const digest = digestOf(network, idOf(network, batch), rejectionsHash);
      await expectRevert(call, "Module_InvalidSignature", [4, address, digest]);
      const { sourceTotal, fee, targetTotal } = batch.header;
      await expectChanges(network, () => expireBatch(network, batch), [
        { partner: 7, currency: HKD, held: -(sourceTotal + fee), available: sourceTotal + fee },
        { partner: PROVIDER, currency: PHP, held: -targetTotal, available: targetTotal },
      ]);
    });

    for (const [title, accepts] of [
      ["accepting", true],
      ["refusing", false],
    ] as const) {
      it(`a megabyte of return data, ${title}: nobody copies it`, async () => {
        const setting = await withKey("FloodingKey", [accepts]);
        const { network, address } = setting;
        const { batch, call } = await openAs(setting);
        if (!accepts) {
          const args = [7, address, idOf(network, batch)];
          await expectRevert(call(), "Module_InvalidSignature", args);
          return;
        }
        const receipt = await (await call()).wait();
        // A megabyte of memory costs 2.06 million gas, once, in the key. Copying it would cost as much again.
        expect(receipt?.gasUsed).to.be.lessThan(2_500_000n);
      });
    }
  });

  describe("that calls back in while its signature is checked", () => {
    it("finds every door shut: open, settle, expire, cancelQuote, pause, withdraw", async () => {
      const setting = await withKey("ReenteringKey");
      const { network, send, address } = setting;
      const { transfers, treasury, quotes } = network;
      const { admin } = keysOf(network, 7);
      await network.registry.connect(admin).authorizeKey(7, address, Purpose.all, KEYS_VALID_UNTIL);
      const inFlight = await openedBatch(network, { seed: "in flight" });
      const other = await makeBatch(network, { seed: "other" });
      const encode = transfers.interface;
      const doors: readonly [target: string, data: string][] = [
        [await transfers.getAddress(), encode.encodeFunctionData("open", await openArgs(network, other))],
        [await transfers.getAddress(), encode.encodeFunctionData("settle", await settleArgs(network, inFlight))],
        [await transfers.getAddress(), encode.encodeFunctionData("expire", [packHeader(inFlight.header)])],
        [await quotes.getAddress(), quotes.interface.encodeFunctionData("cancelQuote", [inFlight.header.quote])],
        [await transfers.getAddress(), encode.encodeFunctionData("pause")],
        [await treasury.getAddress(), treasury.interface.encodeFunctionData("withdraw", [7, HKD, 1, address])],
      ];
      for (const [index, [target, data]] of doors.entries()) {
        await send("setReentry", target, data);
        const batch = await makeBatch(network, { seed: `through door ${index}` });
        const [header, , quote] = await openArgs(network, batch);
        // It accepts only if its call failed, so an opened batch proves that it did.
        await network.transfers.open(header, { key: address, signature: "0x" }, quote);
        expect(await transfers.statusOf(idOf(network, batch))).to.equal(BatchStatus.Open);
      }
      expect(await transfers.statusOf(idOf(network, inFlight))).to.equal(BatchStatus.Open);
      expect(await transfers.statusOf(idOf(network, other))).to.equal(BatchStatus.None);
      expect(await transfers.paused()).to.equal(false);
      await expectConserved(network);
    });

    it("may look, since a look changes nothing", async () => {
      const setting = await withKey("ReenteringKey");
      const { network, address, send } = setting;
      const target = await network.transfers.getAddress();
      await send("setReentry", target, network.transfers.interface.encodeFunctionData("time"));
      const { batch, call } = await openAs(setting);
      const args = [7, address, idOf(network, batch)];
      await expectRevert(call(), "Module_InvalidSignature", args);
    });
  });

  describe("that is an account at first and a contract later", () => {
    // Only who has the account's private key can put code there, and can take it away again.
    it("goes on signing for itself, whatever its code answers", async () => {
      const network = await freshNetwork();
      const { send: account } = keysOf(network, 7);
      await becomes(account, "GasBurningKey");
      await openBatch(network, await makeBatch(network));
      await expectConserved(network);
    });

    it("lets its code sign too", async () => {
      const network = await freshNetwork();
      const { send: account } = keysOf(network, 7);
      await becomes(account, "AnythingKey");
      const [header, , quote] = await openArgs(network, await makeBatch(network));
      await network.transfers.open(header, { key: account.address, signature: "0x" }, quote);
      await expectConserved(network);
    });

    it("is not signed for by another account", async () => {
      const network = await freshNetwork();
      const { send: account } = keysOf(network, 7);
      await becomes(account, "GarbageKey");
      const batch = await makeBatch(network);
      const [header, , quote] = await openArgs(network, batch);
      const { signature } = await signBatch(network, batch.header, network.cast.stranger);
      const call = network.transfers.open(header, { key: account.address, signature }, quote);
      const args = [7, account.address, idOf(network, batch)];
      await expectRevert(call, "Module_InvalidSignature", args);
    });
  });
});

/** Puts a contract's code at an account. */
async function becomes({ address }: HardhatEthersSigner, name: string): Promise<void> {
  const code = await ethers.provider.getCode(await ethers.deployContract(name));
  await networkHelpers.setCode(address, code);
}
