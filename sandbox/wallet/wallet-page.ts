import { isDeepStrictEqual } from "node:util";
import type { FastifyInstance } from "fastify";
import { InvalidInput } from "../../src/domain/errors.ts";
import { formatMoney, money, parseMoney } from "../../src/domain/money.ts";
import { parseText } from "../../src/domain/text.ts";
import { parseUetr, uetrFromRandom } from "../../src/domain/uetr.ts";
import type { Account, Posting, WalletBooks } from "./books.ts";
import { hasCorridor } from "../day/flows.ts";
import type { Order } from "../orders/order.ts";
import { parseMobileNumber } from "./phones.ts";
import type { Submission, WalletApp } from "./wallet-app.ts";
import { parseWallet, WALLETS, type Wallet } from "./wallets.ts";

export interface WalletPageOptions {
  readonly wallet: Wallet;
  readonly books: WalletBooks;
  /** Undefined while the wallet's relay is starting. */
  readonly app: () => WalletApp | undefined;
  readonly drawBytes: (length: number) => Uint8Array;
}

const NEWEST_POSTINGS = 50;
const FORM = "application/x-www-form-urlencoded";
const HTML = "text/html; charset=utf-8";
const SEE_OTHER = 303;
const BAD_REQUEST = 400;
const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #8884}
td.n{text-align:right;font-variant-numeric:tabular-nums}form>*{margin:.2rem}.note{padding:.6rem;background:#8882}`;

/** What a form was first sent with, and what the relay said to it. */
interface SentForm {
  readonly order: Order;
  answer?: Submission;
}

/**
 * Adds the wallet's page for people: who has how much, what happened, and a form to send money with. A form has its
 * transfer's UETR from the moment it is shown, so it pays once, however often it is sent: reloaded, in a second tab, or
 * with two clicks.
 */
export function addWalletPage(server: FastifyInstance, options: WalletPageOptions): void {
  const sent = new Map<string, SentForm>();
  server.addContentTypeParser(FORM, { parseAs: "string" }, (_request, body, parsed) =>
    parsed(null, new URLSearchParams(String(body))),
  );
  server.get<{ Querystring: { sent?: string } }>("/", ({ query }, reply) =>
    reply.type(HTML).send(render(options, noteOn(sent.get(query.sent ?? "")))),
  );
  server.post("/send", async ({ body }, reply) => {
    try {
      const order = readOrder(options, body instanceof URLSearchParams ? body : new URLSearchParams());
      await send(options, sent, order);
      // What comes next can be reloaded, and sends nothing.
      return await reply.redirect(`/?sent=${order.uetr}`, SEE_OTHER);
    } catch (failure) {
      if (!(failure instanceof InvalidInput)) throw failure;
      return reply.code(BAD_REQUEST).type(HTML).send(render(options, failure.message));
    }
  });
}

/** @throws InvalidInput when a field breaks its rule */
function readOrder({ wallet, books }: WalletPageOptions, form: URLSearchParams): Order {
  const uetr = parseUetr(form.get("uetr") ?? "");
  const sender = books.accountOf(form.get("from") ?? "");
  if (sender === undefined) throw new InvalidInput("from", "a customer of this wallet");
  const { name, nameLocal, phone } = sender;
  const target = parseWallet(form.get("target") ?? "", "target");
  const message = form.get("remittance") ?? "";
  return {
    uetr,
    source: wallet.id,
    target: target.id,
    sourceAmount: parseMoney(form.get("amount") ?? "", wallet.currency),
    debtor: { name, nameLocal, phone },
    creditor: { name: "Payee", nameLocal: "Payee", phone: parseMobileNumber(form.get("to") ?? "", target, "to") },
    purpose: "OTHR",
    remittance: message.trim() === "" ? "" : parseText(message, "remittance"),
    atSecond: 0,
  };
}

/**
 * Sends an order to the relay until it has an answer: again under the same UETR, where an earlier attempt had none.
 * @throws InvalidInput when its UETR is that of another order
 */
async function send({ app, books }: WalletPageOptions, sent: Map<string, SentForm>, order: Order): Promise<void> {
  const { uetr } = order;
  const known = sent.get(uetr);
  // Debited before this process started: what was sent then is in the books only.
  const isAnother = known === undefined ? books.debits.has(uetr) : !isDeepStrictEqual(known.order, order);
  if (isAnother) throw new InvalidInput("uetr", "of a form that has not been sent: reload the page to send more");
  const form: SentForm = known ?? { order };
  sent.set(uetr, form);
  if (form.answer !== undefined) return;
  const answer = (await app()?.sendAll([order]))?.get(uetr);
  if (answer !== undefined) form.answer = answer;
}

function noteOn(form: SentForm | undefined): string | undefined {
  if (form === undefined) return undefined;
  const { order, answer } = form;
  if (answer === undefined) return "The relay has not answered yet. Go back and send the same form again.";
  return answer.kind === "accepted" ? `Accepted: ${order.uetr}` : `Refused: ${answer.code}`;
}

function render({ wallet, books, drawBytes }: WalletPageOptions, note: string | undefined): string {
  const accounts = [...books.accounts()];
  const postings = accounts
    .flatMap((account) => account.history.map((posting) => ({ account, posting })))
    .sort((left, right) => right.posting.atMs - left.posting.atMs)
    .slice(0, NEWEST_POSTINGS);
  const targets = WALLETS.filter(({ id }) => hasCorridor(wallet.id, id));
  const option = (value: string, label: string) => `<option value="${escape(value)}">${escape(label)}</option>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(wallet.name)}</title><style>${STYLE}</style>
<h1>${escape(wallet.name)} <small>partner ${wallet.id}, ${escape(wallet.countryName)}, ${books.currency}</small></h1>
${note === undefined ? "" : `<p class="note">${escape(note)}</p>`}
<form method="post" action="/send" autocomplete="off"><h2>Send</h2>
<input type="hidden" name="uetr" value="${uetrFromRandom(drawBytes(16))}">
<select name="from">${accounts.map(({ phone, name }) => option(phone, `${name} ${phone}`)).join("")}</select> to
<select name="target">${targets.map(({ id, name }) => option(String(id), name)).join("")}</select>
<input name="to" placeholder="mobile number, +…" required>
<input name="amount" placeholder="${books.currency}" required size="8">
<input name="remittance" placeholder="message" maxlength="140"> <button>Send</button></form>
<h2>Customers</h2><table>${accounts.map((account) => customerRow(account, books)).join("")}</table>
<h2>History</h2><table>${postings.map((row) => postingRow(row, books)).join("")}</table></html>`;
}

function customerRow({ name, nameLocal, phone, balanceMinor }: Account, { currency }: WalletBooks): string {
  const balance = formatMoney(money(balanceMinor, currency));
  return `<tr><td>${escape(name)}<td>${escape(nameLocal)}<td>${phone}<td class="n">${balance}</tr>`;
}

function postingRow(
  { account, posting }: { readonly account: Account; readonly posting: Posting },
  { currency }: WalletBooks,
): string {
  const { kind, uetr, amountMinor, atMs, text } = posting;
  const sign = kind === "debit" ? "−" : "+";
  const cells = [new Date(atMs).toISOString(), account.name, kind, text, uetr].map((cell) => `<td>${escape(cell)}`);
  return `<tr>${cells.join("")}<td class="n">${sign}${formatMoney(money(amountMinor, currency))}</tr>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
