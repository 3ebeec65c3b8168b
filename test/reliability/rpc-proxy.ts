import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../src/kernel/random.ts";

/** What the proxy does to a request instead of passing it on and its answer back. */
export type RpcFault =
  /** The connection is reset; the node hears of nothing. */
  | { readonly kind: "refuse" }
  /** An answer of a gateway that has lost its node. */
  | { readonly kind: "error"; readonly status: number }
  /** The node hears of it late; its answer comes back at once. */
  | { readonly kind: "slow"; readonly delayMs: number }
  /** The node hears of it at once; its answer comes late, after the client's time-out where that is shorter. */
  | { readonly kind: "late"; readonly delayMs: number }
  /** The node hears of it and acts on it; its answer never arrives. */
  | { readonly kind: "lose" }
  /** The answer has the hashes of blocks that nobody else knows; always the same ones for the same blocks. */
  | { readonly kind: "lie" };

/** A fault, and which requests it strikes. */
export interface RpcRule {
  readonly fault: RpcFault;
  /** JSON-RPC methods; all where it is left out. */
  readonly methods?: readonly string[];
  /** How many of a hundred; all where it is left out. */
  readonly percent?: number;
}

export interface RpcProxy {
  readonly url: string;
  /** From now on. The first rule that strikes a request counts; none of them: it is passed. */
  set(rules: readonly RpcRule[]): void;
  /** How many requests each kind of fault has struck since the rules were set. */
  struck(): ReadonlyMap<RpcFault["kind"], number>;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";

/** Starts an HTTP proxy in front of a JSON-RPC endpoint. Which requests a rule strikes is drawn from `random`. */
export async function startRpcProxy(upstream: string, random: Random): Promise<RpcProxy> {
  let rules: readonly RpcRule[] = [];
  const struck = new Map<RpcFault["kind"], number>();
  const faultFor = (methods: readonly string[]): RpcFault | undefined => {
    const rule = rules.find(
      ({ methods: wanted, percent = 100 }) =>
        (wanted === undefined || methods.some((method) => wanted.includes(method))) && random.below(100) < percent,
    );
    if (rule !== undefined) struck.set(rule.fault.kind, (struck.get(rule.fault.kind) ?? 0) + 1);
    return rule?.fault;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const fault = faultFor(methodsOf(body));
    if (fault?.kind === "refuse") {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault?.kind === "error") {
      response.writeHead(fault.status, { "content-type": "text/plain" }).end("no node");
      return;
    }
    if (fault?.kind === "slow") await delay(fault.delayMs);
    const answer = await fetch(upstream, { method: "POST", headers: { "content-type": "application/json" }, body });
    const answered = await answer.text();
    if (fault?.kind === "lose") {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault?.kind === "late") await delay(fault.delayMs);
    response
      .writeHead(answer.status, { "content-type": "application/json" })
      .end(fault?.kind === "lie" ? forgeBlocks(answered) : answered);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, HOST);
  await once(server, "listening");
  // Listening on TCP, so the address is not a path.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${HOST}:${port}`,
    set(next) {
      rules = next;
      struck.clear();
    },
    struck: () => struck,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** In blocks, logs and receipts alike, so that the answers of one liar fit together. */
function forgeBlocks(answer: string): string {
  const forge = (hash: string) => `0x${createHash("sha256").update(`forged ${hash}`).digest("hex")}`;
  return answer.replace(/"((?:block|parent)?[hH]ash)"\s*:\s*"(0x[0-9a-f]{64})"/g, (_, name: string, hash: string) => {
    return `"${name}":"${forge(hash)}"`;
  });
}

/** The methods that a request calls, which may be a batch. */
function methodsOf(body: string): readonly string[] {
  return [...body.matchAll(/"method"\s*:\s*"(\w+)"/g)].map(([, method]) => method ?? "");
}
