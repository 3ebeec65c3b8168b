import { expect } from "chai";
import { corridorId } from "../../../src/domain/corridor.ts";
import { makeBatch, openBatch } from "../support/batches.ts";
import { dayOf, latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { setTerms } from "../support/governance.ts";
import { giveRights, takeRights } from "../support/modules.ts";
import { CORRIDORS, ModuleStatus, TERMS, freshNetwork } from "../support/network.ts";

const CORRIDOR = corridorId(CORRIDORS.hkdToPhp);
const DAY = 86_400;

/** A network with a second module, which draws by itself, at the start of a day. */
async function withSecondModule() {
  const network = await freshNetwork();
  const [module] = network.cast.spare;
  await giveRights(network, module, ModuleStatus.Active);
  await nextBlockAt((dayOf(await latestTimestamp()) + 1) * DAY);
  await network.transfers.beat();
  return { network, module, asModule: network.corridors.connect(module) };
}

describe("CorridorBook.draw", () => {
  describe("when the caller is no active module", () => {
    for (const status of ["None", "Draining"] as const) {
      it(`reverts with NotActive for one that is ${status}`, async () => {
        const { network, module, asModule } = await withSecondModule();
        await takeRights(network, module, ModuleStatus[status]);
        const args = [module.address, ModuleStatus[status]];
        await expectRevert(asModule.draw(CORRIDOR, 1), "ForModules_NotActive", args);
      });
    }
  });

  describe("when the corridor is not open", () => {
    it("reverts with Closed", async () => {
      const { network, asModule } = await withSecondModule();
      await network.corridors.connect(network.cast.guardian).closeCorridor(CORRIDOR);
      await expectRevert(asModule.draw(CORRIDOR, 1), "CorridorBook_Closed", [CORRIDOR]);
    });
  });

  describe("when another module has drawn on the day before", () => {
    it("counts both, and reverts with DayLimitExceeded for a unit more", async () => {
      const { network, asModule } = await withSecondModule();
      const batch = await makeBatch(network);
      const { sourceTotal } = batch.header;
      await setTerms(network, CORRIDOR, { ...TERMS, maxPerBatch: sourceTotal, maxPerDay: sourceTotal + 500n });
      await openBatch(network, batch);
      await asModule.draw(CORRIDOR, 500);
      expect(await network.corridors.drawnOn(CORRIDOR, dayOf(await latestTimestamp()))).to.equal(sourceTotal + 500n);
      const args = [CORRIDOR, sourceTotal + 500n, 1, sourceTotal + 500n];
      await expectRevert(asModule.draw(CORRIDOR, 1), "CorridorBook_DayLimitExceeded", args);
      const other = await makeBatch(network, { seed: "other", count: 1 });
      const values = [CORRIDOR, sourceTotal + 500n, other.header.sourceTotal, sourceTotal + 500n];
      await expectRevert(openBatch(network, other), "CorridorBook_DayLimitExceeded", values);
    });
  });

  describe("when nothing is wrong", () => {
    it("returns the fee, rounded up, and starts each day anew", async () => {
      const { network, asModule } = await withSecondModule();
      expect(await asModule.draw.staticCall(CORRIDOR, 10_000)).to.equal(25);
      expect(await asModule.draw.staticCall(CORRIDOR, 10_001)).to.equal(26);
      await asModule.draw(CORRIDOR, 10_000);
      await asModule.draw(CORRIDOR, 1);
      const today = dayOf(await latestTimestamp());
      expect(await network.corridors.drawnOn(CORRIDOR, today)).to.equal(10_001);
      await nextBlockAt((today + 1) * DAY);
      await asModule.draw(CORRIDOR, 7);
      expect(await network.corridors.drawnOn(CORRIDOR, today + 1)).to.equal(7);
    });

    it("leaves terms that were changed meanwhile as they are", async () => {
      const { network, asModule } = await withSecondModule();
      await asModule.draw(CORRIDOR, 100);
      const terms = { ...TERMS, feeBps: 0n, maxPerBatch: 50n };
      await setTerms(network, CORRIDOR, terms);
      await asModule.draw(CORRIDOR, 50);
      const { open, feeBps, maxPerBatch, maxPerDay } = terms;
      expect([...(await network.corridors.termsOf(CORRIDOR))]).to.deep.equal([open, feeBps, maxPerBatch, maxPerDay]);
      expect(await network.corridors.drawnOn(CORRIDOR, dayOf(await latestTimestamp()))).to.equal(150);
    });
  });
});
