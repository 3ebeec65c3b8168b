import { ZeroAddress, solidityPacked, toBeHex } from "ethers";
import { expect } from "chai";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { reactivate, replaceAdmin, setRoles } from "../support/governance.ts";
import {
  HKD,
  HUB,
  KEYS_VALID_UNTIL,
  PHP,
  PartnerStatus,
  Purpose,
  ROLES,
  Role,
  freshNetwork,
  keysOf,
  type Network,
} from "../support/network.ts";

const SG = "0x5347";
const NEW = 20;
const ADMIN_NOTICE = 3 * 86_400;

describe("PartnerRegistry.registerPartner", () => {
  describe("when the caller is not the registrar", () => {
    it("reverts with AccessManagedUnauthorized", async () => {
      const { registry, cast } = await freshNetwork();
      const call = registry.connect(cast.council).registerPartner(NEW, cast.stranger, SG, PHP, Role.wallet);
      await expectRevert(call, "AccessManagedUnauthorized", [cast.council.address]);
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
        await expectRevert(call, "PartnerRegistry_IdNotFree", [partner]);
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
      ["the home currency has four digits", { currency: 1_000 }, "homeCurrency"],
      ["there is no role", { roles: 0n }, "roles"],
      ["there is an unknown role", { roles: 4n }, "roles"],
    ] as const;
    const packedTypes = { admin: "address", country: "bytes2", homeCurrency: "uint16", roles: "uint16" } as const;
    for (const [title, change, field] of cases) {
      it(`reverts with InvalidField when ${title}`, async () => {
        const { registry, cast } = await freshNetwork();
        const { admin, country, currency, roles } = { ...good, ...change };
        const call = registry.connect(cast.registrar).registerPartner(NEW, admin, country, currency, roles);
        const given = solidityPacked([packedTypes[field]], Object.values(change));
        await expectRevert(call, "PartnerRegistry_InvalidField", [NEW, field, given]);
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
        expect([...registered]).to.deep.equal([admin, country, BigInt(PHP), roles, PartnerStatus.Active, 0n]);
      });
    }
  });
});

describe("PartnerRegistry.setAdmin", () => {
  it("reverts with AccessManagedUnauthorized when the caller is not the registrar", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const { admin } = keysOf(network, 7);
    const call = registry.connect(admin).setAdmin(7, 0, cast.stranger);
    await expectRevert(call, "AccessManagedUnauthorized", [admin.address]);
  });

  it("reverts with InvalidField when there is no admin", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.registrar).setAdmin(7, 0, ZeroAddress);
    await expectRevert(call, "PartnerRegistry_InvalidField", [7, "admin", ZeroAddress]);
  });

  it("reverts with UnknownPartner when the partner was never registered", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.registrar).setAdmin(NEW, 0, cast.stranger);
    await expectRevert(call, "PartnerRegistry_UnknownPartner", [NEW]);
  });

  it("reverts with KeyEpochMismatch when the admin was replaced since it was made", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    await replaceAdmin(network, 7, cast.stranger);
    const call = registry.connect(cast.registrar).setAdmin(7, 0, cast.courier);
    await expectRevert(call, "PartnerRegistry_KeyEpochMismatch", [7, 0, 1]);
  });

  it("replaces the admin, emits AdminChanged, and the old admin loses its say", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const { admin, send } = keysOf(network, 7);
    await expect(replaceAdmin(network, 7, cast.stranger))
      .to.emit(registry, "AdminChanged")
      .withArgs(7, admin.address, cast.stranger.address);
    expect((await registry.partnerOf(7)).admin).to.equal(cast.stranger.address);
    const args = [7, admin.address, cast.stranger.address];
    await expectRevert(registry.connect(admin).revokeKey(7, send), "PartnerRegistry_NotAdmin", args);
    await registry.connect(cast.stranger).revokeKey(7, send);
  });

  it("ends every key that was granted before, for good, and emits KeysEnded", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const { send, accept, fund } = keysOf(network, 7);
    await expect(replaceAdmin(network, 7, cast.stranger))
      .to.emit(registry, "KeysEnded")
      .withArgs(7, 1);
    for (const [key, purpose] of [
      [send, Purpose.send],
      [accept, Purpose.accept],
      [fund, Purpose.fund],
    ] as const) {
      const args = [7, key.address, purpose];
      await expectRevert(registry.checkKey(7, key, purpose), "PartnerRegistry_KeyNotAuthorized", args);
    }
    await registry.connect(cast.stranger).authorizeKey(7, send, Purpose.send, KEYS_VALID_UNTIL);
    await registry.checkKey(7, send, Purpose.send);
    const other = keysOf(network, 4).send;
    await registry.checkKey(4, other, Purpose.send);
  });

  it("suspends an active partner, which is not reactivated within its notice", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    await expect(replaceAdmin(network, 7, cast.stranger))
      .to.emit(registry, "StatusChanged")
      .withArgs(7, PartnerStatus.Active, PartnerStatus.Suspended);
    const until = (await latestTimestamp()) + ADMIN_NOTICE;
    await nextBlockAt(until - 1);
    await expectRevert(reactivate(network, 7), "PartnerRegistry_AdminNotice", [7, until]);
    await nextBlockAt(until);
    await reactivate(network, 7);
    expect((await registry.partnerOf(7)).status).to.equal(PartnerStatus.Active);
  });

  it("leaves a frozen partner frozen", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    await registry.connect(cast.guardian).freeze(7);
    await expect(replaceAdmin(network, 7, cast.stranger)).not.to.emit(registry, "StatusChanged");
    expect((await registry.partnerOf(7)).status).to.equal(PartnerStatus.Frozen);
  });

  it("takes back an offer of the admin's place, and a new exit account that is not in force yet", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const asAdmin = registry.connect(keysOf(network, 7).admin);
    await asAdmin.offerAdmin(7, cast.courier);
    await asAdmin.setExitAccount(7, cast.spare[0]);
    await expect(replaceAdmin(network, 7, cast.stranger))
      .to.emit(registry, "ExitAccountDropped")
      .withArgs(7, cast.spare[0].address);
    expect(await registry.offeredAdminOf(7)).to.equal(ZeroAddress);
    expect([...(await registry.exitAccountOf(7))]).to.deep.equal([ZeroAddress, ZeroAddress, 0n]);
  });
});

describe("PartnerRegistry.offerAdmin, acceptAdmin", () => {
  it("reverts with NotAdmin for anyone but the admin", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const args = [7, cast.registrar.address, keysOf(network, 7).admin.address];
    const call = registry.connect(cast.registrar).offerAdmin(7, cast.stranger);
    await expectRevert(call, "PartnerRegistry_NotAdmin", args);
  });

  it("reverts with InvalidField for an offer to nobody", async () => {
    const network = await freshNetwork();
    const { registry } = network;
    const call = registry.connect(keysOf(network, 7).admin).offerAdmin(7, ZeroAddress);
    await expectRevert(call, "PartnerRegistry_InvalidField", [7, "admin", ZeroAddress]);
  });

  it("reverts with AdminNotOffered for anyone whom it was not offered to", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    await registry.connect(keysOf(network, 7).admin).offerAdmin(7, cast.stranger);
    const args = [7, cast.courier.address, cast.stranger.address];
    await expectRevert(registry.connect(cast.courier).acceptAdmin(7), "PartnerRegistry_AdminNotOffered", args);
  });

  for (const move of ["suspend", "freeze"] as const) {
    it(`reverts with PartnerNotActive after ${move}: a thief cannot hand on what it has`, async () => {
      const network = await freshNetwork();
      const { registry, cast } = network;
      const asAdmin = registry.connect(keysOf(network, 7).admin);
      await asAdmin.offerAdmin(7, cast.stranger);
      await registry.connect(cast.guardian)[move](7);
      const args = [7, move === "freeze" ? PartnerStatus.Frozen : PartnerStatus.Suspended];
      await expectRevert(asAdmin.offerAdmin(7, cast.courier), "PartnerRegistry_PartnerNotActive", args);
      const call = registry.connect(cast.stranger).acceptAdmin(7);
      await expectRevert(call, "PartnerRegistry_PartnerNotActive", args);
    });
  }

  it("hands over in two steps, keeps every key, and works once", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const { admin, send } = keysOf(network, 7);
    await expect(registry.connect(admin).offerAdmin(7, cast.stranger))
      .to.emit(registry, "AdminOffered")
      .withArgs(7, cast.stranger.address);
    await expect(registry.connect(cast.stranger).acceptAdmin(7))
      .to.emit(registry, "AdminChanged")
      .withArgs(7, admin.address, cast.stranger.address);
    const { status, keyEpoch } = await registry.partnerOf(7);
    expect([status, keyEpoch]).to.deep.equal([PartnerStatus.Active, 0n]);
    await registry.checkKey(7, send, Purpose.send);
    const args = [7, cast.stranger.address, ZeroAddress];
    await expectRevert(registry.connect(cast.stranger).acceptAdmin(7), "PartnerRegistry_AdminNotOffered", args);
  });
});

describe("PartnerRegistry.setRoles", () => {
  it("reverts with AccessManagedUnauthorized when the caller is not the registrar", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.stranger).setRoles(7, Role.wallet, Role.both);
    await expectRevert(call, "AccessManagedUnauthorized", [cast.stranger.address]);
  });

  for (const roles of [0, 4, 65_535]) {
    it(`reverts with InvalidField for the roles ${roles}`, async () => {
      const { registry, cast } = await freshNetwork();
      const call = registry.connect(cast.registrar).setRoles(7, Role.wallet, roles);
      await expectRevert(call, "PartnerRegistry_InvalidField", [7, "roles", toBeHex(roles, 2)]);
    });
  }

  it("reverts with UnknownPartner when the partner was never registered", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.registrar).setRoles(NEW, 0, Role.both);
    await expectRevert(call, "PartnerRegistry_UnknownPartner", [NEW]);
  });

  it("reverts with RolesMismatch when the roles are others than it was made for", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    await setRoles(network, 7, Role.both);
    const call = registry.connect(cast.registrar).setRoles(7, Role.wallet, Role.provider);
    await expectRevert(call, "PartnerRegistry_RolesMismatch", [7, Role.wallet, Role.both]);
  });

  it("replaces the roles and emits RolesChanged", async () => {
    const { registry, cast } = await freshNetwork();
    await expect(registry.connect(cast.registrar).setRoles(7, Role.wallet, Role.both))
      .to.emit(registry, "RolesChanged")
      .withArgs(7, Role.wallet, Role.both);
    const partner = await registry.partnerOf(7);
    expect(partner.roles).to.equal(Role.both);
    expect(partner.homeCurrency).to.equal(HKD);
  });
});

describe("PartnerRegistry.addRole", () => {
  const ARBITER = 4n;

  for (const [title, role] of [
    ["none", 0n],
    ["one that exists", Role.wallet],
    ["two at once", 12n],
    ["one that exists, and a new one", 5n],
  ] as const) {
    it(`reverts with InvalidRole for ${title}`, async () => {
      const { registry, cast } = await freshNetwork();
      const call = registry.connect(cast.council).addRole(role, "arbiter");
      await expectRevert(call, "PartnerRegistry_InvalidRole", [role, Role.both]);
    });
  }

  it("lets partners have it from then on, alone too, and emits RoleAdded", async () => {
    const { registry, cast } = await freshNetwork();
    await expect(registry.connect(cast.council).addRole(ARBITER, "arbiter"))
      .to.emit(registry, "RoleAdded")
      .withArgs(ARBITER, "arbiter");
    expect(await registry.knownRoles()).to.equal(Role.both | ARBITER);
    await registry.connect(cast.registrar).registerPartner(NEW, cast.stranger, SG, PHP, ARBITER);
    await registry.checkRole(NEW, ARBITER);
    await registry.connect(cast.registrar).setRoles(7, Role.wallet, Role.wallet | ARBITER);
    await registry.checkRole(7, ARBITER);
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

  type Move = (typeof moves)[number][0];
  const call = async ({ registry, cast }: Network, move: Move, partner: number, by: "guardian" | "council") => {
    const asCaller = registry.connect(cast[by]);
    if (move !== "reactivate") return asCaller[move](partner);
    return asCaller.reactivate(partner, (await registry.standingOf(partner)).statusEpoch);
  };

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
        const network = await networkWith(next === PartnerStatus.Active ? PartnerStatus.Frozen : 0n);
        const other = role === "guardian" ? "council" : "guardian";
        const args = [network.cast[other].address];
        await expectRevert(call(network, move, 7, other), "AccessManagedUnauthorized", args);
      });
    });

    describe(`when the partner to ${move} was never registered`, () => {
      it("reverts with UnknownPartner", async () => {
        const network = await freshNetwork();
        await expectRevert(call(network, move, NEW, role), "PartnerRegistry_UnknownPartner", [NEW]);
      });
    });

    for (const [name, current] of statuses) {
      describe(`when the partner to ${move} is ${name}`, () => {
        if (allowed.has(`${move} ${name}`)) {
          it("changes the status and emits StatusChanged", async () => {
            const network = await networkWith(current);
            const { registry } = network;
            const { statusEpoch } = await registry.standingOf(7);
            await expect(call(network, move, 7, role))
              .to.emit(registry, "StatusChanged")
              .withArgs(7, current, next);
            expect((await registry.partnerOf(7)).status).to.equal(next);
            expect((await registry.standingOf(7)).statusEpoch).to.equal(statusEpoch + 1n);
          });
        } else {
          it("reverts with IllegalStatus", async () => {
            const network = await networkWith(current);
            const args = [7, current, next];
            await expectRevert(call(network, move, 7, role), "PartnerRegistry_IllegalStatus", args);
          });
        }
      });
    }
  }

  describe("when the status has changed since the call was made", () => {
    it("reverts with StatusEpochMismatch, however long ago it was scheduled", async () => {
      const { manager, registry, cast } = await freshNetwork();
      const [late] = cast.spare;
      await manager.connect(cast.root).grantRole(ROLES.council, late, 3_600);
      await registry.connect(cast.guardian).suspend(7);
      await registry.connect(cast.council).reactivate(7, 1);
      for (const epoch of [1, 2]) {
        const data = registry.interface.encodeFunctionData("reactivate", [7, epoch]);
        await manager.connect(late).schedule(registry, data, 0);
      }
      await nextBlockAt((await latestTimestamp()) + 3_601);
      await registry.connect(cast.guardian).suspend(7);
      for (const epoch of [1, 2]) {
        const early = registry.connect(late).reactivate(7, epoch);
        await expectRevert(early, "PartnerRegistry_StatusEpochMismatch", [7, epoch, 3]);
      }
      expect((await registry.partnerOf(7)).status).to.equal(PartnerStatus.Suspended);
    });
  });
});
