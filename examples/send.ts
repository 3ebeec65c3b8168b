// One transfer from a customer of AlipayHK to a customer of GCash, on a ledger in this process.
import { randomBytes, randomUUID } from "node:crypto";
import { batchId, buildBatch } from "../src/domain/batch.ts";
import { toHex } from "../src/domain/bytes/hex.ts";
import { corridorId, type Corridor } from "../src/domain/corridor.ts";
import { parseCurrency } from "../src/domain/currency.ts";
import { hashDetails } from "../src/domain/details.ts";
import { BATCH_STATUS_NAMES, parseBatchStatus, TRANSFER_STATUSES } from "../src/domain/lifecycle.ts";
import { formatMoney, money } from "../src/domain/money.ts";
import { packHeader } from "../src/domain/packed-header.ts";
import { parsePartnerId } from "../src/domain/partner.ts";
import { quoteRate } from "../src/domain/quote.ts";
import { convertDown } from "../src/domain/rate.ts";
import { proveRejections } from "../src/domain/settlement.ts";
import { parseUetr } from "../src/domain/uetr.ts";
import { openCall, settleCall, transferStruct } from "../src/ledger/calls.ts";
import { signBatch, signSettlement } from "../src/ledger/signing.ts";
import { startFundedLedger } from "./ledger.ts";

const [source, target] = [parsePartnerId(7), parsePartnerId(4)];
const [hkd, php] = [parseCurrency("HKD").code, parseCurrency("PHP").code];
const corridor: Corridor = { source, sourceCurrency: hkd, target, targetCurrency: php };
const details = {
  debtor: { name: "Chan Tai Man", phone: "+85251234567" },
  creditor: { name: "Maria Dela Cruz", phone: "+639051234567" },
  remittance: { purpose: "DEPD", unstructured: "Family support" },
};
const { ledger, signerOf, offer, courier } = await startFundedLedger();

// The source partner takes a provider's quote, commits to the transfer, signs; anyone submits. Both holds are in place.
const { quote, authorization } = await offer(corridor, 150_000n);
const transfer = {
  uetr: parseUetr(randomUUID()),
  sourceAmount: 150_000n,
  targetAmount: convertDown(150_000n, quoteRate(quote)),
  detailsHash: hashDetails(details, toHex(randomBytes(32))),
};
const { feeBps } = await ledger.corridorBook.termsOf(corridorId(corridor));
const expiresAt = Number.parseInt(String(await ledger.transferRegistry.time()), 10) + 300;
const batch = buildBatch([transfer], corridor, quote, feeBps, expiresAt);
const send = await signBatch(signerOf(source), ledger.chain, batch.header);
await courier.submit(openCall(ledger, batch.header, send, authorization));

// The target partner rejects nothing and signs; anyone submits. Both currencies change hands in one step.
const proved = proveRejections(batch, new Map());
const settlement = { batchId: batchId(batch.header, ledger.chain), rejectionsHash: proved.rejectionsHash };
const accept = await signSettlement(signerOf(target), ledger.chain, settlement);
await courier.submit(settleCall(ledger, batch.header, proved, accept));

// Anyone who is shown the header and the transfer asks the ledger what became of it. A tree of one leaf has no proof.
const [status] = await ledger.transferRegistry.verify(packHeader(batch.header), transferStruct(transfer), [], []);
const ended = BATCH_STATUS_NAMES[parseBatchStatus(status)];
if (ended === "none" || ended === "open") throw new Error(`the batch is ${ended}`);
const { pacs002 } = TRANSFER_STATUSES[ended];
console.log(
  `${formatMoney(money(150_000n, hkd))} → ${formatMoney(money(transfer.targetAmount, php))}: ${ended}, ${pacs002}`,
);
