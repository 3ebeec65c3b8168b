import type { Command } from "commander";
import type { BalanceJson } from "../../schema/network.ts";
import { act } from "../../command/act.ts";
import { showMoney } from "../../command/arguments.ts";
import type { Io } from "../../command/io.ts";
import { tableOr, type Session } from "../../command/session.ts";
import type { Column } from "../../kernel/table.ts";

export function addLiquidityCommands(program: Command, io: Io): void {
  program.command("liquidity").description("This partner's money on the ledger.").action(act(io, listBalances));
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
        ...(rows.some(({ elsewhere }) => elsewhere !== undefined) ? [ELSEWHERE] : []),
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

/** What lies in other treasuries than the one where new batches open. */
const ELSEWHERE: Column<BalanceJson> = {
  title: "elsewhere (held)",
  value: ({ elsewhere }) =>
    elsewhere === undefined ? "" : `${showMoney(elsewhere.available)} (${showMoney(elsewhere.held)})`,
  align: "right",
};

function isLow({ available, lowWater }: BalanceJson): boolean {
  return lowWater !== undefined && BigInt(available.minor) < BigInt(lowWater.minor);
}
