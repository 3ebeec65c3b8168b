import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { expect } from "chai";
import { freePorts, portsTaken } from "../../../../deploy/bft/ports.ts";

describe("free ports", () => {
  it("are none that the system gives to outgoing connections", async function () {
    if (process.platform !== "linux") this.skip();
    const range = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    const first = Number.parseInt(range, 10);
    const ports = await freePorts(10);
    expect(ports.filter((port) => port >= first)).to.deep.equal([]);
  });

  it("follow each other, and nobody listens on them until somebody does", async () => {
    const ports = await freePorts(3);
    const [one = 0, two = 0, three = 0] = ports;
    expect([two - one, three - two, await portsTaken(ports)]).to.deep.equal([1, 1, []]);
    const server = createServer().listen(two, "127.0.0.1");
    try {
      await once(server, "listening");
      expect(await portsTaken(ports)).to.deep.equal([two]);
    } finally {
      server.close();
    }
  });
});
