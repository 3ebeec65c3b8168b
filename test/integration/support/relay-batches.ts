import { readSignedQuote } from "../../../src/features/pricing/store/provider-quotes.ts";
import { expect } from "chai";
import { batchId, buildBatch, type Batch } from "../../../src/domain/batch.ts";
import { isSameCurrency, type Corridor } from "../../../src/domain/corridor.ts";
import type { Uetr } from "../../../src/domain/uetr.ts";
import { NO_QUOTE } from "../../../src/domain/quote.ts";
import { ledgerSigner } from "../../../src/ledger/keys/signing-key.ts";
import { NO_AUTHORIZATION, signBatch } from "../../../src/ledger/signing.ts";
import { ranging } from "../../../src/features/remittance/store/batch-ranges.ts";
import { insertBatch, type SignedBatch } from "../../../src/features/remittance/store/batches.ts";
import { FEE_BPS } from "../../support/batches.ts";
import { HKD_TO_PHP } from "./chain.ts";
import { acceptTransfers, standingQuote, type TestRelay } from "./relay-context.ts";

export interface OwnBatchPlan {
  readonly count: number;
  readonly corridor?: Corridor;
  /** Seconds of ledger time; 300 unless given. */
  readonly holdSeconds?: number;
  readonly quoteValiditySeconds?: number;
  readonly amount?: bigint;
  /** Which attempts its transfers try again, in their order. */
  readonly retriesOf?: readonly Uetr[];
}

/** A batch that this relay has signed and written down, and that the ledger has not heard of. */
export async function ownBatch(relay: TestRelay, plan: OwnBatchPlan): Promise<Batch & SignedBatch> {
  const { db, ledger, keys, clock, drawBytes } = relay;
  const { count, corridor = HKD_TO_PHP, holdSeconds = 300, quoteValiditySeconds, amount, retriesOf = [] } = plan;
  const latest = await ledger.provider.getBlock("latest");
  const overrides = {
    nonce: BigInt(drawBytes(1)[0] ?? 0),
    ...(quoteValiditySeconds === undefined ? {} : { validUntil: (latest?.timestamp ?? 0) + quoteValiditySeconds }),
  };
  const standing = isSameCurrency(corridor) ? undefined : await standingQuote(relay, overrides, corridor);
  const transfers = await acceptTransfers(relay, count, {
    ...{ corridor, retriesOf },
    ...(standing === undefined ? {} : { quote: standing }),
    ...(amount === undefined ? {} : { amount }),
  });
  const expiresAt =
    Number.parseInt(String(await ledger.transferRegistry.time({ blockTag: "latest" })), 10) + holdSeconds;
  const batch = buildBatch(transfers, corridor, standing?.quote ?? NO_QUOTE, FEE_BPS, expiresAt);
  const signed: SignedBatch = {
    id: batchId(batch.header, ledger.chain),
    registry: ledger.chain.transferRegistry,
    header: batch.header,
    send: await signBatch(ledgerSigner(keys.send), ledger.chain, batch.header),
    quote:
      standing === undefined
        ? NO_AUTHORIZATION
        : ((await readSignedQuote(db, standing.id))?.authorization ?? NO_AUTHORIZATION),
  };
  const rows = await db.query<{ seq: bigint }>(
    "SELECT seq FROM transfers WHERE uetr IN (SELECT u::uuid FROM jsonb_array_elements_text($1::jsonb) AS u)",
    [JSON.stringify(transfers.map(({ uetr }) => uetr))],
  );
  const isStored = await db.transaction((tx) =>
    insertBatch(
      tx,
      signed,
      rows.map(({ seq }) => seq),
      clock.nowMs(),
    ),
  );
  expect(isStored).to.equal(true);
  // The store has them in the order of their insertion, which is that of their UETRs.
  const ordered = transfers.toSorted((left, right) => (left.uetr < right.uetr ? -1 : 1));
  return { ...buildBatch(ordered, corridor, standing?.quote ?? NO_QUOTE, FEE_BPS, expiresAt), ...signed };
}

/** Puts all that waits into a batch. */
export async function batchAll({ db }: Pick<TestRelay, "db">, batch: Uint8Array): Promise<void> {
  await db.query(`WITH taken AS (DELETE FROM waiting RETURNING seq) ${ranging("taken")}`, [batch]);
}

export async function failureOf(work: Promise<unknown>): Promise<Error> {
  const failure: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(failure).to.be.instanceOf(Error);
  return failure as Error; // asserted just above
}
