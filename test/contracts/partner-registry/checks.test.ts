import { PROVIDER } from "../../support/transfers.ts";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { networkHelpers } from "../support/chain.ts";
import { setRoles } from "../support/governance.ts";
import { PartnerStatus, Purpose, Role, freshNetwork, keysOf, type Network } from "../support/network.ts";

/** As a batch's opening asks: first about its wallets, then about who sells. */
async function checkParties(network: Network, given: { provider?: number; send?: string; quote?: string } = {}) {
  const { registry } = network;
  const provider = given.provider ?? PROVIDER;
  const send = given.send ?? keysOf(network, 7).send.address;
  const quote = given.quote ?? keysOf(network, PROVIDER).quote.address;
  const at = { blockTag: "latest" };
  await registry.checkAuthority(7, Role.wallet, send, Purpose.send, 4, at);
  await registry.checkAuthority(provider, Role.provider, quote, Purpose.quote, provider, at);
}

describe("PartnerRegistry.checkAuthority", () => {
  describe("when a participant is not active", () => {
    for (const [name, partner] of [
      ["source", 7],
      ["target", 4],
      ["provider", PROVIDER],
    ] as const) {
      for (const [move, status] of [
        ["suspend", PartnerStatus.Suspended],
        ["freeze", PartnerStatus.Frozen],
      ] as const) {
        it(`reverts with PartnerNotActive after ${move} of the ${name}`, async () => {
          const network = await freshNetwork();
          await network.registry.connect(network.cast.guardian)[move](partner);
          const args = [partner, status];
          await expectRevert(checkParties(network), "PartnerRegistry_PartnerNotActive", args);
        });
      }
    }

    it("reverts with UnknownPartner for a provider that was never registered", async () => {
      const network = await freshNetwork();
      const call = checkParties(network, { provider: 99 });
      await expectRevert(call, "PartnerRegistry_UnknownPartner", [99]);
    });
  });

  describe("when a participant lacks its role", () => {
    for (const [name, partner, needed, granted] of [
      ["source", 7, Role.wallet, Role.provider],
      ["target", 4, Role.wallet, Role.provider],
      ["provider", PROVIDER, Role.provider, Role.wallet],
    ] as const) {
      it(`reverts with RoleMissing for the ${name}`, async () => {
        const network = await freshNetwork();
        await setRoles(network, partner, granted);
        const args = [partner, granted, needed];
        await expectRevert(checkParties(network), "PartnerRegistry_RoleMissing", args);
      });
    }
  });

  describe("when a key lacks its purpose", () => {
    it("reverts with KeyNotAuthorized for the source's key", async () => {
      const network = await freshNetwork();
      const send = keysOf(network, 7).fund.address;
      const args = [7, send, Purpose.send];
      await expectRevert(checkParties(network, { send }), "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized for the provider's key", async () => {
      const network = await freshNetwork();
      const quote = keysOf(network, 12).quote.address;
      const args = [PROVIDER, quote, Purpose.quote];
      await expectRevert(checkParties(network, { quote }), "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized a second past a key's validity", async () => {
      const network = await freshNetwork();
      const { send, admin } = keysOf(network, 7);
      const validUntil = (await latestTimestamp()) + 5;
      await network.registry.connect(admin).authorizeKey(7, send, Purpose.send, validUntil);
      await nextBlockAt(validUntil);
      await networkHelpers.mine();
      await checkParties(network);
      await nextBlockAt(validUntil + 1);
      await networkHelpers.mine();
      const args = [7, send.address, Purpose.send];
      await expectRevert(checkParties(network), "PartnerRegistry_KeyNotAuthorized", args);
    });
  });

  it("passes when everybody may take part", async () => {
    await checkParties(await freshNetwork());
  });

  it("asks nothing of a key for the other", async () => {
    const network = await freshNetwork();
    await network.registry.connect(keysOf(network, 4).admin).revokeKey(4, keysOf(network, 4).send);
    await checkParties(network);
  });
});

describe("PartnerRegistry.checkCommitted", () => {
  const accept = (network: Network) => keysOf(network, 4).accept.address;

  it("reverts with UnknownPartner for a target that was never registered", async () => {
    const network = await freshNetwork();
    const call = network.registry.checkCommitted(99, accept(network), Purpose.accept);
    await expectRevert(call, "PartnerRegistry_UnknownPartner", [99]);
  });

  it("reverts with PartnerNotActive for a frozen target", async () => {
    const network = await freshNetwork();
    await network.registry.connect(network.cast.guardian).freeze(4);
    const call = network.registry.checkCommitted(4, accept(network), Purpose.accept);
    await expectRevert(call, "PartnerRegistry_PartnerNotActive", [4, PartnerStatus.Frozen]);
  });

  it("reverts with KeyNotAuthorized for a key that may not accept", async () => {
    const network = await freshNetwork();
    const { send } = keysOf(network, 4);
    const call = network.registry.checkCommitted(4, send, Purpose.accept);
    await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [4, send.address, Purpose.accept]);
  });

  it("passes for an active and for a suspended target, whatever its roles", async () => {
    const network = await freshNetwork();
    await network.registry.checkCommitted(4, accept(network), Purpose.accept);
    await network.registry.connect(network.cast.guardian).suspend(4);
    await setRoles(network, 4, Role.provider);
    await network.registry.checkCommitted(4, accept(network), Purpose.accept);
  });
});

describe("PartnerRegistry.checkActive", () => {
  it("reverts with UnknownPartner for a partner that was never registered", async () => {
    const { registry } = await freshNetwork();
    await expectRevert(registry.checkActive(99), "PartnerRegistry_UnknownPartner", [99]);
  });

  for (const [move, status] of [
    ["suspend", PartnerStatus.Suspended],
    ["freeze", PartnerStatus.Frozen],
  ] as const) {
    it(`reverts with PartnerNotActive after ${move}`, async () => {
      const { registry, cast } = await freshNetwork();
      await registry.connect(cast.guardian)[move](7);
      await expectRevert(registry.checkActive(7), "PartnerRegistry_PartnerNotActive", [7, status]);
    });
  }

  it("passes for an active partner", async () => {
    const { registry } = await freshNetwork();
    await registry.checkActive(7);
  });
});

describe("PartnerRegistry.checkRole", () => {
  it("reverts with UnknownPartner for a partner that was never registered", async () => {
    const { registry } = await freshNetwork();
    await expectRevert(registry.checkRole(99, Role.wallet), "PartnerRegistry_UnknownPartner", [99]);
  });

  for (const [move, status] of [
    ["suspend", PartnerStatus.Suspended],
    ["freeze", PartnerStatus.Frozen],
  ] as const) {
    it(`reverts with PartnerNotActive after ${move}`, async () => {
      const { registry, cast } = await freshNetwork();
      await registry.connect(cast.guardian)[move](7);
      await expectRevert(registry.checkRole(7, Role.wallet), "PartnerRegistry_PartnerNotActive", [7, status]);
    });
  }

  it("reverts with RoleMissing, for one of several too", async () => {
    const { registry } = await freshNetwork();
    for (const needed of [Role.provider, Role.both]) {
      const call = registry.checkRole(7, needed);
      await expectRevert(call, "PartnerRegistry_RoleMissing", [7, Role.wallet, needed]);
    }
  });

  it("passes for an active partner of the role", async () => {
    const { registry } = await freshNetwork();
    await registry.checkRole(7, Role.wallet);
    await registry.checkRole(PROVIDER, Role.provider);
  });
});

describe("PartnerRegistry.checkKnown", () => {
  it("reverts with UnknownPartner for a partner that was never registered", async () => {
    const { registry } = await freshNetwork();
    await expectRevert(registry.checkKnown(99), "PartnerRegistry_UnknownPartner", [99]);
  });

  it("passes for a frozen partner", async () => {
    const { registry, cast } = await freshNetwork();
    await registry.connect(cast.guardian).freeze(4);
    await registry.checkKnown(4);
  });
});
