import type { Command } from "commander";
import { formatInstant, parseInstant } from "../../domain/instant.ts";
import { uetrFromRandom } from "../../domain/uetr.ts";
import { parseWire } from "../../domain/wire.ts";
import {
  createRequestSchema,
  type BillersJson,
  type PaymentRequestJson,
  type ResolvedRequestJson,
} from "../../schema/requests.ts";
import { act } from "../../command/act.ts";
import { readAlias, readAmount, readCurrency, readPartner, showMoney } from "../../command/arguments.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import type { Io } from "../../command/io.ts";
import { renderFacts, tableOr, type Session } from "../../command/session.ts";

/** What customers ask to be paid, and what others make of it. */
export function addRequestCommands(program: Command, io: Io): void {
  const request = program.command("request").description("Payment requests: codes that customers of others can pay.");
  request
    .command("create")
    .description("Asks to be paid: prints the code that others scan.")
    .requiredOption("--payee <alias>", "alias of the payee, this partner's customer: +639171234567, or TYPE:VALUE")
    .requiredOption("--payee-name <name>", "the payee's name as payers see it")
    .option("--amount <amount>", "how much, as 725.00PHP")
    .option("--currency <code>", "instead of an amount: the payer says how much, in this currency")
    .option("--reference <text>", "what it is for, for the payer to read")
    .option("--purpose <code>", "ISO 20022 purpose code", "GDDS")
    .option("--many", "it can be paid any number of times")
    .option(
      "--until <time>",
      "until when, as 2026-12-31T23:59:59Z; for a day unless given, and with --many without end",
    )
    .option("--id <uuid>", "its id: to repeat the command. A new one unless given")
    .action(act(io, create));
  request
    .command("show")
    .description("How a request of this partner stands, and what has paid it.")
    .argument("<id>", "the request's id")
    .action(
      act(io, async (session, [id = ""]) => {
        session.print(await (await session.client()).ask("GET /v1/requests/{id}", { path: { id } }), showOwn);
      }),
    );
  request
    .command("cancel")
    .description("Withdraws a request, unless it is paid.")
    .argument("<id>", "the request's id")
    .action(
      act(io, async (session, [id = ""]) => {
        session.print(await (await session.client()).ask("POST /v1/requests/{id}/cancel", { path: { id } }), showOwn);
      }),
    );
  request
    .command("resolve")
    .description("What a code asks to be paid, as the payee's partner says, and how to pay it.")
    .argument("<code>", "what a scanner has read from the code, in quotes")
    .action(
      act(io, async (session, [code = ""]) => {
        const body = { code };
        session.print(await (await session.client()).ask("POST /v1/requests/resolve", { body }), showResolved);
      }),
    );
}

/** Bills, which are requests that nobody has to scan. */
export function addBillCommands(program: Command, io: Io): void {
  const bill = program.command("bill").description("Bills of billers that are paid at a partner.");
  bill
    .command("billers")
    .description("Whose bills are paid at a partner.")
    .argument("<partner>", "number of the partner")
    .action(
      act(io, async (session, [partner = ""]) => {
        const path = { partner: String(readPartner(partner)) };
        session.print(await (await session.client()).ask("GET /v1/billers/{partner}", { path }), showBillers);
      }),
    );
  bill
    .command("lookup")
    .description("What is due on a bill, as the biller's partner says, and how to pay it.")
    .argument("<partner>", "number of the partner")
    .argument("<biller>", "the biller's id")
    .argument("<reference>", "as it stands on the bill")
    .action(
      act(io, async (session, [partner = "", biller = "", reference = ""]) => {
        const body = { target: readPartner(partner), biller, reference };
        session.print(await (await session.client()).ask("POST /v1/bills/lookup", { body }), showResolved);
      }),
    );
}

function showBillers({ billers }: BillersJson): string {
  return tableOr<BillersJson["billers"][number]>(
    "No billers.",
    [
      { title: "id", value: ({ id }) => id },
      { title: "name", value: ({ name }) => name },
      { title: "category", value: ({ category }) => category },
      {
        title: "reference",
        value: ({ reference: { min, max, characters } }) => `${min === max ? min : `${min} to ${max}`} ${characters}`,
      },
      { title: "check", value: ({ reference: { check = "" } }) => check },
    ],
    billers,
  );
}

async function create(session: Session): Promise<void> {
  const [amount, currency] = [session.text("amount"), session.text("currency")];
  if ((amount === undefined) === (currency === undefined)) {
    throw new CommandFailure("USAGE", "how much? Give --amount, or --currency where the payer says: one of them");
  }
  const [reference, until] = [session.text("reference"), session.text("until")];
  const asked =
    amount === undefined ? { currency: readCurrency(currency ?? "", "--currency") } : readAmount(amount, "--amount");
  const body = parseWire(
    createRequestSchema,
    {
      id: session.text("id") ?? uetrFromRandom(session.io.drawBytes(16)),
      payee: { name: session.text("payeeName"), alias: readAlias(session.text("payee") ?? "", "--payee") },
      amount: asked,
      purpose: session.text("purpose"),
      ...(reference === undefined ? {} : { reference }),
      single: !session.flag("many"),
      ...(until === undefined ? {} : { expiresAt: formatInstant(parseInstant(until, "--until")) }),
    },
    "request",
  );
  session.print(await (await session.client()).ask("POST /v1/requests", { body }), showOwn);
}

function showOwn(request: PaymentRequestJson): string {
  const payments = request.payments.map(
    ({ uetr, minor, creditedAt }) =>
      ["paid by", `${uetr}, ${showMoney({ ...request.amount, minor })}, ${creditedAt ?? "on its way"}`] as const,
  );
  const facts = renderFacts([...factsOf(request), ["code", request.code], ...payments]);
  return `${facts}\n\nDraw it: feiqian qr draw '${request.code.replaceAll("'", String.raw`'\''`)}'`;
}

function showResolved(request: ResolvedRequestJson): string {
  const { id, target, amount, purpose, status } = request;
  const facts = renderFacts([...factsOf(request), ["partner", String(target)]]);
  if (status !== "open") return `${facts}\n\nIt cannot be paid.`;
  const much = amount.minor === undefined ? `…${amount.currency}` : showMoney({ ...amount, minor: amount.minor });
  const receive = much.replaceAll(",", "").replaceAll(" ", "");
  return `${facts}\n\nPay it: feiqian send ${target} --receive ${receive} --to REQUEST:${id} --purpose ${purpose} --from … --from-name …`;
}

function factsOf(request: PaymentRequestJson | ResolvedRequestJson) {
  const { id, status, name, amount, reference, single, expiresAt } = request;
  const { currency, minor } = amount;
  return [
    ["id", id],
    ["status", status],
    ["payee", name],
    ["amount", minor === undefined ? `the payer says, in ${currency}` : showMoney({ currency, minor })],
    ["for", reference],
    ["can be paid", single ? "once" : "any number of times"],
    ["until", expiresAt],
  ] as const;
}
