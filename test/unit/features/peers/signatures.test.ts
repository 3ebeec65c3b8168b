import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect } from "chai";
import { httpbis } from "http-message-signatures";
import { utf8 } from "../../../../src/domain/bytes/bytes.ts";
import { parsePartnerId, type PartnerId } from "../../../../src/domain/partner.ts";
import {
  contentDigest,
  ed25519Signer,
  ed25519Verifier,
  signRequest,
  verifyRequest,
  type RequestHead,
  type Verification,
} from "../../../../src/features/peers/signatures.ts";

const [ALIPAY_HK, GCASH, DANA] = [7, 4, 6].map((id) => parsePartnerId(id)) as [PartnerId, PartnerId, PartnerId];
const URL = "https://relay.gcash.example/peer/v1/payloads";
const BODY = utf8("a message");
const NOW_MS = 1_790_000_000_000;

const keys = new Map<PartnerId, KeyObject>(
  [ALIPAY_HK, GCASH].map((partner) => [partner, generateKeyPairSync("ed25519").privateKey]),
);
const keyOf = (partner: PartnerId): KeyObject => keys.get(partner) ?? fail();
const registry = (partner: PartnerId) => {
  const key = keys.get(partner);
  return Promise.resolve(key === undefined ? undefined : createPublicKey(key));
};

async function signed(partner = ALIPAY_HK, key = keyOf(partner), nowMs = NOW_MS): Promise<RequestHead> {
  const request = { method: "POST", url: URL, headers: { "content-type": "application/jose" }, body: BODY };
  const headers = await signRequest(request, { partner, key }, nowMs);
  // As Node's server has them.
  const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { method: "POST", url: URL, headers: lowered };
}

const verify = (head: RequestHead, nowMs = NOW_MS): Promise<Verification> => verifyRequest(head, registry, nowMs);

/** Signed by a partner's real key, but by another profile than the network's. */
async function signedOtherwise(
  config: Partial<Parameters<typeof httpbis.signMessage>[0]>,
  headers: Record<string, string> = {},
): Promise<RequestHead> {
  const message = await httpbis.signMessage(
    {
      key: ed25519Signer(keyOf(ALIPAY_HK)),
      fields: ["@method", "@target-uri", "content-type", "content-digest"],
      params: ["created", "expires", "keyid", "tag"],
      ...config,
      paramValues: {
        created: new Date(NOW_MS),
        expires: new Date(NOW_MS + 60_000),
        keyid: "partner:7",
        tag: "feiqian-relay",
        ...config.paramValues,
      },
    },
    {
      method: "POST",
      url: URL,
      headers: { "content-type": "application/jose", "content-digest": contentDigest(BODY), ...headers },
    },
  );
  const lowered = Object.entries(message.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { method: "POST", url: URL, headers: Object.fromEntries(lowered) };
}

async function expectRefused(head: RequestHead, nowMs = NOW_MS): Promise<string> {
  const verification = await verify(head, nowMs);
  if (verification.kind === "verified") throw new Error("it was accepted");
  return verification.why;
}

describe("the signature of a request between relays", () => {
  it("is that of RFC 9421's Ed25519 test vector (B.2.6)", async () => {
    const privateKey = createPrivateKey(
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n",
    );
    const publicKey = createPublicKey(
      "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n",
    );
    const request = {
      method: "POST",
      url: "https://example.com/foo?param=Value&Pet=dog",
      headers: {
        Host: "example.com",
        Date: "Tue, 20 Apr 2021 02:07:55 GMT",
        "Content-Type": "application/json",
        "Content-Length": "18",
      },
    };
    const message = await httpbis.signMessage(
      {
        key: ed25519Signer(privateKey),
        name: "sig-b26",
        fields: ["date", "@method", "@path", "@authority", "content-type", "content-length"],
        params: ["created", "keyid"],
        paramValues: { created: new Date(1_618_884_473_000), keyid: "test-key-ed25519" },
      },
      request,
    );
    expect(message.headers).to.include({
      "Signature-Input":
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
      Signature: "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
    });
    const keyLookup = () => Promise.resolve(ed25519Verifier(publicKey));
    expect(await httpbis.verifyMessage({ keyLookup, tolerance: Infinity }, message)).to.equal(true);
  });

  it("covers method, address, media type and digest, and tells who made it", async () => {
    const head = await signed();
    expect(head.headers["signature-input"]).to.equal(
      `feiqian=("@method" "@target-uri" "content-type" "content-digest");created=${NOW_MS / 1_000};` +
        `expires=${NOW_MS / 1_000 + 60};keyid="partner:7";tag="feiqian-relay"`,
    );
    // RFC 9530, appendix B.
    const digest = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    expect(contentDigest(utf8('{"hello": "world"}'))).to.equal(digest);
    expect(await verify(head)).to.deep.equal({ kind: "verified", partner: ALIPAY_HK });
  });

  it("does not verify over another method, address, media type or digest", async () => {
    const head = await signed();
    const changes: readonly Partial<RequestHead>[] = [
      { method: "PUT" },
      { url: `${URL}?more` },
      { url: URL.replace("gcash", "dana") },
      { url: URL.replace("https", "http") },
      { url: URL.replace("payloads", "confirmations") },
      { headers: { ...head.headers, "content-type": "application/json" } },
      { headers: { ...head.headers, "content-digest": contentDigest(utf8("another message")) } },
    ];
    for (const change of changes) {
      expect(await expectRefused({ ...head, ...change }), JSON.stringify(change)).to.equal(
        "the signature does not verify",
      );
    }
  });

  it("does not verify with any of its parameters changed, even to a valid one", async () => {
    const head = await signed();
    const input = String(head.headers["signature-input"]);
    const created = NOW_MS / 1_000;
    const changed = [
      input.replace(`created=${created}`, `created=${created - 1}`),
      input.replace(`expires=${created + 60}`, `expires=${created + 61}`),
      input.replace("partner:7", "partner:4"),
      input.replace('"@method" "@target-uri"', '"@target-uri" "@method"'),
      `${input};nonce="1"`,
    ];
    for (const value of changed) {
      expect(value).not.to.equal(input);
      const given = { ...head, headers: { ...head.headers, "signature-input": value } };
      expect(await expectRefused(given), value).to.equal("the signature does not verify");
    }
  });

  it("does not verify when it was made with another key, for another partner, or is damaged", async () => {
    await expectRefused(await signed(ALIPAY_HK, keyOf(GCASH)));
    await expectRefused(await signed(DANA, keyOf(ALIPAY_HK)));
    const head = await signed();
    const signature = String(head.headers["signature"]);
    for (const value of [signature.replace(/:..../, ":AAAA"), "feiqian=:AAAA:", "feiqian=1", "feiqian=:", ""]) {
      await expectRefused({ ...head, headers: { ...head.headers, signature: value } });
    }
  });

  it("is needed", async () => {
    const { headers, ...head } = await signed();
    const without = (...names: readonly string[]) => ({
      ...head,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name))),
    });
    expect(await expectRefused(without("signature", "signature-input"))).to.equal("no signature");
    for (const name of ["signature", "signature-input", "content-digest", "content-type"]) {
      await expectRefused(without(name));
    }
  });

  it("is refused when it covers less than the profile", async () => {
    const all = ["@method", "@target-uri", "content-type", "content-digest"];
    for (const left of all) {
      const head = await signedOtherwise({ fields: all.filter((field) => field !== left) });
      expect(await expectRefused(head), left).to.equal("Missing required signed fields");
    }
    for (const left of ["created", "expires", "keyid", "tag"]) {
      const params = ["created", "expires", "keyid", "tag"].filter((name) => name !== left);
      await expectRefused(await signedOtherwise({ params }));
    }
  });

  it("is refused when it covers a part of a component instead of all", async () => {
    const fields = ["@method", "@target-uri", "content-type", '"content-digest";key="sha-512"'];
    const digest = `${contentDigest(utf8("not the body"))}, sha-512=:AAAA:`;
    const head = await signedOtherwise({ fields }, { "content-digest": digest });
    expect(String(head.headers["signature-input"])).to.contain('"content-digest";key="sha-512"');
    expect(await expectRefused(head)).to.match(/content-digest with parameters/);
  });

  it("is refused beside another one, whoever made that", async () => {
    const head = await signed();
    const other = await signed(GCASH);
    for (const [left, right] of [
      [head, other],
      [other, head],
    ] as const) {
      const joined = (name: string) =>
        `${String(left.headers[name])}, ${String(right.headers[name]).replace("feiqian=", "other=")}`;
      const headers = { ...head.headers, signature: joined("signature"), "signature-input": joined("signature-input") };
      expect(await expectRefused({ ...head, headers })).to.equal("more than one signature");
    }
  });

  it("is refused when it is made for something else, or with another algorithm", async () => {
    for (const paramValues of [
      { tag: "another-network" },
      { keyid: "7" },
      { keyid: "partner:07" },
      { keyid: "partner:65536" },
    ]) {
      await expectRefused(await signedOtherwise({ paramValues }));
    }
    const params = ["created", "expires", "keyid", "tag", "alg"];
    await expectRefused(await signedOtherwise({ params, paramValues: { alg: "hmac-sha256" } }));
    const verification = await verify(await signedOtherwise({ params, paramValues: { alg: "ed25519" } }));
    expect(verification.kind).to.equal("verified");
  });

  it("is valid from shortly before it was made to shortly after it expires, by the clock that is given", async () => {
    const head = await signed();
    for (const seconds of [-30, 0, 60, 90]) {
      expect((await verify(head, NOW_MS + seconds * 1_000)).kind, String(seconds)).to.equal("verified");
    }
    expect(await expectRefused(head, NOW_MS - 31_000)).to.equal("created: not in the future");
    expect(await expectRefused(head, NOW_MS + 91_000)).to.equal("expired");
  });

  it("is refused when it is valid for long", async () => {
    const expires = (seconds: number) => ({ paramValues: { expires: new Date(NOW_MS + seconds * 1_000) } });
    expect((await verify(await signedOtherwise(expires(300)))).kind).to.equal("verified");
    expect(await expectRefused(await signedOtherwise(expires(301)))).to.equal("valid for 300 s at most");
  });

  it("fails, and is not refused, while the registry does not answer", async () => {
    const away = () => Promise.reject(new Error("the ledger is away"));
    const failure: unknown = await verifyRequest(await signed(), away, NOW_MS).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error).with.nested.property("cause.message", "the ledger is away");
  });
});

function fail(): never {
  throw new Error("test set-up: a key");
}
