import { existsSync } from "node:fs";
import { parsePartnerId } from "../../domain/partner.ts";
import { parseAccount } from "../../ledger/keys/key.ts";
import { openKeystore } from "../../ledger/keys/keystore.ts";
import { miswirings } from "../../ledger/miswirings.ts";
import type { RelayConfig } from "../../app/config.ts";
import { createLogger } from "../../kernel/telemetry/logger.ts";
import {
  openKeys,
  openLedger,
  openPeerKeys,
  openSealer,
  openStore,
  submitterOf,
  type ToClose,
} from "../../app/parts.ts";
import { requireOwn, requireWired, storeOwner } from "../../app/store-owner.ts";
import type { Database } from "../../kernel/store/database.ts";
import { StoreUnavailable } from "../../kernel/store/faults.ts";
import { whoseStore } from "../../kernel/store/identity.ts";
import {
  checkRegistration,
  FOR_GOVERNANCE,
  isForGovernance,
  register,
  type Registrant,
  type RegistrationDifference,
} from "../../app/registration.ts";
import { endingTokens, ledgerWarnings } from "../../app/standing.ts";
import { configOf } from "../config.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import { readSecretFile, renderFacts, type Session } from "../../command/session.ts";

const MS = 1_000;
const DAY_SECONDS = 86_400;
const DEFAULT_DAYS = 365;
const MAX_DAYS = 3_650;

/** Compares a relay's configuration with what its partner has on the ledger. */
export async function check(session: Session): Promise<void> {
  const config = await configOf(session);
  await withRegistrant(session, config, async (registrant) => {
    const database = await checkStore(config, registrant);
    const differences = await checkRegistration(registrant, publicUrlOf(config));
    const warnings = [
      ...(await ledgerWarnings(registrant)),
      ...endingTokens(config.ledger.tokens ?? new Map(), session.io.clock.nowMs()),
    ];
    const { send, accept } = registrant.keys;
    const found = {
      partner: config.partner,
      chainId: registrant.ledger.chain.chainId,
      database,
      sendKey: send.address,
      acceptKey: accept.address,
      differences,
      warnings,
      next: nextStep(differences, session.text("config")),
    };
    session.print(found, () => {
      const facts = renderFacts([
        ["partner", String(found.partner)],
        ["chain", String(found.chainId)],
        ["database", DATABASE_FOUND[found.database]],
        ["send key", found.sendKey],
        ["accept key", found.acceptKey],
      ]);
      const lines = differences.map(({ what, detail }) => `${what}: ${detail}`);
      return [
        facts,
        ...(lines.length === 0 ? ["The registry has this relay as it is."] : lines),
        ...warnings.map(({ what, detail, toDo }) => `Warning, ${what}: ${detail}.\n  To do: ${toDo}.`),
        `Next: ${found.next.step}`,
      ].join("\n");
    });
    if (differences.length > 0) throw new CommandFailure("NEGATIVE", "the registry does not have this relay as it is");
  });
}

/** What has to be done next, and who can: a command of this machine, or what to ask of others. */
interface NextStep {
  readonly by: "operator" | "governance";
  readonly step: string;
}

/** @param config the configuration's file, where the command line named it */
function nextStep(differences: readonly RegistrationDifference[], config: string | undefined): NextStep {
  const [others] = differences.filter(isForGovernance);
  if (others !== undefined) {
    const wanted = FOR_GOVERNANCE[others.what];
    return { by: "governance", step: `ask the network's governance to ${wanted}, then run feiqian relay check again` };
  }
  const given = config === undefined ? "" : ` --config ${config}`;
  if (differences.length === 0) return { by: "operator", step: `feiqian relay start${given}` };
  return { by: "operator", step: `feiqian relay register${given} --admin FILE --admin-password-file FILE` };
}

const DATABASE_FOUND = {
  own: "this relay's",
  new: "new: the first start makes it this relay's",
  "in use": "not looked at: another process has it open, which looked when it started",
} as const;

/** @throws ConfigError where the ledger's addresses do not fit each other, or the database is another's */
async function checkStore(config: RelayConfig, { partner, ledger }: Registrant): Promise<keyof typeof DATABASE_FOUND> {
  requireWired(await miswirings(ledger));
  const { database } = config;
  if ("folder" in database && !existsSync(database.folder)) return "new";
  let db: Database;
  try {
    db = await openStore(config);
  } catch (failure) {
    if (failure instanceof StoreUnavailable && "folder" in database) return "in use";
    throw failure;
  }
  try {
    const found = await whoseStore(db, await storeOwner(partner, ledger), openSealer(config));
    if (found === "new") return "new";
    requireOwn(found);
    return "own";
  } finally {
    await db.close();
  }
}

/** Has the partner's admin put a relay's keys and address on the ledger. */
export async function registerRelay(session: Session): Promise<void> {
  const { io } = session;
  const config = await configOf(session);
  const password = await readSecretFile(session.text("adminPasswordFile") ?? "", "--admin-password-file");
  const key = await openKeystore(session.text("admin") ?? "", password, "--admin");
  const days = session.integer("days", 1, MAX_DAYS) ?? DEFAULT_DAYS;
  const exit = session.text("exitAccount");
  const exitAccount = exit === undefined ? undefined : parseAccount(exit, "--exit-account");
  await withRegistrant(session, config, async (registrant) => {
    const admin = await submitterOf(key, registrant.ledger, config);
    const validUntil = Math.floor(io.clock.nowMs() / MS) + days * DAY_SECONDS;
    const done = await register(registrant, { admin, publicUrl: publicUrlOf(config), validUntil, exitAccount });
    const left = await checkRegistration(registrant, publicUrlOf(config));
    session.print({ registered: done, left }, ({ registered }) =>
      registered.length === 0 ? "Nothing had to be registered." : `Registered: ${registered.join(", ")}.`,
    );
    const [first] = left;
    if (first !== undefined) {
      const whose = isForGovernance(first) ? "; this is for the network's governance" : "";
      throw new CommandFailure("NEGATIVE", `${first.detail}${whose}`);
    }
  });
}

function publicUrlOf({ api }: RelayConfig): string {
  return api.publicUrl ?? `http://${api.host}:${api.port}`;
}

/** Opens what registration is about, and closes it again. */
async function withRegistrant(
  { io }: Session,
  config: RelayConfig,
  work: (registrant: Registrant) => Promise<void>,
): Promise<void> {
  const closing: (() => Promise<void>)[] = [];
  const toClose: ToClose = (end) => void closing.push(end);
  try {
    const log = createLogger({ level: "warn", destination: io.err });
    const { transactions, ...keys } = await openKeys(config, io.fetch);
    const payer = { address: transactions.address, priorityFeeWei: config.ledger.priorityFeeWei };
    const peerKeys = await openPeerKeys(config);
    const { ledger, registry } = await openLedger(config, { clock: io.clock, fetch: io.fetch, log }, toClose);
    const partner = parsePartnerId(config.partner);
    await work({ partner, registry, ledger, keys, payer, peerKeys, clock: io.clock });
  } finally {
    for (const end of closing.reverse()) await end();
  }
}
