import { expect } from "chai";
import { decodeRlp, encodeRlp } from "ethers";
import { GenesisChanged, refuseGenesisChange } from "../../../../deploy/besu/genesis-change.ts";
import { extraDataOf, genesisFile } from "../../../../deploy/besu/genesis.ts";
import { parsePlan } from "../../../../deploy/besu/plan.ts";
import { exampleJson, examplePlan, jsonWith, planWith } from "./fixtures.ts";

/** A genesis that was made here: whatever it is, the assertions look at it. */
function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

function configOf(text: string): Record<string, unknown> {
  return parsed(text)["config"] as Record<string, unknown>;
}

describe("extraData of a QBFT genesis", () => {
  it("is the one of Besu's documentation for its four validators", () => {
    // https://besu.hyperledger.org/private-networks/how-to/configure/consensus/qbft, "Genesis file"
    const documented =
      "0xf87aa00000000000000000000000000000000000000000000000000000000000000000f8549464a702e6263b7297a96638cac6ae65e6541f4169943923390ad55e90c237593b3b0e401f3b08a0318594aefdb9a738c9f433e5b6b212a6d62f6370c2f69294c7eeb9a4e00ce683cf93039b212648e01c6c6b78c080c0";
    expect(
      extraDataOf([
        "0x64a702e6263b7297a96638cac6ae65e6541f4169",
        "0x3923390ad55e90c237593b3b0e401f3b08a03185",
        "0xaefdb9a738c9f433e5b6b212a6d62f6370c2f692",
        "0xc7eeb9a4e00ce683cf93039b212648e01c6c6b78",
      ]),
    ).to.equal(documented);
  });

  it("has the parts of Besu's own test vector, in their order", () => {
    // encodingMatchesKnownRawHexString, consensus/qbft/src/test/java/org/hyperledger/besu/consensus/qbft/
    // QbftExtraDataCodecTest.java in https://github.com/hyperledger/besu: two validators, a vote, a round, two seals.
    const vector =
      "0xf8f0a00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20ea9400000000000000000000000000000000000000019400000000000000000000000000000000000000" +
      "02d794000000000000000000000000000000000000000181ff83fedcbaf886b8410000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000000a00b841" +
      "000000000000000000000000000000000000000000000000000000000000000a000000000000000000000000000000000000000000000000000000000000000100";
    const theirs = decodeRlp(vector);
    const validators = [
      "0x0000000000000000000000000000000000000001",
      "0x0000000000000000000000000000000000000002",
    ] as const;
    const ours = decodeRlp(extraDataOf(validators));
    if (typeof theirs === "string" || typeof ours === "string") throw new Error("RLP of a list is a list");
    expect(theirs.slice(1, 4)).to.deep.equal([[...validators], [validators[0], "0xff"], "0xfedcba"]);
    // A genesis has the same five parts, without vote, round and seals.
    expect(ours).to.deep.equal([`0x${"00".repeat(32)}`, theirs[1], [], "0x", []]);
    expect(encodeRlp(theirs)).to.equal(vector);
  });
});

describe("the genesis of a network", () => {
  it("lists the validators in ascending order, whatever the plan's is", () => {
    const plan = examplePlan();
    const genesis = genesisFile(plan);
    const { members } = JSON.parse(exampleJson()) as { readonly members: readonly unknown[] };
    expect(genesisFile(planWith({ members: members.toReversed() }))).to.equal(genesis);
    const [, validators] = decodeRlp(String(parsed(genesis)["extraData"]));
    expect(validators).to.deep.equal(plan.members.map(({ validator }) => validator.address).toSorted());
  });

  it("starts at Cancun, with free gas and no money", () => {
    const genesis = parsed(genesisFile(examplePlan()));
    expect(genesis["config"]).to.deep.equal({
      chainId: 7_740_010,
      homesteadBlock: 0,
      eip150Block: 0,
      eip158Block: 0,
      byzantiumBlock: 0,
      constantinopleBlock: 0,
      petersburgBlock: 0,
      istanbulBlock: 0,
      berlinBlock: 0,
      londonBlock: 0,
      shanghaiTime: 0,
      cancunTime: 0,
      zeroBaseFee: true,
      qbft: { epochlength: 30_000, blockperiodseconds: 2, requesttimeoutseconds: 4 },
    });
    expect(genesis).to.deep.include({
      gasLimit: "0x8f0d180",
      difficulty: "0x1",
      // Besu refuses a BFT genesis with another: https://besu.hyperledger.org/public-networks/reference/genesis-items
      mixHash: "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365",
      coinbase: `0x${"0".repeat(40)}`,
      nonce: "0x0",
      alloc: {},
    });
  });

  it("has other validators from a block on, which are added to a running ledger's and then stay", () => {
    const validators = ["0x1000000000000000000000000000000000000002", "0x1000000000000000000000000000000000000001"];
    const more = ["0x1000000000000000000000000000000000000003", "0x1000000000000000000000000000000000000004"];
    const transitions = [{ block: 1_715_005, validators: [...validators, ...more] }];
    const changed = genesisFile(planWith({ "chain.transitions": transitions }));
    expect(JSON.parse(changed)).to.have.nested.property("config.transitions.qbft[0].block", 1_715_005);
    expect(JSON.parse(changed)).to.have.nested.property(
      "config.transitions.qbft[0].validators[0]",
      "0x1000000000000000000000000000000000000001",
    );
    const before = genesisFile(planWith({}));
    expect(() => refuseGenesisChange("ledger", before, changed)).not.to.throw();
    expect(() => refuseGenesisChange("ledger", changed, before)).to.throw(GenesisChanged);
  });

  it("has later forks by time, and the period of empty blocks under its stable name", () => {
    const plan = planWith({
      "chain.forks": { prague: 1_800_000_000, osaka: 1_900_000_000 },
      "chain.emptyBlockPeriodSeconds": 30,
    });
    const config = configOf(genesisFile(plan));
    expect(config).to.include({ pragueTime: 1_800_000_000, osakaTime: 1_900_000_000 });
    expect(config["qbft"]).to.include({ emptyblockperiodseconds: 30 });
    expect(configOf(genesisFile(examplePlan()))).not.to.have.any.keys("pragueTime", "osakaTime");
  });

  it("is another one when a parameter of consensus changes, and the same when hosts do", () => {
    const genesis = genesisFile(examplePlan());
    expect(genesisFile(parsePlan(jsonWith({ "members.0.validator.host": "10.0.0.1" })))).to.equal(genesis);
    expect(genesisFile(planWith({ "chain.gasLimit": 100_000_000 }))).not.to.equal(genesis);
  });

  it("stays what it was when the plan says what the ledger began with", () => {
    const { genesis: began } = examplePlan();
    const { members } = JSON.parse(exampleJson()) as { readonly members: readonly unknown[] };
    const later = { genesis: began, members: members.slice(2), "chain.gasLimit": 200_000_000 };
    expect(genesisFile(planWith(later))).to.equal(genesisFile(examplePlan()));
    expect(genesisFile(planWith({ ...later, genesis: undefined }))).not.to.equal(genesisFile(examplePlan()));
  });
});

describe("a change of the genesis", () => {
  const file = (changes: Readonly<Record<string, unknown>> = {}) => genesisFile(planWith(changes));
  const fieldsOf = (before: string, after: string): readonly string[] => {
    try {
      refuseGenesisChange("ledger", before, after);
    } catch (error) {
      if (error instanceof GenesisChanged) return error.fields;
      throw error;
    }
    return [];
  };

  it("may be a fork to come, and the time of a round", () => {
    expect(fieldsOf(file(), file({ "chain.forks": { prague: 1_900_000_000, osaka: 1_950_000_000 } }))).to.be.empty;
    expect(fieldsOf(file(), file({ "chain.requestTimeoutSeconds": 3 }))).to.be.empty;
    expect(fieldsOf(file(), file())).to.be.empty;
  });

  it("is refused for all that makes another ledger", () => {
    expect(fieldsOf(file(), file({ "chain.chainId": 8 }))).to.deep.equal(["config.chainId"]);
    expect(fieldsOf(file(), file({ "chain.blockPeriodSeconds": 1 }))).to.deep.equal(["config.qbft.blockperiodseconds"]);
    expect(fieldsOf(file(), file({ "chain.emptyBlockPeriodSeconds": 9 }))).to.deep.equal([
      "config.qbft.emptyblockperiodseconds",
    ]);
    expect(fieldsOf(file(), file({ "chain.gasLimit": 30_000_000 }))).to.deep.equal(["gasLimit"]);
    const { members } = JSON.parse(exampleJson()) as { readonly members: readonly unknown[] };
    expect(fieldsOf(file(), file({ members: members.slice(1) }))).to.deep.equal(["extraData"]);
    expect(fieldsOf("no JSON", file())).to.include("gasLimit");
    expect(fieldsOf(file().replace('"alloc": {}', '"alloc": {"0x1": {}}'), file())).to.have.members([
      "alloc",
      "alloc.0x1",
    ]);
  });

  it("is no change where there was none", () => {
    expect(() => refuseGenesisChange("ledger", undefined, file())).not.to.throw();
  });
});
