import type { Command } from "commander";
import { act } from "../../command/act.ts";
import type { Io } from "../../command/io.ts";

/** The codes that merchants show. */
export function addQrCommands(program: Command, io: Io): void {
  const qr = program.command("qr").description("Payment codes that merchants show (EMVCo). Needs no relay.");
  qr.command("read")
    .description(
      "Tells what the text of a payment code says: whom to pay, by which scheme, how much. It proves none of it.",
    )
    .argument("<text>", "what a scanner has read from the code, in quotes")
    .action(act(io, async (session, args) => (await import("../work/qr.ts")).read(session, args)));
}
