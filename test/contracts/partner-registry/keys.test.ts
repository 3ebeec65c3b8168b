import { ZeroAddress } from "ethers";
import { expect } from "chai";
import { latestTimestamp, nextBlockAt } from "../support/clock.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { KEYS_VALID_UNTIL, PartnerStatus, Purpose, freshNetwork, keysOf } from "../support/network.ts";

const UNKNOWN = 99;
const ENDPOINT = {
  url: "https://relay.alipayhk.example/feiqian",
  signingKey: `0x${"a1".repeat(32)}`,
  encryptionKey: `0x${"b2".repeat(32)}`,
};

describe("PartnerRegistry.authorizeKey", () => {
  describe("when the caller is not the partner's admin", () => {
    it("reverts with NotAdmin for a stranger", async () => {
      const network = await freshNetwork();
      const { registry, cast } = network;
      const call = registry.connect(cast.stranger).authorizeKey(7, cast.stranger, Purpose.send, KEYS_VALID_UNTIL);
      const args = [7, cast.stranger.address, keysOf(network, 7).admin.address];
      await expectRevert(call, "PartnerRegistry_NotAdmin", args);
    });

    it("reverts with NotAdmin for another partner's admin", async () => {
      const network = await freshNetwork();
      const { registry } = network;
      const { admin } = keysOf(network, 8);
      const call = registry.connect(admin).authorizeKey(7, admin, Purpose.send, KEYS_VALID_UNTIL);
      const args = [7, admin.address, keysOf(network, 7).admin.address];
      await expectRevert(call, "PartnerRegistry_NotAdmin", args);
    });

    it("reverts with UnknownPartner for a partner that was never registered", async () => {
      const { registry, cast } = await freshNetwork();
      const call = registry.connect(cast.stranger).authorizeKey(UNKNOWN, cast.stranger, Purpose.send, KEYS_VALID_UNTIL);
      await expectRevert(call, "PartnerRegistry_UnknownPartner", [UNKNOWN]);
    });
  });

  describe("when the key is invalid", () => {
    for (const [title, key, purposes] of [
      ["there is no account", ZeroAddress, Purpose.send],
      ["there is no purpose", "0x00000000000000000000000000000000000000aa", 0n],
      ["there is an unknown purpose", "0x00000000000000000000000000000000000000aa", 16n],
    ] as const) {
      it(`reverts with InvalidKey when ${title}`, async () => {
        const network = await freshNetwork();
        const { registry } = network;
        const call = registry.connect(keysOf(network, 7).admin).authorizeKey(7, key, purposes, KEYS_VALID_UNTIL);
        const args = [7, (given: string) => given.toLowerCase() === key, purposes, KEYS_VALID_UNTIL];
        await expectRevert(call, "PartnerRegistry_InvalidKey", args);
      });
    }

    it("reverts with InvalidKey when its validity is already over", async () => {
      const network = await freshNetwork();
      const { registry, cast } = network;
      const now = (await latestTimestamp()) + 5;
      await nextBlockAt(now);
      const call = registry.connect(keysOf(network, 7).admin).authorizeKey(7, cast.stranger, Purpose.send, now - 1);
      const args = [7, cast.stranger.address, Purpose.send, now - 1];
      await expectRevert(call, "PartnerRegistry_InvalidKey", args);
    });
  });

  describe("when the key is valid", () => {
    it("grants it the purposes and emits KeyAuthorized", async () => {
      const network = await freshNetwork();
      const { registry, cast } = network;
      const key = cast.stranger.address;
      await expect(registry.connect(keysOf(network, 7).admin).authorizeKey(7, key, Purpose.all, KEYS_VALID_UNTIL))
        .to.emit(registry, "KeyAuthorized")
        .withArgs(7, key, Purpose.all, KEYS_VALID_UNTIL);
      const granted = await registry.keyOf(7, key);
      expect([...granted]).to.deep.equal([Purpose.all, BigInt(KEYS_VALID_UNTIL), 0n]);
      for (const purpose of [Purpose.send, Purpose.accept, Purpose.quote, Purpose.fund]) {
        await registry.checkKey(7, key, purpose);
      }
    });

    it("takes a key that is valid for this very second", async () => {
      const network = await freshNetwork();
      const { registry, cast } = network;
      const now = (await latestTimestamp()) + 5;
      await nextBlockAt(now);
      await registry.connect(keysOf(network, 7).admin).authorizeKey(7, cast.stranger, Purpose.send, now);
      await registry.checkKey(7, cast.stranger, Purpose.send, { blockTag: "latest" });
    });

    it("replaces what the key had", async () => {
      const network = await freshNetwork();
      const { registry } = network;
      const { admin, send } = keysOf(network, 7);
      await registry.connect(admin).authorizeKey(7, send, Purpose.accept, KEYS_VALID_UNTIL - 1);
      await registry.checkKey(7, send, Purpose.accept);
      const call = registry.checkKey(7, send, Purpose.send);
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [7, send.address, Purpose.send]);
    });

    for (const move of ["suspend", "freeze"] as const) {
      it(`grants it after ${move}`, async () => {
        const network = await freshNetwork();
        const { registry, cast } = network;
        await registry.connect(cast.guardian)[move](7);
        await registry.connect(keysOf(network, 7).admin).authorizeKey(7, cast.stranger, Purpose.send, KEYS_VALID_UNTIL);
        await registry.checkKey(7, cast.stranger, Purpose.send);
      });
    }

    it("lets one key act for several partners, each by its own grant", async () => {
      const network = await freshNetwork();
      const { registry } = network;
      const { send } = keysOf(network, 7);
      await registry.connect(keysOf(network, 8).admin).authorizeKey(8, send, Purpose.accept, KEYS_VALID_UNTIL);
      await registry.checkKey(7, send, Purpose.send);
      await registry.checkKey(8, send, Purpose.accept);
      const call = registry.checkKey(8, send, Purpose.send);
      await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [8, send.address, Purpose.send]);
    });
  });
});

describe("PartnerRegistry.addPurpose", () => {
  const ARBITRATE = 16n;

  for (const [title, purpose] of [
    ["none", 0n],
    ["one that exists", Purpose.fund],
    ["two at once", 48n],
    ["one that exists, and a new one", 24n],
  ] as const) {
    it(`reverts with InvalidPurpose for ${title}`, async () => {
      const { registry, cast } = await freshNetwork();
      const call = registry.connect(cast.council).addPurpose(purpose, "arbitrate");
      await expectRevert(call, "PartnerRegistry_InvalidPurpose", [purpose, Purpose.all]);
    });
  }

  it("lets keys be granted it from then on, and emits PurposeAdded", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const { admin, send } = keysOf(network, 7);
    await expect(registry.connect(cast.council).addPurpose(ARBITRATE, "arbitrate"))
      .to.emit(registry, "PurposeAdded")
      .withArgs(ARBITRATE, "arbitrate");
    expect(await registry.knownPurposes()).to.equal(Purpose.all | ARBITRATE);
    await registry.connect(admin).authorizeKey(7, send, Purpose.send | ARBITRATE, KEYS_VALID_UNTIL);
    await registry.checkKey(7, send, ARBITRATE);
  });

  it("gives it to no key that was granted all there was before", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const { admin, send } = keysOf(network, 7);
    await registry.connect(admin).authorizeKey(7, send, Purpose.all, KEYS_VALID_UNTIL);
    await registry.connect(cast.council).addPurpose(ARBITRATE, "arbitrate");
    const call = registry.checkKey(7, send, ARBITRATE);
    await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [7, send.address, ARBITRATE]);
  });

  it("takes the last of sixteen", async () => {
    const { registry, cast } = await freshNetwork();
    for (let bit = 4n; bit < 16n; bit += 1n) await registry.connect(cast.council).addPurpose(1n << bit, `${bit}`);
    expect(await registry.knownPurposes()).to.equal(65_535);
  });
});

describe("PartnerRegistry.revokeKey", () => {
  it("reverts with NotAdmin when the caller is not the partner's admin", async () => {
    const network = await freshNetwork();
    const { registry } = network;
    const { send, admin } = keysOf(network, 7);
    const call = registry.connect(send).revokeKey(7, send);
    await expectRevert(call, "PartnerRegistry_NotAdmin", [7, send.address, admin.address]);
  });

  it("reverts with UnknownPartner for a partner that was never registered", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.stranger).revokeKey(UNKNOWN, cast.stranger);
    await expectRevert(call, "PartnerRegistry_UnknownPartner", [UNKNOWN]);
  });

  it("takes all purposes from the key and emits KeyRevoked", async () => {
    const network = await freshNetwork();
    const { registry } = network;
    const { send, admin } = keysOf(network, 7);
    await expect(registry.connect(admin).revokeKey(7, send)).to.emit(registry, "KeyRevoked").withArgs(7, send.address);
    expect([...(await registry.keyOf(7, send))]).to.deep.equal([0n, 0n, 0n]);
    const call = registry.checkKey(7, send, Purpose.send);
    await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [7, send.address, Purpose.send]);
  });

  it("revokes a key that was never granted, which changes nothing", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    await expect(registry.connect(keysOf(network, 7).admin).revokeKey(7, cast.stranger))
      .to.emit(registry, "KeyRevoked")
      .withArgs(7, cast.stranger.address);
  });
});

describe("PartnerRegistry.checkKey", () => {
  it("passes until the key's last second, and reverts with KeyNotAuthorized after it", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const validUntil = (await latestTimestamp()) + 100;
    const key = cast.stranger;
    await registry.connect(keysOf(network, 7).admin).authorizeKey(7, key, Purpose.send, validUntil);
    await nextBlockAt(validUntil);
    await registry.connect(keysOf(network, 7).admin).revokeKey(7, cast.courier);
    await registry.checkKey(7, key, Purpose.send, { blockTag: "latest" });
    await nextBlockAt(validUntil + 1);
    await registry.connect(keysOf(network, 7).admin).revokeKey(7, cast.courier);
    const call = registry.checkKey(7, key, Purpose.send, { blockTag: "latest" });
    await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [7, key.address, Purpose.send]);
  });

  it("reverts with KeyNotAuthorized for a key that has only some of several purposes", async () => {
    const network = await freshNetwork();
    const { registry } = network;
    const { send } = keysOf(network, 7);
    const both = Purpose.send | Purpose.accept;
    const call = registry.checkKey(7, send, both);
    await expectRevert(call, "PartnerRegistry_KeyNotAuthorized", [7, send.address, both]);
  });
});

describe("PartnerRegistry.setEndpoint", () => {
  it("reverts with NotAdmin when the caller is not the partner's admin", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    const call = registry.connect(cast.registrar).setEndpoint(7, ENDPOINT);
    const args = [7, cast.registrar.address, keysOf(network, 7).admin.address];
    await expectRevert(call, "PartnerRegistry_NotAdmin", args);
  });

  it("reverts with UnknownPartner for a partner that was never registered", async () => {
    const { registry, cast } = await freshNetwork();
    const call = registry.connect(cast.stranger).setEndpoint(UNKNOWN, ENDPOINT);
    await expectRevert(call, "PartnerRegistry_UnknownPartner", [UNKNOWN]);
  });

  it("replaces the endpoint and emits EndpointChanged", async () => {
    const network = await freshNetwork();
    const { registry } = network;
    const values = [ENDPOINT.url, ENDPOINT.signingKey, ENDPOINT.encryptionKey];
    await expect(registry.connect(keysOf(network, 7).admin).setEndpoint(7, ENDPOINT))
      .to.emit(registry, "EndpointChanged")
      .withArgs(7, values);
    expect([...(await registry.endpointOf(7))]).to.deep.equal(values);
  });

  it("is allowed while the partner is frozen", async () => {
    const network = await freshNetwork();
    const { registry, cast } = network;
    await registry.connect(cast.guardian).freeze(7);
    await registry.connect(keysOf(network, 7).admin).setEndpoint(7, ENDPOINT);
    expect((await registry.partnerOf(7)).status).to.equal(PartnerStatus.Frozen);
    expect((await registry.endpointOf(7)).url).to.equal(ENDPOINT.url);
  });
});
