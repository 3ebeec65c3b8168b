import type { FastifyInstance } from "fastify";
import { encodeCall } from "../../../src/ledger/calls.ts";
import type { RelayContext, RelaySettings } from "../../../src/features/context.ts";
import { registryDirectory } from "../../../src/features/peers/directory.ts";
import { publicPeerKeys } from "../../../src/features/peers/keys.ts";
import { compose } from "../../../src/app/composition.ts";
import { FEATURES } from "../../../src/app/features.ts";
import { createServer } from "../../../src/kernel/http/server.ts";
import { peerRoutes } from "../../../src/features/peers/routes.ts";
import { batcherStep } from "../../../src/features/remittance/steps/batcher.ts";
import { courierStep } from "../../../src/features/remittance/steps/courier.ts";
import { openerStep } from "../../../src/features/remittance/steps/opener.ts";
import { watcherStep } from "../../../src/features/remittance/steps/watcher.ts";
import type { Hex } from "../../../src/domain/bytes/hex.ts";
import type { BatchPayload } from "../../../src/domain/payload.ts";
import { openDetails } from "../../../src/features/remittance/sealed-details.ts";
import { sealedTransfersOf } from "../../../src/features/remittance/store/batch-transfers.ts";
import { payloadsToSend } from "../../../src/features/remittance/store/payloads.ts";
import type { NewTransfer } from "../../../src/features/remittance/store/transfers.ts";
import { hexOf } from "../../../src/kernel/store/values.ts";
import { GCASH } from "./chain.ts";
import type { OpenDatabase } from "./databases.ts";
import { startHttpWallet, type HttpWallet } from "./http-wallet.ts";
import { acceptTransfers, run, standingQuote, testRelay, type TestClock, type TestRelay } from "./relay-context.ts";

/** A relay that other relays reach over HTTP, at the URL that its partner has registered on the ledger. */
export interface Peer {
  readonly relay: TestRelay;
  readonly app: FastifyInstance;
  readonly url: string;
}

/** Serves the relay's routes for its peers, and registers it. */
export async function startPeer(relay: TestRelay): Promise<Peer> {
  const composition = await compose(FEATURES);
  const app = await createServer(relay, {
    ...composition.served(relay),
    readiness: () => Promise.resolve({ ready: true, reasons: [] }),
    otherRoutes: [peerRoutes(relay, composition.messages(relay))],
  });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  await registerPeer(relay, url);
  return { relay, app, url };
}

export async function registerPeer({ sandbox, partner, peerKeys }: TestRelay, url: string): Promise<void> {
  const admin = await sandbox.submitterOf({ kind: "admin", partner });
  const endpoint = { url, ...publicPeerKeys(peerKeys) };
  const { partnerRegistry } = sandbox.ledger.addresses;
  await admin.submit(encodeCall("partnerRegistry", partnerRegistry, "setEndpoint", [partner, endpoint]));
}

/** AlipayHK's relay and GCash's, with one ledger, a store each, and GCash's wallet behind HTTP. */
export interface Pair {
  readonly source: TestRelay;
  readonly target: TestRelay;
  readonly sourcePeer: Peer;
  readonly targetPeer: Peer;
  readonly wallet: HttpWallet;
  close(): Promise<void>;
}

/**
 * @param clock of both; one each that runs with the machine's unless given
 * @param directoryMs for how long they go by what the registry has said of the other one
 */
export async function startPair(
  open: OpenDatabase,
  settings: Partial<RelaySettings> = {},
  clock?: TestClock,
  directoryMs = 0,
): Promise<Pair> {
  const more = { settings, ...(clock === undefined ? {} : { clock }) };
  const source = withDirectory(await testRelay({ db: await open(), ...more }), directoryMs);
  const wallet = await startHttpWallet();
  const { sandbox } = source;
  const targetRelay = await testRelay({ db: await open(), partner: GCASH, sandbox, ...more });
  const target = withDirectory(targetRelay, directoryMs, wallet);
  const [sourcePeer, targetPeer] = [await startPeer(source), await startPeer(target)];
  return {
    source,
    target,
    sourcePeer,
    targetPeer,
    wallet,
    async close() {
      await Promise.all([sourcePeer.app.close(), targetPeer.app.close(), wallet.close()]);
    },
  };
}

/** Goes by the registry, and by a wallet of its own. */
function withDirectory(relay: TestRelay, directoryMs: number, wallet?: HttpWallet): TestRelay {
  const peers = registryDirectory(relay.ledger, relay.clock, directoryMs);
  // What a test looks at in a wallet in memory, it looks at in the one behind HTTP.
  const connector = wallet?.connector as TestRelay["wallet"] | undefined;
  return { ...relay, peers, ...(connector === undefined ? {} : { wallet: connector }) };
}

/** A batch of the source's customers that is signed, and nobody has heard of. */
export async function signedBatch(
  source: TestRelay,
  count = 3,
): Promise<{ readonly id: Hex; readonly transfers: readonly NewTransfer[] }> {
  await run(source, watcherStep);
  const transfers = await acceptTransfers(source, count, { quote: await standingQuote(source) });
  await run(source, batcherStep);
  const [row] = await source.db.query<{ id: Uint8Array }>("SELECT id FROM batches ORDER BY signed_at DESC LIMIT 1");
  if (row === undefined) throw new Error("no batch was signed");
  return { id: hexOf(row.id), transfers };
}

/** What the source's relay tells the target's of a batch. */
export async function payloadOf({ db, sealer }: TestRelay, batch: Hex): Promise<BatchPayload> {
  const [signed] = (await payloadsToSend(db, Number.MAX_SAFE_INTEGER, 100)).filter(({ id }) => id === batch);
  if (signed === undefined) throw new Error("no such batch");
  const transfers = (await sealedTransfersOf(db, batch)).map(({ sealed, ...transfer }) => ({
    ...transfer,
    ...openDetails(sealer, transfer.uetr, sealed ?? new Uint8Array()),
  }));
  return { header: signed.header, transfers };
}

/** A customer of GCash's. */
export const PAYEE = { type: "MSISDN", value: "+639171234567" } as const;

/** A batch that is open on the ledger, as both relays have read, and whose payload the target has. */
export async function openedBatch(
  { source, target }: Pair,
  count = 3,
): Promise<{ readonly id: Hex; readonly transfers: readonly NewTransfer[] }> {
  const batch = await signedBatch(source, count);
  await run(source, courierStep);
  await run(source, openerStep);
  await readLedger(source, target);
  return batch;
}

export async function readLedger(...relays: readonly RelayContext[]): Promise<void> {
  for (const relay of relays) await run(relay, watcherStep);
}
