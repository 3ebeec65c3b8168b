import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request as it came. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What an endpoint does with a request, once it has it. */
export type Manner = (response: ServerResponse, request: Received) => void;

/** Answers with a status. */
export const answering =
  (status: number, headers: Readonly<Record<string, string>> = {}): Manner =>
  (response) => {
    response.writeHead(status, headers).end("thanks");
  };
/** Never answers. */
export const hanging: Manner = () => undefined;
/** Ends the connection. */
export const resetting: Manner = (response) => {
  response.destroy();
};
/** Says something that is not HTTP. */
export const babbling: Manner = (response) => {
  response.socket?.end("220 mail.example ESMTP\r\n");
};
/** Takes it, and then never stops to talk. */
export const talking: Manner = (response) => {
  response.writeHead(200);
  const timer = setInterval(() => response.write(Buffer.alloc(65_536)), 1);
  response.on("close", () => clearInterval(timer));
};

/** A real HTTP server that behaves as it is told. */
export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** For requests from now on. */
  manner: Manner;
  close(): Promise<void>;
}

export async function startReceiver(manner: Manner = answering(204)): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    // Whoever is sent away in the middle is not this server's fault.
    response.on("error", () => undefined);
    void text(request).then(
      (body) => {
        const one = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
        received.push(one);
        receiver.manner(response, one);
      },
      () => undefined,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // Listening on TCP, so the address is not a path.
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    received,
    manner,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return receiver;
}
