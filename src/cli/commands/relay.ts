import type { Command } from "commander";
import { act } from "../../command/act.ts";
import type { Io } from "../../command/io.ts";

const CONFIG_HELP = "the relay's configuration (YAML); FEIQIAN_CONFIG unless given";

// What runs a relay is loaded by the commands that do: the others start without it.
export function addRelayCommands(program: Command, io: Io): void {
  const relay = program.command("relay").description("A partner's relay.");
  relay
    .command("start")
    .description("Runs the relay until it is told to stop (SIGTERM); logs go to standard output.")
    .option("--config <file>", CONFIG_HELP)
    .action(act(io, async (session) => (await import("../work/relay-start.ts")).start(session)));
  relay
    .command("check")
    .description(
      "Checks the configuration, its keys, the database's owner, the registry and the partner's standing on the ledger, and names the next command.",
    )
    .option("--config <file>", CONFIG_HELP)
    .action(act(io, async (session) => (await import("../work/registration.ts")).check(session)));
  relay
    .command("data-keys")
    .description("Counts what in the database still needs which data key. Ends with code 9 while an old one is needed.")
    .option("--config <file>", CONFIG_HELP)
    .action(act(io, async (session) => (await import("../work/data-keys.ts")).countKeyUses(session)));
  relay
    .command("register")
    .description(
      "Registers the relay's keys, its address and the partner's exit account on the ledger, as the partner's admin.",
    )
    .option("--config <file>", CONFIG_HELP)
    .requiredOption("--admin <file>", "key file of the partner's admin account")
    .requiredOption("--admin-password-file <file>", "file with its password")
    .option("--days <count>", "for how long the keys may act", "365")
    .option("--exit-account <address>", "where the money may go while the partner is suspended; counts after 14 days")
    .action(act(io, async (session) => (await import("../work/registration.ts")).registerRelay(session)));
}
