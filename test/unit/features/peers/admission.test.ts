import { createPublicKey } from "node:crypto";
import { setImmediate as immediate } from "node:timers/promises";
import { expect } from "chai";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { createAdmission, PEER_LIMITS } from "../../../../src/features/peers/admission.ts";
import { encryptTo } from "../../../../src/features/peers/encryption.ts";
import { generatePeerKeys } from "../../../../src/features/peers/keys.ts";
import { createPayloadReader } from "../../../../src/features/remittance/payloads/payload-reader.ts";
import { Refused } from "../../../../src/features/peers/refused.ts";

const [ONE, OTHER] = [parsePartnerId(4), parsePartnerId(5)] as const;
const LARGEST = PEER_LIMITS.bytesOfPartner;

describe("what is let in of other relays", () => {
  let nowMs = 1_000_000;
  const admission = (limits: Partial<typeof PEER_LIMITS> = {}) =>
    createAdmission({ clock: { nowMs: () => nowMs, sleep: () => Promise.resolve() } }, { ...PEER_LIMITS, ...limits });
  const refusal = (work: () => unknown): Refused => {
    try {
      work();
    } catch (failure) {
      if (failure instanceof Refused) return failure;
      throw failure;
    }
    throw new Error("it was let in");
  };

  it("is one largest payload of a partner at a time, or many small ones", () => {
    const doors = admission();
    const done = doors.admit("192.0.2.1", ONE, LARGEST);
    expect(refusal(() => doors.admit("192.0.2.1", ONE, 1))).to.include({
      problem: "rate-limited",
      retryAfterSeconds: 1,
    });
    // Another partner's is not held up by it.
    doors.admit("192.0.2.1", OTHER, LARGEST)();
    done();
    done();
    const many = Array.from({ length: PEER_LIMITS.requestsOfPartner }, () => doors.admit("192.0.2.1", ONE, 1_000));
    expect(refusal(() => doors.admit("192.0.2.1", ONE, 1_000)).problem).to.equal("rate-limited");
    for (const end of many) end();
    doors.admit("192.0.2.1", ONE, LARGEST);
  });

  it("is so much of all partners together", () => {
    const doors = admission();
    const held = Array.from({ length: 4 }, (_, index) => doors.admit("192.0.2.1", parsePartnerId(index + 1), LARGEST));
    expect(refusal(() => doors.admit("192.0.2.1", parsePartnerId(9), 1)).problem).to.equal("rate-limited");
    held[0]?.();
    doors.admit("192.0.2.1", parsePartnerId(9), 1);
  });

  it("is so many requests a minute of a partner", () => {
    const doors = admission({ requestsPerMinute: 2 });
    for (let count = 0; count < 2; count++) doors.admit("192.0.2.1", ONE, 1)();
    expect(refusal(() => doors.admit("192.0.2.1", ONE, 1)).retryAfterSeconds).to.equal(30);
    doors.admit("192.0.2.1", OTHER, 1)();
    nowMs += 30_000;
    doors.admit("192.0.2.1", ONE, 1)();
  });

  it("is nothing from an address that sends what nobody signed, but of partners heard from there", () => {
    const doors = admission({ failuresPerMinute: 3 });
    doors.admit("192.0.2.1", ONE, 1)();
    for (let count = 0; count < 3; count++) {
      doors.knock("192.0.2.1", OTHER);
      doors.failed("192.0.2.1");
    }
    expect(refusal(() => doors.knock("192.0.2.1", OTHER)).retryAfterSeconds).to.equal(20);
    doors.knock("192.0.2.1", ONE);
    doors.knock("192.0.2.2", OTHER);
    nowMs += 20_000;
    doors.knock("192.0.2.1", OTHER);
  });

  it("is not heard from an address in a time to come, by a clock that was set back", () => {
    const doors = admission({ failuresPerMinute: 1 });
    doors.admit("192.0.2.1", ONE, 1)();
    doors.failed("192.0.2.1");
    doors.knock("192.0.2.1", ONE);
    nowMs -= 3_600_000;
    expect(refusal(() => doors.knock("192.0.2.1", ONE)).retryAfterSeconds).to.equal(60);
  });
});

describe("a large payload", () => {
  const keys = generatePeerKeys();
  const chain = {
    chainId: 31_337n,
    transferRegistry: `0x${"11".repeat(20)}`,
    quoteBook: `0x${"12".repeat(20)}`,
  } as const;
  const envelope = { type: "feiqian-payload+jwe", from: ONE, to: OTHER } as const;
  const encrypted = async (message: object) => {
    const jwe = await encryptTo(createPublicKey(keys.encryption), message, { ...envelope, subject: "0x00" });
    return { jwe: Buffer.from(jwe), own: keys.encryption, envelope, chains: [chain] };
  };
  const hash = `0x${"11".repeat(32)}`;
  const payload = (count: number) => ({
    header: {
      ...{ source: 4, target: 5, sourceCurrency: 410, targetCurrency: 608, count, sourceTotal: "1", targetTotal: "1" },
      ...{ fee: "0", expiresAt: 4_000_000_000, root: hash },
      quote: {
        ...{
          provider: 11,
          taker: 4,
          sourceCurrency: 410,
          targetCurrency: 608,
          rateNumerator: "1",
          rateDenominator: "1",
        },
        ...{ capacity: "1", validUntil: 1, maxHold: 1, nonce: "1" },
      },
    },
    transfers: Array.from({ length: count }, (_, index) => ({
      uetr: `eb6305c9-1f7f-49de-aed0-${index.toString(16).padStart(12, "0")}`,
      ...{ sourceAmount: "1", targetAmount: "1", detailsHash: hash, salt: hash },
      details: { debtor: { x: "y".repeat(2_000) }, creditor: {}, remittance: {} },
    })),
  });

  it("is read without holding up what else there is to do", async function () {
    const reader = createPayloadReader();
    try {
      const question = await encrypted(payload(4_000));
      const done = { isRead: false };
      const reading = reader.read(question).finally(() => (done.isRead = true));
      let turns = 0;
      for (; !done.isRead; turns++) await immediate();
      expect(await reading).to.include({ transfers: 4_000, subject: "0x00" });
      // In the thread that asks it would be one turn for each of the few steps.
      expect(turns).to.be.above(100);
    } finally {
      await reader.close();
    }
  });

  it("is refused as a small one is, and by a thread that goes on", async function () {
    const reader = createPayloadReader();
    try {
      const good = payload(1_000);
      const wrong = { ...good, transfers: good.transfers.map((transfer) => ({ ...transfer, salt: "0x" })) };
      const small = { ...wrong, transfers: wrong.transfers.slice(0, 1) };
      const rules = [];
      for (const message of [wrong, small]) {
        const failure: unknown = await reader.read(await encrypted(message)).catch((caught: unknown) => caught);
        expect(failure).to.be.instanceOf(InvalidInput);
        rules.push((failure as InvalidInput).rule);
      }
      expect(rules[0]).to.equal(rules[1]);
      expect((await reader.read(await encrypted(good))).transfers).to.equal(1_000);
    } finally {
      await reader.close();
    }
  });
});
