import type { Command } from "commander";
import { act } from "../../command/act.ts";
import type { Io } from "../../command/io.ts";

const PLAN = ["--plan <file>", "the network's members, hosts, keys by reference and parameters: network.json"] as const;

/** The files of a consortium's own ledger (Hyperledger Besu, QBFT). Nobody is asked for anything. */
export function addLedgerNetworkCommands(network: Command, io: Io): void {
  network
    .command("generate")
    .description("Writes the files of a consortium's Besu ledger from its plan; the same plan gives the same files.")
    .requiredOption(...PLAN)
    .requiredOption("--out <folder>", "the output: a new folder, or a generated one that has not been changed since")
    .option("--new-genesis", "the ledger has not started: its genesis may change")
    .action(act(io, async (session) => (await loadWork()).generateNetwork(session)));
  network
    .command("check")
    .description(
      "Compares a folder with its plan, and names options of Besu that are removed or dangerous. Findings end with code 9.",
    )
    .requiredOption(...PLAN)
    .requiredOption("--out <folder>", "the folder that was generated, with what was changed by hand")
    .action(act(io, async (session) => (await loadWork()).checkNetwork(session)));
}

/** Loaded only where it is done: it brings what knows the chain. */
const loadWork = () => import("../work/ledger-network.ts");
