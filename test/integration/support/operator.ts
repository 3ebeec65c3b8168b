import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import type { PartnerId } from "../../../src/domain/partner.ts";
import { formatAddresses } from "../../../src/ledger/deployment/config-file.ts";
import { createKeystore } from "../../../src/ledger/keys/keystore.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { run, type Ran } from "../../unit/cli/fixtures.ts";
import { WALLET_SECRET } from "./http-wallet.ts";
import { freePort } from "../../../deploy/bft/ports.ts";

const PASSWORD = "open sesame";
/** Quick to open: what is tested is not the password's strength. */
const SCRYPT_N = 2;

/** A relay operator's folder: configuration, keys, passwords. */
export interface Operator {
  readonly partner: PartnerId;
  readonly folder: string;
  readonly configPath: string;
  readonly url: string;
  /** Runs `feiqian` as the operator does at the relay's machine. */
  readonly feiqian: (...args: readonly string[]) => Promise<Ran>;
  remove(): Promise<void>;
}

/** An operator who has read docs/relay-operator.md as far as the configuration. */
export async function createOperator(
  partner: PartnerId,
  { sandbox, nodeUrl, walletUrl }: { readonly sandbox: Sandbox; readonly nodeUrl: string; readonly walletUrl: string },
): Promise<Operator> {
  const folder = await mkdtemp(join(tmpdir(), "feiqian-relay-"));
  const at = (name: string): string => join(folder, name);
  const port = await freePort();
  const feiqian = (...args: readonly string[]) => run(args, { fetch, environment: {}, drawBytes: drawSecurely });
  const key = (name: string) => ({ keystore: `${name}.json`, passwordFile: "password" });
  const config = {
    partner,
    api: { port },
    ledger: { rpcUrls: [nodeUrl], addresses: "addresses.json", pollIntervalMs: 20, confirmations: 0 },
    keys: { send: key("send"), accept: key("accept"), transactions: key("transactions") },
    peer: { keys: "peer.jwe", passwordFile: "password" },
    registry: { trustedNetworks: ["127.0.0.0/8"] },
    dataKey: { file: "data.key" },
    wallet: { url: walletUrl, secretFile: "wallet.secret" },
    liquidity: { lowWater: { HKD: 5_000 } },
    // Other tests may have moved the chain's time.
    clock: { maxSkewSeconds: 0 },
    log: { level: "silent" },
  };
  await writeFile(at("relay.yaml"), stringify(config));
  await writeFile(at("addresses.json"), formatAddresses(sandbox.ledger.addresses));
  await writeFile(at("password"), PASSWORD, { mode: 0o600 });
  await writeFile(at("wallet.secret"), WALLET_SECRET, { mode: 0o600 });
  for (const name of ["send", "accept", "transactions"]) {
    await createKeystore(at(`${name}.json`), PASSWORD, drawSecurely, { scryptN: SCRYPT_N });
  }
  const { privateKey } = sandbox.keys.walletOf({ kind: "admin", partner });
  await createKeystore(at("admin.json"), PASSWORD, drawSecurely, { scryptN: SCRYPT_N, privateKey });
  expect(await feiqian("keys", "new", "peer", at("peer.jwe"), "--password-file", at("password"))).to.include({
    code: 0,
  });
  expect(await feiqian("keys", "new", "data", at("data.key"))).to.include({ code: 0 });
  return {
    partner,
    folder,
    configPath: at("relay.yaml"),
    url: `http://127.0.0.1:${port}`,
    feiqian,
    remove: () => rm(folder, { recursive: true }),
  };
}

/** Registers the relay, as its partner's admin. */
export function register({ feiqian, folder, configPath }: Operator, ...options: readonly string[]): Promise<Ran> {
  return feiqian(
    ...["relay", "register", "--config", configPath, "--json"],
    ...["--admin", join(folder, "admin.json"), "--admin-password-file", join(folder, "password")],
    ...options,
  );
}
