import { expect } from "chai";
import { JsonRpcProvider } from "ethers";
import { serveChain, type ChainServer } from "../../../sandbox/chain-server.ts";
import { connection } from "../support/chain.ts";

describe("a chain in this process, served over HTTP", () => {
  let server: ChainServer;

  before(async () => {
    server = await serveChain(connection.provider);
  });
  after(() => server.stop());

  const ask = async (body: unknown): Promise<unknown> => {
    const headers = { "content-type": "application/json" };
    return (await fetch(server.url, { method: "POST", headers, body: JSON.stringify(body) })).json();
  };
  const call = (id: unknown, method: string, params: readonly unknown[] = []) => ({
    jsonrpc: "2.0",
    id,
    method,
    params,
  });

  it("answers as a node does, one call or many", async () => {
    expect(await ask(call(7, "eth_chainId"))).to.deep.equal({ jsonrpc: "2.0", id: 7, result: "0x7a69" });
    expect(await ask([call("a", "eth_chainId"), call(null, "eth_getTransactionReceipt", [`0x${"1".repeat(64)}`])]))
      .to.deep // a receipt that there is not is null, and not left out
      .equal([
        { jsonrpc: "2.0", id: "a", result: "0x7a69" },
        { jsonrpc: "2.0", id: null, result: null },
      ]);
    const provider = new JsonRpcProvider(server.url);
    expect((await provider.getNetwork()).chainId).to.equal(31_337n);
    provider.destroy();
  });

  it("answers in this process without a connection, and has others' answers brought as ever", async () => {
    const stopped = await serveChain(connection.provider);
    await stopped.stop();
    const init = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(call(1, "eth_chainId")),
    };
    const told = { jsonrpc: "2.0", id: 1, result: "0x7a69" };
    expect(await (await stopped.fetch(`${stopped.url}/`, init)).json()).to.deep.equal(told);
    expect(await (await stopped.fetch(server.url, init)).json()).to.deep.equal(told);
    const failure = await server.fetch(stopped.url, init).catch((thrown: unknown) => thrown);
    expect(failure).to.be.instanceOf(TypeError);
  });

  it("tells errors with their codes, and those of one call leave the others alone", async () => {
    const answers = await ask([call(1, "eth_noSuchMethod"), {}, call(2, "eth_chainId")]);
    expect(answers).to.have.length(3);
    const [unknown, invalid, fine] = answers as readonly { readonly id: unknown; readonly error?: { code: number } }[]; // as many as asked
    expect([unknown?.id, typeof unknown?.error?.code]).to.deep.equal([1, "number"]);
    expect([invalid?.id, invalid?.error?.code]).to.deep.equal([null, -32_600]);
    expect(fine).to.deep.equal({ jsonrpc: "2.0", id: 2, result: "0x7a69" });
  });

  it("passes on why a contract has refused a call", async () => {
    // Code that reverts with one byte: PUSH1 1 PUSH1 0 REVERT.
    const reverting = { data: "0x60016000fd" };
    const answer = (await ask(call(3, "eth_call", [reverting]))) as { readonly error?: { readonly data?: unknown } }; // asserted below
    expect(JSON.stringify(answer.error?.data)).to.include("0x00");
  });
});
