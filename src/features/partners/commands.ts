import type { Command } from "commander";
import type { CorridorJson, LookupResponse, Participant } from "../../schema/network.ts";
import { NO_LIMIT } from "../../domain/corridor.ts";
import { act } from "../../command/act.ts";
import { readAlias, readPartner, showMoney } from "../../command/arguments.ts";
import type { Io } from "../../command/io.ts";
import { tableOr, type Session } from "../../command/session.ts";

/** Who is in the network. */
export function addPartnerCommands(program: Command, io: Io): void {
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
