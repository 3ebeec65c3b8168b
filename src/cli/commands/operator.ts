import type { Command } from "commander";
import { z } from "zod/v4";
import {
  auditResponseSchema,
  erasureResponseSchema,
  type DeliveryJson,
  type WebhookJson,
} from "../../schema/operator.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { formatInstant, parseInstant } from "../../domain/instant.ts";
import { parseUetr } from "../../domain/uetr.ts";
import type { RelayClient } from "../../../sdk/client.ts";
import { act } from "../act.ts";
import { showMoney } from "../arguments.ts";
import { CommandFailure } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import { tableOr, type Session } from "../session.ts";

const MAX_PAGE = 1_000;
/** It reads the whole history. */
const RECONCILIATION_TIMEOUT_MS = 600_000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What an operator does to a running relay, over its API. */
export function addOperatorCommands(program: Command, io: Io): void {
  program
    .command("reconcile")
    .description("Compares the relay's store with the ledger. Differences end with code 9.")
    .action(act(io, reconcile));
  program
    .command("replay")
    .description("Webhook deliveries that were given up: lists them, or has them delivered again.")
    .argument("[webhook]", "id of the webhook")
    .argument("[event]", "id of the event")
    .option("--all", "all of them")
    .action(act(io, replay));
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

  const webhook = program.command("webhook").description("Where the relay tells the wallet what happens.");
  webhook
    .command("list")
    .description("Every webhook.")
    .action(
      act(io, async (session) => {
        session.print(await (await session.client()).webhooks(), showWebhooks);
      }),
    );
  webhook
    .command("create")
    .description("Creates a webhook, and prints its secret, once.")
    .argument("<url>", "where events are to be posted")
    .option("--type <types>", "only these types of events, separated by commas")
    .action(
      act(io, async (session, [url = ""]) => {
        const made = await (await session.client()).createWebhook({ url, types: [...session.list("type")] });
        session.print(made, ({ id, secret }) => `webhook ${id}\nsecret  ${secret}`);
      }),
    );
  webhook
    .command("delete")
    .description("Deletes a webhook with all its deliveries.")
    .argument("<webhook>", "its id")
    .action(
      act(io, async (session, [id = ""]) => {
        await (await session.client()).deleteWebhook(readUuid(id));
        session.print({ deleted: id }, () => `webhook ${id} deleted`);
      }),
    );
}

/** What is shown of a reconciliation; the API answers with more. */
const reportSchema = z.looseObject({
  block: z.number().optional(),
  balances: z.array(
    z.looseObject({
      currency: z.string(),
      found: z.looseObject({ available: z.string(), held: z.string() }),
    }),
  ),
  differences: z.array(z.looseObject({ kind: z.string(), subject: z.string(), sentence: z.string() })),
  // Relays before this one named all of them.
  omitted: z.number().int().default(0),
});
type Report = z.infer<typeof reportSchema>;

async function reconcile(session: Session): Promise<void> {
  const { connection } = await session.client();
  const { value } = await connection.ask("POST", "/v1/reconciliations", reportSchema, {
    canRepeat: true,
    timeoutMs: RECONCILIATION_TIMEOUT_MS,
  });
  session.print(value, showReport);
  const count = value.differences.length + value.omitted;
  if (count > 0) throw new CommandFailure("NEGATIVE", `${count} differences`);
}

function showReport({ block, balances, differences, omitted }: Report): string {
  const money = tableOr<Report["balances"][number]>(
    "No money on the ledger.",
    [
      { title: "currency", value: ({ currency }) => currency },
      {
        title: "available",
        value: ({ currency, found }) => showMoney({ currency, minor: found.available }),
        align: "right",
      },
      { title: "held", value: ({ currency, found }) => showMoney({ currency, minor: found.held }), align: "right" },
    ],
    balances,
  );
  const found = tableOr<Report["differences"][number]>(
    "No differences: the store, the ledger and its events agree.",
    [
      { title: "kind", value: ({ kind }) => kind },
      { title: "subject", value: ({ subject }) => subject },
      { title: "difference", value: ({ sentence }) => sentence },
    ],
    differences,
  );
  const more = omitted === 0 ? [] : [`${omitted} more differences are not listed.`];
  return [`At block ${block ?? "none"}`, money, found, ...more].join("\n\n");
}

async function replay(session: Session, [webhook, event]: readonly string[]): Promise<void> {
  const client = await session.client();
  if (webhook !== undefined) {
    if (event === undefined) throw new InvalidInput("event", "the id of an event", event);
    await client.redeliver(readUuid(webhook), event);
    session.print({ replayed: 1 }, () => `event ${event} is delivered again`);
    return;
  }
  if (!session.flag("all")) {
    session.print(await client.deliveries("dead", MAX_PAGE), showDeliveries);
    return;
  }
  session.print({ replayed: await replayAll(session, client) }, ({ replayed }) => `${replayed} are delivered again`);
}

async function replayAll(session: Session, client: RelayClient): Promise<number> {
  const done = new Set<string>();
  for (;;) {
    const dead = await client.deliveries("dead", MAX_PAGE);
    // One that has failed again in the meantime is not tried a third time.
    const fresh = dead.filter(({ webhook, event }) => !done.has(`${webhook} ${event.id}`));
    if (fresh.length === 0 || session.io.interrupted.aborted) return done.size;
    for (const { webhook, event } of fresh) {
      await client.redeliver(webhook, event.id);
      done.add(`${webhook} ${event.id}`);
    }
  }
}

function showDeliveries(rows: readonly DeliveryJson[]): string {
  return tableOr<DeliveryJson>(
    "No dead letters.",
    [
      { title: "webhook", value: ({ webhook }) => webhook },
      { title: "event", value: ({ event }) => event.id },
      { title: "type", value: ({ event }) => event.type },
      { title: "attempts", value: ({ attempts }) => String(attempts), align: "right" },
      { title: "given up", value: ({ deadAt = "" }) => deadAt },
      { title: "last error", value: ({ lastError = "" }) => lastError },
    ],
    rows,
  );
}

function showWebhooks(rows: readonly WebhookJson[]): string {
  return tableOr<WebhookJson>(
    "No webhooks.",
    [
      { title: "webhook", value: ({ id }) => id },
      { title: "url", value: ({ url }) => url },
      { title: "events", value: ({ types }) => (types.length === 0 ? "all" : types.join(", ")) },
      { title: "since", value: ({ createdAt }) => createdAt },
      { title: "", value: ({ disabledAt }) => (disabledAt === undefined ? "" : `disabled ${disabledAt}`) },
    ],
    rows,
  );
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
  const { connection } = await session.client();
  const { value } = await connection.ask("POST", "/v1/erasures", erasureResponseSchema, {
    canRepeat: true,
    body: { type: "application/json", text: JSON.stringify(body) },
  });
  session.print(value, ({ erased, payloads }) => `${erased} transfers and ${payloads} payloads erased`);
}

async function audit(session: Session): Promise<void> {
  const { connection } = await session.client();
  const query = { after: session.text("after"), limit: session.integer("limit", 1, MAX_PAGE) };
  const { value } = await connection.ask("GET", "/v1/audit", auditResponseSchema, { query });
  session.print(value, ({ entries }) =>
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

function readUuid(text: string): string {
  if (!UUID.test(text)) throw new InvalidInput("webhook", "a UUID in lower case", text);
  return text;
}
