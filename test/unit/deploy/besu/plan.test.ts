import { expect } from "chai";
import { computeAddress, id, SigningKey } from "ethers";
import { parsePlan } from "../../../../deploy/besu/plan.ts";
import { ConfigError, type ConfigProblem } from "../../../../src/kernel/config-error.ts";
import { WALLETS } from "../../../../sandbox/wallet/wallets.ts";
import { exampleJson, examplePlan, jsonWith, memberOf, planWith } from "./fixtures.ts";

function problemsOf(json: string): readonly ConfigProblem[] {
  try {
    parsePlan(json);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** The fields that are refused when these are changed. */
function refused(changes: Readonly<Record<string, unknown>>): readonly string[] {
  return problemsOf(jsonWith(changes)).map(({ key }) => key);
}

function ruleOf(changes: Readonly<Record<string, unknown>>): string {
  return problemsOf(jsonWith(changes))
    .map(({ rule }) => rule)
    .join("\n");
}

describe("the example network", () => {
  it("is the ten wallets of the sandbox", () => {
    const members = examplePlan().members.map(({ partner, displayName }) => ({ id: partner, name: displayName }));
    expect(members).to.deep.equal(WALLETS.map(({ id: partner, name }) => ({ id: partner, name })));
  });

  it("has keys that everybody can make, as its documentation says", () => {
    const key = (label: string) => new SigningKey(id(`feiqian example network: ${label}`));
    const plan = examplePlan();
    for (const { name, validator, rpc, accounts } of plan.members) {
      expect(validator.publicKey).to.equal(`0x${key(`${name} validator`).publicKey.slice(4)}`);
      expect(rpc.publicKey).to.equal(`0x${key(`${name} rpc`).publicKey.slice(4)}`);
      for (const account of accounts) {
        expect(account.address).to.equal(computeAddress(key(`${name} ${account.name}`)).toLowerCase());
      }
    }
    for (const account of plan.accounts) {
      expect(account.address).to.equal(computeAddress(key(account.name)).toLowerCase());
    }
  });

  it("names no host outside example.net", () => {
    const hosts = exampleJson().matchAll(/"(?:host|metricsHost)": "([^"]*)"/g);
    for (const [, host] of hosts) expect(host).to.match(/\.example\.net$/);
  });
});

describe("a network plan", () => {
  it("derives the addresses of nodes from their public keys", () => {
    const key = new SigningKey(id("another key"));
    const plan = planWith({ "members.0.validator.publicKey": `0x${key.publicKey.slice(4).toUpperCase()}` });
    expect(plan.members[0]?.validator.address).to.equal(computeAddress(key).toLowerCase());
    expect(plan.members[0]?.validator.publicKey).to.equal(`0x${key.publicKey.slice(4)}`);
  });

  it("fills in what may be left out", () => {
    const { chain } = planWith({
      "chain.blockPeriodSeconds": 3,
      "chain.requestTimeoutSeconds": undefined,
      "chain.epochLength": undefined,
    });
    expect(chain).to.deep.include({
      blockPeriodSeconds: 3,
      requestTimeoutSeconds: 6,
      epochLength: 30_000,
      emptyBlockPeriodSeconds: undefined,
      forks: { prague: undefined, osaka: undefined },
    });
  });

  it("tells all that is wrong at once, each with its field and rule", () => {
    expect(
      refused({
        name: "Feiqian Network",
        "chain.chainId": 0,
        "chain.blockperiodseconds": 2,
        "members.3.validator.host": "validator.alipay.example.net",
        "members.4.rpc.rpcPort": "8545",
        "members.9.partner": 1,
        "images.besu": "hyperledger/besu:latest",
      }),
    ).to.have.members([
      "name",
      "chain.chainId",
      "chain.blockperiodseconds",
      "members.3.validator.host",
      "members.4.rpc.rpcPort",
      "members.9.partner",
      "images.besu",
    ]);
    expect(problemsOf("{")).to.deep.equal([{ key: "network.json", rule: "JSON" }]);
    expect(problemsOf("[]").map(({ key }) => key)).to.deep.equal(["network.json"]);
  });

  it("refuses what it does not know, wherever it is", () => {
    expect(refused({ consensus: "qbft" })).to.deep.equal(["consensus"]);
    expect(refused({ "members.0.validator.address": "0x" })).to.deep.equal(["members.0.validator.address"]);
    expect(refused({ "members.2.signer.keys.0.profile": "x" })).to.deep.equal(["members.2.signer.keys.0.profile"]);
  });

  it("has at least four members, as three bear no fault", () => {
    const { members } = JSON.parse(exampleJson()) as { readonly members: readonly unknown[] };
    expect(problemsOf(jsonWith({ members: members.slice(0, 4) }))).to.be.empty;
    expect(ruleOf({ members: members.slice(0, 3) })).to.contain("at least 4 members");
  });

  it("has every key, host, port, partner, name and account once", () => {
    const plan = examplePlan();
    const other = memberOf(plan, "paytm");
    expect(refused({ "members.0.partner": 2 })).to.deep.equal(["members.1.partner"]);
    expect(refused({ "members.0.name": "paytm" })).to.deep.equal(["members.1.name"]);
    expect(refused({ "members.0.rpc.host": other.validator.host })).to.deep.equal(["members.1.validator.host"]);
    expect(refused({ "members.1.rpc.publicKey": other.validator.publicKey })).to.deep.equal([
      "members.1.validator.publicKey",
    ]);
    expect(refused({ "members.0.validator.metricsPort": 30_303 })).to.deep.equal(["members.0.validator.metricsPort"]);
    expect(
      refused({ "members.0.relay.metricsHost": "signer.alipay.example.net", "members.0.signer.port": 8480 }),
    ).to.have.lengthOf(1);
    const account = other.accounts[0]?.address ?? "";
    // In another case it is the same.
    expect(refused({ "accounts.0.address": account.replace("0x", "0X").toUpperCase().replace("0X", "0x") })).to.include(
      "members.1.accounts.0.address",
    );
    expect(refused({ "members.1.accounts.1.name": "relay" })).to.deep.equal(["members.1.accounts.1.name"]);
    const vaultKey = { kind: "vault", path: "secret/data/feiqian/alipay/rpc", field: "node-key" };
    expect(refused({ "members.0.validator.key": vaultKey })).to.have.lengthOf(1);
  });

  it("may have the same path of a file on hosts of different members", () => {
    const key = { kind: "file", path: "/etc/feiqian/node-key" };
    expect(refused({ "members.1.validator.key": key, "members.5.validator.key": key })).to.be.empty;
  });

  it("refuses a public key that is not on the curve, or has the prefix of its encoding", () => {
    const path = "members.0.validator.publicKey";
    expect(refused({ [path]: `0x${"1".repeat(128)}` })).to.deep.equal([path]);
    expect(refused({ [path]: `0x04${"1".repeat(128)}` })).to.deep.equal([path]);
    expect(ruleOf({ [path]: "0x12" })).to.contain("secp256k1");
  });

  it("refuses an address whose checksum is wrong, and the zero address", () => {
    const right = "0x6C07ae3E4BCbeeA6b870D2Dae3Fff5F9B6e66136";
    const path = "members.0.accounts.0.address";
    expect(refused({ [path]: right })).to.be.empty;
    expect(refused({ [path]: right.replace("6C07", "6c07") })).to.deep.equal([path]);
    expect(refused({ [path]: right.toLowerCase() })).to.be.empty;
    expect(refused({ [path]: `0x${"0".repeat(40)}` })).to.deep.equal([path]);
  });

  it("refuses hosts that others cannot reach", () => {
    const path = "members.0.validator.host";
    for (const host of [
      "localhost",
      "127.0.0.1",
      "0.0.0.0",
      "10.0.0.256",
      "10.0.1",
      "a_b.net",
      "A.net",
      "a..net",
      "x:1",
    ]) {
      expect(refused({ [path]: host }), host).to.deep.equal([path]);
    }
    for (const host of ["10.1.2.3", "besu-1", "v1.alipay.example.net"]) {
      expect(refused({ [path]: host }), host).to.be.empty;
    }
  });

  it("keeps the ports free at which a node's operator reaches it", () => {
    expect(refused({ "members.0.validator.metricsPort": 8545 })).to.deep.equal(["members.0.validator.metricsPort"]);
    expect(refused({ "members.0.rpc.rpcPort": 8546 })).to.deep.equal(["members.0.rpc.rpcPort"]);
  });
});

describe("the parameters of a chain", () => {
  it("are within their ranges", () => {
    for (const [field, values] of Object.entries({
      chainId: [0, -1, 1.5, "1", 2 ** 53],
      blockPeriodSeconds: [0, 0.5, 31],
      requestTimeoutSeconds: [1, 301],
      epochLength: [0, 999],
      gasLimit: [29_999_999, 1_000_000_001, "0x8f0d180"],
      emptyBlockPeriodSeconds: [0, 2, 61],
    })) {
      for (const value of values) {
        const other = field === "requestTimeoutSeconds" ? {} : { "chain.requestTimeoutSeconds": undefined };
        expect(refused({ ...other, [`chain.${field}`]: value }), `${field} ${value}`).to.deep.equal([`chain.${field}`]);
      }
    }
  });

  it("have forks in their order, in seconds", () => {
    expect(refused({ "chain.forks": { prague: 1_800_000_000, osaka: 1_800_000_000 } })).to.be.empty;
    expect(refused({ "chain.forks": { osaka: 1_800_000_000 } })).to.deep.equal(["chain.forks.osaka"]);
    expect(refused({ "chain.forks": { prague: 1_800_000_001, osaka: 1_800_000_000 } })).to.deep.equal([
      "chain.forks.osaka",
    ]);
    expect(refused({ "chain.forks": { prague: 1_800_000_000_000 } })).to.deep.equal(["chain.forks.prague"]);
    expect(refused({ "chain.forks": { amsterdam: 1_800_000_000 } })).to.deep.equal(["chain.forks.amsterdam"]);
  });
});

describe("what a ledger began with", () => {
  it("is its members and its gas limit until the plan says it", () => {
    const { genesis, members } = examplePlan();
    expect(genesis.gasLimit).to.equal(150_000_000);
    expect(genesis.validators).to.deep.equal(members.map(({ validator }) => validator.address));
  });

  it("is four validators or more, each named once, and nobody else has to be one of them still", () => {
    const validators = ["1", "2", "3", "4"].map((digit) => `0x${digit.repeat(40)}`);
    const began = { validators, gasLimit: 30_000_000 };
    expect(planWith({ genesis: began }).genesis).to.deep.equal(began);
    expect(refused({ genesis: { ...began, validators: validators.slice(1) } })).to.deep.equal(["genesis.validators"]);
    expect(refused({ genesis: { ...began, validators: [...validators, validators[0]] } })).to.deep.equal([
      "genesis.validators.4",
    ]);
    expect(refused({ genesis: { validators } })).to.deep.equal(["genesis.gasLimit"]);
  });
});

describe("images", () => {
  it("have a version, and Besu's is one that the files are for", () => {
    const digest = `@sha256:${"a".repeat(64)}`;
    for (const image of ["hyperledger/besu:26.9.0", `registry.example.net:5000/besu:27.1.0${digest}`]) {
      expect(refused({ "images.besu": image }), image).to.be.empty;
    }
    for (const image of ["hyperledger/besu:26.8.1", "hyperledger/besu:25.12.0", "hyperledger/besu", `besu${digest}`]) {
      expect(refused({ "images.besu": image }), image).to.deep.equal(["images.besu"]);
    }
    expect(ruleOf({ "images.besu": "hyperledger/besu:26.7.0" })).to.contain("26.9.0 or later");
    expect(refused({ "images.grafana": "grafana/grafana:main" })).to.deep.equal(["images.grafana"]);
  });
});

describe("keys in a network plan", () => {
  const privateKey = `0x${"4b".repeat(32)}`;

  it("are refused where they are written, by name, and are not quoted", () => {
    for (const changes of [
      { "members.0.validator.privateKey": privateKey },
      { "members.0.validator.key": privateKey },
      { "members.0.validator.key": privateKey.slice(2) },
      { "members.0.signer.keys.0.path": privateKey },
      { "members.0.displayName": "legal winner thank year wave sausage worth useful legal winner thank yellow" },
      { password: "open sesame" },
      { "members.0.validator.key": "-----BEGIN EC PRIVATE KEY-----\nMHQC\n-----END" },
    ]) {
      const problems = problemsOf(jsonWith(changes));
      const [path] = Object.keys(changes);
      expect(problems, path).to.deep.equal([
        { key: path, rule: "keys are referenced, never written here: say with kind where the key is" },
      ]);
      expect(new ConfigError(problems).message).not.to.match(/4b4b|sesame|sausage|MHQC/);
    }
  });

  it("of nodes are files or Vault's, as Besu's own are", () => {
    const kms = { kind: "aws-kms", keyId: "alias/validator", region: "ap-east-1" };
    const azure = { kind: "azure-key-vault", vault: "feiqian", name: "validator" };
    for (const key of [kms, azure]) {
      expect(refused({ "members.0.validator.key": key })).to.deep.equal(["members.0.validator.key"]);
      expect(ruleOf({ "members.0.rpc.key": key })).to.contain("security-module plugin");
      expect(refused({ "members.0.signer.keys.0": key })).to.be.empty;
    }
  });

  it("are references of a kind that is known", () => {
    expect(refused({ "members.0.signer.keys.0": { kind: "gcp-kms", name: "x" } })).to.deep.equal([
      "members.0.signer.keys.0.kind",
    ]);
    expect(refused({ "members.0.signer.keys.0": "vault:secret" })).to.deep.equal(["members.0.signer.keys.0"]);
    expect(refused({ "members.0.signer.keys": [] })).to.deep.equal(["members.0.signer.keys"]);
    expect(refused({ "members.0.validator.key": { kind: "file", path: "key" } })).to.deep.equal([
      "members.0.validator.key.path",
    ]);
  });
});
