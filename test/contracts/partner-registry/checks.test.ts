import { expect } from "chai";
import { corridorId } from "../../../src/domain/corridor.ts";
import { PROVIDER } from "../support/batches.ts";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { networkHelpers } from "../support/chain.ts";
import { setRoles } from "../support/governance.ts";
import {
  CORRIDORS,
  PartnerStatus,
  Purpose,
  Role,
  TERMS,
  freshNetwork,
  keysOf,
  type Network,
} from "../support/network.ts";

const CORRIDOR = corridorId(CORRIDORS.hkdToPhp);

async function checkOpen(network: Network, given: { provider?: number; send?: string; quote?: string } = {}) {
  const provider = given.provider ?? PROVIDER;
  const send = given.send ?? keysOf(network, 7).send.address;
  const quote = given.quote ?? keysOf(network, PROVIDER).quote.address;
  return network.registry.checkOpen(CORRIDOR, provider, send, quote, { blockTag: "latest" });
}

describe("PartnerRegistry.checkOpen", () => {
  describe("when the corridor is not open", () => {
    it("reverts with CorridorClosed", async () => {
      const network = await freshNetwork();
      await network.registry.connect(network.cast.guardian).closeCorridor(CORRIDOR);
      await expectRevert(checkOpen(network), network.registry, "PartnerRegistry_CorridorClosed", [CORRIDOR]);
    });
  });

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
          await expectRevert(checkOpen(network), network.registry, "PartnerRegistry_PartnerNotActive", args);
        });
      }
    }

    it("reverts with UnknownPartner for a provider that was never registered", async () => {
      const network = await freshNetwork();
      const call = checkOpen(network, { provider: 99 });
      await expectRevert(call, network.registry, "PartnerRegistry_UnknownPartner", [99]);
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
        await expectRevert(checkOpen(network), network.registry, "PartnerRegistry_RoleMissing", args);
      });
    }
  });

  describe("when a key lacks its purpose", () => {
    it("reverts with KeyNotAuthorized for the source's key", async () => {
      const network = await freshNetwork();
      const send = keysOf(network, 7).fund.address;
      const args = [7, send, Purpose.send];
      await expectRevert(checkOpen(network, { send }), network.registry, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized for the provider's key", async () => {
      const network = await freshNetwork();
      const quote = keysOf(network, 12).quote.address;
      const args = [PROVIDER, quote, Purpose.quote];
      await expectRevert(checkOpen(network, { quote }), network.registry, "PartnerRegistry_KeyNotAuthorized", args);
    });

    it("reverts with KeyNotAuthorized a second past a key's validity", async () => {
      const network = await freshNetwork();
      const { send, admin } = keysOf(network, 7);
      const validUntil = (await latestTimestamp()) + 5;
      await network.registry.connect(admin).authorizeKey(7, send, Purpose.send, validUntil);
      await nextBlockAt(validUntil);
      await networkHelpers.mine();
      await checkOpen(network);
      await nextBlockAt(validUntil + 1);
      await networkHelpers.mine();
      const args = [7, send.address, Purpose.send];
      await expectRevert(checkOpen(network), network.registry, "PartnerRegistry_KeyNotAuthorized", args);
    });
  });

  describe("when everybody may take part", () => {
    it("returns the corridor's terms", async () => {
      const terms = await checkOpen(await freshNetwork());
      expect([...terms]).to.deep.equal([true, TERMS.feeBps, TERMS.maxPerBatch, TERMS.maxPerDay]);
    });

    it("ignores the provider's key without a provider", async () => {
      const network = await freshNetwork();
      const terms = await checkOpen(network, { provider: 0, quote: network.cast.stranger.address });
      expect(terms.open).to.equal(true);
    });
  });
});

describe("PartnerRegistry.checkSettle", () => {
  const accept = (network: Network) => keysOf(network, 4).accept.address;

  it("reverts with UnknownPartner for a target that was never registered", async () => {
    const network = await freshNetwork();
    const call = network.registry.checkSettle(99, accept(network));
    await expectRevert(call, network.registry, "PartnerRegistry_UnknownPartner", [99]);
  });

  it("reverts with PartnerNotActive for a frozen target", async () => {
    const network = await freshNetwork();
    await network.registry.connect(network.cast.guardian).freeze(4);
    const call = network.registry.checkSettle(4, accept(network));
    await expectRevert(call, network.registry, "PartnerRegistry_PartnerNotActive", [4, PartnerStatus.Frozen]);
  });

  it("reverts with KeyNotAuthorized for a key that may not accept", async () => {
    const network = await freshNetwork();
    const { send } = keysOf(network, 4);
    const call = network.registry.checkSettle(4, send);
    await expectRevert(call, network.registry, "PartnerRegistry_KeyNotAuthorized", [4, send.address, Purpose.accept]);
  });

  it("passes for an active and for a suspended target, whatever its roles", async () => {
    const network = await freshNetwork();
    await network.registry.checkSettle(4, accept(network));
    await network.registry.connect(network.cast.guardian).suspend(4);
    await setRoles(network, 4, Role.provider);
    await network.registry.checkSettle(4, accept(network));
  });
});

describe("PartnerRegistry.checkActive", () => {
  it("reverts with UnknownPartner for a partner that was never registered", async () => {
    const { registry } = await freshNetwork();
    await expectRevert(registry.checkActive(99), registry, "PartnerRegistry_UnknownPartner", [99]);
  });

  for (const [move, status] of [
    ["suspend", PartnerStatus.Suspended],
    ["freeze", PartnerStatus.Frozen],
  ] as const) {
    it(`reverts with PartnerNotActive after ${move}`, async () => {
      const { registry, cast } = await freshNetwork();
      await registry.connect(cast.guardian)[move](7);
      await expectRevert(registry.checkActive(7), registry, "PartnerRegistry_PartnerNotActive", [7, status]);
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
    await expectRevert(registry.checkRole(99, Role.wallet), registry, "PartnerRegistry_UnknownPartner", [99]);
  });

  for (const [move, status] of [
    ["suspend", PartnerStatus.Suspended],
    ["freeze", PartnerStatus.Frozen],
  ] as const) {
    it(`reverts with PartnerNotActive after ${move}`, async () => {
      const { registry, cast } = await freshNetwork();
      await registry.connect(cast.guardian)[move](7);
      await expectRevert(registry.checkRole(7, Role.wallet), registry, "PartnerRegistry_PartnerNotActive", [7, status]);
    });
  }

  it("reverts with RoleMissing, for one of several too", async () => {
    const { registry } = await freshNetwork();
    for (const needed of [Role.provider, Role.both]) {
      const call = registry.checkRole(7, needed);
      await expectRevert(call, registry, "PartnerRegistry_RoleMissing", [7, Role.wallet, needed]);
    }
  });

  it("passes for an active partner of the role", async () => {
    const { registry } = await freshNetwork();
    await registry.checkRole(7, Role.wallet);
    await registry.checkRole(PROVIDER, Role.provider);
  });
});
