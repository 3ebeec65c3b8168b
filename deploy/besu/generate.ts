import type { RelayAlerts } from "./alerts.ts";
import { composeFiles } from "./compose.ts";
import { genesisFile } from "./genesis.ts";
import { kubernetesFiles } from "./kubernetes.ts";
import { CONFIG_FILE, GENESIS_FILE, nodeFolder, NODE_ROLES, PERMISSIONS_FILE, STATIC_NODES_FILE } from "./layout.ts";
import { MANIFEST_FILE, manifestFile } from "./manifest.ts";
import { monitoringFiles } from "./monitoring.ts";
import { nodeConfig } from "./node-config.ts";
import { permissionsFile, staticNodesFile } from "./permissions.ts";
import type { Files, NetworkPlan } from "./plan.ts";

/** All files of a network, its manifest among them, in the order of their paths. The same plan gives the same bytes. */
export function generate(plan: NetworkPlan, relays: RelayAlerts): Files {
  const files = merge([
    nodeFiles(plan),
    composeFiles(plan),
    monitoringFiles(plan, relays),
    kubernetesFiles(plan, relays),
  ]);
  return inOrder([...files, [MANIFEST_FILE, manifestFile(plan.name, files)]]);
}

/** What Besu itself reads: the genesis, and each node's configuration, static nodes and allow-lists. */
export function nodeFiles(plan: NetworkPlan): Files {
  const permissions = permissionsFile(plan);
  const files = plan.members.flatMap((member) =>
    NODE_ROLES.flatMap((role): readonly (readonly [string, string])[] => {
      const folder = nodeFolder(member, role);
      return [
        [`${folder}/${CONFIG_FILE}`, nodeConfig(plan, member, role)],
        [`${folder}/${STATIC_NODES_FILE}`, staticNodesFile(plan, member, role)],
        [`${folder}/${PERMISSIONS_FILE}`, permissions],
      ];
    }),
  );
  return new Map([[GENESIS_FILE, genesisFile(plan)], ...files]);
}

/** One set of files of several; no two of them have the same. */
function merge(parts: readonly Files[]): Files {
  const merged = new Map<string, string>();
  for (const [path, text] of parts.flatMap((files) => [...files])) {
    if (merged.has(path)) throw new Error(`two parts of the generator make ${path}`);
    merged.set(path, text);
  }
  return inOrder([...merged]);
}

function inOrder(files: readonly (readonly [string, string])[]): Files {
  return new Map(files.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
