import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect } from "chai";
import { loadConfig, parseConfigFile } from "../../../src/app/config.ts";
import { ConfigError, type ConfigProblem } from "../../../src/kernel/config-error.ts";
import { MAX_HOLD_SECONDS } from "../../../src/domain/opening.ts";
import { MAX_PAYLOAD_TRANSFERS } from "../../../src/domain/payload.ts";
import { dataKeyFault, walletSecretFault } from "../../../src/kernel/secrets/secret-strength.ts";
import { configSchemaOf } from "../../../src/app/config-schema.ts";
import { FEATURES } from "../../../src/app/features.ts";
import { MAX_BATCH_HOLD_SECONDS, MAX_BATCH_TRANSFERS } from "../../../src/features/remittance/settings.ts";
import { LEAST, problemsOf } from "./fixtures.ts";
import { configKeys } from "../../../src/app/config-reference.ts";

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();

describe("the configuration's file", () => {
  it("needs the keys without a default only, and fills in the rest", () => {
    const config = parseConfigFile(LEAST);
    expect(config.batch).to.deep.equal({ maxTransfers: 1_000, maxDelayMs: 20, holdSeconds: 300 });
    expect(config.ledger).to.include({ confirmations: 0, priorityFeeWei: 0n });
    expect(config.api).to.include({ host: "127.0.0.1", port: 8480 });
    expect(config.liquidity.lowWater).to.deep.equal({});
  });

  it("names every key that is wrong, with its rule", () => {
    const wrong = LEAST.replace("partner: 4", "partner: 0")
      .replace("addresses.json", "addresses.json\n  confirmations: many\n  rpcUrl: http://one")
      .replace("{ keystore: transactions.json }", "{ keystore: a, web3signer: http://b }");
    expect(problemsOf(() => parseConfigFile(`${wrong}\nbatch: { maxTransfers: 1.5 }`))).to.have.deep.members([
      { key: "partner", rule: "an integer from 1 to 65535" },
      { key: "ledger.confirmations", rule: "an integer from 0 to 10000" },
      { key: "ledger.rpcUrl", rule: "no key of the configuration" },
      { key: "keys.transactions.keystore", rule: "a key file, or else web3signer and address: exactly one of them" },
      { key: "batch.maxTransfers", rule: "an integer from 1 to 10000" },
    ]);
  });

  it("refuses a name for a partner that there cannot be", () => {
    for (const id of ["0", "65536", "99999", "007", "gcash"]) {
      expect(
        problemsOf(() => parseConfigFile(`${LEAST}\nregistry: { names: { "${id}": GCash } }`)),
        id,
      ).to.deep.equal([{ key: `registry.names.${id}`, rule: "a partner's number, from 1 to 65535" }]);
    }
    const { names } = parseConfigFile(`${LEAST}\nregistry: { names: { "1": DANA, "65535": GCash } }`).registry;
    expect(names).to.deep.equal({ "1": "DANA", "65535": "GCash" });
  });

  it("refuses values that no relay could work with", () => {
    const wrong = `${LEAST}\nbatch: { maxTransfers: 10001 }\nquote: { leastValiditySeconds: 80000 }\napi: { trustProxy: garbage }`;
    expect(problemsOf(() => parseConfigFile(wrong)).map(({ key }) => key)).to.have.members([
      "batch.maxTransfers",
      "quote.leastValiditySeconds",
      "api.trustProxy",
    ]);
    expect(parseConfigFile(`${LEAST}\napi: { trustProxy: "10.0.0.7, 10.1.0.0/16" }`).api.trustProxy).to.contain("10.1");
    expect(MAX_BATCH_HOLD_SECONDS, "as long as the ledger holds").to.equal(MAX_HOLD_SECONDS);
    const others = `${LEAST.replace("addresses:", "priorityFeeWei: 10000000000000\n  addresses:")}\nbatch: { holdSeconds: 86401 }`;
    expect(problemsOf(() => parseConfigFile(others)).map(({ key }) => key)).to.have.members([
      "ledger.priorityFeeWei",
      "batch.holdSeconds",
    ]);
    expect(MAX_BATCH_TRANSFERS, "as many as a payload takes").to.equal(MAX_PAYLOAD_TRANSFERS);
  });

  it("refuses a public URL that others cannot be told, or cannot put a path after", () => {
    const rule = "an http or https URL without user, password, query or fragment: everybody is told it";
    for (const url of [
      ...["ftp://relay.example", "relay.example", "https://me@relay.example", "https://me:hush@relay.example"],
      ...[
        "https://relay.example/?a=b",
        "https://relay.example/?",
        "https://relay.example/#a",
        "https://relay.example#",
      ],
    ]) {
      const found = problemsOf(() => parseConfigFile(LEAST, { FEIQIAN_API_PUBLIC_URL: url }));
      expect(found, url).to.deep.equal([{ key: "api.publicUrl", rule }]);
    }
    const config = parseConfigFile(LEAST, { FEIQIAN_API_PUBLIC_URL: "https://relay.example/feiqian" });
    expect(config.api.publicUrl).to.equal("https://relay.example/feiqian");
  });

  it("names what is missing", () => {
    expect(problemsOf(() => parseConfigFile("partner: 4")).map(({ key }) => key)).to.have.members([
      "ledger",
      "keys",
      "peer",
      "wallet",
    ]);
    expect(problemsOf(() => parseConfigFile("- 4"))[0]?.key).to.equal("configuration");
    expect(problemsOf(() => parseConfigFile("partner: 4\npartner: 5"))[0]?.rule).to.match(/unique/i);
  });

  it("reads amounts exactly, as numbers and as text, and nothing as a float", () => {
    const config = parseConfigFile(`${LEAST}\nliquidity: { lowWater: { HKD: 5000, PHP: "9007199254740993123" } }`);
    expect(config.liquidity.lowWater).to.deep.equal({ HKD: 5_000n, PHP: 9_007_199_254_740_993_123n });
    const float = () => parseConfigFile(`${LEAST}\nliquidity: { lowWater: { HKD: 50.5 } }`);
    expect(problemsOf(float)).to.deep.equal([
      { key: "liquidity.lowWater.HKD", rule: "minor units, as an integer or decimal text" },
    ]);
  });

  it("takes amounts of currencies that there are, and a wallet's address that calls can be made to", () => {
    for (const code of ["XXX", "hkd", "HK"]) {
      const problems = problemsOf(() => parseConfigFile(`${LEAST}\nliquidity: { lowWater: { ${code}: 5 } }`));
      expect(problems.map(({ key }) => key)).to.deep.equal([`liquidity.lowWater.${code}`]);
      expect(problems[0]?.rule).to.contain("ISO 4217");
    }
    // fetch takes no credentials in a URL, and what is put after a query is no path.
    for (const url of [
      "http://u:p@127.0.0.1:9",
      "http://u@127.0.0.1:9",
      "http://127.0.0.1:9/?a",
      "http://127.0.0.1:9/#a",
    ]) {
      const problems = problemsOf(() => parseConfigFile(LEAST, { FEIQIAN_WALLET_URL: url }));
      expect(
        problems.map(({ key }) => key),
        url,
      ).to.deep.equal(["wallet.url"]);
    }
  });

  it("lets the environment go before the file, and refuses variables that it does not know", () => {
    const config = parseConfigFile(LEAST, {
      FEIQIAN_PARTNER: "7",
      FEIQIAN_LEDGER_RPC_URLS: "http://a:1, http://b:2",
      FEIQIAN_BATCH_MAX_DELAY_MS: "0",
      FEIQIAN_LIQUIDITY_LOW_WATER: '{"KRW":"12"}',
      FEIQIAN_URL: "http://for.the.command.line",
      PATH: "/bin",
    });
    expect(config).to.deep.include({ partner: 7 });
    expect(config.ledger.rpcUrls).to.deep.equal(["http://a:1", "http://b:2"]);
    expect(config.batch.maxDelayMs).to.equal(0);
    expect(config.liquidity.lowWater).to.deep.equal({ KRW: 12n });
    expect(problemsOf(() => parseConfigFile(LEAST, { FEIQIAN_BATCH_MAX_DELAY: "5" }))).to.deep.equal([
      { key: "FEIQIAN_BATCH_MAX_DELAY", rule: "no variable of the configuration" },
    ]);
    expect(problemsOf(() => parseConfigFile(LEAST, { FEIQIAN_API_PORT: "80a" }))[0]?.key).to.equal("api.port");
  });

  it("refuses as many witnesses as there are endpoints", () => {
    const wrong = () => parseConfigFile(LEAST, { FEIQIAN_LEDGER_WITNESSES: "1" });
    expect(problemsOf(wrong)).to.deep.equal([{ key: "ledger.witnesses", rule: "less than there are endpoints" }]);
    const urls = { FEIQIAN_LEDGER_RPC_URLS: "http://a:1,http://b:2" };
    expect(parseConfigFile(LEAST, { ...urls, FEIQIAN_LEDGER_WITNESSES: "1" }).ledger.witnesses).to.equal(1);
  });

  it("refuses an endpoint twice: it would confirm what it has said itself", () => {
    const twice = { FEIQIAN_LEDGER_RPC_URLS: "http://a:1,http://A:1/" };
    expect(problemsOf(() => parseConfigFile(LEAST, twice))[0]).to.include({ key: "ledger.rpcUrls" });
    const broken = { FEIQIAN_LEDGER_RPC_URLS: "a,http://b:1" };
    expect(problemsOf(() => parseConfigFile(LEAST, broken)).map(({ key }) => key)).to.deep.equal(["ledger.rpcUrls.0"]);
  });
});

describe("a relay's configuration", () => {
  let folder: string;
  const DATA_KEY = digestOf("a data key").toString("hex");
  const WALLET = `whsec_${digestOf("a wallet's secret").toString("base64")}`;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-config-"));
    const files = {
      "relay.yaml": LEAST,
      "addresses.json": "{}",
      "send.password": "open sesame\n",
      "peer.jwe": "eyJ…",
      "peer.password": "open too",
      "wallet.secret": `${WALLET}\n`,
    };
    await Promise.all(
      Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text, { mode: 0o600 })),
    );
  });
  afterEach(() => rm(folder, { recursive: true }));

  const load = (environment: Readonly<Record<string, string>>) => loadConfig(join(folder, "relay.yaml"), environment);

  it("reads secrets from the files beside it and from the environment", async () => {
    const config = await load({ FEIQIAN_DATA_KEY: DATA_KEY, FEIQIAN_KEYS_TRANSACTIONS_PASSWORD: "hush hush" });
    const { send, accept, transactions } = config.keys;
    expect(send).to.include({ kind: "keystore", path: join(folder, "send.json") });
    expect(send.kind === "keystore" && send.password.reveal()).to.equal("open sesame");
    expect(transactions.kind === "keystore" && transactions.password.reveal()).to.equal("hush hush");
    expect(accept).to.deep.include({
      kind: "web3signer",
      address: "0xabcdefabcdef0000000000000000000000000001",
    });
    expect(config.wallet.secret.reveal()).to.equal(WALLET);
    expect(config.database).to.deep.equal({ folder: join(folder, "feiqian-data") });
  });

  it("reads a token for each endpoint that asks for one, and sends none in the clear", async () => {
    await writeFile(join(folder, "one.jwt"), "one.two.three\n", { mode: 0o600 });
    const secrets = { FEIQIAN_DATA_KEY: DATA_KEY, FEIQIAN_KEYS_TRANSACTIONS_PASSWORD: "hush hush" };
    const given = (urls: readonly string[], files: object) =>
      load({
        ...secrets,
        FEIQIAN_LEDGER_RPC_URLS: urls.join(","),
        FEIQIAN_LEDGER_TOKEN_FILES: JSON.stringify(files),
      });
    const urls = ["https://rpc.one.example", "http://127.0.0.1:8545", "http://rpc.two.example"];
    const { tokens } = (await given(urls, { [urls[0] ?? ""]: "one.jwt", [urls[1] ?? ""]: "one.jwt" })).ledger;
    expect([...(tokens ?? [])].map(([url, token]) => [url, token.reveal()])).to.deep.equal(
      urls.slice(0, 2).map((url) => [url, "one.two.three"]),
    );
    const refused = await given(urls, { [urls[2] ?? ""]: "one.jwt", "https://other.example": "one.jwt" }).catch(
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(ConfigError);
    expect((refused as ConfigError).problems).to.deep.equal([
      {
        key: "ledger.tokenFiles.http://rpc.two.example",
        rule: "https: a token is everybody's on the way otherwise",
      },
      { key: "ledger.tokenFiles.https://other.example", rule: "one of ledger.rpcUrls" },
    ]);
  });

  it("shows no secret when it is printed or serialized", async () => {
    const config = await load({
      FEIQIAN_DATA_KEY: DATA_KEY,
      FEIQIAN_KEYS_TRANSACTIONS_PASSWORD: "hush hush",
      DATABASE_URL: "postgres://relay:hush@db/relay",
    });
    const shown = `${inspect(config, { depth: 9 })} ${JSON.stringify(config, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value))}`;
    expect(shown).not.to.match(/hush|sesame/);
    expect(shown).not.to.contain(WALLET).and.not.to.contain(DATA_KEY);
    expect("url" in config.database && config.database.url.reveal()).to.equal("postgres://relay:hush@db/relay");
  });

  it("tells at once of all that cannot be read", async () => {
    await rm(join(folder, "peer.jwe"));
    const thrown: unknown = await load({}).catch((error: unknown) => error);
    if (!(thrown instanceof ConfigError)) throw new Error("it was accepted", { cause: thrown });
    expect(thrown.problems.map(({ key }) => key)).to.have.members([
      "keys.transactions.passwordFile",
      "peer.keys",
      "dataKey.file",
    ]);
  });

  it("refuses a data key that is none, without quoting it", async () => {
    const environment = { FEIQIAN_DATA_KEY: "not a key", FEIQIAN_KEYS_TRANSACTIONS_PASSWORD: "hush hush" };
    const thrown: unknown = await load(environment).catch((error: unknown) => error);
    expect(thrown)
      .to.be.instanceOf(ConfigError)
      .with.property("message")
      .that.matches(/^dataKey: /)
      .and.not.contains("not a");
  });
});

describe("a relay's secrets", () => {
  let folder: string;
  const [KEY, WALLET] = [digestOf("key").toString("hex"), `whsec_${digestOf("wallet").toString("base64")}`];
  const FILES = {
    "relay.yaml": LEAST.replace("transactions.json", "transactions.json, passwordFile: send.password"),
    "addresses.json": "{}",
    "send.password": "open sesame",
    "peer.jwe": "eyJ…",
    "peer.password": "open too",
    "wallet.secret": WALLET,
    "data.key": KEY,
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-secrets-"));
    const files = { ...FILES, "relay.yaml": `${FILES["relay.yaml"]}\ndataKey: { file: data.key }` };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const problems = async (): Promise<readonly ConfigProblem[]> => {
    const failure: unknown = await loadConfig(join(folder, "relay.yaml"), {}).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return [];
    if (failure instanceof ConfigError) return failure.problems;
    throw new Error("another failure", { cause: failure });
  };

  it("are refused where every user of the machine can open their file, with what to do", async () => {
    expect(await problems()).to.deep.equal([]);
    for (const mode of [0o604, 0o644, 0o602, 0o601]) {
      await chmod(join(folder, "data.key"), mode);
      const rule = `a file that only the relay's user, or its group, can open: chmod 600 ${join(folder, "data.key")}`;
      expect(await problems(), mode.toString(8)).to.deep.equal([{ key: "dataKey.file", rule }]);
    }
    for (const mode of [0o400, 0o440, 0o640]) {
      await chmod(join(folder, "data.key"), mode);
      expect(await problems(), mode.toString(8)).to.deep.equal([]);
    }
    for (const name of ["send.password", "peer.password", "wallet.secret"]) await chmod(join(folder, name), 0o644);
    expect((await problems()).map(({ key }) => key)).to.have.members([
      ...["keys.send.passwordFile", "keys.transactions.passwordFile", "peer.passwordFile", "wallet.secretFile"],
    ]);
    for (const name of ["send.password", "peer.password", "wallet.secret"]) await chmod(join(folder, name), 0o600);
    // Neither is a secret: the one is public, the other encrypted.
    for (const name of ["addresses.json", "peer.jwe"]) await chmod(join(folder, name), 0o644);
    expect(await problems()).to.deep.equal([]);
  });

  it("are refused in URLs of a configuration that every user of the machine can open", async () => {
    const path = join(folder, "relay.yaml");
    const config = `${FILES["relay.yaml"].replace("http://127.0.0.1:8545", "https://me:hush@node.example")}
dataKey: { file: data.key }
database: { url: "postgres://relay:hush@db/relay" }`;
    await writeFile(path, config);
    expect(await problems()).to.deep.equal([]);
    await chmod(path, 0o644);
    const rule = `a URL with a password needs a file that only the relay's user, or its group, can open: chmod 600 ${path}`;
    expect(await problems()).to.deep.equal([
      { key: "ledger.rpcUrls.0", rule },
      { key: "database.url", rule: `${rule}, or put it into database.urlFile or DATABASE_URL` },
    ]);
    await writeFile(path, config.replaceAll(":hush@", "@"));
    expect(await problems()).to.deep.equal([]);
  });

  it("are refused where they could be guessed, without being quoted", async () => {
    const base64 = (bytes: Uint8Array) => `whsec_${Buffer.from(bytes).toString("base64")}`;
    const weak = [
      ["data.key", "00".repeat(32), "dataKey"],
      ["data.key", "0123456789abcdef".repeat(4), "dataKey"],
      ["data.key", Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString("hex"), "dataKey"],
      ["data.key", Buffer.from("the quick brown fox jumps over t").toString("hex"), "dataKey"],
      ["data.key", "not a key", "dataKey"],
      ["data.key", "", "dataKey.file"],
      ["wallet.secret", base64(digestOf("short").subarray(0, 16)), "wallet.secretFile"],
      ["wallet.secret", base64(Buffer.alloc(32, 7)), "wallet.secretFile"],
      ["wallet.secret", "secret", "wallet.secretFile"],
      ["wallet.secret", WALLET.slice("whsec_".length), "wallet.secretFile"],
      ["peer.password", "1234567", "peer.passwordFile"],
      ["peer.password", "", "peer.passwordFile"],
    ] as const;
    for (const [name, text, key] of weak) {
      await writeFile(join(folder, name), text);
      const found = await problems();
      expect(
        found.map((each) => each.key),
        text,
      ).to.deep.equal([key]);
      if (text.length > 3 && text !== "secret") expect(JSON.stringify(found), text).not.to.contain(text);
      await writeFile(join(folder, name), FILES[name]);
    }
  });

  it("are taken as the commands that make them draw them", () => {
    for (let drawn = 0; drawn < 2_000; drawn++) {
      expect(dataKeyFault(randomBytes(32).toString("hex"))).to.equal(undefined);
      expect(walletSecretFault(`whsec_${randomBytes(24).toString("base64")}`)).to.equal(undefined);
    }
  });
});

describe("the configuration's reference", () => {
  it("says of every key what it is for", () => {
    expect(configKeys(configSchemaOf(FEATURES)).filter(({ description }) => description === "")).to.be.empty;
    const variables = configKeys(configSchemaOf(FEATURES)).map(({ variable }) => variable);
    expect(new Set(variables).size).to.equal(variables.length);
  });
});
