// The plain way to do it, in a process of its own: each transfer is written down, paid on the ledger, and written down as
// paid, by itself. `naive.ts` starts it.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { JsonRpcProvider, Wallet } from "ethers";
import pg from "pg";
import { fromHex, normalizeHex } from "../../src/domain/bytes/hex.ts";
import { submitRequestSchema } from "../../src/schema/transfers.ts";
import { encodeCall } from "../../src/ledger/calls.ts";
import { createSubmitter } from "../../src/ledger/submitter.ts";
import { optionsOf, serveUntilStopped, type NaiveOptions } from "./path-parts.ts";

const { databaseUrl, rpcUrl, privateKey, token, payee } = optionsOf() as NaiveOptions;
const database = new pg.Pool({ connectionString: databaseUrl });
await database.query("CREATE TABLE transfers (uetr uuid PRIMARY KEY, request jsonb NOT NULL, paid_by bytea)");
const provider = new JsonRpcProvider(rpcUrl, undefined, { staticNetwork: true, batchMaxCount: 1, cacheTimeout: -1 });
const payer = await createSubmitter(new Wallet(privateKey, provider), {
  receiptTimeoutMs: 20_000,
  pollIntervalMs: 5,
  maxBroadcasts: 5,
  priorityFeeWei: 0n,
});

const server = createServer((request, response) => {
  text(request)
    .then(transfer)
    .then(
      () => response.writeHead(202).end(),
      (failure: unknown) => response.writeHead(500).end(String(failure)),
    );
});
await serveUntilStopped(server);
await database.end();
provider.destroy();
process.disconnect();

async function transfer(body: string): Promise<void> {
  const { uetr, amount } = submitRequestSchema.parse(JSON.parse(body));
  if (!("send" in amount)) throw new RangeError("amount: what is sent");
  await database.query("INSERT INTO transfers (uetr, request) VALUES ($1, $2)", [uetr, body]);
  const pay = encodeCall("settlementToken", token, "transfer", [payee, BigInt(amount.send.minor)]);
  const { hash } = await payer.submit(pay);
  await database.query("UPDATE transfers SET paid_by = $2 WHERE uetr = $1", [uetr, fromHex(normalizeHex(hash))]);
}
