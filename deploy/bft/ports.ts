import { once } from "node:events";
import { createServer } from "node:net";
import { drawSecurely } from "../../src/kernel/secure-random.ts";

/** Below the ports that Linux gives to outgoing connections: one of those could take a killed validator's port. */
const FIRST = 20_000;
const LAST = 32_000;
const MAX_TRIES = 100;

/** Ports of this machine, one after another, that nobody listens on now. @returns the first of them */
export async function freePortRange(count: number): Promise<number> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const first = FIRST + (Buffer.from(drawSecurely(2)).readUInt16BE() % (LAST - FIRST - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(ports.map(async (port) => isFree(port)))).every(Boolean)) return first;
  }
  throw new Error(`no ${count} free ports in a row between ${FIRST} and ${LAST}`);
}

/** Whether nobody listens on it at the loopback interface. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}
