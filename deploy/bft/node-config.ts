import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify, type TomlTable } from "smol-toml";

/** Where a validator's node listens. */
export interface Listeners {
  /** For the other validators. */
  readonly p2p: { readonly host: string; readonly port: number };
  /** For clients, JSON-RPC by HTTP. */
  readonly rpc: { readonly host: string; readonly port: number };
  /** The first of {@link INNER_PORTS} that are its own, on the loopback interface. */
  readonly inner: number;
}

/** How many ports a node needs for itself: JSON-RPC by WebSocket, its consensus engine's RPC, its gRPC and the engine's. */
export const INNER_PORTS = 3;

/** So many transactions can wait: with the default of 500 a burst of a load test is refused. */
const MEMPOOL_SIZE = 20_000;

/** Writes a node's configuration over the one that `init` made. */
export async function configureNode(home: string, { p2p, inner }: Listeners, peers: readonly string[]): Promise<void> {
  await edit(join(home, "config", "config.toml"), {
    rpc: { laddr: `tcp://127.0.0.1:${inner + 1}`, pprof_laddr: "" },
    p2p: {
      laddr: `tcp://${p2p.host}:${p2p.port}`,
      // The validators and nobody else.
      pex: false,
      max_num_inbound_peers: 0,
      persistent_peers: peers.join(","),
      unconditional_peer_ids: peers.map((peer) => peer.slice(0, peer.indexOf("@"))).join(","),
      // They are on one machine.
      addr_book_strict: false,
      allow_duplicate_ip: true,
      // One that comes back after long is dialled soon.
      persistent_peers_max_dial_period: "5s",
      dial_timeout: "1s",
    },
    mempool: { size: MEMPOOL_SIZE, cache_size: 2 * MEMPOOL_SIZE },
  });
}

/** Changes settings of a TOML file, all of which must be there: a misspelt one would change nothing, silently. */
async function edit(path: string, changes: Readonly<Record<string, TomlTable>>): Promise<void> {
  const settings = parse(await readFile(path, "utf8"));
  for (const [section, values] of Object.entries(changes)) {
    const table = settings[section];
    if (typeof table !== "object" || Array.isArray(table) || table instanceof Date) {
      throw new Error(`${path} has no section [${section}]`);
    }
    for (const [name, value] of Object.entries(values)) {
      if (!(name in table)) throw new Error(`${path} has no ${name} in [${section}]`);
      table[name] = value;
    }
  }
  await writeFile(path, stringify(settings));
}

/** The arguments with which the node starts: its consensus timing, and everything that its app.toml would say. */
export function startArguments(home: string, { rpc, inner }: Listeners, blockTimeMs: number): readonly string[] {
  return [
    ...["start", "--home", home, "--log-level", "error", "--log-no-color", "--minimum-gas-prices", "0inj"],
    ...["--api.enable=false", "--grpc-web.enable=false", "--grpc.address", `127.0.0.1:${inner + 2}`],
    // The node takes no notice of its configuration here.
    ...["--unsafe-consensus-timeout-commit", `${blockTimeMs}ms`],
    ...["--json-rpc.address", `${rpc.host}:${rpc.port}`, "--json-rpc.ws-address", `127.0.0.1:${inner}`],
    ...["--json-rpc.api", "eth,net,web3", "--json-rpc.gas-cap", "100000000", "--json-rpc.evm-timeout", "30s"],
  ];
}
