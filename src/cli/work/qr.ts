import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { InvalidInput } from "../../domain/errors.ts";
import { formatMoney } from "../../domain/money.ts";
import { parsePaymentCode, type CodeAccount, type PaymentCode } from "../../domain/payment-code/payment-code.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import { readFor, renderFacts, writeFor, type Session } from "../../command/session.ts";
import { MOST_PICTURE_BYTES, qrLines, qrPng, qrSvg, readQrPicture } from "./qr-picture.ts";

/** Shows what a payment code says. */
export async function read(session: Session, [text]: readonly string[]): Promise<void> {
  const picture = session.text("picture");
  if ((text === undefined) === (picture === undefined)) {
    throw new CommandFailure("USAGE", "give the code's text, or --picture with a file: one of them");
  }
  const code = picture === undefined ? (text ?? "") : readQrPicture(await readPicture(picture), "--picture");
  session.print(parsePaymentCode(code), showCode);
}

/** Draws a payment code that is sound. */
export async function draw(session: Session, [text = ""]: readonly string[]): Promise<void> {
  const code = parsePaymentCode(text);
  const file = session.text("out");
  if (file !== undefined) await writePicture(file, pictureOf(text, file));
  session.print({ text, ...(file === undefined ? {} : { file }) }, () =>
    file === undefined
      ? `${qrLines(text, session.io.out.isTTY === true)}\n\n${factsOf(code)}`
      : renderFacts([["written to", file]]),
  );
}

function pictureOf(text: string, file: string): Uint8Array | string {
  if (file.endsWith(".png")) return qrPng(text);
  if (file.endsWith(".svg")) return qrSvg(text);
  throw new InvalidInput("--out", "a name that ends in .png or .svg", file);
}

/** No more of it than a picture may have, and a byte. */
function readPicture(file: string): Promise<Uint8Array> {
  return readFor(file, "--picture", (path) => buffer(createReadStream(path, { end: MOST_PICTURE_BYTES })));
}

function writePicture(file: string, content: Uint8Array | string): Promise<void> {
  const rule = "a file that can be written, and is not there yet";
  return writeFor(file, "--out", rule, () => writeFile(file, content, { flag: "wx" }));
}

const SURCHARGES: Readonly<Record<NonNullable<PaymentCode["surcharge"]>, string>> = {
  asked: "and a tip, which the payer is asked for",
  fixed: "and a fee, which the code says",
  percentage: "and a part of the amount, which the code says",
};

function showCode(code: PaymentCode): string {
  return `${factsOf(code)}\n\nThe code is not damaged. Who has made it, it cannot say: ask the payee's wallet for the name.`;
}

function factsOf(code: PaymentCode): string {
  const { accounts, currency, amount, surcharge, country, name, city, localName, isDynamic, additional } = code;
  return renderFacts([
    ...accounts.map((account) => ["pay to", accountText(account)] as const),
    ["amount", amount === undefined ? `the payer says, in ${currency}` : formatMoney(amount)],
    ["besides", surcharge === undefined ? undefined : SURCHARGES[surcharge]],
    ["name", localName === undefined ? name : [name, localName].filter(Boolean).join(", ")],
    ["place", [city, country].filter(Boolean).join(", ")],
    ["made for", isDynamic === undefined ? undefined : isDynamic ? "one payment" : "any number of payments"],
    ...Object.entries(additional),
  ]);
}

function accountText({ id, scheme, guid, fields }: CodeAccount): string {
  const values = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  return [scheme ?? guid ?? `card network (${id})`, ...values].join(", ");
}
