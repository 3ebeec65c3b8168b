import { once } from "node:events";
import { createServer } from "node:net";
import { drawSecurely } from "../../src/kernel/secure-random.ts";

/**
 * Below the ports that Linux gives to outgoing connections: one of those would take a port that was found free, or that
 * of a server about to start again.
 */
const FIRST = 20_000;
const LAST = 32_000;
const MAX_TRIES = 100;

/** Ports of this machine, one after another, that nobody listens on now. Drawn, so that two processes get others. */
export async function freePorts(count: number): Promise<readonly number[]> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const first = FIRST + (Buffer.from(drawSecurely(2)).readUInt16BE() % (LAST - FIRST - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await portsTaken(ports)).length === 0) return ports;
  }
  throw new Error(`no ${count} free ports in a row between ${FIRST} and ${LAST}`);
}

/** A port as `freePorts` finds them. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Those of some ports of this machine that somebody listens on now, at the loopback interface. */
export async function portsTaken(ports: readonly number[]): Promise<readonly number[]> {
  const taken = await Promise.all(
    ports.map(async (port) => {
      const server = createServer().listen(port, "127.0.0.1");
      try {
        await once(server, "listening");
      } catch {
        return port;
      }
      server.close();
      await once(server, "close");
      return undefined;
    }),
  );
  return taken.filter((port) => port !== undefined);
}
