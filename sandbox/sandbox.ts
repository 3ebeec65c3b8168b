import type { Provider } from "ethers";
import type { Hex } from "../src/domain/bytes/hex.ts";
import type { PartnerId } from "../src/domain/partner.ts";
import { encodeCall } from "../src/ledger/calls.ts";
import { connectLedger, type Ledger, type LedgerAddresses } from "../src/ledger/contracts.ts";
import { bitsOf, KEY_PURPOSES, type KeyPurpose, type LedgerConfig } from "../src/ledger/deployment/config.ts";
import { createSubmitter, type Submitter } from "../src/ledger/submitter.ts";
import { sandboxKeys, type KeyHolder, type SandboxKeys } from "./network.ts";

/** The network of ten on one machine: its ledger, and every key there is. */
export interface Sandbox {
  readonly ledger: Ledger;
  readonly keys: SandboxKeys;
  readonly config: LedgerConfig;
  /** The one nonce queue of a key. */
  readonly submitterOf: (holder: KeyHolder) => Promise<Submitter>;
}

const RECEIPT_TIMEOUT_MS = 20_000;
const POLL_INTERVAL_MS = 50;
const MAX_BROADCASTS = 5;
const FOREVER = 2 ** 48 - 1;

/**
 * Connects to a deployed ledger and has every partner's admin authorise its operator key.
 * @param keys the ones that everybody knows, where they are left out
 */
export async function openSandbox(
  provider: Provider,
  addresses: LedgerAddresses,
  config: LedgerConfig,
  keys: SandboxKeys = sandboxKeys(provider),
): Promise<Sandbox> {
  const queues = new Map<string, Promise<Submitter>>();
  const submitterOf = (holder: KeyHolder): Promise<Submitter> => {
    const address = keys.addressOf(holder);
    const queue =
      queues.get(address) ??
      createSubmitter(keys.walletOf(holder).connect(provider), {
        receiptTimeoutMs: RECEIPT_TIMEOUT_MS,
        pollIntervalMs: POLL_INTERVAL_MS,
        maxBroadcasts: MAX_BROADCASTS,
        priorityFeeWei: 0n,
      });
    queues.set(address, queue);
    return queue;
  };
  const sandbox = { ledger: await connectLedger(provider, addresses), keys, config, submitterOf };
  await Promise.all(config.partners.map((partner) => authorizeOperator(sandbox, partner.id)));
  return sandbox;
}

async function authorizeOperator({ ledger, keys, submitterOf, config }: Sandbox, partner: PartnerId): Promise<void> {
  const roles = config.partners.find(({ id }) => id === partner)?.roles ?? [];
  const purposes: readonly KeyPurpose[] = [
    "fund",
    ...(roles.includes("wallet") ? (["send", "accept"] as const) : []),
    ...(roles.includes("liquidityProvider") ? (["quote"] as const) : []),
  ];
  const admin = await submitterOf({ kind: "admin", partner });
  const operator = keys.addressOf({ kind: "operator", partner });
  const args = [partner, operator, bitsOf(KEY_PURPOSES, purposes), FOREVER];
  await admin.submit(encodeCall("partnerRegistry", ledger.addresses.partnerRegistry, "authorizeKey", args));
}

/** Where a partner is reached, and by which public keys, as the registry has it. */
export interface Endpoint {
  readonly url: string;
  /** Ed25519; zero for a provider, which nobody sends messages to. */
  readonly signingKey: Hex;
  /** X25519. */
  readonly encryptionKey: Hex;
}

/** A partner's admin tells the network where the partner is reached. */
export async function registerEndpoint(
  { ledger, submitterOf }: Sandbox,
  partner: PartnerId,
  endpoint: Endpoint,
): Promise<void> {
  const admin = await submitterOf({ kind: "admin", partner });
  const { partnerRegistry } = ledger.addresses;
  await admin.submit(encodeCall("partnerRegistry", partnerRegistry, "setEndpoint", [partner, endpoint]));
}
