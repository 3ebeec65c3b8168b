import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import type { BalanceJson, CorridorJson, EventJson, LookupResponse, Participant } from "../../schema/network.ts";
import { NO_LIMIT } from "../../domain/corridor.ts";
import type { RelayProblem } from "../../../sdk/http.ts";
import { act } from "../act.ts";
import { readAlias, readPartner, showMoney } from "../arguments.ts";
import { CommandFailure } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import { tableOr, type Session } from "../session.ts";
import { addLedgerNetworkCommands } from "./ledger-network.ts";

const MAX_PAGE = 1_000;

/** What a relay knows of the network: partners, corridors, money and events. */
export function addNetworkCommands(program: Command, io: Io): void {
  const partner = program.command("partner").description("The partners of the network.");
  partner.command("list").description("Every partner.").action(act(io, listPartners));
  partner
    .command("corridors")
    .description("Where this partner's customers can send to.")
    .action(act(io, listCorridors));
  partner
    .command("lookup")
    .description("Finds a payee by an alias; the name comes masked.")
    .argument("<partner>", "number of the payee's partner")
    .argument("<alias>", "+639171234567, an e-mail address, or TYPE:VALUE")
    .action(
      act(io, async (session, [id = "", alias = ""]) => {
        const client = await session.client();
        const found = await client.lookupPayee(readPartner(id), readAlias(alias, "alias"));
        session.print(found, (payee: LookupResponse) => payee.name);
      }),
    );
  program.command("liquidity").description("This partner's money on the ledger.").action(act(io, listBalances));
  program
    .command("events")
    .description("What happened, in the order in which the relay learned of it.")
    .option("--after <id>", "only what comes after this event", "0")
    .option("--limit <count>", `at most so many, up to ${MAX_PAGE}`, "100")
    .option("--type <types>", "only these types, separated by commas")
    .option("--follow", "then follow new events until stopped")
    .action(act(io, listEvents));
  const network = program
    .command("network")
    .description("A network of ten partners on this machine, and the ledger of a consortium.");
  network
    .command("up")
    .description("For development: starts a ledger, ten relays, wallets and providers, and tells where they are.")
    .argument("[options...]", "options of `npm start`, after --")
    .action(act(io, networkUp));
  addLedgerNetworkCommands(network, io);
}

async function listPartners(session: Session): Promise<void> {
  const participants = await (await session.client()).participants();
  session.print(participants, (rows) =>
    tableOr<Participant>(
      "No partners.",
      [
        { title: "id", value: ({ id }) => String(id), align: "right" },
        { title: "name", value: ({ name = "" }) => name },
        { title: "country", value: ({ country }) => country },
        { title: "currency", value: ({ homeCurrency }) => homeCurrency },
        { title: "roles", value: ({ roles }) => roles.join(", ") },
        { title: "status", value: ({ status, isSelf }) => (isSelf ? `${status} (this relay's)` : status) },
      ],
      rows,
    ),
  );
}

async function listCorridors(session: Session): Promise<void> {
  const corridors = await (await session.client()).corridors();
  const limit = (minor: string, { sourceCurrency: currency }: CorridorJson) =>
    BigInt(minor) >= NO_LIMIT ? "no limit" : showMoney({ currency, minor });
  session.print(corridors, (rows) =>
    tableOr<CorridorJson>(
      "No corridors.",
      [
        { title: "to", value: ({ target }) => String(target), align: "right" },
        { title: "currencies", value: ({ sourceCurrency, targetCurrency }) => `${sourceCurrency} → ${targetCurrency}` },
        { title: "open", value: ({ isOpen }) => (isOpen ? "yes" : "no") },
        { title: "fee", value: ({ feeBps }) => `${feeBps} bp`, align: "right" },
        { title: "a transfer", value: (row) => limit(row.maxPerTransfer, row), align: "right" },
        { title: "a day", value: (row) => limit(row.maxPerDay, row), align: "right" },
      ],
      rows,
    ),
  );
}

async function listBalances(session: Session): Promise<void> {
  const balances = await (await session.client()).balances();
  session.print(balances, (rows) =>
    tableOr<BalanceJson>(
      "No money on the ledger.",
      [
        { title: "available", value: ({ available }) => showMoney(available), align: "right" },
        { title: "held", value: ({ held }) => showMoney(held), align: "right" },
        { title: "committed", value: ({ committed }) => showMoney(committed), align: "right" },
        { title: "spendable", value: ({ spendable }) => showMoney(spendable), align: "right" },
        {
          title: "alarm below",
          value: ({ lowWater }) => (lowWater === undefined ? "" : showMoney(lowWater)),
          align: "right",
        },
        { title: "", value: (row) => (isLow(row) ? "LOW" : "") },
      ],
      rows,
    ),
  );
}

function isLow({ available, lowWater }: BalanceJson): boolean {
  return lowWater !== undefined && BigInt(available.minor) < BigInt(lowWater.minor);
}

async function listEvents(session: Session): Promise<void> {
  const client = await session.client();
  const after = session.text("after") ?? "0";
  const types = session.list("type");
  const wanted = { after, ...(types.length === 0 ? {} : { types }) };
  if (session.flag("follow")) {
    const onLost = (goOn: string, { message }: RelayProblem): void => {
      session.note(`${message} (goes on after ${goOn})`);
    };
    for await (const event of client.events({ ...wanted, signal: session.io.interrupted, onLost })) {
      session.line(event, showEvent);
    }
    return;
  }
  const page = await client.eventsPage({ ...wanted, limit: session.integer("limit", 1, MAX_PAGE) ?? MAX_PAGE });
  session.print(page, ({ events }) => (events.length === 0 ? "No events." : events.map(showEvent).join("\n")));
}

function showEvent({ id, type, at, uetr, batch, block }: EventJson): string {
  const about = uetr ?? batch ?? "";
  const where = block === undefined ? "" : `  block ${block}`;
  return `${id}  ${at}  ${type.padEnd(20)}  ${about}${where}`.trimEnd();
}

/** The development network is the repository's `npm start`: it brings everything that a wallet's developer plays with. */
async function networkUp({ io }: Session, args: readonly string[]): Promise<void> {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  if (!existsSync(join(root, "node_modules/hardhat"))) {
    throw new CommandFailure(
      "USAGE",
      "network up needs a checkout of the repository with its development packages: run npm ci in it, then npm start",
    );
  }
  const started = spawn("npm", ["start", "--silent", "--", ...args], { cwd: root, stdio: "inherit" });
  const ended = Promise.withResolvers<number | null>();
  started.on("error", ended.reject);
  started.on("exit", ended.resolve);
  for (const signal of ["SIGTERM", "SIGINT"] as const) io.onStop(signal, () => started.kill(signal));
  const code = await ended.promise;
  if (code !== 0 && code !== null) throw new CommandFailure("INTERNAL", `the network ended with ${code}`);
}
