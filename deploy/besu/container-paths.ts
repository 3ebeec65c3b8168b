import { CONFIG_FILE, PERMISSIONS_FILE, STATIC_NODES_FILE } from "./layout.ts";

const FOLDER = "/etc/besu";

/**
 * Where things are inside a node's container. The node's config.toml names these paths and its container mounts them, so
 * node-config.ts and compose.ts both take them from here.
 *
 * Folders are mounted, not single files: a file that is replaced on the host would not be seen in the container, and
 * `perm_reloadPermissionsFromFile` would go on reading the old one.
 */
export const NODE_PATHS = {
  /** The node's folder of the generated files, read-only. */
  folder: FOLDER,
  config: `${FOLDER}/${CONFIG_FILE}`,
  staticNodes: `${FOLDER}/${STATIC_NODES_FILE}`,
  permissions: `${FOLDER}/${PERMISSIONS_FILE}`,
  genesisFolder: "/etc/besu-genesis",
  genesis: "/etc/besu-genesis/genesis.json",
  /** The database. Not below /opt/besu, where Besu's image has its programs. */
  data: "/var/lib/besu",
  /** What the operator provides, each a file. */
  secrets: "/run/secrets",
  nodeKey: "/run/secrets/node-key",
  /** Of an RPC node: PKCS #12, and the file with its password. */
  tlsKeystore: "/run/secrets/rpc-tls.p12",
  tlsPassword: "/run/secrets/rpc-tls-password",
  /** Of an RPC node: the public key that its clients' tokens are checked with. */
  jwtPublicKey: "/run/secrets/rpc-jwt.pem",
} as const;
