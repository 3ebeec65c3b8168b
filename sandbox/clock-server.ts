import Fastify from "fastify";
import { InvalidInput } from "../src/domain/errors.ts";
import { formatInstant } from "../src/domain/instant.ts";
import { parseWire } from "../src/domain/wire.ts";
import { parseAdvance, sandboxAdvanceSchema } from "../src/schema/sandbox-clock.ts";
import type { SandboxClock } from "./clock.ts";
import { listenLocally } from "./listen.ts";

export interface ClockServerOptions {
  readonly clock: Pick<SandboxClock, "nowMs" | "advancedMs">;
  /** @throws InvalidInput where it cannot be */
  readonly advance: (seconds: number) => Promise<void>;
  /** Any free one by default. */
  readonly port?: number;
}

export interface ClockServer {
  readonly url: string;
  stop(): Promise<void>;
}

const BODY_LIMIT_BYTES = 1_024;

/** Serves the sandbox's clock: `GET /clock` tells it, `POST /clock` advances it and answers once that is done. */
export async function startClockServer({ clock, advance, port }: ClockServerOptions): Promise<ClockServer> {
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
  const now = () => ({
    now: formatInstant(clock.nowMs()),
    advancedSeconds: Math.round(clock.advancedMs() / 1_000),
  });
  app.get("/clock", now);
  app.post("/clock", async ({ body }) => {
    await advance(parseAdvance(parseWire(sandboxAdvanceSchema, body, "body").advance));
    return now();
  });
  app.setErrorHandler((failure, _request, reply) => {
    if (!(failure instanceof InvalidInput)) return reply.send(failure);
    const { field, rule } = failure;
    return reply.code(400).send({ field, rule });
  });
  const url = await listenLocally(app, port);
  return { url, stop: () => app.close() };
}
