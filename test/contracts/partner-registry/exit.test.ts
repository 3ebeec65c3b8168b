import { expect } from "chai";
import { ZeroAddress, ZeroHash, id } from "ethers";
import { networkHelpers } from "../support/chain.ts";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { reactivate, replaceAdmin } from "../support/governance.ts";
import { PartnerStatus, freshNetwork, keysOf, type Network } from "../support/network.ts";

const DAY = 86_400;
const RESTRICTION_LIMIT = 5 * DAY;
const EXIT_DELAY = 14 * DAY;
const ORDER = id("an order of a court");

/** The network once partner 7's exit account, `spare[0]`, is in force. */
async function withExitAccount(): Promise<Network> {
  const network = await freshNetwork();
  await network.registry.connect(keysOf(network, 7).admin).setExitAccount(7, network.cast.spare[0]);
  await wait(EXIT_DELAY);
  await networkHelpers.mine();
  return network;
}

/** Lets time pass: the next block, and a view of it, are so much later. */
async function wait(seconds: number): Promise<number> {
  const at = (await latestTimestamp()) + seconds;
  await nextBlockAt(at);
  return at;
}

/** From when on partner 7 may exit, whatever happens. */
async function opensAt({ registry, cast }: Network): Promise<bigint> {
  return (await registry.checkExit(7, cast.spare[0])).opensAt;
}

describe("PartnerRegistry.setExitAccount", () => {
  it("reverts with NotAdmin for anyone but the admin", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const { admin, fund } = keysOf(network, 7);
    const call = registry.connect(fund).setExitAccount(7, cast.stranger);
    await expectRevert(call, "PartnerRegistry_NotAdmin", [7, fund.address, admin.address]);
  });

  it("reverts with InvalidField for nobody, and for the admin's own account", async () => {
    const network = await freshNetwork();
    const { registry } = network;
    const { admin } = keysOf(network, 7);
    for (const account of [ZeroAddress, admin.address]) {
      const call = registry.connect(admin).setExitAccount(7, account);
      await expectRevert(call, "PartnerRegistry_InvalidField", [7, "exitAccount", account.toLowerCase()]);
    }
  });

  it("counts after its delay to the second, and emits ExitAccountSet", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const [account] = cast.spare;
    const from = (await wait(10)) + EXIT_DELAY;
    await expect(registry.connect(keysOf(network, 7).admin).setExitAccount(7, account))
      .to.emit(registry, "ExitAccountSet")
      .withArgs(7, account.address, from);
    expect([...(await registry.exitAccountOf(7))]).to.deep.equal([ZeroAddress, account.address, BigInt(from)]);
    await nextBlockAt(from - 1);
    await registry.connect(cast.guardian).suspend(7);
    const args = [7, account.address, ZeroAddress];
    const call = registry.checkExit(7, account, { blockTag: "latest" });
    await expectRevert(call, "PartnerRegistry_NotExitAccount", args);
    await nextBlockAt(from);
    await registry.connect(cast.guardian).freeze(7);
    await registry.checkExit(7, account);
    expect([...(await registry.exitAccountOf(7))]).to.deep.equal([account.address, ZeroAddress, 0n]);
  });

  it("leaves the old one in force until the new one is", async () => {
    const network = await withExitAccount();
    const { registry, cast } = network;
    const [old, next] = cast.spare;
    await registry.connect(cast.guardian).suspend(7);
    await registry.connect(keysOf(network, 7).admin).setExitAccount(7, next);
    const from = (await latestTimestamp()) + EXIT_DELAY;
    await nextBlockAt(from - 1);
    await registry.connect(cast.guardian).freeze(7);
    await registry.checkExit(7, old, { blockTag: "latest" });
    const args = [7, next.address, old.address];
    const call = registry.checkExit(7, next, { blockTag: "latest" });
    await expectRevert(call, "PartnerRegistry_NotExitAccount", args);
  });

  it("leaves one in force that is so from this very second on", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const [old, next] = cast.spare;
    const asAdmin = registry.connect(keysOf(network, 7).admin);
    await asAdmin.setExitAccount(7, old);
    const at = await wait(EXIT_DELAY);
    await asAdmin.setExitAccount(7, next);
    const found = [...(await registry.exitAccountOf(7))];
    expect(found).to.deep.equal([old.address, next.address, BigInt(at + EXIT_DELAY)]);
  });

  it("is set again by setting the old one, which takes the new one back", async () => {
    const network = await withExitAccount();
    const { registry, cast } = network;
    const [old, thief] = cast.spare;
    const asAdmin = registry.connect(keysOf(network, 7).admin);
    await asAdmin.setExitAccount(7, thief);
    await asAdmin.setExitAccount(7, old);
    await wait(EXIT_DELAY + 1);
    await registry.connect(cast.guardian).suspend(7);
    await registry.checkExit(7, old);
  });
});

describe("PartnerRegistry.checkExit", () => {
  it("reverts with UnknownPartner for a partner that was never registered", async () => {
    const { registry } = await freshNetwork();
    await expectRevert(registry.checkExit(99, ZeroAddress), "PartnerRegistry_UnknownPartner", [99]);
  });

  it("reverts with NoExit while the partner is active", async () => {
    const { registry, cast } = await withExitAccount();
    const args = [7, PartnerStatus.Active, false];
    await expectRevert(registry.checkExit(7, cast.spare[0]), "PartnerRegistry_NoExit", args);
  });

  for (const move of ["suspend", "freeze"] as const) {
    it(`tells when the exit opens after ${move}`, async () => {
      const network = await withExitAccount();
      const { registry, cast } = network;
      await registry.connect(cast.guardian)[move](7);
      const since = BigInt(await latestTimestamp());
      const found = await registry.checkExit(7, cast.spare[0]);
      expect([...found]).to.deep.equal([since, since + BigInt(RESTRICTION_LIMIT)]);
    });
  }

  it("does not begin anew when a suspended partner is frozen", async () => {
    const network = await withExitAccount();
    const { registry, cast } = network;
    await registry.connect(cast.guardian).suspend(7);
    const before = await opensAt(network);
    await wait(3 * DAY);
    await registry.connect(cast.guardian).freeze(7);
    expect(await opensAt(network)).to.equal(before);
  });

  it("does not begin anew when a partner was active for less than the limit in between", async () => {
    const network = await withExitAccount();
    const { registry, cast } = network;
    await registry.connect(cast.guardian).suspend(7);
    const before = await opensAt(network);
    await wait(DAY);
    await reactivate(network, 7);
    await wait(RESTRICTION_LIMIT - 1);
    await registry.connect(cast.guardian).suspend(7);
    expect(await opensAt(network)).to.equal(before);
  });

  it("begins anew when a partner was active for as long as the limit", async () => {
    const network = await withExitAccount();
    const { registry, cast } = network;
    await registry.connect(cast.guardian).suspend(7);
    await reactivate(network, 7);
    const now = await wait(RESTRICTION_LIMIT);
    await registry.connect(cast.guardian).suspend(7);
    expect(await opensAt(network)).to.equal(now + RESTRICTION_LIMIT);
  });

  it("is open as soon as governance replaces the admin", async () => {
    const network = await withExitAccount();
    const { registry, cast } = network;
    await registry.connect(cast.guardian).suspend(7);
    await wait(DAY);
    await replaceAdmin(network, 7, cast.stranger);
    expect(await opensAt(network)).to.equal(await latestTimestamp());
  });

  it("knows nothing of an admin that was replaced in an earlier restriction", async () => {
    const network = await withExitAccount();
    const { registry, cast } = network;
    await replaceAdmin(network, 7, cast.stranger);
    await wait(RESTRICTION_LIMIT);
    await reactivate(network, 7);
    const now = await wait(RESTRICTION_LIMIT);
    await registry.connect(cast.guardian).suspend(7);
    expect(await opensAt(network)).to.equal(now + RESTRICTION_LIMIT);
  });

  it("is later than the limit never: a replacement after it changes nothing", async () => {
    const network = await withExitAccount();
    const { registry, cast } = network;
    await registry.connect(cast.guardian).suspend(7);
    const before = await opensAt(network);
    await wait(RESTRICTION_LIMIT + DAY);
    await replaceAdmin(network, 7, cast.stranger);
    expect(await opensAt(network)).to.equal(before);
  });
});

describe("PartnerRegistry.upholdFreeze", () => {
  it("reverts with AccessManagedUnauthorized for the guardian, who froze", async () => {
    const { registry, cast } = await withExitAccount();
    await registry.connect(cast.guardian).freeze(7);
    const call = registry.connect(cast.guardian).upholdFreeze(7, 1, ORDER);
    await expectRevert(call, "AccessManagedUnauthorized", [cast.guardian.address]);
  });

  it("reverts with IllegalStatus for a partner that is not frozen", async () => {
    const { registry, cast } = await withExitAccount();
    await registry.connect(cast.guardian).suspend(7);
    const args = [7, PartnerStatus.Suspended, PartnerStatus.Frozen];
    const call = registry.connect(cast.council).upholdFreeze(7, 1, ORDER);
    await expectRevert(call, "PartnerRegistry_IllegalStatus", args);
  });

  it("reverts with InvalidField without an order", async () => {
    const { registry, cast } = await withExitAccount();
    await registry.connect(cast.guardian).freeze(7);
    const call = registry.connect(cast.council).upholdFreeze(7, 1, ZeroHash);
    await expectRevert(call, "PartnerRegistry_InvalidField", [7, "order", ZeroHash]);
  });

  it("reverts with StatusEpochMismatch for another freeze", async () => {
    const { registry, cast } = await withExitAccount();
    await registry.connect(cast.guardian).freeze(7);
    const call = registry.connect(cast.council).upholdFreeze(7, 0, ORDER);
    await expectRevert(call, "PartnerRegistry_StatusEpochMismatch", [7, 0, 1]);
  });

  it("takes the exit for as long as the freeze lasts, and emits FreezeUpheld", async () => {
    const network = await withExitAccount();
    const { registry, cast } = network;
    await registry.connect(cast.guardian).freeze(7);
    await expect(registry.connect(cast.council).upholdFreeze(7, 1, ORDER))
      .to.emit(registry, "FreezeUpheld")
      .withArgs(7, ORDER);
    await wait(100 * DAY);
    await replaceAdmin(network, 7, cast.stranger);
    const args = [7, PartnerStatus.Frozen, true];
    await expectRevert(registry.checkExit(7, cast.spare[0]), "PartnerRegistry_NoExit", args);
    await wait(3 * DAY);
    await reactivate(network, 7);
    await registry.connect(cast.guardian).freeze(7);
    await registry.checkExit(7, cast.spare[0]);
  });
});
