import { Argument, type Command } from "commander";
import {
  DEFAULT_RATE_LIMIT,
  MAX_RATE_LIMIT,
  SCOPES,
  type ApiKeyJson,
  type NewKeyJson,
  type Scope,
} from "../../schema/operator.ts";
import { InvalidInput } from "../../domain/errors.ts";
import { formatInstant, parseInstant } from "../../domain/instant.ts";
import { act } from "../../command/act.ts";
import type { Io } from "../../command/io.ts";
import { renderFacts, tableOr, type Session } from "../../command/session.ts";

const STORE_HELP = "work on the store of this configuration, instead of through a relay's API";
const MAX_OVERLAP_SECONDS = 30 * 86_400;
const DEFAULT_OVERLAP_SECONDS = 86_400;

export function addKeyCommands(program: Command, io: Io): void {
  const keys = program.command("keys").description("API keys, and the keys that a relay works with.");
  keys
    .command("create")
    .description("Creates an API key and prints it, once. The first key of a relay is created with --config.")
    .option("--scope <scopes>", `what it may do, with commas: ${SCOPES.join(", ")}`, "read")
    .option("--label <text>", "what it is for", "unnamed")
    .option("--rate-limit <count>", "requests and transfers a minute", String(DEFAULT_RATE_LIMIT))
    .option("--expires <time>", "when it ends, in UTC (ISO 8601); never unless given")
    .option("--config <file>", STORE_HELP)
    .action(act(io, create));
  keys
    .command("list")
    .description("Every API key, without its secret.")
    .option("--config <file>", STORE_HELP)
    .action(act(io, list));
  keys
    .command("rotate")
    .description("Creates a successor of a key; the old one works for a while longer.")
    .argument("<id>", "the key's id: the middle part of fq_<id>_…")
    .option("--overlap <seconds>", "how long the old key still works", String(DEFAULT_OVERLAP_SECONDS))
    .option("--config <file>", STORE_HELP)
    .action(act(io, rotate));
  keys
    .command("revoke")
    .description("Revokes a key, at once and for good.")
    .argument("<id>", "the key's id")
    .option("--config <file>", STORE_HELP)
    .action(act(io, revoke));
  keys
    .command("new")
    .description("Creates a key for a relay, in a file that only its owner can read.")
    .addArgument(
      new Argument(
        "<kind>",
        "ledger: signs on the ledger; peer: for messages between relays; data: encrypts personal data; wallet: shared with the wallet",
      ).choices(["ledger", "peer", "data", "wallet"]),
    )
    .argument("<file>", "the output file; an existing file is never overwritten")
    .option("--password-file <file>", "file with the password to encrypt it under (ledger, peer)")
    .option("--import <file>", "file with the private key to take, instead of a new one (ledger)")
    .action(act(io, async (session, args) => (await import("../work/key-files.ts")).createFile(session, args)));
}

async function create(session: Session): Promise<void> {
  const wanted = {
    label: session.text("label") ?? "unnamed",
    scopes: session.list("scope").map(readScope),
    rateLimit: session.integer("rateLimit", 1, MAX_RATE_LIMIT) ?? DEFAULT_RATE_LIMIT,
    expiresAt: readExpiry(session.text("expires")),
  };
  if (wanted.scopes.length === 0) throw new InvalidInput("--scope", `some of ${SCOPES.join(", ")}`);
  const made = isOnStore(session)
    ? await (await loadStore()).createKey(session, wanted)
    : await (
        await session.client()
      ).ask("POST /v1/keys", {
        body: { ...wanted, expiresAt: wanted.expiresAt === undefined ? undefined : formatInstant(wanted.expiresAt) },
      });
  session.print(made, showNewKey);
}

async function list(session: Session): Promise<void> {
  const keys = isOnStore(session)
    ? await (await loadStore()).listKeys(session)
    : (await (await session.client()).ask("GET /v1/keys")).keys;
  session.print(keys, (rows) =>
    tableOr<ApiKeyJson>(
      "No API keys.",
      [
        { title: "id", value: ({ id }) => id },
        { title: "label", value: ({ label }) => label },
        { title: "scopes", value: ({ scopes }) => scopes.join(", ") },
        { title: "a minute", value: ({ rateLimit }) => String(rateLimit), align: "right" },
        { title: "made", value: ({ createdAt }) => createdAt },
        { title: "ends", value: ({ expiresAt = "" }) => expiresAt },
        { title: "", value: ({ revokedAt }) => (revokedAt === undefined ? "" : `revoked ${revokedAt}`) },
      ],
      rows,
    ),
  );
}

async function rotate(session: Session, [id = ""]: readonly string[]): Promise<void> {
  const overlapSeconds = session.integer("overlap", 0, MAX_OVERLAP_SECONDS) ?? DEFAULT_OVERLAP_SECONDS;
  const made = isOnStore(session)
    ? await (await loadStore()).rotateKey(session, id, overlapSeconds)
    : await (await session.client()).ask("POST /v1/keys/{id}/rotate", { path: { id }, body: { overlapSeconds } });
  session.print(made, showNewKey);
}

async function revoke(session: Session, [id = ""]: readonly string[]): Promise<void> {
  const revoked = isOnStore(session)
    ? await (await loadStore()).revokeKey(session, id)
    : await (await session.client()).ask("DELETE /v1/keys/{id}", { path: { id } });
  session.print(revoked, ({ revokedAt = "" }) => `key ${id} ended ${revokedAt}`);
}

/** Loaded only where it is worked on: it brings the database with it. */
const loadStore = () => import("../work/key-store.ts");

function isOnStore(session: Session): boolean {
  return session.text("config") !== undefined;
}

function readScope(text: string): Scope {
  const scope = SCOPES.find((known) => known === text);
  if (scope === undefined) throw new InvalidInput("--scope", `some of ${SCOPES.join(", ")}`, text);
  return scope;
}

function readExpiry(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return parseInstant(text, "--expires");
}

function showNewKey({ id, label, scopes, expiresAt, key }: NewKeyJson): string {
  return renderFacts([
    ["key", key],
    ["id", id],
    ["label", label],
    ["may", scopes.join(", ")],
    ["ends", expiresAt],
    ["", "Keep it now: it is told this once."],
  ]);
}
