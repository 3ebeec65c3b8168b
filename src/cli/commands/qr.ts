import type { Command } from "commander";
import { act } from "../../command/act.ts";
import type { Io } from "../../command/io.ts";

/** The codes that merchants show. */
export function addQrCommands(program: Command, io: Io): void {
  const qr = program.command("qr").description("Payment codes that merchants show (EMVCo). Needs no relay.");
  qr.command("read")
    .description("Tells what a payment code says: whom to pay, by which scheme, how much. It proves none of it.")
    .argument("[text]", "what a scanner has read from the code, in quotes")
    .option("--picture <file>", "a PNG to find the code in, instead: drawn or photographed")
    .action(act(io, async (session, args) => (await import("../work/qr.ts")).read(session, args)));
  qr.command("draw")
    .description("Draws a payment code, once it is known to be sound: here, or as a picture in a file.")
    .argument("<text>", "the code's text, in quotes")
    .option("--out <file>", "a file.png or file.svg to draw it into; an existing file is never overwritten")
    .action(act(io, async (session, args) => (await import("../work/qr.ts")).draw(session, args)));
}
