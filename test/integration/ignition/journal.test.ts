import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import type { TransactionResponse } from "ethers";
import hre from "hardhat";
import { mendJournal } from "../../../ignition/journal.ts";

const { ethers, provider, networkHelpers } = await hre.network.create();
const TO = `0x${"70".repeat(20)}`;
const GAS = 30_000n;

/** Journals of a few lines, as Ignition writes them, each with the end that a kill may have left it. */
describe("the journal of a killed deployment", () => {
  let folder: string;
  let deployer: HardhatEthersSigner;
  let nonce: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-journal-"));
    [deployer] = (await ethers.getSigners()) as [HardhatEthersSigner]; // Hardhat's chain has twenty
    nonce = await deployer.getNonce();
  });

  afterEach(async () => {
    await provider.request({ method: "evm_setAutomine", params: [true] });
    await networkHelpers.mine();
    await rm(folder, { recursive: true });
  });

  const init = { chainId: 31337, type: "DEPLOYMENT_INITIALIZE" };
  const begin = (futureId: string) => ({ futureId, type: "CALL_EXECUTION_STATE_INITIALIZE", from: deployer.address });
  const request = (futureId: string, data: string) => ({
    futureId,
    type: "NETWORK_INTERACTION_REQUEST",
    networkInteraction: { id: 1, to: TO, data, value: bigint(0n), type: "ONCHAIN_INTERACTION" },
  });
  const message = (type: string, futureId: string, rest: object = {}) => ({
    futureId,
    networkInteractionId: 1,
    type,
    ...rest,
  });
  const sentAs = (futureId: string, { hash, nonce: given, ...fees }: TransactionResponse) => {
    const maxFeePerGas = bigint(fees.maxFeePerGas ?? 0n);
    const maxPriorityFeePerGas = bigint(fees.maxPriorityFeePerGas ?? 0n);
    const transaction = { hash, fees: { maxFeePerGas, maxPriorityFeePerGas } };
    return message("TRANSACTION_SEND", futureId, { nonce: given, transaction });
  };
  /** A call of which a transaction was about to be sent. */
  const prepared = (futureId: string, data: string, given = nonce) => [
    begin(futureId),
    request(futureId, data),
    message("TRANSACTION_PREPARE_SEND", futureId, { nonce: given }),
  ];
  const send = (data: string, rest: object = {}) => deployer.sendTransaction({ to: TO, data, gasLimit: GAS, ...rest });
  const fix = () => mendJournal(folder, ethers.provider);
  const refusal = () => fix().then(() => "none", String);

  const write = (...messages: readonly object[]) =>
    writeFile(join(folder, "journal.jsonl"), messages.map((line) => `\n${JSON.stringify(line)}`).join(""));
  const read = async (): Promise<unknown[]> =>
    (await readFile(join(folder, "journal.jsonl"), "utf8"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line): unknown => JSON.parse(line));

  /** What is added to these lines. */
  const added = async (...messages: readonly object[]): Promise<unknown[]> => {
    await write(...messages);
    await fix();
    const lines = await read();
    expect(lines.slice(0, messages.length)).to.deep.equal(messages);
    await fix();
    expect(await read(), "fixed a second time").to.deep.equal(lines);
    return lines.slice(messages.length);
  };

  it("gets the hash of a mined transaction that was prepared, however long ago", async () => {
    for (const blocks of [0, 1, 2, 3, 10, 100]) {
      const sent = await send("0x01");
      // One by one: mined in one go, Hardhat's chain has wrong counts in between.
      for (let mined = 0; mined < blocks; mined++) await provider.request({ method: "evm_mine" });
      const lines = [init, ...prepared("a", "0x01", sent.nonce)];
      expect(await added(...lines), `${blocks} blocks later`).to.deep.equal([sentAs("a", sent)]);
    }
  });

  it("gets the hash of one that waits to be mined", async () => {
    await provider.request({ method: "evm_setAutomine", params: [false] });
    const [first, second] = [await send("0x01"), await send("0x02")];
    const lines = [init, ...prepared("a", "0x01"), ...prepared("b", "0x02", nonce + 1)];
    expect(await added(...lines)).to.deep.equal([sentAs("a", first), sentAs("b", second)]);
  });

  it("gets the hash of one whose fee was raised", async () => {
    await provider.request({ method: "evm_setAutomine", params: [false] });
    const first = await send("0x01");
    const raised = await send("0x01", { nonce, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 11n });
    await networkHelpers.mine();
    const lines = [init, ...prepared("a", "0x01"), sentAs("a", first), message("ONCHAIN_INTERACTION_BUMP_FEES", "a")];
    expect(await added(...lines), "not prepared yet").to.deep.equal([sentAs("a", raised)]);
    const again = message("TRANSACTION_PREPARE_SEND", "a", { nonce });
    expect(await added(...lines, again), "prepared").to.deep.equal([sentAs("a", raised)]);
  });

  it("forgets what was begun or prepared without effect, as often as it happens", async () => {
    const forgotten = { type: "WIPE_APPLY", futureId: "a" };
    expect(await added(init, begin("a")), "begun").to.deep.equal([forgotten]);
    expect(await added(init, begin("a"), forgotten, begin("a")), "begun again").to.deep.equal([forgotten]);
    expect(await added(init, ...prepared("a", "0x01")), "prepared").to.deep.equal([forgotten]);
  });

  it("stays as it is where Ignition goes on by itself", async () => {
    const sent = await send("0x01");
    const hash = { hash: sent.hash };
    expect(await added(init, begin("a"), request("a", "0x01")), "asked").to.deep.equal([]);
    expect(await added(init, ...prepared("a", "0x01"), sentAs("a", sent)), "sent").to.deep.equal([]);
    const confirmed = [...prepared("a", "0x01"), sentAs("a", sent), message("TRANSACTION_CONFIRM", "a", hash)];
    expect(await added(init, ...confirmed), "confirmed").to.deep.equal([]);
    const replaced = [...prepared("a", "0x02"), message("ONCHAIN_INTERACTION_REPLACED_BY_USER", "a")];
    expect(await added(init, ...replaced), "replaced").to.deep.equal([]);
  });

  it("gets the confirmation of a transaction when a later one has its own", async () => {
    const factory = await ethers.getContractFactory("AccessManager", deployer);
    const { data } = await factory.getDeployTransaction(deployer.address);
    const [first, second] = [await send(data, { to: null, gasLimit: undefined }), await send("0x02")];
    const deployment = { id: 1, data, value: bigint(0n), type: "ONCHAIN_INTERACTION" };
    const lines = [
      init,
      { ...begin("a"), type: "DEPLOYMENT_EXECUTION_STATE_INITIALIZE" },
      { futureId: "a", type: "NETWORK_INTERACTION_REQUEST", networkInteraction: deployment },
      message("TRANSACTION_PREPARE_SEND", "a", { nonce }),
      sentAs("a", first),
      ...prepared("b", "0x02", nonce + 1),
      sentAs("b", second),
      message("TRANSACTION_CONFIRM", "b", { hash: second.hash }),
    ];
    const receipt = await first.wait();
    if (receipt === null) throw new Error("it is mined");
    const { hash, blockHash, blockNumber, contractAddress, logs } = receipt;
    expect(logs, "logs of the contract's creation").to.have.length.above(0);
    const journalled = logs.map(({ address, index, topics, ...log }) => {
      return { address, logIndex: index, data: log.data, topics };
    });
    const found = { blockHash, blockNumber, contractAddress, status: "SUCCESS", logs: journalled };
    expect(await added(...lines)).to.deep.equal([message("TRANSACTION_CONFIRM", "a", { hash, receipt: found })]);
  });

  it("loses a last line that was not written whole, and nothing else", async () => {
    const lines = [init, begin("a"), request("a", "0x01")];
    const [whole = "", end = ""] = [lines, [begin("b")]].map((part) =>
      part.map((line) => `\n${JSON.stringify(line)}`).join(""),
    );
    for (let length = 1; length < end.length; length++) {
      await writeFile(join(folder, "journal.jsonl"), whole + end.slice(0, length));
      await fix();
      expect(await readFile(join(folder, "journal.jsonl"), "utf8"), `${length} characters`).to.equal(whole);
    }
  });

  it("has its list of addresses made anew", async () => {
    const result = { type: "SUCCESS", address: TO };
    await write(init, { futureId: "a", type: "DEPLOYMENT_EXECUTION_STATE_COMPLETE", result });
    await writeFile(join(folder, "deployed_addresses.json"), `{ "a": "0x70`);
    await fix();
    expect(JSON.parse(await readFile(join(folder, "deployed_addresses.json"), "utf8"))).to.deep.equal({ a: TO });
    expect(await readdir(folder)).to.have.members(["journal.jsonl", "deployed_addresses.json"]);
  });

  it("is refused when a prepared nonce went to something else", async () => {
    const others = [{ data: "0x02" }, { data: "0x01", value: 1n }, { data: "0x01", to: deployer.address }];
    for (const other of others) {
      const { hash, nonce: taken } = await deployer.sendTransaction({ to: TO, ...other });
      const lines = [init, ...prepared("a", "0x01", taken)];
      await write(...lines);
      expect(await refusal()).to.match(new RegExp(`a prepared .* nonce ${taken} .* ${hash}.*track-tx ${hash} `));
      expect(await read()).to.deep.equal(lines);
    }
  });

  it("is refused when the node does not show what took a prepared nonce", async () => {
    await networkHelpers.setNonce(deployer.address, nonce + 1);
    const lines = [init, ...prepared("a", "0x01")];
    await write(...lines);
    expect(await refusal()).to.contain(`nonce ${nonce} of ${deployer.address} is taken`);
    expect(await read()).to.deep.equal(lines);
  });

  it("is left alone when it is another chain's, or not there", async () => {
    expect(await added({ ...init, chainId: 1 }, begin("a"))).to.deep.equal([]);
    await rm(join(folder, "journal.jsonl"));
    await fix();
    expect(await readdir(folder)).to.deep.equal([]);
  });
});

function bigint(value: bigint): object {
  return { _kind: "bigint", value: value.toString() };
}
