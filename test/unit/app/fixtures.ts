import { ConfigError, type ConfigProblem } from "../../../src/kernel/config-error.ts";

/** A configuration of the keys without a default only. */
export const LEAST = `
partner: 4
ledger:
  rpcUrls: [http://127.0.0.1:8545]
  addresses: addresses.json
keys:
  send: { keystore: send.json, passwordFile: send.password }
  accept: { web3signer: http://127.0.0.1:9000, address: 0xABCDEFabcdef0000000000000000000000000001 }
  transactions: { keystore: transactions.json }
peer: { keys: peer.jwe, passwordFile: peer.password }
wallet: { url: http://127.0.0.1:7000, secretFile: wallet.secret }
`;

/** What a configuration is refused for. */
export function problemsOf(work: () => unknown): readonly ConfigProblem[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("it was accepted");
}
