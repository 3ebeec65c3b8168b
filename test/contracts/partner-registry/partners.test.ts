import { ZeroAddress } from "ethers";
import { expect } from "chai";
import { expectRevert } from "../support/expect-revert.ts";
import { HKD, HUB, PHP, PartnerStatus, Role, freshNetwork, keysOf } from "../support/network.ts";

const SG = "0x5347";
const NEW = 20;

describe("PartnerRegistry.registerPartner", () => {
  describe("when the caller is not the registrar", () => {
    it("reverts with AccessManagedUnauthorized", async () => {
      const { registry, cast } = await freshNetwork();
      const call = registry.connect(cast.council).registerPartner(NEW, cast.stranger, SG, PHP, Role.wallet);
      await expectRevert(call, registry, "AccessManagedUnauthorized", [cast.council.address]);
    });
  });

  describe("when the id is not free", () => {
    for (const [title, partner] of [
      ["zero", 0],
      ["taken", HUB],
    ] as const) {
      it(`reverts with IdNotFree when it is ${title}`, async () => {
        const { registry, cast } = await freshNetwork();
        const call = registry.connect(cast.registrar).registerPartner(partner, cast.stranger, SG, PHP, Role.wallet);
        await expectRevert(call, registry, "PartnerRegistry_IdNotFree", [partner]);
      });
    }
  });

  describe("when a field is invalid", () => {
    const good = { admin: "0x00000000000000000000000000000000000000aa", country: SG, currency: PHP, roles: 1n };
    const cases = [
      ["there is no admin", { admin: ZeroAddress }, "admin"],
      ["the country's first letter is lower case", { country: "0x7347" }, "country"],
      ["the country's second letter is lower case", { country: "0x5367" }, "country"],
      ["the country's first character is below A", { country: "0x4047" }, "country"],
      ["the country's first character is above Z", { country: "0x5b47" }, "country"],
      ["the country's second character is below A", { country: "0x5340" }, "country"],
      ["the country's second character is above Z", { country: "0x535b" }, "country"],
      ["there is no country", { country: "0x0000" }, "country"],
      ["there is no home currency", { currency: 0 }, "homeCurrency"],
      ["there is no role", { roles: 0n }, "roles"],
      ["there is an unknown role", { roles: 4n }, "roles"],
    ] as const;
    for (const [title, change, field] of cases) {
      it(`reverts with InvalidField when ${title}`, async () => {
        const { registry, cast } = await freshNetwork();
        const { admin, country, currency, roles } = { ...good, ...change };
        const call = registry.connect(cast.registrar).registerPartner(NEW, admin, country, currency, roles);
        await expectRevert(call, registry, "PartnerRegistry_InvalidField", [NEW, field]);
      });
    }
  });

  describe("when every field is valid", () => {
    for (const [title, partner, country, roles] of [
      ["a wallet", NEW, SG, Role.wallet],
      ["a liquidity provider of the largest id", 65_535, "0x415a", Role.provider],
      ["a partner of both roles", NEW, "0x5a41", Role.both],
    ] as const) {
      it(`registers ${title} as active and emits PartnerRegistered`, async () => {
        const { registry, cast } = await freshNetwork();
        const admin = cast.stranger.address;
        await expect(registry.connect(cast.registrar).registerPartner(partner, admin, country, PHP, roles))
          .to.emit(registry, "PartnerRegistered")
          .withArgs(partner, admin, country, PHP, roles);
        const registered = await registry.partnerOf(partner);
        expect([...registered]).to.deep.equal([admin, country, BigInt(PHP), roles, PartnerStatus.Active]);
      });
    }
  });
});

describe("PartnerRegistry.setAdmin", () => {
  it("reverts with AccessManagedUnauthorized when the caller is not the registrar", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const { admin } = keysOf(network, 7);
    const call = registry.connect(admin).setAdmin(7, cast.stranger);
    await expectRevert(call, registry, "AccessManagedUnauthorized", [admin.address]);
  });

  it("reverts with InvalidField when there is no admin", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.registrar).setAdmin(7, ZeroAddress);
    await expectRevert(call, registry, "PartnerRegistry_InvalidField", [7, "admin"]);
  });

  it("reverts with UnknownPartner when the partner was never registered", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.registrar).setAdmin(NEW, cast.stranger);
    await expectRevert(call, registry, "PartnerRegistry_UnknownPartner", [NEW]);
  });

  it("replaces the admin, emits AdminChanged, and the old admin loses its say", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const { admin, send } = keysOf(network, 7);
    await expect(registry.connect(cast.registrar).setAdmin(7, cast.stranger))
      .to.emit(registry, "AdminChanged")
      .withArgs(7, admin.address, cast.stranger.address);
    expect((await registry.partnerOf(7)).admin).to.equal(cast.stranger.address);
    const args = [7, admin.address, cast.stranger.address];
    await expectRevert(registry.connect(admin).revokeKey(7, send), registry, "PartnerRegistry_NotAdmin", args);
    await registry.connect(cast.stranger).revokeKey(7, send);
  });
});

describe("PartnerRegistry.setRoles", () => {
  it("reverts with AccessManagedUnauthorized when the caller is not the registrar", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.stranger).setRoles(7, Role.both);
    await expectRevert(call, registry, "AccessManagedUnauthorized", [cast.stranger.address]);
  });

  for (const roles of [0, 4, 255]) {
    it(`reverts with InvalidField for the roles ${roles}`, async () => {
      const { registry, cast } = await freshNetwork();
      const call = registry.connect(cast.registrar).setRoles(7, roles);
      await expectRevert(call, registry, "PartnerRegistry_InvalidField", [7, "roles"]);
    });
  }

  it("reverts with UnknownPartner when the partner was never registered", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.registrar).setRoles(NEW, Role.both);
    await expectRevert(call, registry, "PartnerRegistry_UnknownPartner", [NEW]);
  });

  it("replaces the roles and emits RolesChanged", async () => {
    const { registry, cast } = await freshNetwork();
    await expect(registry.connect(cast.registrar).setRoles(7, Role.both))
      .to.emit(registry, "RolesChanged")
      .withArgs(7, Role.wallet, Role.both);
    const partner = await registry.partnerOf(7);
    expect(partner.roles).to.equal(Role.both);
    expect(partner.homeCurrency).to.equal(HKD);
  });
});

describe("PartnerRegistry, the statuses", () => {
  const moves = [
    ["suspend", "guardian", PartnerStatus.Suspended],
    ["freeze", "guardian", PartnerStatus.Frozen],
    ["reactivate", "council", PartnerStatus.Active],
  ] as const;
  const statuses = [
    ["Active", PartnerStatus.Active],
    ["Suspended", PartnerStatus.Suspended],
    ["Frozen", PartnerStatus.Frozen],
  ] as const;
  const allowed = new Set([
    "suspend Active",
    "freeze Active",
    "freeze Suspended",
    "reactivate Suspended",
    "reactivate Frozen",
  ]);

  async function networkWith(status: bigint) {
    const network = await freshNetwork();
    const asGuardian = network.registry.connect(network.cast.guardian);
    if (status === PartnerStatus.Suspended) await asGuardian.suspend(7);
    if (status === PartnerStatus.Frozen) await asGuardian.freeze(7);
    return network;
  }

  for (const [move, role, next] of moves) {
    describe(`when the caller of ${move} lacks the role`, () => {
      it("reverts with AccessManagedUnauthorized", async () => {
        const { registry, cast } = await networkWith(next === PartnerStatus.Active ? PartnerStatus.Frozen : 0n);
        const other = role === "guardian" ? cast.council : cast.guardian;
        await expectRevert(registry.connect(other)[move](7), registry, "AccessManagedUnauthorized", [other.address]);
      });
    });

    describe(`when the partner to ${move} was never registered`, () => {
      it("reverts with UnknownPartner", async () => {
        const { registry, cast } = await freshNetwork();
        const call = registry.connect(cast[role])[move](NEW);
        await expectRevert(call, registry, "PartnerRegistry_UnknownPartner", [NEW]);
      });
    });

    for (const [name, current] of statuses) {
      describe(`when the partner to ${move} is ${name}`, () => {
        if (allowed.has(`${move} ${name}`)) {
          it("changes the status and emits StatusChanged", async () => {
            const { registry, cast } = await networkWith(current);
            await expect(registry.connect(cast[role])[move](7))
              .to.emit(registry, "StatusChanged")
              .withArgs(7, current, next);
            expect((await registry.partnerOf(7)).status).to.equal(next);
          });
        } else {
          it("reverts with IllegalStatus", async () => {
            const { registry, cast } = await networkWith(current);
            const call = registry.connect(cast[role])[move](7);
            await expectRevert(call, registry, "PartnerRegistry_IllegalStatus", [7, current, next]);
          });
        }
      });
    }
  }
});
