import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { decodeLedgerError } from "../../../../src/ledger/errors.ts";
import {
  createFailoverProvider,
  type FailoverOptions,
  type FailoverProvider,
} from "../../../../src/ledger/rpc/failover-provider.ts";
import { LedgerUnreachable } from "../../../../src/ledger/rpc/rpc-errors.ts";
import { createSubmitter } from "../../../../src/ledger/submitter.ts";
import { systemClock } from "../../../../src/kernel/clock/clock.ts";
import { fundedLedger, OPTIONS, provider as chain } from "../../support/chain.ts";
import { startHttpNode, type HttpNode } from "../../support/http.ts";
import { OPERATOR, withdrawals, withdrawOne } from "../../support/submitting.ts";

describe("failover provider", function () {
  let nodes: readonly [HttpNode, HttpNode];
  const opened: FailoverProvider[] = [];
  const servers: Server[] = [];
  before(async () => (nodes = [await startHttpNode(), await startHttpNode()]));
  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
  });
  afterEach(async () => {
    for (const node of nodes) node.fateOf = () => "passed";
    for (const each of opened.splice(0)) each.destroy();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  });

  function open(urls: readonly string[], options: Partial<FailoverOptions> = {}): FailoverProvider {
    const made = createFailoverProvider(urls, { clock: systemClock, fetch, timeoutMs: 30_000, ...options });
    opened.push(made);
    return made;
  }

  /** An endpoint that answers everything in one way; not at all where that is undefined. */
  async function endpoint(status: number, body: string | undefined): Promise<string> {
    const server = createServer((_, response) => {
      if (body !== undefined) response.writeHead(status).end(body);
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listens on TCP
  }

  it("stays with one endpoint while it answers, errors of the node included", async () => {
    const { ledger } = await fundedLedger();
    const provider = open(nodes.map(({ url }) => url));
    expect(await provider.getBlockNumber()).to.equal(await chain.getBlockNumber());
    expect((await provider.getNetwork()).chainId).to.equal(31_337n);
    const data = ledger.transferRegistry.interface.encodeFunctionData("pause");
    const refused: unknown = await provider
      .call({ to: ledger.addresses.transferRegistry, data })
      .catch((e: unknown) => e);
    expect(decodeLedgerError(refused)?.code).to.equal("AccessManagedUnauthorized");
    expect(provider.health().map(({ isActive, failures }) => [isActive, failures])).to.deep.equal([
      [true, 0],
      [false, 0],
    ]);
    expect(provider.switches).to.equal(0);
  });

  const failing: readonly (readonly [string, () => Promise<string>])[] = [
    ["refuses connections", () => Promise.resolve("http://127.0.0.1:9")],
    ["does not answer in time", () => endpoint(200, undefined)],
    [
      "answers 503 with JSON-RPC",
      () => endpoint(503, '{"jsonrpc":"2.0","id":0,"error":{"code":-32603,"message":"x"}}'),
    ],
    ["answers 401", () => endpoint(401, "who are you?")],
    ["answers with a web page", () => endpoint(200, "<html>")],
    ["is on another chain", () => endpoint(200, '{"jsonrpc":"2.0","id":0,"result":"0x1"}')],
  ];
  for (const [what, start] of failing) {
    it(`goes to the next when one ${what}, and stays there`, async () => {
      const switched: string[] = [];
      const first = (await start()).replace("//", "//user:secret@");
      const provider = open([`${first}/?apikey=secret`, nodes[0].url], {
        chainId: 31_337n,
        // Of the next as well: one that answers does so sooner on the slowest machine.
        timeoutMs: 2_000,
        onSwitch: (from, to) => switched.push(`${from.name} ${to.name}`),
      });
      expect(await provider.getBlockNumber()).to.equal(await chain.getBlockNumber());
      expect(await provider.getBlockNumber()).to.equal(await chain.getBlockNumber());
      const [failed, used] = provider.health();
      expect([failed?.failures, failed?.isActive, used?.isActive]).to.deep.equal([1, false, true]);
      expect(failed?.lastFailure).to.be.a("string").and.not.equal("");
      expect(switched).to.have.lengthOf(1);
      expect(JSON.stringify([switched, provider.health()])).not.to.contain("secret");
    });
  }

  it("moves on once when many requests fail together", async () => {
    const provider = open(["http://127.0.0.1:9", nodes[0].url, "http://127.0.0.1:9"]);
    const numbers = await Promise.all(Array.from({ length: 8 }, () => provider.getBlockNumber()));
    expect(new Set(numbers).size).to.equal(1);
    expect(provider.health().map(({ isActive }) => isActive)).to.deep.equal([false, true, false]);
  });

  it("tells when nobody answers, and tries again with the next request", async () => {
    const provider = open(["http://127.0.0.1:9/key-1", nodes[0].url], { chainId: 31_337n });
    await provider.getBlockNumber();
    nodes[0].fateOf = () => "lost before";
    const failure: unknown = await provider.getBlockNumber().catch((thrown: unknown) => thrown);
    expect(failure).to.be.instanceOf(LedgerUnreachable);
    expect(String(failure)).not.to.contain("key-1");
    nodes[0].fateOf = () => "passed";
    expect(await provider.getBlockNumber()).to.equal(await chain.getBlockNumber());
  });

  it("carries transactions through an endpoint that takes them and loses its replies, once each", async () => {
    const sandbox = await fundedLedger();
    const provider = open(nodes.map(({ url }) => url));
    let lost = 0;
    nodes[0].fateOf = (method) => (method === "eth_sendRawTransaction" && lost++ < 1 ? "lost after" : "passed");
    const submitter = await createSubmitter(sandbox.keys.walletOf(OPERATOR).connect(provider), OPTIONS);
    // Before its reply is lost, the others would be on their way to the same endpoint.
    await submitter.submit(withdrawOne(sandbox));
    await Promise.all([2, 3].map(() => submitter.submit(withdrawOne(sandbox))));
    expect(lost).to.equal(1);
    expect(provider.health().map(({ isActive }) => isActive)).to.deep.equal([false, true]);
    expect(await withdrawals(sandbox)).to.equal(3n);
  });

  it("shows an endpoint its token, and no other endpoint", async () => {
    const shown: (string | null)[] = [];
    const listen: typeof fetch = (url, init) => {
      shown.push(new Headers(init?.headers).get("authorization"));
      return fetch(url, init);
    };
    const [plain, own] = [nodes[0].url, nodes[1].url.replace("http://", "http://user:word@")];
    const tokens = new Map([[plain, "a.jwt.token"]]);
    await open([plain], { fetch: listen, tokens }).getBlockNumber();
    await open([own], { fetch: listen, tokens }).getBlockNumber();
    await open([nodes[1].url], { fetch: listen, tokens }).getBlockNumber();
    expect([...new Set(shown)]).to.deep.equal(["Bearer a.jwt.token", "Basic dXNlcjp3b3Jk", null]);
  });

  it("refuses what is no endpoint, without quoting it", () => {
    expect(() => open([])).to.throw("endpoints");
    expect(() => open([nodes[0].url, "wss://secret"]))
      .to.throw("endpoints[1]")
      .and.satisfy((e: Error) => !e.message.includes("secret"));
  });
});
