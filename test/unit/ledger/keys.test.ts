import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { expect } from "chai";
import { recoverAddress, scrypt, SigningKey, Transaction, TypedDataEncoder, verifyMessage, Wallet } from "ethers";
import { fromHex, toHex, type Hex } from "../../../src/domain/bytes/hex.ts";
import { keccak256 } from "../../../src/domain/bytes/keccak.ts";
import { createKeystore, openKeystore } from "../../../src/ledger/keys/keystore.ts";
import type { LedgerKey } from "../../../src/ledger/keys/key.ts";
import { completeSignature } from "../../../src/ledger/keys/signature.ts";
import { keyInMemory, ledgerSigner } from "../../../src/ledger/keys/signing-key.ts";
import { web3Signer } from "../../../src/ledger/keys/web3signer.ts";
import { createRandom } from "../../../src/kernel/random.ts";

const SECRET = `0x${"4c".repeat(32)}`;
const WALLET = new Wallet(SECRET);
const ADDRESS = WALLET.address.toLowerCase() as Hex; // an address is hexadecimal
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const DOMAIN = { name: "Feiqian", version: "1", chainId: 31_337n, verifyingContract: `0x${"11".repeat(20)}` };
const TYPES = {
  Settlement: [
    { name: "batchId", type: "bytes32" },
    { name: "rejectionsHash", type: "bytes32" },
  ],
};
const VALUE = { batchId: `0x${"ab".repeat(32)}`, rejectionsHash: `0x${"00".repeat(32)}` };
const REQUEST = { to: `0x${"22".repeat(20)}`, data: "0x1234", nonce: 7, chainId: 31_337, gasLimit: 50_000 };

async function expectToSign(key: LedgerKey): Promise<void> {
  const signer = ledgerSigner(key);
  const typed = await signer.signTypedData(DOMAIN, TYPES, VALUE);
  expect(recoverAddress(TypedDataEncoder.hash(DOMAIN, TYPES, VALUE), typed)).to.equal(WALLET.address);
  for (const fees of [
    { type: 2, maxFeePerGas: 5n, maxPriorityFeePerGas: 1n },
    { type: 0, gasPrice: 3n },
  ]) {
    const raw = await signer.signTransaction({ ...REQUEST, ...fees, from: WALLET.address });
    expect(raw).to.equal(await WALLET.signTransaction({ ...REQUEST, ...fees }));
    expect(Transaction.from(raw).from).to.equal(WALLET.address);
  }
  expect(verifyMessage("Grüße", await signer.signMessage("Grüße"))).to.equal(WALLET.address);
}

describe("ledger signer", () => {
  it("signs typed data, transactions and messages as the key that it stands for", async () => {
    await expectToSign(keyInMemory(SECRET));
  });

  it("refuses a transaction from another address, and tells its address with its checksum", async () => {
    const signer = ledgerSigner(keyInMemory(SECRET));
    const failure = await failureOf(signer.signTransaction({ ...REQUEST, from: `0x${"33".repeat(20)}` }));
    expect(failure.message).to.contain("transaction.from");
    expect(await signer.getAddress()).to.equal(WALLET.address);
  });

  it("does not tell a private key, neither one that is none nor when printed", () => {
    const wrong = `${SECRET}ff`;
    expect(() => keyInMemory(wrong))
      .to.throw("privateKey")
      .and.satisfy((error: Error) => !inspect(error).includes(wrong));
    const zero = `0x${"00".repeat(32)}`;
    expect(() => keyInMemory(zero))
      .to.throw("privateKey")
      .and.satisfy((error: Error) => !inspect(error).includes(zero));
    const key = keyInMemory(SECRET);
    expect(inspect([key, ledgerSigner(key)], { depth: 9, showHidden: true })).not.to.contain("4c4c4c4c");
  });
});

describe("keystore", () => {
  const random = createRandom("keystore");
  const drawBytes = (length: number) => random.bytes(length);
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "keystore-"))));
  after(() => rm(folder, { recursive: true }));

  it("keeps a key that signs as before, in a file that only its owner may read", async () => {
    const path = join(folder, "send.json");
    expect(await createKeystore(path, "correct horse", drawBytes, { scryptN: 2, privateKey: SECRET })).to.equal(
      ADDRESS,
    );
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readFile(path, "utf8")).not.to.contain("4c4c4c4c");
    await expectToSign(await openKeystore(path, "correct horse"));
    expect((await Wallet.fromEncryptedJson(await readFile(path, "utf8"), "correct horse")).address).to.equal(
      WALLET.address,
    );
  });

  it("derives keys as RFC 7914 has it, section 12", async () => {
    const derived = await scrypt(Buffer.from("password"), Buffer.from("NaCl"), 1_024, 8, 16, 64);
    expect(derived).to.equal(
      "0xfdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
    );
  });

  it("makes a new key each time, and leaves a file that is there as it is", async () => {
    const paths = [join(folder, "a.json"), join(folder, "b.json")] as const;
    const made = await Promise.all(paths.map((path) => createKeystore(path, "pass", drawBytes, { scryptN: 2 })));
    expect(new Set(made).size).to.equal(2);
    expect((await openKeystore(paths[0], "pass")).address).to.equal(made[0]);
    expect((await failureOf(createKeystore(paths[0], "pass", drawBytes, { scryptN: 2 }))).message).to.contain("EEXIST");
    expect((await openKeystore(paths[0], "pass")).address).to.equal(made[0]);
    expect((await failureOf(createKeystore(join(folder, "c.json"), "", drawBytes))).message).to.contain("password");
  });

  it("names the file and not the password when it cannot be opened", async () => {
    const path = join(folder, "wrong.json");
    await createKeystore(path, "right", drawBytes, { scryptN: 2, privateKey: SECRET });
    const failure = await failureOf(openKeystore(path, "not-this-password"));
    expect(failure.message).to.contain("wrong.json");
    expect(inspect(failure)).not.to.contain("not-this-password").and.not.to.contain("4c4c");
    expect((await failureOf(openKeystore(import.meta.filename, "x"))).message).to.contain("Web3 Secret Storage");
  });
});

describe("Web3Signer", () => {
  const signing = new SigningKey(SECRET);
  const other = new SigningKey(`0x${"5d".repeat(32)}`);
  let server: Server;
  let url: string;
  let answer: (digest: Uint8Array) => { status: number; body: string };
  let seen: { method: string; path: string; authorization: string | undefined; body: string }[] = [];

  before(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { method = "", url: path = "", headers } = request;
        seen.push({ method, path, authorization: headers.authorization, body });
        if (path === "/signer/api/v1/eth1/publicKeys") {
          return response.end(JSON.stringify([other.publicKey, `0x${signing.publicKey.slice(4)}`]));
        }
        const { data } = JSON.parse(body) as { data: string }; // what the API takes
        const isKnown = path === `/signer/api/v1/eth1/sign/0x${signing.publicKey.slice(4)}`;
        const { status, body: text } = isKnown ? answer(keccak256(fromHex(data))) : { status: 404, body: "" };
        response.writeHead(status, { "content-type": "text/plain" });
        return response.end(text);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://user:pa55word@127.0.0.1:${(server.address() as AddressInfo).port}/signer/`; // listens on TCP
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  beforeEach(() => {
    seen = [];
    answer = (digest) => ({ status: 200, body: signing.sign(digest).serialized });
  });
  const key = (address: Hex = ADDRESS) => web3Signer(url, address, { fetch, timeoutMs: 1_000 });

  it("signs what it hashes itself, under the public key of the address, which is looked up once", async () => {
    await expectToSign(key());
    expect(seen.filter(({ method }) => method === "GET")).to.have.lengthOf(1);
    expect(seen.every(({ authorization }) => authorization === "Basic dXNlcjpwYTU1d29yZA==")).to.equal(true);
  });

  it("is shown any password as it is, and a name without one", async () => {
    const at = url.replace("http://user:pa55word@", "");
    for (const [given, shown] of [
      ["us%C3%A9r:p^%25 ss", "usér:p^% ss"],
      ["usér:50%", "usér:50%"],
      ["token", "token:"],
    ] as const) {
      seen = [];
      await web3Signer(`http://${given}@${at}`, ADDRESS, { fetch, timeoutMs: 1_000 }).sign(new Uint8Array(3));
      const expected = `Basic ${Buffer.from(shown).toString("base64")}`;
      expect(seen.map(({ authorization }) => authorization)).to.deep.equal([expected, expected]);
    }
  });

  it("is held to its address: a signature by another key is not passed on", async () => {
    answer = (digest) => ({ status: 200, body: other.sign(digest).serialized });
    expect((await failureOf(key().sign(new Uint8Array(3)))).message).to.contain("not of this key");
    answer = () => ({ status: 200, body: "0x1234" });
    expect((await failureOf(key().sign(new Uint8Array(3)))).message).to.contain("no signature");
  });

  it("tells where it failed without credentials, and looks the key up again after a failure", async () => {
    const unknown = await failureOf(key(`0x${"77".repeat(20)}`).sign(new Uint8Array(1)));
    expect(unknown.message).to.contain("no key of 0x7777");
    answer = () => ({ status: 500, body: "boom" });
    const failed = key();
    const failure = await failureOf(failed.sign(new Uint8Array(1)));
    expect(failure.message).to.contain("HTTP status 500");
    expect(inspect(failure)).not.to.contain("pa55word");
    const away = web3Signer("http://user:pa55word@127.0.0.1:9/x", ADDRESS, { fetch, timeoutMs: 500 });
    const silent = await failureOf(away.sign(new Uint8Array(1)));
    expect(silent.message).to.contain("no answer");
    expect(inspect(silent)).not.to.contain("pa55word");
  });
});

describe("a signature without its v", function () {
  const signing = new SigningKey(SECRET);
  const sign = (digest: Uint8Array) => {
    const { r, s } = signing.sign(digest);
    return { r: BigInt(r), s: BigInt(s) };
  };

  it("is completed for any digest, with s in either half", () => {
    for (let index = 0; index < 20; index++) {
      const digest = keccak256(new Uint8Array([index]));
      const { r, s } = sign(digest);
      expect(completeSignature(digest, r, s, ADDRESS)).to.equal(signing.sign(digest).serialized);
      expect(recoverAddress(toHex(digest), completeSignature(digest, r, ORDER - s, ADDRESS))).to.equal(WALLET.address);
    }
  });
});

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const failure: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(failure).to.be.instanceOf(Error);
  return failure as Error; // asserted just above
}
