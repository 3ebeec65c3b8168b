import { formatMoney, money } from "../../../domain/money.ts";
import { currencyByNumeric } from "../../../domain/currency.ts";
import type { Quote } from "../../../domain/quote.ts";
import { parseWire, quoteSchema } from "../../../domain/wire.ts";
import { connectLedger } from "../../../ledger/contracts.ts";
import { parseAddresses } from "../../../ledger/deployment/config-file.ts";
import { LedgerError } from "../../../ledger/errors.ts";
import { openKeystore } from "../../../ledger/keys/keystore.ts";
import { ledgerSigner } from "../../../ledger/keys/signing-key.ts";
import { cancelQuote } from "../../../ledger/quote-cancellation.ts";
import { createFailoverProvider } from "../../../ledger/rpc/failover-provider.ts";
import { createSubmitter } from "../../../ledger/submitter.ts";
import { CommandFailure } from "../../../command/exit-codes.ts";
import { parseJsonAs, readFileFor, readSecretFile, renderFacts, type Session } from "../../../command/session.ts";

const TIMEOUT_MS = 10_000;
const SUBMISSION = { receiptTimeoutMs: 15_000, pollIntervalMs: 500, maxBroadcasts: 5, priorityFeeWei: 0n } as const;

/** Has a provider take back what it has offered. */
export async function cancel(session: Session, [file = ""]: readonly string[]): Promise<void> {
  const { io } = session;
  const { fetch } = io;
  const quote = await readQuote(file);
  const addresses = parseAddresses(await readFileFor(session.text("addresses") ?? "", "--addresses"));
  const password = await readSecretFile(session.text("passwordFile") ?? "", "--password-file");
  const key = await openKeystore(session.text("key") ?? "", password, "--key");
  const provider = createFailoverProvider([session.text("rpc") ?? ""], { fetch, timeoutMs: TIMEOUT_MS });
  try {
    const ledger = await connectLedger(provider, addresses);
    const submitter = await createSubmitter(ledgerSigner(key, provider), SUBMISSION);
    const cancelled = await cancelQuote(ledger, submitter, quote);
    session.print(cancelled, ({ id, wasCancelledBefore, drawn, block, transaction }) =>
      renderFacts([
        ["quote", id],
        ["cancelled", wasCancelledBefore ? "already, before this" : `in block ${block}`],
        [
          "drawn before",
          drawn === undefined ? undefined : formatMoney(money(drawn, currencyByNumeric(quote.targetCurrency).code)),
        ],
        ["transaction", transaction],
      ]),
    );
  } catch (failure) {
    if (failure instanceof LedgerError) throw new CommandFailure("NEGATIVE", failure.message);
    throw failure;
  } finally {
    provider.destroy();
  }
}

async function readQuote(file: string): Promise<Quote> {
  const json = parseJsonAs(await readFileFor(file, "file"), "file", "a quote, which is JSON");
  // As its provider hands it out, beside its signature, or alone.
  const quote: unknown = typeof json === "object" && json !== null && "quote" in json ? json.quote : json;
  return parseWire(quoteSchema, quote, "quote");
}
