import type { Command } from "commander";
import {
  submitRequestSchema,
  type LineResult,
  type QuoteRequest,
  type QuoteResponse,
  type SubmitRequest,
} from "../../../schema/transfers.ts";
import type { TransferStatusResponse } from "../../../schema/transfer-status.ts";
import { parseUetr, uetrFromRandom } from "../../../domain/uetr.ts";
import { parseWire } from "../../../domain/wire.ts";
import type { RelayClient } from "../../../../sdk/client.ts";
import { openOutbox, type Outbox, type OutboxOptions } from "../../../../sdk/outbox.ts";
import { readAlias, readAmount, readCurrency, readPartner, showMoney } from "../../../command/arguments.ts";
import { CommandFailure } from "../../../command/exit-codes.ts";
import { act } from "../../../command/act.ts";
import { fateOf, SubmissionFailure } from "../../../command/fate.ts";
import type { Io } from "../../../command/io.ts";
import { jsonOf, parseJsonAs, readFileFor, renderFacts, writeFor, type Session } from "../../../command/session.ts";

const AMOUNT_HELP = "amount and currency, as 1500.00HKD";
const DEFAULT_WATCH_SECONDS = 600;
const MAX_SECONDS = 86_400;
const WATCH_INTERVAL_MS = 250;

export function addTransferCommands(program: Command, io: Io): void {
  program
    .command("quote")
    .description("What a transfer would cost, every cost itemised.")
    .argument("<partner>", "number of the partner that is paid")
    .option("--send <amount>", `what is exchanged: ${AMOUNT_HELP}`)
    .option("--receive <amount>", `what the payee gets: ${AMOUNT_HELP}`)
    .option("--currency <code>", "currency of the other end; the partner's home currency unless given")
    .action(act(io, quote));
  program
    .command("send")
    .description("Sends money to a customer of another partner; or a file of transfers, one JSON object a line.")
    .argument("[partner]", "number of the partner that is paid")
    .option("--send <amount>", `what is exchanged: ${AMOUNT_HELP}`)
    .option("--receive <amount>", `what the payee gets: ${AMOUNT_HELP}`)
    .option("--currency <code>", "currency of the other end; the partner's home currency unless given")
    .option("--quote <id>", "a quote, instead of an amount")
    .option("--from <alias>", "alias of the payer: +85291234567, an e-mail address, or TYPE:VALUE")
    .option("--from-name <name>", "name of the payer, in Latin letters")
    .option("--to <alias>", "alias of the payee")
    .option("--to-name <name>", "name of the payee, as the payer knows it")
    .option("--purpose <code>", "ISO 20022 purpose code", "FAMI")
    .option("--remittance <text>", "a line for the payee to read")
    .option("--wait-for-funds", "if the partner has too little money on the ledger, wait for it")
    .option("--uetr <uetr>", "the transfer's id: to repeat a submission. A new one unless given")
    .option("--retry-of <uetr>", "the order's latest attempt, which was not paid: both are one order")
    .option("--outbox <folder>", "keep the request there until the relay has answered: see --resume")
    .option("--resume", "send what a crash has left in the outbox")
    .option("--file <path>", "a file of submissions, one JSON object a line")
    .option("--watch", "follow the transfer to its end")
    .option("--timeout <seconds>", "how long to follow it", String(DEFAULT_WATCH_SECONDS))
    .action(act(io, send));
  program
    .command("status")
    .description("Where a transfer stands, with every step on the way there.")
    .argument("<uetr>", "the transfer's id")
    .option("--watch", "follow the transfer to its end")
    .option("--timeout <seconds>", "how long to follow it", String(DEFAULT_WATCH_SECONDS))
    .action(act(io, status));
  program
    .command("cancel")
    .description("Takes a transfer back, as long as it is in no batch.")
    .argument("<uetr>", "the transfer's id")
    .action(
      act(io, async (session, [uetr = ""]) => {
        const client = await session.client();
        session.print(await client.cancel(parseUetr(uetr)), showTransfer);
      }),
    );
}

async function quote(session: Session, [partner = ""]: readonly string[]): Promise<void> {
  const request: QuoteRequest = { target: readPartner(partner), amount: amountOf(session) };
  session.print(await (await session.client()).quote(request), showQuote);
}

function amountOf(session: Session): QuoteRequest["amount"] {
  const [send, receive, currency] = [session.text("send"), session.text("receive"), session.text("currency")];
  if ((send === undefined) === (receive === undefined)) {
    throw new CommandFailure("USAGE", "how much? Give --send or --receive: one of them");
  }
  const other = currency === undefined ? undefined : readCurrency(currency, "--currency");
  if (send !== undefined) {
    return { send: readAmount(send, "--send"), ...(other === undefined ? {} : { receiveCurrency: other }) };
  }
  return {
    receive: readAmount(receive ?? "", "--receive"),
    ...(other === undefined ? {} : { sendCurrency: other }),
  };
}

async function send(session: Session, [partner]: readonly string[]): Promise<void> {
  const [file, folder] = [session.text("file"), session.text("outbox")];
  if (session.flag("resume")) return resume(session, folder);
  if (file !== undefined) return sendFile(session, file);
  if (partner === undefined) throw new CommandFailure("USAGE", "to whom? Give the number of a partner, or --file");

  const request = requestOf(session, partner);
  const client = await session.client();
  const outbox = folder === undefined ? undefined : await openFolder(client, folder, () => Promise.resolve());
  // Told before it is sent: whatever happens now, it can be repeated, or asked about.
  if (!session.isJson) session.note(`UETR ${request.uetr}`);
  else if (session.text("uetr") === undefined) session.io.err.write(`${jsonOf({ uetr: request.uetr })}\n`);
  try {
    if (outbox === undefined) await submit(session, client, request);
    else await submitByOutbox(session, outbox, request);
  } catch (failure) {
    throw failure instanceof Error ? new SubmissionFailure(request.uetr, failure) : failure;
  }
  if (session.flag("watch")) await watch(session, client, request.uetr);
}

function requestOf(session: Session, partner: string): SubmitRequest {
  const [from, to] = [session.text("from"), session.text("to")];
  const name = session.text("fromName");
  if (from === undefined || to === undefined || name === undefined) {
    throw new CommandFailure("USAGE", "from whom to whom? Give --from, --from-name and --to");
  }
  const [toName, remittance, uetr] = [session.text("toName"), session.text("remittance"), session.text("uetr")];
  const [quoteId, retryOf] = [session.text("quote"), session.text("retryOf")];
  return parseWire(
    submitRequestSchema,
    {
      uetr: uetr ?? uetrFromRandom(session.io.drawBytes(16)),
      target: readPartner(partner),
      amount: quoteId === undefined ? amountOf(session) : { quoteId },
      debtor: { name, alias: readAlias(from, "--from") },
      creditor: { alias: readAlias(to, "--to"), ...(toName === undefined ? {} : { name: toName }) },
      purpose: session.text("purpose"),
      ...(remittance === undefined ? {} : { remittance }),
      ifUnfunded: session.flag("waitForFunds") ? "wait" : "fail",
      ...(retryOf === undefined ? {} : { retryOf }),
    },
    "transfer",
  );
}

async function submit(session: Session, client: RelayClient, request: SubmitRequest): Promise<void> {
  const { acceptance, replayed } = await client.submit(request);
  session.print({ ...acceptance, replayed }, () =>
    showQuote({ ...acceptance, title: replayed ? "Accepted before, and not sent again" : "Accepted" }),
  );
}

/** Nothing has been sent where it cannot be opened. */
function openFolder(client: RelayClient, folder: string, onOutcome: OutboxOptions["onOutcome"]): Promise<Outbox> {
  return writeFor(folder, "--outbox", "a folder that can be written to", () =>
    openOutbox({ client, folder, onOutcome }),
  );
}

async function submitByOutbox(session: Session, outbox: Outbox, request: SubmitRequest): Promise<void> {
  const outcome = await outbox.submit(request);
  if (outcome.kind !== "accepted") throw outcome.problem;
  const { acceptance, replayed } = outcome;
  session.print({ ...acceptance, replayed }, () =>
    showQuote({ ...acceptance, title: replayed ? "Accepted before, and not sent again" : "Accepted" }),
  );
}

async function resume(session: Session, folder: string | undefined): Promise<void> {
  if (folder === undefined) throw new CommandFailure("USAGE", "--resume: from which --outbox?");
  let notAccepted = 0;
  const outbox = await openFolder(await session.client(), folder, (outcome) => {
    const { uetr } = outcome.request;
    if (outcome.kind === "accepted") {
      session.line({ uetr, result: outcome.kind }, () => `${uetr}  accepted`);
    } else {
      notAccepted++;
      const { code, transfer, stored } = outcome.problem;
      session.line({ uetr, result: code, transfer, stored }, () => `${uetr}  ${code}: ${fateOf(outcome.problem)}`);
    }
    return Promise.resolve();
  });
  const { sent, left } = await outbox.resume();
  session.note(`${sent} sent, ${left} left`);
  if (left > 0) throw new CommandFailure("UNAVAILABLE", `${left} submissions are still in the outbox`);
  if (notAccepted > 0) throw new CommandFailure("NEGATIVE", `${notAccepted} of ${sent} were not accepted`);
}

async function sendFile(session: Session, path: string): Promise<void> {
  const lines = (await readFileFor(path, "--file")).split("\n");
  const requests = lines.flatMap((line, index) =>
    line.trim() === "" ? [] : [readSubmission(line.trim(), `line ${index + 1}`)],
  );
  const client = await session.client();
  const counted = { accepted: 0, none: 0, stored: 0, unknown: 0 };
  let answered = 0;
  for await (const result of client.submitMany(requests)) {
    counted[result.acceptance === undefined ? (result.problem?.transfer ?? "unknown") : "accepted"]++;
    session.line(result, showLine);
    progress(session, ++answered, requests.length);
  }
  const { accepted, none, stored, unknown } = counted;
  const told = `${accepted} accepted, ${none} refused for good, ${stored} stored with other content, ${unknown} to send again`;
  session.note(told);
  if (unknown > 0) throw new CommandFailure("UNAVAILABLE", told);
  if (accepted < answered) throw new CommandFailure("NEGATIVE", told);
}

function readSubmission(line: string, field: string): SubmitRequest {
  return parseWire(submitRequestSchema, parseJsonAs(line, field, "one JSON object"), field);
}

/** How far it is, on a terminal: one line that is written over. */
function progress({ io, isJson }: Session, done: number, all: number): void {
  if (isJson || io.err.isTTY !== true || io.out.isTTY === true) return;
  io.err.write(`\r${done} of ${all}${done === all ? "\n" : ""}`);
}

async function status(session: Session, [uetr = ""]: readonly string[]): Promise<void> {
  const client = await session.client();
  const id = parseUetr(uetr);
  if (session.flag("watch")) return watch(session, client, id);
  session.print(await client.transfer(id), showTransfer);
}

/** Tells each step as it happens, until the transfer is where it stays. */
async function watch(session: Session, client: RelayClient, uetr: string): Promise<void> {
  const { io } = session;
  const timeoutSeconds = session.integer("timeout", 1, MAX_SECONDS) ?? DEFAULT_WATCH_SECONDS;
  const untilMs = io.clock.nowMs() + timeoutSeconds * 1_000;
  let shown = 0;
  for (;;) {
    const transfer = await client.transfer(uetr);
    for (const step of transfer.steps.slice(shown)) session.line({ uetr, ...step }, showStep);
    shown = transfer.steps.length;
    if (transfer.status === "credited") return;
    if (transfer.isFinal && transfer.status !== "settled") {
      throw new CommandFailure("NEGATIVE", `${transfer.status}${reasonOf(transfer)}`);
    }
    if (io.interrupted.aborted) throw new CommandFailure("INTERRUPTED", "stopped watching; the transfer goes on");
    if (io.clock.nowMs() >= untilMs) {
      throw new CommandFailure("TIMEOUT", `still ${transfer.status} after ${timeoutSeconds} seconds; it goes on`);
    }
    await io.clock.sleep(WATCH_INTERVAL_MS, io.interrupted).catch(() => undefined);
  }
}

function reasonOf({ reason }: { readonly reason?: string | undefined }): string {
  return reason === undefined ? "" : ` (${reason})`;
}

type Priced = Pick<QuoteResponse, "target" | "send" | "fee" | "total" | "receive" | "expiresAt"> &
  Partial<Pick<QuoteResponse, "id" | "rate" | "provider">> & { readonly title?: string; readonly uetr?: string };

function showQuote({
  title,
  id,
  uetr,
  target,
  send: sent,
  fee,
  total,
  receive,
  rate,
  provider,
  expiresAt,
}: Priced): string {
  const facts = renderFacts([
    ["transfer", uetr],
    ["quote", id],
    ["to partner", String(target)],
    ["sent", showMoney(sent)],
    ["network fee", showMoney(fee)],
    ["payer pays", showMoney(total)],
    ["payee gets", showMoney(receive)],
    ["rate", rate === undefined ? undefined : `${rate.decimal} ${receive.currency} for one ${sent.currency}`],
    ["provider", provider === undefined ? undefined : String(provider)],
    ["holds until", expiresAt],
  ]);
  return title === undefined ? facts : `${title}\n${facts}`;
}

function showTransfer(transfer: TransferStatusResponse): string {
  const facts = renderFacts([
    ["transfer", transfer.uetr],
    ["status", `${transfer.status}${reasonOf(transfer)}, ${transfer.pacs002}${transfer.isFinal ? ", final" : ""}`],
    ["to partner", String(transfer.target)],
    ["payer pays", showMoney(transfer.total)],
    ["payee gets", showMoney(transfer.receive)],
    ["batch", transfer.batch],
  ]);
  return [facts, ...transfer.steps.map((step) => showStep(step))].join("\n");
}

function showStep(step: TransferStatusResponse["steps"][number]): string {
  const where = step.block === undefined ? "" : `  block ${step.block}`;
  return `${step.at}  ${step.status}${reasonOf(step)}${where}`;
}

function showLine({ line, uetr = "", acceptance, problem, replayed }: LineResult): string {
  const accepted = replayed === true ? "accepted before" : "accepted";
  const result = acceptance === undefined ? `${problem?.detail ?? ""}: ${fateOf(problem ?? {})}` : accepted;
  return `${String(line).padStart(6)}  ${uetr.padEnd(36)}  ${result}`;
}
