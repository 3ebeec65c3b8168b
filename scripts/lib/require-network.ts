import hre from "hardhat";
import { InvalidInput } from "../../src/domain/errors.ts";

/** Long, for a machine that is busy; a port on which nobody listens says so at once. */
const PATIENCE_MS = 30_000;
/** What starts the nodes of a network that comes with this repository. */
const STARTED_BY: Readonly<Record<string, string>> = { bft: "npm run network:bft", localhost: "npx hardhat node" };

/**
 * Before anything is built: is there such a network, and does a node of it answer?
 * @param rpcUrls in place of the network's own
 * @throws InvalidInput telling the next step
 */
export async function requireNetwork(name: string, rpcUrls?: readonly string[]): Promise<void> {
  const config = hre.config.networks[name];
  if (config === undefined) {
    const known = Object.keys(hre.config.networks).join(", ");
    throw new InvalidInput("--network", `a network of hardhat.config.ts: ${known}`, name);
  }
  if (config.type !== "http") return;
  const url = rpcUrls?.[0] ?? (await config.url.getUrl());
  if (!URL.canParse(url)) throw new InvalidInput("--rpc", "URLs, with commas between them");
  if (await answers(url)) return;
  const start = STARTED_BY[name];
  const first = start === undefined ? "start its nodes" : `start it in another terminal with \`${start}\``;
  // The rest of a URL may be secret.
  throw new InvalidInput("--network", `${name}: no node answers at ${new URL(url).origin}: ${first}`);
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const answer: unknown = await response.json();
    return typeof answer === "object" && answer !== null && "result" in answer;
  } catch {
    return false;
  }
}
