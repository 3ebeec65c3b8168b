import type { Command } from "commander";
import { formatInstant, parseInstant } from "../../domain/instant.ts";
import { parseUetr } from "../../domain/uetr.ts";
import { act } from "../../command/act.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import type { Io } from "../../command/io.ts";
import { tableOr, type Session } from "../../command/session.ts";

const MAX_PAGE = 1_000;

/** What an operator does to a running relay, over its API. */
export function addOperatorCommands(program: Command, io: Io): void {
  program
    .command("erase")
    .description("Erases the personal data of finished transfers; they cannot be restored. What is unfinished stays.")
    .argument("[uetr]", "one transfer")
    .option(
      "--accepted-before <time>",
      "all accepted before, not in the future, as 2026-01-31 or 2026-01-31T00:00:00.000Z",
    )
    .action(act(io, erase));
  program
    .command("audit")
    .description("What operators have done.")
    .option("--after <id>", "only what comes after this entry", "0")
    .option("--limit <count>", `at most so many, up to ${MAX_PAGE}`, "100")
    .action(act(io, audit));
}

async function erase(session: Session, [uetr]: readonly string[]): Promise<void> {
  const before = session.text("acceptedBefore");
  if ((uetr === undefined) === (before === undefined)) {
    throw new CommandFailure("USAGE", "what? Give a UETR or --accepted-before: one of them");
  }
  const body =
    uetr === undefined
      ? { acceptedBefore: formatInstant(parseInstant(before ?? "", "--accepted-before")) }
      : { uetr: parseUetr(uetr) };
  const relay = await session.client();
  session.print(
    await relay.ask("POST /v1/erasures", { body }),
    ({ erased, payloads }) => `${erased} transfers and ${payloads} payloads erased`,
  );
}

async function audit(session: Session): Promise<void> {
  const relay = await session.client();
  const query = { after: session.text("after"), limit: session.integer("limit", 1, MAX_PAGE)?.toString() };
  session.print(await relay.ask("GET /v1/audit", { query }), ({ entries }) =>
    tableOr<(typeof entries)[number]>(
      "No entries.",
      [
        { title: "id", value: ({ id }) => id },
        { title: "at", value: ({ at }) => at },
        { title: "actor", value: ({ actor }) => actor },
        { title: "action", value: ({ action }) => action },
        { title: "subject", value: ({ subject = "" }) => subject },
        { title: "outcome", value: ({ outcome }) => outcome },
      ],
      entries,
    ),
  );
}
