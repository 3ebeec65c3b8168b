import type { FastifyInstance } from "fastify";

/** On this machine only: what the sandbox serves is worth nothing, and protected by nothing. */
const HOST = "127.0.0.1";

/**
 * Has a server listen on this machine.
 * @param port any free one by default
 * @returns its URL, without a slash at the end
 */
export async function listenLocally(app: FastifyInstance, port = 0): Promise<string> {
  return app.listen({ host: HOST, port });
}
