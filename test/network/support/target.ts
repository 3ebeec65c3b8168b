import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BftPackageMissing, startBftLedger } from "../../../deploy/bft/ledger.ts";
import { normalizeHex } from "../../../src/domain/bytes/hex.ts";
import { openAccounts, type Accounts } from "./accounts.ts";

/** The ledger that is tested, and the accounts it is tested with. */
export interface Target {
  readonly rpcUrls: readonly string[];
  readonly accounts: Accounts;
  stop(): Promise<void>;
}

/** An operator's ledger where FEIQIAN_RPC_URLS names its nodes; else four validators started here. */
export async function openTarget(): Promise<Target> {
  const urls = (process.env["FEIQIAN_RPC_URLS"] ?? "").split(",").map((url) => url.trim());
  const phraseFile = process.env["FEIQIAN_MNEMONIC_FILE"] ?? "";
  const accounts = openAccounts(phraseFile === "" ? undefined : (await readFile(phraseFile, "utf8")).trim());
  const rpcUrls = urls.filter((url) => url !== "");
  return rpcUrls.length > 0 ? { rpcUrls, accounts, stop: () => Promise.resolve() } : startHere(accounts);
}

async function startHere(accounts: Accounts): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), "feiqian-conformance-"));
  try {
    const ledger = await startBftLedger({
      folder,
      funded: [...accounts.senders.values()].map(({ address }) => normalizeHex(address)),
      deployers: [normalizeHex(accounts.deployer.address)],
    });
    const stop = async () => {
      await ledger.stop();
      await rm(folder, { recursive: true, force: true });
    };
    return { rpcUrls: ledger.rpcUrls, accounts, stop };
  } catch (failure) {
    await rm(folder, { recursive: true, force: true });
    throw failure;
  }
}

export { BftPackageMissing };
