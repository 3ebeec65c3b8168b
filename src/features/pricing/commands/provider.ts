import type { Command } from "commander";
import { act } from "../../../command/act.ts";
import type { Io } from "../../../command/io.ts";

export function addProviderCommands(program: Command, io: Io): void {
  const provider = program.command("provider").description("A liquidity provider's quotes. Needs no relay.");
  provider
    .command("cancel-quote")
    .description("Cancels a quote on the ledger, for good. What batches have drawn on it stays as it is.")
    .argument("<file>", "the quote, as JSON: as it was handed out, with or without its signature")
    .requiredOption("--rpc <url>", "JSON-RPC of a node of the ledger")
    .requiredOption("--addresses <file>", "where the ledger's contracts are, as the network has published it")
    .requiredOption("--key <file>", "key file of a key with the purpose QUOTE, which pays for the transaction")
    .requiredOption("--password-file <file>", "file with the key file's password")
    .action(act(io, async (session, args) => (await import("./quote-cancellation.ts")).cancel(session, args)));
}
