import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { JsonRpcProvider } from "ethers";
import { connection } from "./chain.ts";

interface Request {
  readonly id: number;
  readonly method: string;
  readonly params?: unknown[];
}

/** What the connection does with a request: passes it on, or is lost before the node has it, or after. */
export type Fate = "passed" | "lost before" | "lost after";

/** The chain of these tests behind HTTP, as a node is, and ethers' own provider in front of it. */
export interface HttpNode {
  readonly provider: JsonRpcProvider;
  readonly url: string;
  /** Decided anew for each request, by the last call of it where it is a batch. */
  fateOf: (method: string) => Fate;
  /** What comes back in place of the chain's result. */
  alter: (method: string, params: readonly unknown[], result: unknown) => unknown;
  close(): Promise<void>;
}

export async function startHttpNode(): Promise<HttpNode> {
  const server: Server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // Listening on TCP, so the address is not a path.
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const provider = new JsonRpcProvider(url, 31_337, { staticNetwork: true, batchMaxCount: 1 });
  const node: HttpNode = {
    provider,
    url,
    fateOf: () => "passed",
    alter: (_method, _params, result) => result,
    async close() {
      provider.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  server.on("request", (request, response) => {
    void text(request).then(async (body) => {
      // What ethers and the failover provider send.
      const sent = JSON.parse(body) as Request | Request[];
      const requests = Array.isArray(sent) ? sent : [sent];
      const fate = node.fateOf(requests.at(-1)?.method ?? "");
      const answers: object[] = [];
      for (const { id, method, params = [] } of fate === "lost before" ? [] : requests) {
        const answer = await answerTo(method, params);
        const altered = "result" in answer ? { result: node.alter(method, params, answer.result) } : answer;
        answers.push({ jsonrpc: "2.0", id, ...altered });
      }
      if (fate === "passed") response.end(JSON.stringify(Array.isArray(sent) ? answers : answers[0]));
      else response.destroy();
    });
  });
  return node;
}

async function answerTo(method: string, params: unknown[]): Promise<object> {
  try {
    const result: unknown = await connection.provider.request({ method, params });
    return { result };
  } catch (failure) {
    // As Hardhat's own server does: its errors have the members of JSON-RPC's.
    const { code, message, data } = failure as { code?: unknown; message?: unknown; data?: unknown };
    return { error: { code, message, data } };
  }
}
