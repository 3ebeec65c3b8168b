import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { expect } from "chai";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { createOutside } from "../../../../src/kernel/outside/outside.ts";
import {
  guardedLookup,
  networks,
  parseOutsideUrl,
  ruleBroken,
  type Reach,
} from "../../../../src/kernel/outside/url-guard.ts";
import { answering, startReceiver } from "../../../integration/support/receiver.ts";

const OPERATOR: Reach = { from: "operator", allowUnsafeUrls: false };
const REGISTRY: Reach = { from: "registry", trusted: networks([]) };
const TRUSTING: Reach = { from: "registry", trusted: networks(["10.8.0.0/16", "127.0.0.0/8", "fd00:8::/32"]) };

/** Link-local addresses, those where clouds give credentials, and those that wrap others: nobody is sent there. */
const NOBODY = [
  "0.0.0.0",
  "100.100.100.200",
  "168.63.129.16",
  "169.254.169.254",
  "192.0.0.192",
  "192.0.2.1",
  "192.88.99.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::ffff:169.254.169.254",
  "::ffff:a83f:8110",
  "::169.254.169.254",
  "::a00:1",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b::7f00:1",
  "64:ff9b::10.0.0.1",
  "64:ff9b::c0a8:101",
  "64:ff9b:1::1",
  "64:ff9b:1:ffff::808:808",
  "2001::1",
  "2001:db8::1",
  "2002:a9fe:a9fe::1",
  "2002:808:808::1",
  "fd00:ec2::254",
  "fd20:ce::254",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
];
const PRIVATE = [
  "10.0.0.1",
  "100.64.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "fc00::1",
  "fd12::1",
];
const LOOPBACK = ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"];
const PUBLIC = ["8.8.8.8", "172.32.0.1", "100.63.255.255", "2001:4860:4860::8888", "64:ff9b::808:808", "2a00::1"];

describe("URLs that come from outside", () => {
  const isRefused = (address: string, reach: Reach, isPlain = false) =>
    ruleBroken(address, isPlain, reach) !== undefined;

  it("lead nowhere that is nobody's, whoever has named them", () => {
    for (const address of NOBODY) {
      expect(isIP(address.replace(/%.*/, "")), address).to.be.above(0);
      for (const reach of [OPERATOR, REGISTRY, TRUSTING]) expect(isRefused(address, reach), address).to.equal(true);
    }
    // Not though the whole range is trusted.
    const careless: Reach = { from: "registry", trusted: networks(["0.0.0.0/0", "::/0"]) };
    for (const address of NOBODY) expect(isRefused(address, careless), address).to.equal(true);
  });

  it("of the registry lead to public addresses, over HTTPS", () => {
    for (const address of PUBLIC) {
      expect(isRefused(address, REGISTRY), address).to.equal(false);
      expect(isRefused(address, REGISTRY, true), address).to.equal(true);
    }
    for (const address of [...PRIVATE, ...LOOPBACK]) expect(isRefused(address, REGISTRY), address).to.equal(true);
  });

  it("of the registry lead to networks that are trusted, over HTTP as well", () => {
    for (const address of ["10.8.1.2", "127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.8.0.1", "fd00:8::1"]) {
      for (const isPlain of [false, true]) expect(isRefused(address, TRUSTING, isPlain), address).to.equal(false);
    }
    for (const address of ["10.9.0.1", "192.168.1.1", "::1", "fd00:9::1"]) {
      expect(isRefused(address, TRUSTING), address).to.equal(true);
    }
  });

  it("of webhooks lead to private networks, too, and to this machine", () => {
    for (const address of [...PUBLIC, ...PRIVATE]) {
      expect(isRefused(address, OPERATOR), address).to.equal(false);
      expect(isRefused(address, OPERATOR, true), address).to.equal(true);
    }
    for (const address of LOOPBACK) expect(isRefused(address, OPERATOR, true), address).to.equal(false);
  });

  it("are refused for what they are, and for an address however it is written", () => {
    for (const text of [
      "http://127.0.0.1:8000/",
      "https://2852039166/",
      "https://0xa9.0xfe.0xa9.0xfe/",
      "https://0177.0.0.1/",
      "https://[::ffff:7f00:1]/",
      "https://[64:ff9b::7f00:1]/",
      "https://10.8.0.1/",
      "ftp://relay.example/",
      "https://user@relay.example/",
      "https://relay.example/#part",
      `https://relay.example/${"x".repeat(2_100)}`,
      "relay.example",
    ]) {
      expect(() => parseOutsideUrl(text, REGISTRY), text)
        .to.throw(InvalidInput)
        .with.property("field", "url");
    }
    expect(parseOutsideUrl("https://relay.example/feiqian", REGISTRY).host).to.equal("relay.example");
  });

  describe("with names", () => {
    /** As a resolver would answer, one after the other. */
    function answeringNames(...answers: readonly (readonly string[])[]) {
      let asked = 0;
      const resolve = (_host: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) => {
        const addresses = answers[Math.min(asked++, answers.length - 1)] ?? [];
        callback(
          null,
          addresses.map((address) => ({ address, family: isIP(address) })),
        );
      };
      // Of dns.lookup's many forms, the one that the guard calls.
      return resolve as unknown as Parameters<typeof guardedLookup>[2];
    }

    function connectTo(text: string, reach: Reach, resolve: Parameters<typeof guardedLookup>[2]): Promise<string> {
      const url = parseOutsideUrl(text, reach);
      const { promise, resolve: finish } = Promise.withResolvers<string>();
      guardedLookup(url, reach, resolve)(url.hostname, {}, (failure, address) => {
        finish(
          failure === null && typeof address === "string"
            ? address
            : `${failure?.code ?? ""} ${failure?.message ?? ""}`,
        );
      });
      return promise;
    }

    it("are held to the addresses that they resolve to, all of them", async () => {
      const url = "https://relay.example/";
      expect(await connectTo(url, REGISTRY, answeringNames(["8.8.8.8"]))).to.equal("8.8.8.8");
      for (const addresses of [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["64:ff9b:1::1"], ["168.63.129.16"]]) {
        expect(await connectTo(url, REGISTRY, answeringNames(addresses))).to.match(/^REFUSED_ADDRESS/);
      }
      expect(await connectTo("http://relay.example/", REGISTRY, answeringNames(["8.8.8.8"]))).to.match(/https/);
      expect(await connectTo("http://relay.example/", TRUSTING, answeringNames(["10.8.0.1"]))).to.equal("10.8.0.1");
      expect(await connectTo(url, OPERATOR, answeringNames(["192.0.0.192"]))).to.match(/^REFUSED_ADDRESS/);
    });

    it("are resolved once, where they are connected to: no other answer comes in between", async () => {
      const names = answeringNames(["8.8.8.8"], ["127.0.0.1"]);
      expect(await connectTo("https://relay.example/", REGISTRY, names)).to.equal("8.8.8.8");
      expect(await connectTo("https://relay.example/", REGISTRY, names)).to.match(/^REFUSED_ADDRESS/);
    });
  });

  it("are not gone on from to where an answer redirects", async () => {
    const inside = await startReceiver();
    const partner = await startReceiver(answering(307, { location: inside.url }));
    try {
      const outside = createOutside(networks(["127.0.0.0/8"]));
      const request = { headers: {}, body: "{}", timeoutMs: 10_000, maxAnswerBytes: 1_000 };
      expect((await outside.post(`${partner.url}/quotes`, request)).status).to.equal(307);
      expect(partner.received).to.have.length(1);
      expect(inside.received).to.have.length(0);
      // And not at all where nobody has said that this machine's addresses are others'.
      const failure: unknown = await createOutside(networks([]))
        .post(`${inside.url}/quotes`, request)
        .catch((caught: unknown) => caught);
      expect(failure).to.be.instanceOf(InvalidInput);
      const named: unknown = await createOutside(networks([]))
        .post(`${inside.url.replace("127.0.0.1", "localhost")}/quotes`, request)
        .catch((caught: unknown) => caught);
      expect(named).to.have.property("code", "REFUSED_ADDRESS");
      expect(inside.received).to.have.length(0);
    } finally {
      await Promise.all([inside.close(), partner.close()]);
    }
  });
});
