import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { CompactEncrypt, decodeProtectedHeader } from "jose";
import { utf8 } from "../../../../src/domain/bytes/bytes.ts";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { parsePartnerId, type PartnerId } from "../../../../src/domain/partner.ts";
import {
  decryptAnswer,
  decryptWith,
  encryptAnswer,
  encryptTo,
  type Envelope,
} from "../../../../src/features/peers/encryption.ts";
import {
  decryptPeerKeys,
  encryptPeerKeys,
  generatePeerKeys,
  publicPeerKeys,
} from "../../../../src/features/peers/keys.ts";
import { parsePeerUrl, publicKeyOf } from "../../../../src/features/peers/directory.ts";

const [ALIPAY_HK, GCASH, DANA] = [7, 4, 6].map((id) => parsePartnerId(id)) as [PartnerId, PartnerId, PartnerId];
const { privateKey, publicKey } = generateKeyPairSync("x25519");
const ENVELOPE: Envelope = { type: "feiqian-payload+jwe", from: ALIPAY_HK, to: GCASH };
const MESSAGE = { secret: "Maria Dela Cruz", amount: 12n };
const BATCH = `0x${"ab".repeat(32)}`;

async function refusal(promise: Promise<unknown>): Promise<string> {
  const failure: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).to.be.instanceOf(InvalidInput);
  const { message } = failure as InvalidInput; // as just seen
  expect(message).not.to.contain("Maria");
  return message;
}

describe("a message between relays", () => {
  it("is read by its recipient, with what it is about", async () => {
    const jwe = await encryptTo(publicKey, MESSAGE, { ...ENVELOPE, subject: BATCH });
    expect(jwe).not.to.contain(Buffer.from("Maria").toString("base64url"));
    expect(await decryptWith(privateKey, jwe, ENVELOPE)).to.deep.equal({
      subject: BATCH,
      message: { secret: "Maria Dela Cruz", amount: "12" },
    });
    expect(decodeProtectedHeader(jwe)).to.deep.include({
      alg: "ECDH-ES+A256KW",
      enc: "A256GCM",
      typ: "feiqian-payload+jwe",
      kid: "partner:4",
      iss: "partner:7",
      sub: BATCH,
    });
  });

  it("is of another key each time", async () => {
    const two = await Promise.all([1, 2].map(() => encryptTo(publicKey, MESSAGE, { ...ENVELOPE, subject: BATCH })));
    expect(two[0]?.split(".")[1]).not.to.equal(two[1]?.split(".")[1]);
  });

  it("is refused as another kind, another sender's, or for another recipient", async () => {
    const jwe = await encryptTo(publicKey, MESSAGE, { ...ENVELOPE, subject: BATCH });
    expect(await refusal(decryptWith(privateKey, jwe, { ...ENVELOPE, type: "feiqian-lookup+jwe" }))).to.match(/typ/);
    expect(await refusal(decryptWith(privateKey, jwe, { ...ENVELOPE, from: DANA }))).to.match(/iss/);
    expect(await refusal(decryptWith(privateKey, jwe, { ...ENVELOPE, to: DANA }))).to.match(/kid/);
  });

  it("cannot be put under another batch: every byte of it is held to the rest", async () => {
    const jwe = await encryptTo(publicKey, MESSAGE, { ...ENVELOPE, subject: BATCH });
    const parts = jwe.split(".");
    const header = JSON.stringify({ ...decodeProtectedHeader(jwe), sub: `0x${"cd".repeat(32)}` });
    const moved = [Buffer.from(header).toString("base64url"), ...parts.slice(1)].join(".");
    await refusal(decryptWith(privateKey, moved, ENVELOPE));
    for (const index of [1, 2, 3, 4]) {
      const part = parts[index] ?? "";
      const damaged = parts.with(index, (part.startsWith("A") ? "B" : "A") + part.slice(1)).join(".");
      await refusal(decryptWith(privateKey, damaged, ENVELOPE));
    }
  });

  it("is refused by anybody else's key, and when it is none", async () => {
    const jwe = await encryptTo(publicKey, MESSAGE, { ...ENVELOPE, subject: BATCH });
    await refusal(decryptWith(generateKeyPairSync("x25519").privateKey, jwe, ENVELOPE));
    for (const text of ["", "a.b.c.d.e", "....", "{}"]) await refusal(decryptWith(privateKey, text, ENVELOPE));
  });

  it("is refused with other algorithms, compressed, or when it holds no JSON", async () => {
    const header = { typ: ENVELOPE.type, kid: "partner:4", iss: "partner:7", aud: "partner:4", sub: BATCH };
    const made = (plain: string, more: object) =>
      new CompactEncrypt(utf8(plain))
        .setProtectedHeader({ alg: "ECDH-ES+A256KW", enc: "A256GCM", ...header, ...more })
        .encrypt(publicKey);
    expect((await decryptWith(privateKey, await made("{}", {}), ENVELOPE)).message).to.deep.equal({});
    await refusal(decryptWith(privateKey, await made("{}", { alg: "ECDH-ES" }), ENVELOPE));
    await refusal(decryptWith(privateKey, await made("{}", { enc: "A128GCM" }), ENVELOPE));
    await refusal(decryptWith(privateKey, await made("{}", { zip: "DEF" }), ENVELOPE));
    await refusal(decryptWith(privateKey, await made("Maria", {}), ENVELOPE));
    await refusal(decryptWith(privateKey, await made("{}", { sub: undefined }), ENVELOPE));
  });

  it("is answered under a key that only the two know", async () => {
    const answerKey = new Uint8Array(32).fill(7);
    const envelope: Envelope = { type: "feiqian-answer+jwe", from: GCASH, to: ALIPAY_HK };
    const jwe = await encryptAnswer(answerKey, MESSAGE, { ...envelope, subject: "0x01" });
    expect((await decryptAnswer(answerKey, jwe, envelope)).subject).to.equal("0x01");
    await refusal(decryptAnswer(new Uint8Array(32), jwe, envelope));
    await refusal(decryptAnswer(answerKey, jwe, { ...envelope, from: DANA }));
    // An answer that anybody could make with the asker's public key is none.
    const forged = await encryptTo(publicKey, MESSAGE, { ...envelope, subject: "0x01" });
    await refusal(decryptAnswer(answerKey, forged, envelope));
  });
});

describe("a relay's keys for its peers", () => {
  it("are kept under a password, and come back the same", async () => {
    const keys = generatePeerKeys();
    const file = await encryptPeerKeys(keys, "correct horse");
    expect(publicPeerKeys(await decryptPeerKeys(`${file}\n`, "correct horse"))).to.deep.equal(publicPeerKeys(keys));
    expect(await refusal(decryptPeerKeys(file, "wrong horse"))).not.to.match(/horse/);
    await refusal(decryptPeerKeys(file.slice(0, -2), "correct horse"));
  });

  it("are the 32 bytes that the registry has", () => {
    const keys = generatePeerKeys();
    const { signingKey, encryptionKey } = publicPeerKeys(keys);
    expect([signingKey, encryptionKey].map((key) => key.length)).to.deep.equal([66, 66]);
    expect(publicKeyOf("Ed25519", signingKey)?.equals(createPublicKey(keys.signing))).to.equal(true);
    expect(publicKeyOf("X25519", encryptionKey)?.equals(createPublicKey(keys.encryption))).to.equal(true);
    expect(publicKeyOf("X25519", `0x${"0".repeat(64)}`)).to.equal(undefined);
  });
});

describe("a peer's address in the registry", () => {
  it("is http or https, and a place only", () => {
    expect(parsePeerUrl("https://relay.gcash.example")).to.equal("https://relay.gcash.example");
    expect(parsePeerUrl("https://Relay.GCash.example/feiqian/")).to.equal("https://relay.gcash.example/feiqian");
    expect(parsePeerUrl("http://127.0.0.1:8001/")).to.equal("http://127.0.0.1:8001");
    for (const text of [
      "",
      "relay.gcash.example",
      "ftp://relay.example",
      "file:///etc/passwd",
      "javascript:alert(1)",
      "https://user:pass@relay.example",
      "https://relay.example/?a=1",
      "https://relay.example/#a",
    ]) {
      expect(parsePeerUrl(text), text).to.equal(undefined);
    }
  });
});
