// What the load costs the plain way, for what batches are worth: one request, two commits and one transaction of the ledger
// a transfer. It does less than relays do: no prices, no exchange, no escrow, no asking the payee's wallet, no secrecy.
import { randomBytes } from "node:crypto";
import { encodeCall } from "../../src/ledger/calls.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { walletOf } from "../../sandbox/wallet/wallets.ts";
import { createDatabase, onServer } from "../lib/relay-files.ts";
import { SOURCE, TARGET, type LoadOptions, type LoadOrder, type NaiveOptions } from "./path-parts.ts";
import { answerOf, startPart, withStops } from "./processes.ts";
import { costOf, usageOf, withClient, type Cost } from "./usage.ts";

export interface NaiveFigures extends Cost {
  readonly transfers: number;
  /** From the first request to the last one's answer. */
  readonly seconds: number;
}

export interface NaiveLoad {
  readonly databaseUrl: string;
  readonly sandbox: Sandbox;
  readonly rpcUrl: string;
  readonly transfers: number;
}

const WARM_UP = 50;
const CONNECTIONS = 64;
/** More than all of the load's requests ask for. */
const FUNDS_MINOR = 10n ** 12n;

export async function measureNaive({
  databaseUrl: server,
  sandbox,
  rpcUrl,
  transfers,
}: NaiveLoad): Promise<NaiveFigures> {
  const { keys, ledger } = sandbox;
  const { token, payer } = await withdraw(sandbox);
  return withStops(async (stops) => {
    const name = `bench_naive_${randomBytes(6).toString("hex")}`;
    const databaseUrl = await createDatabase(server, name);
    stops.push(() => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`));
    const payee = keys.addressOf({ kind: "operator", partner: TARGET });
    const options: NaiveOptions = { databaseUrl, rpcUrl, privateKey: payer.privateKey, token, payee };
    const naive = await startPart("naive", options, stops);
    const loaded: LoadOptions = { url: naive.said, key: "none", connections: CONNECTIONS };
    const load = await startPart("load", loaded, stops);
    const send = async (order: LoadOrder): Promise<void> => {
      load.child.send(order);
      await answerOf(load.child);
    };
    const parts = { "one by one": naive.pid, ledger: process.pid, load: load.pid };
    const usage = () => usageOf(server, parts, () => ledger.provider.getTransactionCount(payer.address));
    await send({ transfers: WARM_UP, anew: true });
    const before = await usage();
    const begun = performance.now();
    await send({ transfers, anew: true });
    const seconds = (performance.now() - begun) / 1_000;
    const after = await usage();
    await requirePaid(databaseUrl, WARM_UP + transfers);
    return { transfers, seconds, ...costOf(before, after, transfers) };
  });
}

/** Has the source partner take money out of the treasury, to pay with by itself. */
async function withdraw({ keys, ledger, submitterOf }: Sandbox) {
  const currency = walletOf(SOURCE).currency.code;
  const token = ledger.addresses.tokens.get(currency);
  const contract = ledger.tokens.get(currency);
  if (token === undefined || contract === undefined) throw new RangeError(`no settlement token of ${currency}`);
  const holder = { kind: "operator", partner: SOURCE } as const;
  const payer = keys.walletOf(holder);
  const args = [SOURCE, await contract.currency(), FUNDS_MINOR, payer.address];
  await (await submitterOf(holder)).submit(encodeCall("treasury", ledger.addresses.treasury, "withdraw", args));
  return { token, payer };
}

async function requirePaid(databaseUrl: string, transfers: number): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ paid: string }>(
      "SELECT count(DISTINCT paid_by)::text AS paid FROM transfers",
    );
    if (rows[0]?.paid !== String(transfers)) throw new Error(`${rows[0]?.paid} of ${transfers} were paid`);
  });
}
