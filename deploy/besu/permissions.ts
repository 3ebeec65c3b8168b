import type { Hex } from "../../src/domain/bytes/hex.ts";
import type { NodeRole } from "./layout.ts";
import type { Member, NetworkPlan, NodePlan } from "./plan.ts";
import { tomlFile } from "./toml.ts";

/**
 * A node's address in the peer-to-peer network. Besu starts only when each static node is in the allow-list, and both
 * take it from here.
 * @see https://besu.hyperledger.org/public-networks/concepts/node-keys#enode-url
 */
export function enodeUrl({ publicKey, host, p2pPort }: NodePlan): string {
  return `enode://${publicKey.slice(2)}@${host}:${p2pPort}`;
}

/** Every node of the network, the validators first. */
export function nodesOf({ members }: Pick<NetworkPlan, "members">): readonly NodePlan[] {
  return [...members.map(({ validator }) => validator), ...members.map(({ rpc }) => rpc)];
}

/** Every account that may send. */
function accountsOf({ members, accounts }: NetworkPlan): readonly Hex[] {
  return [...accounts, ...members.flatMap((member) => member.accounts)].map(({ address }) => address);
}

/**
 * The peers that a node keeps a connection to: all validators, and its own member's other node. RPC nodes of different
 * members have nothing to tell each other that the validators do not.
 */
export function staticNodesFile(plan: Pick<NetworkPlan, "members">, member: Member, role: NodeRole): string {
  const validators = plan.members.map(({ validator }) => validator);
  const peers = role === "rpc" ? validators : [...validators.filter((node) => node !== member.validator), member.rpc];
  return `${JSON.stringify(peers.map(enodeUrl), undefined, 2)}\n`;
}

/**
 * The allow-lists, the same on every node: who may connect, and who may send transactions. A node applies them to what
 * it is asked and to what it puts into a block; they are no rule of validity, so the contracts check their callers, too.
 * @see https://besu.hyperledger.org/private-networks/how-to/use-local-permissioning
 */
export function permissionsFile(plan: NetworkPlan): string {
  return tomlFile([
    {
      about: "Nodes that may connect. After a change: perm_reloadPermissionsFromFile on every node.",
      values: { "nodes-allowlist": nodesOf(plan).map(enodeUrl) },
    },
    { about: "Accounts that may send transactions.", values: { "accounts-allowlist": accountsOf(plan) } },
  ]);
}
