import { CommandFailure } from "../../../command/exit-codes.ts";
import { readFileFor, type Session } from "../../../command/session.ts";
import { connectLedger } from "../../../ledger/contracts.ts";
import { parseAddresses } from "../../../ledger/deployment/config-file.ts";
import { createFailoverProvider } from "../../../ledger/rpc/failover-provider.ts";
import type { SuccessJson } from "../../../schema/statistics.ts";
import { countSuccess } from "../count-success.ts";
import type { dayRange } from "../day-range.ts";
import { successTable } from "../success-table.ts";

const TIMEOUT_MS = 30_000;
const MAX_BLOCK = 10 ** 15 - 1;

/** Shows how many transfers were paid. */
export async function success(session: Session): Promise<void> {
  const asked = { from: session.text("from"), to: session.text("to") };
  const url = session.text("ledger");
  if (url === undefined && (session.text("addresses") ?? session.text("block")) !== undefined) {
    throw new CommandFailure("USAGE", "--addresses and --block are for --ledger only");
  }
  session.print(url === undefined ? await askRelay(session, asked) : await countAt(session, url, asked), successTable);
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
    return await countSuccess(ledger, asked, block);
  } finally {
    provider.destroy();
  }
}
