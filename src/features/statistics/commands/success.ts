import { dayOf } from "../../../domain/day.ts";
import { LEAST_ENDED } from "../../../domain/success.ts";
import { CommandFailure } from "../../../command/exit-codes.ts";
import { readFileFor, type Session } from "../../../command/session.ts";
import { connectLedger } from "../../../ledger/contracts.ts";
import { parseAddresses } from "../../../ledger/deployment/config-file.ts";
import { createFailoverProvider } from "../../../ledger/rpc/failover-provider.ts";
import { countedHead, countOnLedger } from "../../../ledger/success.ts";
import { renderTable, type Column } from "../../../kernel/table.ts";
import type { SuccessJson } from "../../../schema/statistics.ts";
import { dayRange } from "../day-range.ts";
import { successJson } from "../success-json.ts";
import { classColumns } from "./class-columns.ts";

const TIMEOUT_MS = 30_000;
const MAX_BLOCK = 10 ** 15 - 1;

/** Shows how many transfers were paid. */
export async function success(session: Session): Promise<void> {
  const asked = { from: session.text("from"), to: session.text("to") };
  const url = session.text("ledger");
  if (url === undefined && (session.text("addresses") ?? session.text("block")) !== undefined) {
    throw new CommandFailure("USAGE", "--addresses and --block are for --ledger only");
  }
  session.print(url === undefined ? await askRelay(session, asked) : await countAt(session, url, asked), showSuccess);
}

type Asked = Parameters<typeof dayRange>[0];

async function askRelay(session: Session, query: Asked): Promise<SuccessJson> {
  return (await session.client()).ask("GET /v1/stats/success", { query });
}

/** From a node of the ledger and its addresses alone. */
async function countAt(session: Session, url: string, asked: Asked): Promise<SuccessJson> {
  const file = session.text("addresses");
  if (file === undefined) throw new CommandFailure("USAGE", "which ledger? Give --addresses with --ledger");
  const addresses = parseAddresses(await readFileFor(file, "--addresses"));
  const block = session.integer("block", 0, MAX_BLOCK);
  const provider = createFailoverProvider([url], { fetch: session.io.fetch, timeoutMs: TIMEOUT_MS });
  try {
    const ledger = await connectLedger(provider, addresses);
    const head = await countedHead(ledger, block);
    const range = dayRange(asked, dayOf(head.timeSeconds));
    const counts = await countOnLedger(ledger, range, head);
    return successJson({ block: head.number, timeSeconds: head.timeSeconds, counts }, range);
  } finally {
    provider.destroy();
  }
}

type Row = SuccessJson["total"] & Partial<SuccessJson["corridors"][number]>;

/** The figures for people: a line for each day and corridor, and one for all. */
function showSuccess({ corridors, total, block, at }: SuccessJson): string {
  const columns: readonly Column<Row>[] = [
    { title: "day", value: ({ day = "all" }) => day },
    { title: "from → to", value: corridorOf },
    { title: "opened", value: ({ opened }) => String(opened), align: "right" },
    { title: "settled", value: ({ settled }) => String(settled), align: "right" },
    ...classColumns(total),
    { title: "open", value: ({ open }) => blankZero(open), align: "right" },
    { title: "rate", value: rateOf, align: "right" },
    { title: "", value: ({ isProvisional }) => (isProvisional === true ? "provisional" : "") },
  ];
  const asOf = `As of block ${block}, ${at}.`;
  if (corridors.length === 0) return `No transfers came onto the ledger on these days. ${asOf}`;
  return [renderTable(columns, [...corridors, total]), asOf].join("\n\n");
}

function corridorOf({ source, target, sourceCurrency = "", targetCurrency = "" }: Row): string {
  return source === undefined ? "" : `${source} → ${String(target)}, ${sourceCurrency} → ${targetCurrency}`;
}

function rateOf({ rate, settled, rejected, expired }: Row): string {
  if (rate !== undefined) return `${rate} %`;
  return settled + rejected + expired === 0 ? "" : `under ${LEAST_ENDED}`;
}

function blankZero(count: number): string {
  return count === 0 ? "" : String(count);
}
