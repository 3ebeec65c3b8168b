import { expect } from "chai";
import { corridorId } from "../../../src/domain/corridor.ts";
import { BatchStatus } from "../../../src/domain/lifecycle.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { headerTuple } from "../support/abi.ts";
import { expectChanges } from "../support/balances.ts";
import {
  LIFETIME,
  bringTo,
  idOf,
  makeBatch,
  makeQuote,
  openArgs,
  openBatch,
  openedBatch,
  withHeader,
} from "../support/batches.ts";
import { networkHelpers } from "../support/chain.ts";
import { dayOf, latestTimestamp, ledgerTime, nextBlockAt, nextCallAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { setRoles, setTerms } from "../support/governance.ts";
import {
  CORRIDORS,
  FUNDS,
  HKD,
  KEYS_VALID_UNTIL,
  PHP,
  PartnerStatus,
  Purpose,
  Role,
  TERMS,
  freshNetwork,
  fundPartner,
  keysOf,
} from "../support/network.ts";

const CORRIDOR = corridorId(CORRIDORS.hkdToPhp);
const MAX_HOLD = 86_400;

describe("TransferRegistry.open", () => {
  describe("when the registry is paused", () => {
    it("reverts with EnforcedPause", async () => {
      const network = await freshNetwork();
      await network.transfers.connect(network.cast.guardian).pause();
      await expectRevert(openBatch(network, await makeBatch(network)), "EnforcedPause", []);
    });
  });

  describe("given the batch is not new", () => {
    for (const status of ["Open", "Settled", "Rejected", "Expired"] as const) {
      it(`reverts with IllegalStatus when it is ${status}`, async () => {
        const network = await freshNetwork();
        const batch = await makeBatch(network);
        await bringTo(network, batch, status);
        const args = [idOf(network, batch), BatchStatus[status], BatchStatus.None];
        await expectRevert(openBatch(network, batch), "TransferRegistry_IllegalStatus", args);
      });
    }
  });

  describe("when the batch holds no transfer, or less than a minor unit for one", () => {
    const cases = [
      ["the count is zero", { count: 0 }],
      ["the source total is below the count", { count: 3, sourceTotal: 2n }],
      ["the target total is below the count", { count: 3, targetTotal: 2n }],
    ] as const;
    for (const [title, changes] of cases) {
      it(`reverts with EmptyBatch when ${title}`, async () => {
        const network = await freshNetwork();
        const batch = withHeader(await makeBatch(network), changes);
        const { count, sourceTotal, targetTotal } = batch.header;
        const args = [count, sourceTotal, targetTotal];
        await expectRevert(openBatch(network, batch), "TransferRegistry_EmptyBatch", args);
      });
    }

    it("opens when every transfer has one minor unit", async () => {
      const network = await freshNetwork();
      const batch = withHeader(await makeBatch(network), { count: 3, sourceTotal: 3n, targetTotal: 3n, fee: 1n });
      await expect(openBatch(network, batch)).to.emit(network.transfers, "Opened");
    });
  });

  describe("when the expiry is not ahead", () => {
    for (const [title, late] of [
      ["at the expiry", 0],
      ["past the expiry", 1],
    ] as const) {
      it(`reverts with Expired ${title}`, async () => {
        const network = await freshNetwork();
        const batch = await makeBatch(network);
        const { expiresAt } = batch.header;
        const args = await openArgs(network, batch);
        await nextCallAt(network.transfers, expiresAt + late);
        const call = network.transfers.open(...args);
        await expectRevert(call, "TransferRegistry_Expired", [expiresAt + late, expiresAt]);
      });
    }

    it("opens a second before", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const args = await openArgs(network, batch);
      await nextCallAt(network.transfers, batch.header.expiresAt - 1);
      await expect(network.transfers.open(...args)).to.emit(network.transfers, "Opened");
    });
  });

  describe("when the batch would hold money for more than a day", () => {
    it("reverts with HoldTooLong", async () => {
      const network = await freshNetwork();
      const now = (await ledgerTime(network.transfers)) + 1;
      const batch = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd, expiresAt: now + MAX_HOLD + 1 });
      const args = await openArgs(network, batch);
      await nextCallAt(network.transfers, now);
      const call = network.transfers.open(...args);
      await expectRevert(call, "TransferRegistry_HoldTooLong", [MAX_HOLD + 1, MAX_HOLD]);
    });

    it("opens at exactly a day", async () => {
      const network = await freshNetwork();
      const now = (await ledgerTime(network.transfers)) + 1;
      const batch = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd, expiresAt: now + MAX_HOLD });
      const args = await openArgs(network, batch);
      await nextCallAt(network.transfers, now);
      await expect(network.transfers.open(...args)).to.emit(network.transfers, "Opened");
    });
  });

  describe("when the partner registry refuses", () => {
    it("reverts with Closed in a corridor that was never set", async () => {
      const network = await freshNetwork();
      const back = { ...CORRIDORS.hkdToHkd, source: parsePartnerId(8), target: parsePartnerId(7) };
      const batch = await makeBatch(network, { corridor: back });
      const args = [corridorId(back)];
      await expectRevert(openBatch(network, batch), "CorridorBook_Closed", args);
    });

    it("reverts with PartnerNotActive for a suspended source partner", async () => {
      const network = await freshNetwork();
      await network.registry.connect(network.cast.guardian).suspend(7);
      const call = openBatch(network, await makeBatch(network));
      await expectRevert(call, "PartnerRegistry_PartnerNotActive", [7, PartnerStatus.Suspended]);
    });

    it("reverts with KeyNotAuthorized for a key that may not send", async () => {
      const network = await freshNetwork();
      const { accept } = keysOf(network, 7);
      const call = openBatch(network, await makeBatch(network), { send: accept });
      const args = [7, accept.address, Purpose.send];
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", args);
    });
  });

  describe("when the source total is above the corridor's limit for a batch", () => {
    it("reverts with BatchLimitExceeded", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { sourceTotal } = batch.header;
      const limit = sourceTotal - 1n;
      await setTerms(network, CORRIDOR, { ...TERMS, maxPerBatch: limit });
      const args = [CORRIDOR, sourceTotal, limit];
      await expectRevert(openBatch(network, batch), "CorridorBook_BatchLimitExceeded", args);
    });

    it("opens at exactly the limit", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const terms = { ...TERMS, maxPerBatch: batch.header.sourceTotal };
      await setTerms(network, CORRIDOR, terms);
      await expect(openBatch(network, batch)).to.emit(network.transfers, "Opened");
    });
  });

  describe("when the fee is not the corridor's", () => {
    for (const [title, difference] of [
      ["a unit less", -1n],
      ["a unit more", 1n],
    ] as const) {
      it(`reverts with FeeMismatch for ${title}`, async () => {
        const network = await freshNetwork();
        const batch = await makeBatch(network);
        const { fee } = batch.header;
        const call = openBatch(network, withHeader(batch, { fee: fee + difference }));
        await expectRevert(call, "TransferRegistry_FeeMismatch", [fee + difference, fee]);
      });
    }

    it("rounds the fee up to the next minor unit", async () => {
      const network = await freshNetwork();
      const batch = withHeader(await makeBatch(network), { count: 1, sourceTotal: 401n, targetTotal: 1n });
      const open = async (fee: bigint) => openBatch(network, withHeader(batch, { fee }));
      // 401 at 25 basis points are 1.0025.
      await expectRevert(open(1n), "TransferRegistry_FeeMismatch", [1, 2]);
      await expect(open(2n)).to.emit(network.transfers, "Opened");
    });
  });

  describe("when the day's batches would exceed the corridor's limit for a day", () => {
    it("reverts with DayLimitExceeded", async () => {
      const network = await freshNetwork();
      const first = await openedBatch(network, { seed: "first" });
      const second = await makeBatch(network, { seed: "second" });
      const opened = first.header.sourceTotal;
      const { sourceTotal } = second.header;
      const limit = opened + sourceTotal - 1n;
      const terms = { ...TERMS, maxPerBatch: limit, maxPerDay: limit };
      await setTerms(network, CORRIDOR, terms);
      const args = [CORRIDOR, opened, sourceTotal, limit];
      await expectRevert(openBatch(network, second), "CorridorBook_DayLimitExceeded", args);
    });

    it("reverts with DayLimitExceeded when the limit is below what is opened already", async () => {
      const network = await freshNetwork();
      const opened = (await openedBatch(network, { count: 5, seed: "first" })).header.sourceTotal;
      const second = await makeBatch(network, { count: 1, seed: "second" });
      const { sourceTotal } = second.header;
      const terms = { ...TERMS, maxPerBatch: sourceTotal, maxPerDay: sourceTotal };
      await setTerms(network, CORRIDOR, terms);
      const args = [CORRIDOR, opened, sourceTotal, sourceTotal];
      await expectRevert(openBatch(network, second), "CorridorBook_DayLimitExceeded", args);
    });

    it("opens at exactly the limit, and again on the next day", async () => {
      const network = await freshNetwork();
      const first = await openedBatch(network, { seed: "first" });
      const second = await makeBatch(network, { seed: "second" });
      const total = first.header.sourceTotal + second.header.sourceTotal;
      const terms = { ...TERMS, maxPerBatch: total, maxPerDay: total };
      await setTerms(network, CORRIDOR, terms);
      await openBatch(network, second);
      const today = dayOf(await latestTimestamp());
      expect(await network.corridors.drawnOn(CORRIDOR, today)).to.equal(total);

      await nextBlockAt((today + 1) * 86_400);
      await networkHelpers.mine();
      const third = await openedBatch(network, { seed: "third" });
      expect(await network.corridors.drawnOn(CORRIDOR, today + 1)).to.equal(third.header.sourceTotal);
      expect(await network.corridors.drawnOn(CORRIDOR, today + 2)).to.equal(0);
    });

    it("counts a batch at 00:00:00 UTC for the day that begins, and one a second before for the day that ends", async () => {
      const network = await freshNetwork();
      const { corridors } = network;
      const validUntil = (await latestTimestamp()) + 2 * 86_400;
      const quote = await makeQuote(CORRIDORS.hkdToPhp, { validUntil });
      const [before, at, after] = [
        await makeBatch(network, { seed: "before", quote }),
        await makeBatch(network, { seed: "at", quote }),
        await makeBatch(network, { seed: "after", quote }),
      ];
      const day = dayOf(await latestTimestamp()) + 1;
      const limit = [before, at, after].map(({ header }) => header.sourceTotal).reduce((a, b) => (a > b ? a : b));
      await setTerms(network, CORRIDOR, { ...TERMS, maxPerBatch: limit, maxPerDay: limit });
      await nextBlockAt(day * 86_400 - 1);
      await openBatch(network, before);
      await nextBlockAt(day * 86_400);
      await openBatch(network, at);
      expect(await corridors.drawnOn(CORRIDOR, day)).to.equal(at.header.sourceTotal);
      await nextBlockAt(day * 86_400 + 1);
      const args = [CORRIDOR, at.header.sourceTotal, after.header.sourceTotal, limit];
      await expectRevert(openBatch(network, after), "CorridorBook_DayLimitExceeded", args);
    });

    it("no longer tells what was opened on a day, once anything was on a later one", async () => {
      const network = await freshNetwork();
      const { corridors } = network;
      const first = await openedBatch(network, { seed: "first" });
      const today = dayOf(await latestTimestamp());
      await expectRevert(corridors.drawnOn(CORRIDOR, today - 1), "CorridorBook_DayNotKept", [
        CORRIDOR,
        today - 1,
        today,
      ]);
      await nextBlockAt((today + 1) * 86_400);
      await networkHelpers.mine();
      expect(await corridors.drawnOn(CORRIDOR, today)).to.equal(first.header.sourceTotal);
      await openedBatch(network, { seed: "second" });
      const args = [CORRIDOR, today, today + 1];
      await expectRevert(corridors.drawnOn(CORRIDOR, today), "CorridorBook_DayNotKept", args);
    });
  });

  describe("when the source partner's signature is not its key's", () => {
    it("reverts with InvalidSignature", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { send } = keysOf(network, 7);
      const [header, { signature }, quote] = await openArgs(network, batch, { send: network.cast.stranger });
      const call = network.transfers.open(header, { key: send.address, signature }, quote);
      const args = [7, send.address, idOf(network, batch)];
      await expectRevert(call, "Module_InvalidSignature", args);
    });
  });

  describe("when the money is not there", () => {
    it("reverts with InsufficientAvailable when the source partner has a unit too little", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { sourceTotal, fee } = batch.header;
      const left = sourceTotal + fee - 1n;
      const { fund } = keysOf(network, 7);
      await network.treasury.connect(fund).withdraw(7, HKD, FUNDS - left, fund);
      const args = [7, HKD, left, sourceTotal + fee];
      await expectRevert(openBatch(network, batch), "Treasury_InsufficientAvailable", args);
    });

    it("reverts with InsufficientAvailable when the provider has a unit too little", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const { targetTotal } = batch.header;
      const { fund } = keysOf(network, 11);
      await network.treasury.connect(fund).withdraw(11, PHP, FUNDS - targetTotal + 1n, fund);
      const args = [11, PHP, targetTotal - 1n, targetTotal];
      await expectRevert(openBatch(network, batch), "Treasury_InsufficientAvailable", args);
    });
  });

  describe("when nothing is wrong", () => {
    it("opens the batch, emits Opened and holds both currencies", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network, { count: 5 });
      const { sourceTotal, targetTotal, fee } = batch.header;
      const id = idOf(network, batch);
      await expectChanges(
        network,
        async () =>
          expect(openBatch(network, batch))
            .to.emit(network.transfers, "Opened")
            .withArgs(id, 7, 4, headerTuple(batch.header)),
        [
          { partner: 7, currency: HKD, available: -(sourceTotal + fee), held: sourceTotal + fee },
          { partner: 11, currency: PHP, available: -targetTotal, held: targetTotal },
        ],
      );
      expect(await network.transfers.statusOf(id)).to.equal(BatchStatus.Open);
      expect(await network.transfers.rejectionsHashOf(id)).to.equal(`0x${"00".repeat(31)}`);
      expect(await network.corridors.drawnOn(CORRIDOR, dayOf(await latestTimestamp()))).to.equal(sourceTotal);
    });

    it("returns the batch's id", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network);
      const id = await network.transfers.open.staticCall(...(await openArgs(network, batch)));
      expect(id).to.equal(idOf(network, batch));
    });

    it("holds one currency only where both are the same", async () => {
      const network = await freshNetwork();
      const batch = await makeBatch(network, { corridor: CORRIDORS.hkdToHkd });
      const held = batch.header.sourceTotal + batch.header.fee;
      await expectChanges(network, async () => openBatch(network, batch), [
        { partner: 7, currency: HKD, available: -held, held },
      ]);
    });

    it("opens a batch without a fee where the corridor asks for none", async () => {
      const network = await freshNetwork();
      await setTerms(network, CORRIDOR, { ...TERMS, feeBps: 0n });
      const batch = await makeBatch(network, { feeBps: 0n });
      expect(batch.header.fee).to.equal(0n);
      await expect(openBatch(network, batch)).to.emit(network.transfers, "Opened");
    });

    it("lets a partner that has both roles be source and provider of one batch", async () => {
      const network = await freshNetwork();
      const { send } = keysOf(network, 7);
      await setRoles(network, 7, Role.both);
      const purposes = Purpose.send | Purpose.quote;
      await network.registry.connect(keysOf(network, 7).admin).authorizeKey(7, send, purposes, KEYS_VALID_UNTIL);
      await fundPartner(network, 7, PHP, FUNDS);
      const quote = await makeQuote(CORRIDORS.hkdToPhp, { provider: parsePartnerId(7) });
      const batch = await makeBatch(network, { quote, expiresAt: (await ledgerTime(network.transfers)) + LIFETIME });
      const { sourceTotal, targetTotal, fee } = batch.header;
      await expectChanges(network, async () => openBatch(network, batch, { quote: send }), [
        { partner: 7, currency: HKD, available: -(sourceTotal + fee), held: sourceTotal + fee },
        { partner: 7, currency: PHP, available: -targetTotal, held: targetTotal },
      ]);
    });
  });
});
