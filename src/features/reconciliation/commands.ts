import type { Command } from "commander";
import type { ReconciliationJson as Report } from "../../schema/operator.ts";
import { act } from "../../command/act.ts";
import { showMoney } from "../../command/arguments.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import type { Io } from "../../command/io.ts";
import { tableOr, type Session } from "../../command/session.ts";
import type { Column } from "../../kernel/table.ts";

/** It reads the whole history. */
const RECONCILIATION_TIMEOUT_MS = 600_000;

export function addReconciliationCommands(program: Command, io: Io): void {
  program
    .command("reconcile")
    .description("Compares the relay's store with the ledger. Differences end with code 9.")
    .action(act(io, reconcile));
}

async function reconcile(session: Session): Promise<void> {
  const relay = await session.client();
  const report = await relay.ask("POST /v1/reconciliations", { timeoutMs: RECONCILIATION_TIMEOUT_MS });
  session.print(report, showReport);
  const count = report.differences.length + (report.omitted ?? 0);
  if (count > 0) throw new CommandFailure("NEGATIVE", `${count} differences`);
}

const TREASURY: Column<Report["balances"][number]> = {
  title: "treasury",
  value: ({ treasury }) => treasury ?? "",
};

function showReport({ block, balances, differences, omitted = 0 }: Report): string {
  const treasuries = new Set(balances.map(({ treasury }) => treasury));
  const money = tableOr<Report["balances"][number]>(
    "No money on the ledger.",
    [
      { title: "currency", value: ({ currency }) => currency },
      ...(treasuries.size > 1 ? [TREASURY] : []),
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
