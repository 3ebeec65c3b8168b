import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Random } from "../../src/kernel/random.ts";
import { verifyWebhook } from "../../sdk/webhooks.ts";

/** A wallet's endpoint for webhooks that is not always well: some deliveries fail, some answers get lost. */
export interface WebhookReceiver {
  readonly url: string;
  /** How often each event was taken, by its webhook-id. */
  readonly received: ReadonlyMap<string, number>;
  /** Deliveries that no trusted secret has signed. */
  readonly refused: () => number;
  trust(secret: string): void;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const FAILING_PERCENT = 3;
const LOST_PERCENT = 3;

export async function startWebhookReceiver(random: Random): Promise<WebhookReceiver> {
  const received = new Map<string, number>();
  const secrets: string[] = [];
  let refused = 0;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    if (random.below(100) < FAILING_PERCENT) {
      response.writeHead(503).end();
      return;
    }
    const verified = verifyWebhook(request.headers, body, secrets, { nowMs: Date.now() });
    if (verified.kind === "refused") {
      refused++;
      response.writeHead(401).end();
      return;
    }
    received.set(verified.id, (received.get(verified.id) ?? 0) + 1);
    if (random.below(100) < LOST_PERCENT) request.socket.resetAndDestroy();
    else response.writeHead(204).end();
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, HOST);
  await once(server, "listening");
  // Listening on TCP, so the address is not a path.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${HOST}:${port}/events`,
    received,
    refused: () => refused,
    trust: (secret) => void secrets.push(secret),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
