import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { z } from "zod/v4";
import { canonicalJson } from "../../src/domain/canonical-json.ts";
import { InvalidInput } from "../../src/domain/errors.ts";
import type { ReasonCode } from "../../src/domain/reason.ts";
import { parseUetr, type Uetr } from "../../src/domain/uetr.ts";
import { minorUnits, parseWire, uetrText } from "../../src/domain/wire.ts";
import type { Clock } from "../../src/kernel/clock/clock.ts";
import { parseJson } from "../../src/kernel/http/body.ts";
import { verifySigned, verifyWebhook } from "../../sdk/webhooks.ts";
import type { BillDesk } from "./bills.ts";
import type { CreditOutcome, Posting, PostingMark, WalletBooks } from "./books.ts";
import { requireVersion, UnsupportedVersion } from "../connector-version.ts";
import { listenLocally } from "../listen.ts";
import { refundAfter } from "./refunds.ts";
import type { Wallet } from "./wallets.ts";

/** What a test can have go wrong. Counts go down by one with each request that they spoil. */
export interface WalletFaults {
  /** Nobody gets through: connections are dropped. */
  offline: boolean;
  /** Before anything is done. */
  delayMs: number;
  /** Requests that are answered with 503, and have no effect. */
  failNext: number;
  /** Requests that have their effect, and whose answer is lost. */
  loseNext: number;
}

/** A wallet's gateway: what its relay calls, and where its relay's webhooks go. See docs/wallet-connector.md. */
export interface WalletServer {
  readonly wallet: Wallet;
  readonly url: string;
  readonly books: WalletBooks;
  readonly faults: WalletFaults;
  /** The type of the last event that a webhook told of a transfer. */
  readonly notices: ReadonlyMap<Uetr, string>;
  /** Takes webhooks that are signed with this secret from now on, too. */
  trustWebhooks(secret: string): void;
  stop(): Promise<void>;
}

export interface WalletServerOptions {
  readonly wallet: Wallet;
  readonly books: WalletBooks;
  /** Shared with the relay, which signs its requests with it (Standard Webhooks). */
  readonly secret: string;
  readonly clock: Clock;
  /** Any free one by default. */
  readonly port?: number;
  /** The wallet's billers, once its relay is there. */
  readonly bills?: () => BillDesk | undefined;
  /** Further routes: the pages for the wallet's own people. */
  readonly extend?: (app: FastifyInstance) => void;
}

/** Large enough for the credits of the largest batch. */
const BODY_LIMIT_BYTES = 32 * 1_024 * 1_024;
const alias = z.object({ type: z.string(), value: z.string() });
const amount = z.object({ currency: z.string(), minor: minorUnits });
const creditShape = {
  uetr: uetrText,
  creditor: z.looseObject({ alias }),
  debtor: z.looseObject({ name: z.string() }),
  amount,
};
const lookupBody = z.object({ alias });
const billBody = z.object({ biller: z.string(), reference: z.string() });
const checkBody = z.object({ credits: z.array(z.looseObject(creditShape)) });
const creditsBody = z.object({ credits: z.array(z.looseObject({ ...creditShape, batchId: z.string() })) });

const batchBody = checkBody.extend({ batchId: z.string() });

type CheckedCredit = z.output<typeof checkBody>["credits"][number];
type Credit = z.output<typeof creditsBody>["credits"][number];

/** Credits of a batch that are taken in one request: what takes no longer than everybody else can wait. */
const BATCHES = 1_000;

/** Starts a wallet's gateway on this machine. */
export async function startWalletServer(options: WalletServerOptions): Promise<WalletServer> {
  const { wallet, books, secret, clock } = options;
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true, pluginTimeout: 0 });
  const faults: WalletFaults = { offline: false, delayMs: 0, failNext: 0, loseNext: 0 };
  const notices = new Map<Uetr, string>();
  const verified = <Output>(request: FastifyRequest, schema: z.ZodType<Output>): Output =>
    readSigned(request, secret, clock, schema);
  const webhookSecrets: string[] = [];

  void app.register((gateway, _, done) => {
    // The signature is over the bytes.
    gateway.removeAllContentTypeParsers();
    gateway.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, parsed) =>
      parsed(null, body),
    );
    addFaults(gateway, faults, clock);
    gateway.post("/payees/lookup", (request) => lookup(options, verified(request, lookupBody)));
    gateway.post("/credits/check", (request) => check(options, verified(request, checkBody)));
    gateway.post("/credits", (request) => credit(options, verified(request, creditsBody)));
    gateway.post("/batches/check", (request) => checkBatch(options, verified(request, checkBody)));
    gateway.post("/batches/credit", (request) => creditBatch(options, verified(request, batchBody)));
    gateway.post("/billers", (request) => {
      verified(request, z.object({}));
      return { billers: options.bills?.()?.billers ?? [] };
    });
    gateway.post("/bills/lookup", (request) => findBill(options, verified(request, billBody)));
    gateway.post("/webhooks", async (request, reply) => {
      const told = verifyWebhook(request.headers, bodyOf(request), webhookSecrets, { nowMs: clock.nowMs() });
      if (told.kind === "refused") throw new Unverified(told.refusal);
      const { type, uetr, data } = told.body.data;
      if (uetr !== undefined) {
        notices.set(parseUetr(uetr), type);
        refundAfter(books, parseUetr(uetr), type, data["reason"]);
      }
      await books.flush();
      return reply.code(204).send();
    });
    done();
  });
  app.setErrorHandler((failure, _request, reply) => {
    if (failure instanceof UnsupportedVersion) return reply.code(400).send(failure.answer);
    const isTheirs = failure instanceof InvalidInput || failure instanceof Unverified;
    return reply
      .code(failure instanceof Unverified ? 401 : isTheirs ? 400 : 500)
      .send({ error: failure instanceof Error ? failure.message : "failed" });
  });
  options.extend?.(app);
  const url = await listenLocally(app, options.port);
  return {
    wallet,
    url,
    books,
    faults,
    notices,
    trustWebhooks: (added) => void webhookSecrets.push(added),
    async stop() {
      await app.close();
      await books.close();
    },
  };
}

class Unverified extends Error {}

/** @throws Unverified when the relay has not signed the request, or not lately */
function readSigned<Output>(request: FastifyRequest, secret: string, clock: Clock, schema: z.ZodType<Output>): Output {
  const told = verifySigned(request.headers, bodyOf(request), secret, { nowMs: clock.nowMs() });
  if (told.kind === "refused") throw new Unverified(`not signed by a relay that this wallet knows: ${told.refusal}`);
  const json = parseJson(Buffer.from(told.text), "body");
  requireVersion(json);
  return parseWire(schema, json, "body");
}

function bodyOf({ body }: FastifyRequest): string {
  return typeof body === "string" ? body : "";
}

function addFaults(app: FastifyInstance, faults: WalletFaults, clock: Clock): void {
  app.addHook("onRequest", async (request, reply) => {
    if (faults.offline) {
      request.raw.socket.destroy();
      return reply.hijack();
    }
    if (faults.delayMs > 0) await clock.sleep(faults.delayMs);
    if (faults.failNext === 0) return;
    faults.failNext--;
    return reply.code(503).send({ error: "out of order" });
  });
  app.addHook("onSend", (request, _reply, payload, done) => {
    if (faults.loseNext > 0) {
      faults.loseNext--;
      request.raw.socket.destroy();
    }
    done(null, payload);
  });
}

function lookup({ books }: WalletServerOptions, given: z.output<typeof lookupBody>): object {
  const account = books.accountOf(customerOf(given.alias));
  return account === undefined ? { found: false, reason: "BE23" } : { found: true, name: account.name };
}

async function findBill(
  { bills }: WalletServerOptions,
  { biller, reference }: z.output<typeof billBody>,
): Promise<object> {
  const request = await bills?.()?.findBill(biller, reference);
  return request === undefined ? { found: false } : { found: true, request };
}

function judge({ books }: WalletServerOptions, { uetr, creditor, amount }: CheckedCredit): ReasonCode | undefined {
  if (amount.currency !== books.currency) return "AG03";
  if (books.accountOf(customerOf(creditor.alias)) === undefined) return "AC03";
  return books.credits.has(uetr) ? "AM05" : undefined;
}

function check(options: WalletServerOptions, { credits }: z.output<typeof checkBody>): object {
  const results = credits.map((asked) => {
    const reason = judge(options, asked);
    return reason === undefined ? { uetr: asked.uetr, accept: true } : { uetr: asked.uetr, accept: false, reason };
  });
  return { batches: BATCHES, results };
}

/** What is accepted, as nearly all is, is counted only. */
function checkBatch(options: WalletServerOptions, { credits }: z.output<typeof checkBody>): object {
  const results = credits.flatMap((asked) => {
    const reason = judge(options, asked);
    return reason === undefined ? [] : [{ uetr: asked.uetr, accept: false, reason }];
  });
  return { count: credits.length, results };
}

async function credit(options: WalletServerOptions, { credits }: z.output<typeof creditsBody>): Promise<object> {
  const results = credits.map((asked) => resultOf(asked.uetr, post(options, asked)));
  // Nobody is told of what a crash could still undo.
  await options.books.flush();
  return { batches: BATCHES, results };
}

/** Those that are new are posted together, under one reference; what had been posted before has its own result. */
async function creditBatch(
  options: WalletServerOptions,
  { batchId, credits }: z.output<typeof batchBody>,
): Promise<object> {
  const { books } = options;
  const together = books.markCredits();
  const outcomes = credits.map((asked) => ({
    uetr: asked.uetr,
    outcome: post(options, { ...asked, batchId }, together),
  }));
  await books.flush();
  const postings = outcomes.flatMap(({ outcome }) => (outcome.kind === "credited" ? [outcome.posting] : []));
  // Asked for again, all have what they had.
  const { reference, atMs } = postings.find((each) => each.reference === together.reference) ?? postings[0] ?? together;
  const isAlike = (posting: Posting) => posting.reference === reference && posting.atMs === atMs;
  const results = outcomes
    .filter(({ outcome }) => outcome.kind === "refused" || !isAlike(outcome.posting))
    .map(({ uetr, outcome }) => resultOf(uetr, outcome));
  return { count: credits.length, reference, creditedAt: new Date(atMs).toISOString(), results };
}

type Outcome = CreditOutcome | { readonly kind: "refused"; readonly reason: ReasonCode };

function post({ books }: WalletServerOptions, asked: Credit, as?: PostingMark): Outcome {
  const { uetr, creditor, debtor, amount } = asked;
  if (amount.currency !== books.currency) return { kind: "refused", reason: "AG03" };
  return books.credit({
    uetr,
    customer: customerOf(creditor.alias),
    amountMinor: amount.minor,
    text: `from ${debtor.name}`,
    content: contentOf(asked),
    ...(as === undefined ? {} : { as }),
  });
}

function resultOf(uetr: Uetr, outcome: Outcome): object {
  if (outcome.kind === "refused") return { uetr, status: "refused", reason: outcome.reason };
  const { reference, atMs } = outcome.posting;
  return { uetr, status: "credited", reference, creditedAt: new Date(atMs).toISOString() };
}

/** What makes two requests under one UETR the same: who gets how much, out of which batch. */
function contentOf({ batchId, creditor, amount }: Credit): string {
  const { type, value } = creditor.alias;
  return canonicalJson(
    { batchId, alias: { type, value }, amount: { currency: amount.currency, minor: amount.minor.toString() } },
    "credit",
  );
}

/** This wallet's customers are known by their mobile numbers only. */
function customerOf({ type, value }: z.output<typeof alias>): string {
  return type === "MSISDN" ? value : "";
}
