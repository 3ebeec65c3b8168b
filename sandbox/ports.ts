import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** Ports of this machine that nobody listens on now; all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  // Listening on TCP, so the address is not a path.
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, "close");
    }),
  );
  return ports;
}

/** Those of some ports of this machine that somebody listens on now. */
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
