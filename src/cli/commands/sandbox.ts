import type { Command } from "commander";
import { act } from "../../command/act.ts";
import type { Io } from "../../command/io.ts";

/** The network of ten that `npm start` has left running. */
export function addSandboxCommands(program: Command, io: Io): void {
  const sandbox = program.command("sandbox").description("The network of ten on this machine, while it is up.");
  sandbox
    .command("clock")
    .description("Shows the clock of the ledger and of all relays, wallets and providers, or advances it.")
    .argument("[advance]", "by how much, as +10d, +3h, +90s or +2d12h: at most 30 days at once, and never back")
    .option("--sandbox <url>", "the sandbox's address; FEIQIAN_SANDBOX_URL unless given, else http://127.0.0.1:8680")
    .action(act(io, async (session, args) => (await import("../work/sandbox-clock.ts")).clock(session, args)));
}
