import type { Command } from "commander";
import { z } from "zod/v4";
import { act } from "../../command/act.ts";
import { showMoney } from "../../command/arguments.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import type { Io } from "../../command/io.ts";
import { tableOr, type Session } from "../../command/session.ts";

/** It reads the whole history. */
const RECONCILIATION_TIMEOUT_MS = 600_000;

export function addReconciliationCommands(program: Command, io: Io): void {
  program
    .command("reconcile")
    .description("Compares the relay's store with the ledger. Differences end with code 9.")
    .action(act(io, reconcile));
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
