import { isIPv4 } from "node:net";
import { NODE_PATHS } from "./container-paths.ts";
import { OPERATOR_PORTS, type NodeRole } from "./layout.ts";
import type { Member, NetworkPlan, NodePlan } from "./plan.ts";
import { nodesOf } from "./permissions.ts";
import { tomlFile, type TomlSection } from "./toml.ts";

const LOOPBACK = "127.0.0.1";
const ALL_INTERFACES = "0.0.0.0";
/** Besu's default, and more than a consortium's nodes. */
const MIN_PEERS_LIMIT = 25;
export const MAX_POOL_TRANSACTIONS = 4_096;
/**
 * A settlement names each transfer that it rejects in 160 bytes and has a Merkle proof beside it, so a batch of 4,000 that
 * is rejected altogether is a transaction of 640 kB. Besu's default since 26.8.1 is 128 KiB.
 */
const MAX_TRANSACTION_BYTES = 1_048_576;
const CALL_GAS_CAP = 50_000_000;
const MAX_LOGS_RANGE = 5_000;
const MAX_BATCH_SIZE = 256;
const HISTORICAL_BLOCKS = 512;

/** The config.toml of one of a member's nodes. */
export function nodeConfig(plan: NetworkPlan, member: Member, role: NodeRole): string {
  const node = member[role];
  return tomlFile([
    identity(plan, member, role),
    storage(),
    peers(plan, node),
    permissions(),
    pool(plan),
    ...(role === "rpc" ? relayAccess(member) : [operatorAccess()]),
    {
      about:
        "Names under which this node may be asked, for its RPC and its metrics: the Host header of what Prometheus and the relays send.",
      values: { "host-allowlist": ["localhost", LOOPBACK, node.host] },
    },
    {
      about:
        "For Prometheus. The numbers are open to whoever reaches the port: let the firewall admit Prometheus only.",
      values: {
        "metrics-enabled": true,
        "metrics-protocol": "PROMETHEUS",
        "metrics-host": ALL_INTERFACES,
        "metrics-port": node.metricsPort,
      },
    },
  ]);
}

function identity({ name, chain }: NetworkPlan, member: Member, role: NodeRole): TomlSection {
  return {
    about: `The ${role === "rpc" ? "RPC node" : "validator"} of ${member.displayName} in ${name}. Generated: change network.json and generate again.`,
    values: {
      identity: `${member.name}-${role}`,
      "data-path": NODE_PATHS.data,
      "genesis-file": NODE_PATHS.genesis,
      "network-id": chain.chainId,
      "node-private-key-file": NODE_PATHS.nodeKey,
      logging: "INFO",
      "color-enabled": false,
    },
  };
}

function storage(): TomlSection {
  return {
    about:
      "Every node executes every block itself and believes no peer's state. Calls on past blocks are answered for the last of them, events for all.",
    values: {
      "data-storage-format": "BONSAI",
      "bonsai-limit-trie-logs-enabled": false,
      "bonsai-historical-block-limit": HISTORICAL_BLOCKS,
      "sync-mode": "FULL",
    },
  };
}

function peers(plan: NetworkPlan, node: NodePlan): TomlSection {
  const nodes = nodesOf(plan);
  const hasNames = nodes.some(({ host }) => !isIPv4(host));
  return {
    about:
      "Peers are those of the static nodes and the allow-list, and nobody is searched for. Besu takes only an IP address for p2p-host.",
    values: {
      "discovery-enabled": false,
      ...(isIPv4(node.host) ? { "p2p-host": node.host } : {}),
      "p2p-interface": ALL_INTERFACES,
      "p2p-port": node.p2pPort,
      "max-peers": Math.max(MIN_PEERS_LIMIT, nodes.length),
      "remote-connections-limit-enabled": false,
      "static-nodes-file": NODE_PATHS.staticNodes,
      ...(hasNames ? { "Xdns-enabled": true, "Xdns-update-enabled": true } : {}),
    },
  };
}

function permissions(): TomlSection {
  return {
    about: "Allow-lists of nodes and of accounts.",
    values: {
      "permissions-nodes-config-file-enabled": true,
      "permissions-nodes-config-file": NODE_PATHS.permissions,
      "permissions-accounts-config-file-enabled": true,
      "permissions-accounts-config-file": NODE_PATHS.permissions,
    },
  };
}

function pool({ chain }: NetworkPlan): TomlSection {
  return {
    about:
      "Gas is free, within a block's limit, which every proposer keeps. Transactions wait in the order of their arrival; a relay sends all of its own from one account, so one account may have half of the pool.",
    values: {
      "min-gas-price": 0,
      "target-gas-limit": chain.gasLimit,
      "tx-pool": "SEQUENCED",
      "tx-pool-max-size": MAX_POOL_TRANSACTIONS,
      "tx-pool-limit-by-account-percentage": 0.5,
      "tx-pool-max-tx-bytes": MAX_TRANSACTION_BYTES,
      "strict-tx-replay-protection-enabled": true,
    },
  };
}

/** A validator answers nobody but its operator, who votes on validators and has the allow-lists read again. */
function operatorAccess(): TomlSection {
  return {
    about: "For this validator's operator only, from within its container: votes on validators, the allow-lists.",
    values: {
      "rpc-http-enabled": true,
      "rpc-http-host": LOOPBACK,
      "rpc-http-port": OPERATOR_PORTS.validator,
      "rpc-http-api": ["ETH", "NET", "QBFT", "PERM"],
      "rpc-ws-enabled": false,
    },
  };
}

function relayAccess({ rpc }: Member): readonly TomlSection[] {
  return [
    {
      about:
        "For relays and wallets of this member: over TLS, with a token (JWT) that its issuer has signed. No origin is named for browsers (CORS), so none may ask.",
      values: {
        "rpc-http-enabled": true,
        "rpc-http-host": ALL_INTERFACES,
        "rpc-http-port": rpc.rpcPort,
        "rpc-http-api": ["ETH", "NET", "WEB3"],
        "rpc-http-authentication-enabled": true,
        "rpc-http-authentication-jwt-public-key-file": NODE_PATHS.jwtPublicKey,
        "rpc-http-authentication-jwt-algorithm": "RS256",
        "rpc-http-tls-enabled": true,
        "rpc-http-tls-keystore-file": NODE_PATHS.tlsKeystore,
        "rpc-http-tls-keystore-password-file": NODE_PATHS.tlsPassword,
        "rpc-http-tls-protocols": ["TLSv1.3", "TLSv1.2"],
        "rpc-http-max-batch-size": MAX_BATCH_SIZE,
        "rpc-max-logs-range": MAX_LOGS_RANGE,
        "rpc-gas-cap": CALL_GAS_CAP,
        "revert-reason-enabled": true,
      },
    },
    {
      about:
        "For this node's operator only, from within its container: to have the allow-lists read again. It is the WebSocket service because Besu has one HTTP service, and that one is not for administration.",
      values: {
        "rpc-ws-enabled": true,
        "rpc-ws-host": LOOPBACK,
        "rpc-ws-port": OPERATOR_PORTS.rpc,
        "rpc-ws-api": ["PERM"],
      },
    },
  ];
}
