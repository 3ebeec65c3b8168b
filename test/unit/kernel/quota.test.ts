import { expect } from "chai";
import { createQuota, networkOf, retryAfterSeconds } from "../../../src/kernel/quota.ts";

describe("quota", () => {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs };
  const quota = () => createQuota({ clock, windowMs: 60_000, maxCallers: 3 });

  it("gives the limit at once, then as much as comes, and tells when there is more", () => {
    const limited = quota();
    expect(limited.take("a", 60, 60)).to.equal(0);
    expect(limited.take("a", 60, 2)).to.equal(2_000);
    nowMs += 1_999;
    expect(limited.take("a", 60, 2)).to.equal(1);
    nowMs += 1;
    expect(limited.take("a", 60, 2)).to.equal(0);
    expect(limited.takeUpTo("a", 60, 10)).to.equal(0);
    nowMs += 3_500;
    expect(limited.takeUpTo("a", 60, 10)).to.equal(3);
    expect(limited.waitMs("a", 60)).to.equal(500);
    expect(limited.take("b", 60)).to.equal(0);
  });

  it("never gives more than the limit, and nothing for a clock that is set back", () => {
    const limited = quota();
    limited.take("a", 10, 10);
    nowMs += 3_600_000;
    expect(limited.takeUpTo("a", 10, 1_000)).to.equal(10);
    nowMs -= 3_600_000;
    expect(limited.takeUpTo("a", 10, 1_000)).to.equal(0);
    nowMs += 6_000;
    expect(limited.takeUpTo("a", 10, 1_000)).to.equal(1);
  });

  it("forgets who has been away longest, so that it keeps a bounded number", () => {
    const limited = quota();
    for (const who of ["a", "b", "c"]) limited.take(who, 1);
    expect(limited.take("a", 1)).to.be.above(0);
    limited.take("d", 1);
    expect(limited.take("a", 1)).to.be.above(0);
    expect(limited.take("b", 1)).to.equal(0);
  });

  it("counts an IPv6 network as one, and an IPv4 address as itself", () => {
    expect(networkOf("192.0.2.7")).to.equal("192.0.2.7");
    expect(networkOf("::ffff:192.0.2.7")).to.equal("192.0.2.7");
    expect(networkOf("2001:DB8:0:01::1")).to.equal("2001:db8:0:1::/64");
    expect(networkOf("2001:db8:0:1:ffff:1:2:3")).to.equal("2001:db8:0:1::/64");
    expect(networkOf("2001:db8::1")).to.equal("2001:db8:0:0::/64");
    expect(networkOf("fe80::1%eth0")).to.equal("fe80:0:0:0::/64");
    expect(networkOf("::1")).to.equal("0:0:0:0::/64");
  });

  it("rounds up to whole seconds", () => {
    expect([0, 1, 1_000, 1_001].map(retryAfterSeconds)).to.deep.equal([1, 1, 1, 2]);
  });
});
