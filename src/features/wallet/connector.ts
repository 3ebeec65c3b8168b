import { z } from "zod/v4";
import type { Alias } from "../../domain/alias.ts";
import type { Hex } from "../../domain/bytes/hex.ts";
import { readInstant } from "../../domain/instant.ts";
import type { Money } from "../../domain/money.ts";
import { MAX_PAYLOAD_TRANSFERS, type TransferParties } from "../../domain/payload.ts";
import { parseReason, REASONS, type ReasonCode } from "../../domain/reason.ts";
import { storable } from "../../domain/storable.ts";
import { isUetr, type Uetr } from "../../domain/uetr.ts";
import { CONNECTOR_VERSION, MAX_VERSIONS_TOLD, UNSUPPORTED_VERSION } from "../../domain/versions.ts";
import { billersSchema, type Biller } from "../../domain/biller.ts";
import { parseWire, uetrText } from "../../domain/wire.ts";
import type { Clock } from "../../kernel/clock/clock.ts";
import { webhookSigner } from "../../kernel/outside/standard-webhooks.ts";
import { noTracer, type Tracer } from "../../kernel/telemetry/tracing.ts";
import { readJson } from "../../kernel/http/body.ts";

/** A transfer as the wallet of its payee is asked about it. Personal data. */
export interface WalletCredit extends TransferParties {
  readonly uetr: Uetr;
  readonly amount: Money;
  /** The wallet's own request that it pays, where it pays one. */
  readonly request?: string;
}

/** A credit to be posted: its batch has settled. */
export interface SettledCredit extends WalletCredit {
  readonly batchId: Hex;
}

export type PayeeLookup =
  { readonly found: true; readonly name: string } | { readonly found: false; readonly reason: ReasonCode };

export type CheckResult =
  | { readonly uetr: Uetr; readonly accept: true }
  | { readonly uetr: Uetr; readonly accept: false; readonly reason: ReasonCode };

export type CreditResult =
  | {
      readonly uetr: Uetr;
      readonly status: "credited";
      /** The wallet's own name for the posting. */
      readonly reference: string;
      /** As the wallet tells it, in milliseconds since the epoch; undefined where that is no time. */
      readonly creditedAtMs: number | undefined;
    }
  | { readonly uetr: Uetr; readonly status: "refused"; readonly reason: ReasonCode };

/**
 * The partner's wallet, as its relay depends on it; docs/wallet-connector.md is the contract. Every call throws
 * `WalletError` when the wallet does not answer, or not as the contract has it: nothing is known then, and the call can
 * be repeated. Results may be fewer than were asked for, and are of transfers that were asked for.
 */
export interface WalletConnector {
  /** How many credits it takes in one call. */
  readonly mostCredits: number;
  lookup(alias: Alias): Promise<PayeeLookup>;
  /** Whether these, of one batch, could be credited now. Changes nothing. */
  check(credits: readonly WalletCredit[]): Promise<readonly CheckResult[]>;
  /** Posts credits of one batch, each UETR once: repeated, it has the first answer again. */
  credit(credits: readonly SettledCredit[]): Promise<readonly CreditResult[]>;
  /** Who sends bills that are paid here; none where the wallet has no such thing. */
  billers(): Promise<readonly Biller[]>;
  /**
   * The request that is a bill, which the wallet has made at its relay: undefined where there is no such bill. The same
   * bill is the same request.
   */
  findBill(biller: string, reference: string): Promise<string | undefined>;
}

/** No answer from the wallet that can be used. Always worth another attempt. */
export class WalletError extends Error {
  readonly code = "WALLET_UNAVAILABLE";
  /** HTTP status, where the wallet has answered with one that is no success. */
  readonly status: number | undefined;

  /** @param message without anything that the wallet said: it may be personal data */
  constructor(message: string, { cause, status }: { readonly cause?: unknown; readonly status?: number } = {}) {
    super(message, { cause });
    this.name = "WalletError";
    this.status = status;
  }
}

export interface HttpWalletOptions {
  /** Without the paths of the contract. */
  readonly url: string;
  /** Shared with the wallet: a Standard Webhooks secret, `whsec_` and base64. */
  readonly secret: string;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Random bytes, for the ids of requests. */
  readonly drawBytes: (length: number) => Uint8Array;
  readonly tracer?: Tracer;
}

/** Most credits in one call to a wallet that has not said that it takes whole batches. */
const LEAST_MOST_CREDITS = 100;
/** More is not believed: no batch has more. */
const MOST_OF_BATCH = MAX_PAYLOAD_TRANSFERS;
const MAX_ANSWER_BYTES = 1 << 20;
const MAX_BATCH_ANSWER_BYTES = 1 << 22;
const MAX_REFUSAL_BYTES = 4_096;

type Ask = <Answer>(path: string, body: object, schema: z.ZodType<Answer>, mostBytes?: number) => Promise<Answer>;

/** Asks a wallet. Requests are signed as Standard Webhooks are. */
function requester(options: HttpWalletOptions): Ask {
  const { fetch, timeoutMs, clock, drawBytes, tracer = noTracer } = options;
  const base = options.url.replace(/\/+$/, "");
  const sign = webhookSigner(options.secret);

  return (path, body, schema, mostBytes = MAX_ANSWER_BYTES) =>
    tracer.span(`wallet ${path}`, {}, async () => {
      const text = JSON.stringify({ version: CONNECTOR_VERSION, ...body });
      const id = `msg_${Buffer.from(drawBytes(16)).toString("hex")}`;
      const atSeconds = Math.floor(clock.nowMs() / 1_000);
      const headers = tracer.inject({
        "content-type": "application/json",
        accept: "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(atSeconds),
        "webhook-signature": sign(id, atSeconds, text),
      });
      try {
        const response = await fetch(`${base}${path}`, {
          method: "POST",
          headers,
          body: text,
          redirect: "error",
          signal: AbortSignal.timeout(timeoutMs),
        });
        const { ok, status } = response;
        if (!ok) throw new WalletError(`${path}: answered ${status}${await versionsTold(response)}`, { status });
        return parseWire(schema, await readJson(response, mostBytes), "answer");
      } catch (failure) {
        if (failure instanceof WalletError) throw failure;
        throw new WalletError(`${path}: an unusable answer`, { cause: failure });
      }
    });
}

/** A wallet behind HTTP. */
export function httpWallet(options: HttpWalletOptions): WalletConnector {
  const ask = requester(options);
  /** How many credits the wallet takes as a batch, as it has said last; 0 where it does not. */
  let batches = 0;

  /** Credits as they are asked for one by one: the wallet says with it whether it takes batches. */
  const askEach = async <Answer extends { readonly batches?: number | undefined }>(
    path: string,
    body: object,
    schema: z.ZodType<Answer>,
  ): Promise<Answer> => {
    const answer = await ask(path, body, schema);
    batches = answer.batches ?? 0;
    return answer;
  };

  /** A batch, or a part of one. Where that fails, it is asked for one by one the next time: it may be taken no more. */
  const askBatch = async <Answer extends { readonly count: number; readonly results: readonly { uetr: Uetr }[] }>(
    path: string,
    credits: readonly WalletCredit[],
    body: object,
    schema: z.ZodType<Answer>,
  ): Promise<Answer> => {
    try {
      const answer = await ask(path, { ...body, credits: credits.map(creditJson) }, schema, MAX_BATCH_ANSWER_BYTES);
      if (answer.count !== credits.length) throw new WalletError(`${path}: not an answer for every transfer`);
      ofCredits(credits, answer.results);
      return answer;
    } catch (failure) {
      batches = 0;
      throw failure;
    }
  };

  return {
    get mostCredits() {
      return Math.max(batches, LEAST_MOST_CREDITS);
    },
    lookup: (alias) => ask("/payees/lookup", { alias }, payeeLookupSchema),
    async check(credits) {
      if (credits.length > batches) {
        const { results } = await askEach("/credits/check", { credits: credits.map(creditJson) }, checkSchema);
        return ofCredits(credits, results);
      }
      const { results } = await askBatch("/batches/check", credits, {}, batchCheckSchema);
      const refused = new Map(results.map((result) => [result.uetr, result]));
      return credits.map(({ uetr }) => refused.get(uetr) ?? { uetr, accept: true });
    },
    async credit(credits) {
      const [batchId, ...others] = new Set(credits.map((credit) => credit.batchId));
      if (credits.length > batches || others.length > 0) {
        const { results } = await askEach("/credits", { credits: credits.map(settledJson) }, creditSchema);
        return ofCredits(credits, results.flatMap(creditResults));
      }
      return batchResults(credits, await askBatch("/batches/credit", credits, { batchId }, batchCreditSchema));
    },
    billers: () =>
      orNone(
        ask("/billers", {}, billersSchema).then(({ billers }) => billers),
        [],
      ),
    async findBill(biller, reference) {
      const found = await orNone(ask("/bills/lookup", { biller, reference }, billSchema), { found: false } as const);
      return found.found ? found.request : undefined;
    },
  };
}

const NOT_FOUND = 404;

/** What a wallet that does not know a path is taken to say. */
async function orNone<Answer>(asked: Promise<Answer>, none: Answer): Promise<Answer> {
  try {
    return await asked;
  } catch (failure) {
    if (failure instanceof WalletError && failure.status === NOT_FOUND) return none;
    throw failure;
  }
}

const billSchema = z.discriminatedUnion("found", [
  z.object({ found: z.literal(true), request: z.string().refine(isUetr, "a request's id") }),
  z.object({ found: z.literal(false) }),
]);

const refusalSchema = z.object({
  code: z.literal(UNSUPPORTED_VERSION),
  versions: z.array(z.number().int()).max(MAX_VERSIONS_TOLD),
});

/** What a wallet says that speaks other versions of the contract. Of any other answer nothing is told on. */
async function versionsTold(response: Response): Promise<string> {
  const told = refusalSchema.safeParse(await readJson(response, MAX_REFUSAL_BYTES).catch(() => undefined));
  if (!told.success) return "";
  return `: the wallet speaks versions ${told.data.versions.join(", ")} of the connector, and this relay ${CONNECTOR_VERSION}`;
}

function creditJson({ uetr, creditor, debtor, amount, remittance, request }: WalletCredit) {
  const { currency, minor } = amount;
  const paid = request === undefined ? {} : { request };
  return { uetr, creditor, debtor, amount: { currency, minor: String(minor) }, remittance, ...paid };
}

function settledJson(credit: SettledCredit) {
  return { ...creditJson(credit), batchId: credit.batchId };
}

/** A refusal is one, whatever code the wallet gives for it. */
const reason: z.ZodType<ReasonCode> = z
  .string()
  .transform((code) => (Object.hasOwn(REASONS, code) ? parseReason(code) : "MS03"));

const MAX_TEXT_LENGTH = 140;

export const payeeLookupSchema: z.ZodType<PayeeLookup> = z.discriminatedUnion("found", [
  z.object({ found: z.literal(true), name: z.string() }),
  z.object({ found: z.literal(false), reason }),
]);

/** Whether the wallet takes batches, and of how many credits. Whatever else stands there is not said. */
const batchesTold = z.number().int().min(1).max(MOST_OF_BATCH).optional().catch(undefined);

const checkSchema = z.object({
  batches: batchesTold,
  results: z.array(
    z.discriminatedUnion("accept", [
      z.object({ uetr: uetrText, accept: z.literal(true) }),
      z.object({ uetr: uetrText, accept: z.literal(false), reason }),
    ]),
  ),
});

/** All that was asked about is accepted, but for these. */
const batchCheckSchema = z.object({
  count: z.number(),
  results: z.array(z.object({ uetr: uetrText, accept: z.literal(false), reason })),
});

/**
 * That a credit is posted counts, whatever stands beside it: the reference is kept as far as it can be, and when it
 * was is for the caller to believe.
 */
const postingShape = {
  reference: z.string().transform((text) => storable(text.slice(0, MAX_TEXT_LENGTH))),
  creditedAt: z.unknown(),
};
const creditResultSchema = z.discriminatedUnion("status", [
  z.object({ uetr: uetrText, status: z.literal("credited"), ...postingShape }),
  z.object({ uetr: uetrText, status: z.literal("refused"), reason }),
]);

const creditSchema = z.object({ batches: batchesTold, results: z.array(z.unknown()) });

const apartSchema = z.looseObject({ uetr: uetrText });
/** All that was asked for is posted alike, but for what has a result of its own. */
const batchCreditSchema = z.object({ count: z.number(), ...postingShape, results: z.array(apartSchema) });

/** None for a result that breaks the contract: it counts as left out, and affects no other. */
function creditResults(result: unknown): readonly CreditResult[] {
  const { data } = creditResultSchema.safeParse(result);
  if (data === undefined) return [];
  if (data.status === "refused") return [data];
  const { creditedAt, ...rest } = data;
  return [{ ...rest, creditedAtMs: instantIn(creditedAt) }];
}

/** A result of its own that cannot be understood is none: only whose it is has to be known. */
function batchResults(
  credits: readonly SettledCredit[],
  { reference, creditedAt, results }: z.output<typeof batchCreditSchema>,
): readonly CreditResult[] {
  const apart = new Set(results.map(({ uetr }) => uetr));
  const creditedAtMs = instantIn(creditedAt);
  const alike = credits
    .filter(({ uetr }) => !apart.has(uetr))
    .map(({ uetr }): CreditResult => ({ uetr, status: "credited", reference, creditedAtMs }));
  return [...alike, ...results.flatMap(creditResults)];
}

function instantIn(creditedAt: unknown): number | undefined {
  return typeof creditedAt === "string" ? readInstant(creditedAt) : undefined;
}

/** A wallet that answers what it was not asked, or twice, has not understood: nothing that it says counts. */
function ofCredits<Result extends { readonly uetr: Uetr }>(
  credits: readonly WalletCredit[],
  results: readonly Result[],
): readonly Result[] {
  const asked = new Set(credits.map(({ uetr }) => uetr));
  for (const { uetr } of results) {
    if (!asked.delete(uetr)) throw new WalletError("answered for a transfer that it was not asked about, or twice");
  }
  return results;
}
