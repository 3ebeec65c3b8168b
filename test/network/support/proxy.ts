import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** Stands in front of a node, so that a test can break the way to it without touching the node. */
export interface Proxy {
  readonly url: string;
  /** How many transactions have been sent through it. */
  broadcasts(): number;
  /** From now on requests reach the node, and their answers nobody. */
  loseAnswers(): void;
  /** Cuts all connections and takes no more. */
  close(): Promise<void>;
}

/**
 * @param target the node's URL
 * @param lies what is made of the node's results, by method
 */
export async function startProxy(
  target: string,
  lies: Readonly<Record<string, (result: unknown) => unknown>> = {},
): Promise<Proxy> {
  let isLosing = false;
  let broadcasts = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = await text(request.setEncoding("utf8"));
    // Requests come from ethers, one call in each.
    const { method } = JSON.parse(asked) as { readonly method: string };
    if (method === "eth_sendRawTransaction") broadcasts++;
    const answer = altered(await ask(target, asked), lies[method]);
    if (isLosing) request.socket.destroy();
    else response.writeHead(200, { "content-type": "application/json" }).end(answer);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // Listening on TCP, so the address is not a path.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    broadcasts: () => broadcasts,
    loseAnswers: () => (isLosing = true),
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Hands a request on, with the credentials of the node's URL, which fetch takes as a header only. */
async function ask(target: string, body: string): Promise<string> {
  const url = new URL(target);
  const { username, password } = url;
  url.username = url.password = "";
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  const headers = {
    "content-type": "application/json",
    ...(username === "" ? {} : { authorization: `Basic ${credentials}` }),
  };
  return (await fetch(url, { method: "POST", headers, body })).text();
}

function altered(answer: string, lie: ((result: unknown) => unknown) | undefined): string {
  if (lie === undefined) return answer;
  // A node's answer, whose result may be missing.
  const { result, ...rest } = JSON.parse(answer) as { readonly result?: unknown };
  return JSON.stringify({ ...rest, result: lie(result) });
}
