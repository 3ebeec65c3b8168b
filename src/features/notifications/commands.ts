import type { Command } from "commander";
import type { EventJson } from "../../schema/network.ts";
import type { DeliveryJson, WebhookJson } from "../../schema/operator.ts";
import { InvalidInput } from "../../domain/errors.ts";
import type { RelayClient } from "../../../sdk/client.ts";
import type { RelayProblem } from "../../../sdk/http.ts";
import { act } from "../../command/act.ts";
import type { Io } from "../../command/io.ts";
import { tableOr, type Session } from "../../command/session.ts";

const MAX_PAGE = 1_000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What happened, and where it is told. */
export function addNotificationCommands(program: Command, io: Io): void {
  program
    .command("events")
    .description("What happened, in the order in which the relay learned of it.")
    .option("--after <id>", "only what comes after this event", "0")
    .option("--limit <count>", `at most so many, up to ${MAX_PAGE}`, "100")
    .option("--type <types>", "only these types, separated by commas")
    .option("--follow", "then follow new events until stopped")
    .action(act(io, listEvents));
  program
    .command("replay")
    .description("Webhook deliveries that were given up: lists them, or has them delivered again.")
    .argument("[webhook]", "id of the webhook")
    .argument("[event]", "id of the event")
    .option("--all", "all of them")
    .action(act(io, replay));

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

function readUuid(text: string): string {
  if (!UUID.test(text)) throw new InvalidInput("webhook", "a UUID in lower case", text);
  return text;
}
