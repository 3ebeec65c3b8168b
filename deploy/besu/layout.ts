// Where the generated files are below the output folder. What is shared is the same for all members; what is below
// members/<name>/ is for that member's machines.

/** Of every node, in a folder of its own so that it can be mounted. */
export const GENESIS_FILE = "genesis/genesis.json";

/** Which of a member's two nodes. */
export type NodeRole = "validator" | "rpc";
export const NODE_ROLES: readonly NodeRole[] = ["validator", "rpc"];

interface Named {
  readonly name: string;
}

/** A member's own files. */
export function memberFolder({ name }: Named): string {
  return `members/${name}`;
}

/** What is mounted into a node's container: its configuration, static nodes and allow-lists. */
export function nodeFolder(member: Named, role: NodeRole): string {
  return `${memberFolder(member)}/${role}`;
}

export const CONFIG_FILE = "config.toml";
export const STATIC_NODES_FILE = "static-nodes.json";
export const PERMISSIONS_FILE = "permissions_config.toml";

/**
 * Where a node is reached by its own operator, from within its container: a validator over HTTP, an RPC node, whose HTTP
 * service is the relays', over WebSocket. As Besu's defaults.
 */
export const OPERATOR_PORTS: Readonly<Record<NodeRole, number>> = { validator: 8545, rpc: 8546 };
