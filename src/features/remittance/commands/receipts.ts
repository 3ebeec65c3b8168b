import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { DETAIL_GROUPS } from "../../../domain/details.ts";
import { InvalidInput } from "../../../domain/errors.ts";
import { parseUetr } from "../../../domain/uetr.ts";
import { act } from "../../../command/act.ts";
import type { Io } from "../../../command/io.ts";
import { jsonOf, writeFor, type Session } from "../../../command/session.ts";

export function addReceiptCommands(program: Command, io: Io): void {
  const receipt = program.command("receipt").description("Proofs that a transfer settled, for anyone to check.");
  receipt
    .command("get")
    .description("The receipt of a transfer that has ended on the ledger.")
    .argument("<uetr>", "the transfer's id")
    .option("--disclose <groups>", `what it reveals, with commas: ${DETAIL_GROUPS.join(", ")}; nothing unless given`)
    .option("--out <file>", "write it to this file instead of standard output")
    .action(act(io, get));
  receipt
    .command("verify")
    .description("Checks a receipt against the ledger, through a node of your choice. Needs no relay.")
    .argument("<file>", "the receipt")
    .requiredOption("--rpc <url>", "JSON-RPC of a node of the ledger")
    .option(
      "--registry <address>",
      "address of the network's TransferRegistry, from a source you trust; without it nothing is proved",
    )
    .action(act(io, async (session, args) => (await import("./receipt-verify.ts")).verify(session, args)));
}

async function get(session: Session, [uetr = ""]: readonly string[]): Promise<void> {
  const groups = session.list("disclose").map((name) => {
    const group = DETAIL_GROUPS.find((known) => known === name);
    if (group === undefined) throw new InvalidInput("--disclose", `some of ${DETAIL_GROUPS.join(", ")}`, name);
    return group;
  });
  const receipt = await (await session.client()).receipt(parseUetr(uetr), groups);
  const text = `${jsonOf(receipt, 2)}\n`;
  const out = session.text("out");
  if (out === undefined) session.io.out.write(text);
  else await writeFor(out, "--out", "a file that can be written", () => writeFile(out, text, { mode: 0o600 }));
}
