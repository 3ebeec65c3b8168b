import Fastify from "fastify";
import { z } from "zod/v4";
import { listenLocally } from "./listen.ts";

/** A chain in this process, as EIP-1193 has it. */
export interface LocalChain {
  request(call: { readonly method: string; readonly params: unknown[] }): Promise<unknown>;
}

export interface ChainServer {
  readonly url: string;
  /** As everybody's; but for those in this process what is sent to this server is answered without a connection. */
  readonly fetch: typeof globalThis.fetch;
  stop(): Promise<void>;
}

const BODY_LIMIT_BYTES = 32 * 1_024 * 1_024;
const callSchema = z.object({
  id: z.union([z.number(), z.string(), z.null()]).default(null),
  method: z.string(),
  params: z.array(z.unknown()).default([]),
});
const INVALID_REQUEST = { code: -32_600, message: "Invalid request" };
const INTERNAL_ERROR = -32_603;

/** Serves a chain of this process over HTTP (JSON-RPC 2.0, single calls and batches), as a node does. */
export async function serveChain(chain: LocalChain, port?: number): Promise<ChainServer> {
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
  const answer = async (given: unknown): Promise<object> => {
    const parsed = callSchema.safeParse(given);
    if (!parsed.success) return { jsonrpc: "2.0", id: null, error: INVALID_REQUEST };
    const { id, method, params } = parsed.data;
    try {
      return { jsonrpc: "2.0", id, result: (await chain.request({ method, params })) ?? null };
    } catch (failure) {
      return { jsonrpc: "2.0", id, error: errorOf(failure) };
    }
  };
  const answerAll = (body: unknown) => (Array.isArray(body) ? Promise.all(body.map(answer)) : answer(body));
  app.post("/", ({ body }) => answerAll(body));
  const url = await listenLocally(app, port);
  return {
    url,
    async fetch(to, init) {
      const body = init?.body;
      if (typeof to !== "string" || typeof body !== "string" || new URL(to).origin !== url) {
        return globalThis.fetch(to, init);
      }
      return Response.json(await answerAll(JSON.parse(body)));
    },
    stop: () => app.close(),
  };
}

/** An error with the members that JSON-RPC's have, as far as the chain's own has them. */
function errorOf(failure: unknown): object {
  if (!(failure instanceof Error)) return { code: INTERNAL_ERROR, message: String(failure) };
  const code = "code" in failure && typeof failure.code === "number" ? failure.code : INTERNAL_ERROR;
  return { code, message: failure.message, ...("data" in failure ? { data: failure.data } : {}) };
}
