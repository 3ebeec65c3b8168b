import type { FastifyInstance } from "fastify";
import { InvalidInput } from "../domain/errors.ts";
import { formatMoney, money, parseMoney } from "../domain/money.ts";
import { uetrFromRandom } from "../domain/uetr.ts";
import type { Account, Posting, WalletBooks } from "./books.ts";
import { hasCorridor } from "./flows.ts";
import type { Order } from "./order.ts";
import { parseMobileNumber } from "./phones.ts";
import type { WalletApp } from "./wallet-app.ts";
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
const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #8884}
td.n{text-align:right;font-variant-numeric:tabular-nums}form>*{margin:.2rem}.note{padding:.6rem;background:#8882}`;

/** Adds the wallet's page for people: who has how much, what happened, and a form to send money with. */
export function addWalletPage(server: FastifyInstance, options: WalletPageOptions): void {
  server.addContentTypeParser(FORM, { parseAs: "string" }, (_request, body, parsed) =>
    parsed(null, new URLSearchParams(String(body))),
  );
  server.get("/", (_request, reply) => reply.type("text/html; charset=utf-8").send(render(options)));
  server.post("/send", async (request, reply) => {
    const note = request.body instanceof URLSearchParams ? await send(options, request.body) : "a form is expected";
    return reply.type("text/html; charset=utf-8").send(render(options, note));
  });
}

/** @returns what to tell whoever has filled in the form */
async function send({ wallet, books, app, drawBytes }: WalletPageOptions, form: URLSearchParams): Promise<string> {
  try {
    const sender = books.accountOf(form.get("from") ?? "");
    if (sender === undefined) throw new InvalidInput("from", "a customer of this wallet");
    const target = parseWallet(form.get("target") ?? "", "target");
    const order: Order = {
      uetr: uetrFromRandom(drawBytes(16)),
      source: wallet.id,
      target: target.id,
      sourceAmount: parseMoney(form.get("amount") ?? "", wallet.currency),
      debtor: sender,
      creditor: { name: "Payee", nameLocal: "Payee", phone: parseMobileNumber(form.get("to") ?? "", target, "to") },
      purpose: "OTHR",
      remittance: form.get("remittance") ?? "",
      atSecond: 0,
    };
    const answer = (await app()?.sendAll([order]))?.get(order.uetr);
    if (answer === undefined) return "The relay has not started yet.";
    return answer.kind === "accepted" ? `Accepted: ${order.uetr}` : `Refused: ${answer.code}`;
  } catch (failure) {
    if (failure instanceof InvalidInput) return failure.message;
    throw failure;
  }
}

function render({ wallet, books }: WalletPageOptions, note?: string): string {
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
<form method="post" action="/send"><h2>Send</h2>
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
