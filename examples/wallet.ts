// A wallet's side of one transfer, with the SDK, on the network that `npm start` leaves up: a payee looked up, a price, a
// submission that survives a crash, webhooks, and a receipt that anyone can check. See docs/wallet-engineer.md.
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { createClient, newUetr, openOutbox, verifyWebhook } from "../sdk/index.ts";
import { verifyReceipt } from "../sdk/receipts.ts";

interface NetworkFile {
  readonly rpcUrl: string;
  readonly addressesFile: string;
  readonly wallets: readonly {
    readonly name: string;
    readonly partner: number;
    readonly relay: string;
    readonly apiKey: string;
    readonly customers: readonly { readonly name: string; readonly phone: string }[];
  }[];
}

const folder = process.argv[2] ?? ".feiqian";
// What `npm start` has written.
const network = JSON.parse(await readFile(join(folder, "network.json"), "utf8")) as NetworkFile;
const named = (name: string) => network.wallets.find((wallet) => wallet.name === name);
const [us, them] = [named("AlipayHK"), named("GCash")];
const [payer, payee] = [us?.customers[0], them?.customers[0]];
if (!us || !them || !payer || !payee) throw new Error(`${folder}/network.json has neither AlipayHK nor GCash`);
const relay = createClient({ url: us.relay, key: us.apiKey });
// The key of the transfer, made by us and before anything else: whatever is repeated is recognised by it.
const uetr = newUetr();

// Webhooks: verified over the bytes as they came, dealt with once by their id, answered with 2xx as soon as that is kept.
const { promise: ended, resolve: end } = Promise.withResolvers<string>();
const seen = new Set<string>();
const secrets: string[] = [];
const hooks = createServer((request, response) => {
  void buffer(request).then((body) => {
    const told = verifyWebhook(request.headers, body, secrets, { nowMs: Date.now() });
    response.writeHead(told.kind === "verified" ? 204 : 401).end();
    if (told.kind === "refused" || seen.has(told.id)) return;
    seen.add(told.id);
    const { type, uetr: about } = told.body.data;
    console.log(`webhook   ${told.id} ${type}`);
    if (about === uetr && /credited|rejected|expired|failed/.test(type)) end(type);
  });
});
hooks.listen(0, "127.0.0.1");
await once(hooks, "listening");
// Listening on TCP, so the address is not a path.
const { port } = hooks.address() as AddressInfo;
const webhook = await relay.createWebhook({ url: `http://127.0.0.1:${port}/feiqian` });
secrets.push(webhook.secret);

// Who is paid, and at what price.
const alias = { type: "MSISDN", value: payee.phone } as const;
const { name } = await relay.lookupPayee(them.partner, alias);
const quote = await relay.quote({ target: them.partner, amount: { send: { currency: "HKD", minor: "150000" } } });
console.log(`payee     ${name}`);
console.log(`price     ${quote.total.minor} HKD cents in all, ${quote.receive.minor} PHP centavos received`);

// Submitted through an outbox: on the disk before the relay hears of it, gone once the outcome is kept.
const ledgerOfOurs: string[] = [];
const outbox = await openOutbox({
  client: relay,
  folder: join(folder, "outbox"),
  onOutcome: (outcome) => Promise.resolve(void ledgerOfOurs.push(`${outcome.request.uetr} ${outcome.kind}`)),
});
await outbox.resume();
await outbox.submit({
  uetr,
  target: them.partner,
  amount: { quoteId: quote.id },
  debtor: { name: payer.name, alias: { type: "MSISDN", value: payer.phone } },
  creditor: { alias },
  purpose: "FAMI",
  remittance: "Family support",
});
console.log(`submitted ${ledgerOfOurs.at(-1) ?? "nothing"}`);
console.log(`ended     ${await ended}`);

// A receipt that tells the payee and the purpose, and not the payer; checked against the ledger, not the relay.
const receipt = await relay.receipt(uetr, ["creditor", "remittance"]);
await mkdir(join(folder, "receipts"), { recursive: true });
await writeFile(join(folder, "receipts", `${uetr}.json`), `${JSON.stringify(receipt, null, 2)}\n`, { mode: 0o600 });
// From a source of one's own: here, the deployment's file.
const { transferRegistry } = JSON.parse(await readFile(network.addressesFile, "utf8")) as { transferRegistry: string };
const verified = await verifyReceipt(network.rpcUrl, receipt, { trustedRegistry: transferRegistry });
if (verified.kind !== "verified") throw new Error(`${verified.kind}: ${verified.detail}`);
const at = new Date(verified.finalAt * 1_000).toISOString();
console.log(`receipt   ${verified.status} at ${at}, ${verified.rateText} PHP for one HKD, ${join(folder, "receipts")}`);

await relay.deleteWebhook(webhook.id);
hooks.close();
