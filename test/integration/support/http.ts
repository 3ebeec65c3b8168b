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
  /** Decided anew for each request. */
  fateOf: (method: string) => Fate;
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
    async close() {
      provider.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  server.on("request", (request, response) => {
    void text(request).then(async (body) => {
      // What ethers sends, one request at a time.
      const { id, method, params = [] } = JSON.parse(body) as Request;
      const fate = node.fateOf(method);
      const answer = fate === "lost before" ? undefined : await answerTo(method, params);
      if (fate === "passed") response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
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
