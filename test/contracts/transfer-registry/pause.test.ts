import { expect } from "chai";
import { makeBatch, openBatch } from "../support/batches.ts";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { ROLES, freshNetwork } from "../support/network.ts";

describe("TransferRegistry.pause", () => {
  describe("when the caller is not the guardian", () => {
    it("reverts with AccessManagedUnauthorized for a stranger", async () => {
      const { transfers, cast } = await freshNetwork();
      const call = transfers.connect(cast.stranger).pause();
      await expectRevert(call, "AccessManagedUnauthorized", [cast.stranger.address]);
    });

    it("reverts with AccessManagedUnauthorized for the council", async () => {
      const { transfers, cast } = await freshNetwork();
      const call = transfers.connect(cast.council).pause();
      await expectRevert(call, "AccessManagedUnauthorized", [cast.council.address]);
    });
  });

  describe("when the registry is paused already", () => {
    it("reverts with EnforcedPause", async () => {
      const { transfers, cast } = await freshNetwork();
      await transfers.connect(cast.guardian).pause();
      await expectRevert(transfers.connect(cast.guardian).pause(), "EnforcedPause", []);
    });
  });

  describe("when the registry is running", () => {
    it("pauses and emits Paused", async () => {
      const { transfers, cast } = await freshNetwork();
      await expect(transfers.connect(cast.guardian).pause())
        .to.emit(transfers, "Paused")
        .withArgs(cast.guardian.address);
      expect(await transfers.paused()).to.equal(true);
    });
  });
});

describe("TransferRegistry.unpause", () => {
  describe("when the caller is not the council", () => {
    it("reverts with AccessManagedUnauthorized for the guardian", async () => {
      const { transfers, cast } = await freshNetwork();
      await transfers.connect(cast.guardian).pause();
      const call = transfers.connect(cast.guardian).unpause(1);
      await expectRevert(call, "AccessManagedUnauthorized", [cast.guardian.address]);
    });
  });

  describe("when the registry is running", () => {
    it("reverts with ExpectedPause, whatever pause it was made for", async () => {
      const { transfers, cast } = await freshNetwork();
      for (const epoch of [0, 1]) {
        await expectRevert(transfers.connect(cast.council).unpause(epoch), "ExpectedPause", []);
      }
    });
  });

  describe("when the call was made for another pause", () => {
    it("reverts with PauseEpochMismatch, although it was scheduled long before", async () => {
      const { manager, transfers, cast } = await freshNetwork();
      const [late] = cast.spare;
      await manager.connect(cast.root).grantRole(ROLES.council, late, 3_600);
      await transfers.connect(cast.guardian).pause();
      await transfers.connect(cast.council).unpause(1);
      const data = transfers.interface.encodeFunctionData("unpause", [1]);
      await manager.connect(late).schedule(transfers, data, 0);
      await nextBlockAt((await latestTimestamp()) + 3_601);
      await transfers.connect(cast.guardian).pause();
      const call = transfers.connect(late).unpause(1);
      await expectRevert(call, "Module_PauseEpochMismatch", [1, 2]);
      expect(await transfers.paused()).to.equal(true);
    });
  });

  describe("when the registry is paused", () => {
    it("unpauses, emits Unpaused, and batches open again", async () => {
      const network = await freshNetwork();
      const { transfers, cast } = network;
      await transfers.connect(cast.guardian).pause();
      await expect(transfers.connect(cast.council).unpause(1))
        .to.emit(transfers, "Unpaused")
        .withArgs(cast.council.address);
      expect(await transfers.paused()).to.equal(false);
      await expect(openBatch(network, await makeBatch(network))).to.emit(transfers, "Opened");
    });
  });
});
