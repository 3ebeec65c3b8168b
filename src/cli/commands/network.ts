import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { act } from "../../command/act.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import type { Io } from "../../command/io.ts";
import type { Session } from "../../command/session.ts";
import { addLedgerNetworkCommands } from "./ledger-network.ts";

/** Networks that are run by whoever has them: on this machine, or a consortium's ledger. */
export function addNetworkCommands(program: Command, io: Io): void {
  const network = program
    .command("network")
    .description("A network of ten partners on this machine, and the ledger of a consortium.");
  network
    .command("up")
    .description("For development: starts a ledger, ten relays, wallets and providers, and tells where they are.")
    .argument("[options...]", "options of `npm start`, after --")
    .action(act(io, networkUp));
  addLedgerNetworkCommands(network, io);
}

/** The development network is the repository's `npm start`: it brings everything that a wallet's developer plays with. */
async function networkUp({ io }: Session, args: readonly string[]): Promise<void> {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  if (!existsSync(join(root, "node_modules/hardhat"))) {
    throw new CommandFailure(
      "USAGE",
      "network up needs a checkout of the repository with its development packages: run npm ci in it, then npm start",
    );
  }
  const started = spawn("npm", ["start", "--silent", "--", ...args], { cwd: root, stdio: "inherit" });
  const ended = Promise.withResolvers<number | null>();
  started.on("error", ended.reject);
  started.on("exit", ended.resolve);
  for (const signal of ["SIGTERM", "SIGINT"] as const) io.onStop(signal, () => started.kill(signal));
  const code = await ended.promise;
  if (code !== 0 && code !== null) throw new CommandFailure("INTERNAL", `the network ended with ${code}`);
}
