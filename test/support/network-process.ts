import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What `npm start` tells programs of its network. */
export interface NetworkFile {
  readonly rpcUrl: string;
  readonly addressesFile: string;
  readonly sandbox: string;
  readonly wallets: readonly {
    readonly partner: number;
    readonly name: string;
    readonly relay: string;
    readonly docs: string;
    readonly wallet: string;
    readonly apiKey: string;
    readonly customers: readonly { readonly name: string; readonly phone: string }[];
  }[];
}
export type WalletEntry = NetworkFile["wallets"][number];

export interface NetworkProcess {
  readonly script: ChildProcess;
  /** What it has printed, once it has ended. */
  readonly output: Promise<string>;
  readonly folder: string;
  readonly network: NetworkFile;
  /** @throws Error where the network has no such wallet */
  wallet(name: string): WalletEntry;
  end(): Promise<void>;
}

/**
 * `npm start`, as a process of its own on ports that are free.
 * @param more options of it
 */
export async function startNetworkProcess(...more: readonly string[]): Promise<NetworkProcess> {
  const folder = await mkdtemp(join(tmpdir(), "feiqian-network-"));
  const args = ["scripts/start.ts", "--any-ports", "--folder", folder, ...more];
  const script = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  const output = text(script.stdout);
  const end = async () => {
    script.kill("SIGKILL");
    await rm(folder, { recursive: true });
  };
  let written: string | undefined;
  try {
    await until(async () => {
      if (script.exitCode !== null) throw new Error(`npm start ended with ${script.exitCode}`);
      written = await readFile(join(folder, "network.json"), "utf8").catch(() => undefined);
      return written !== undefined;
    });
  } catch (failure) {
    await end();
    throw failure;
  }
  const network = JSON.parse(written ?? "") as NetworkFile; // its members are used, and so checked, by tests
  return {
    script,
    output,
    folder,
    network,
    wallet(name) {
      const found = network.wallets.find((each) => each.name === name);
      if (found === undefined) throw new Error(`the network has no wallet ${name}`);
      return found;
    },
    end,
  };
}
