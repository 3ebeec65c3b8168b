import type { Command } from "commander";
import { act, type AddCommands } from "../../../command/act.ts";
import type { Io } from "../../../command/io.ts";

export const addStatisticsCommands: AddCommands = (program: Command, io: Io): void => {
  const stats = program.command("stats").description("What can be counted of the network.");
  stats
    .command("success")
    .description(
      "How many transfers were paid, by corridor and day, and why the others were not: as the relay tells it, or counted " +
        "from the ledger itself, which needs no relay.",
    )
    .option("--from <day>", "the first day, as 2026-11-22; six days before the last one unless given")
    .option("--to <day>", "the last day; the ledger's day unless given")
    .option("--ledger <url>", "count from the ledger: JSON-RPC of a node of it")
    .option("--addresses <file>", "with --ledger: where its contracts are, as the network has published it")
    .option("--block <number>", "with --ledger: as of this block; the latest unless given")
    .action(act(io, async (session) => (await import("./success.ts")).success(session)));
  stats
    .command("orders")
    .description(
      "How many orders of the relay's own customers were paid, by target and day, and why the others were not.",
    )
    .option("--from <day>", "the first day, as 2026-11-22; six days before the last one unless given")
    .option("--to <day>", "the last day; the ledger's day unless given")
    .action(act(io, async (session) => (await import("./orders.ts")).orders(session)));
};
