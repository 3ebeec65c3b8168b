// What the ledger itself tells: every event in the one order that all partners share, and what one partner has. Reads the
// chain that `npm start` leaves up, and asks no relay. See docs/developer.md.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { JsonRpcProvider } from "ethers";
import { currencyOf } from "../src/domain/currency.ts";
import { formatMoney, money } from "../src/domain/money.ts";
import { connectLedger } from "../src/ledger/contracts.ts";
import { parseAddresses } from "../src/ledger/deployment/config-file.ts";
import { readEvents } from "../src/ledger/events.ts";

const folder = process.argv[2] ?? ".feiqian";
// What `npm start` has written.
const { rpcUrl } = JSON.parse(await readFile(join(folder, "network.json"), "utf8")) as { readonly rpcUrl: string };
const provider = new JsonRpcProvider(rpcUrl);
const ledger = await connectLedger(provider, parseAddresses(await readFile(join(folder, "addresses.json"), "utf8")));

for (const event of await readEvents(ledger, 0, await provider.getBlockNumber())) {
  if (!("batchId" in event)) continue;
  const { cursor, kind, source, target, batchId } = event;
  const what = event.kind === "Opened" ? `${event.header.count} transfers` : "";
  console.log(
    `${cursor.block}.${cursor.logIndex}  ${kind.padEnd(8)}  ${source} → ${target}  ${batchId}  ${what}`.trimEnd(),
  );
}

const GCASH = 4;
for (const code of ledger.tokens.keys()) {
  const { available, held } = await ledger.treasury.balanceOf(GCASH, currencyOf(code).numeric);
  if (available + held === 0n) continue;
  console.log(`GCash has ${formatMoney(money(available, code))}, and ${formatMoney(money(held, code))} held`);
}
provider.destroy();
