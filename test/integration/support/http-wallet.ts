import { createHash } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import { Webhook } from "standardwebhooks";
import type { Uetr } from "../../../src/domain/uetr.ts";
import { systemClock } from "../../../src/kernel/clock/clock.ts";
import { createRandom } from "../../../src/kernel/random.ts";
import { httpWallet, type WalletConnector } from "../../../src/features/wallet/connector.ts";

/** A credit as it arrives over HTTP. */
export interface WireCredit {
  readonly uetr: Uetr;
  readonly batchId?: string;
  readonly creditor: { readonly name?: string; readonly alias: { readonly type: string; readonly value: string } };
  readonly debtor: { readonly name: string };
  readonly amount: { readonly currency: string; readonly minor: string };
  readonly remittance: { readonly purpose: string; readonly unstructured?: string };
}

/** What becomes of a call: it is done and answered, refused unseen, done and never answered, or left hanging. */
export type WalletFate = "answered" | "refused" | "answer lost" | "hangs";

/** A wallet on this machine, which credits each UETR once, as the contract has it. */
export interface HttpWallet {
  readonly connector: WalletConnector;
  readonly url: string;
  readonly app: FastifyInstance;
  /** What was posted, by UETR. */
  readonly posted: ReadonlyMap<Uetr, WireCredit>;
  /** UETRs of every request to credit, repetitions included. */
  readonly asked: readonly Uetr[];
  /** Decided anew for each call; the path without a slash in front. */
  fateOf: (path: string) => WalletFate;
  /** Why a credit is refused when it is checked. */
  checkReason: (credit: WireCredit) => string | undefined;
  /** Why a credit is refused although it was accepted. */
  creditReason: (credit: WireCredit) => string | undefined;
  /** When it says that it has credited: when it was started, unless told. */
  creditedAt: string;
  /** Its bills, as requests by their references; none where it has no billers. */
  bills: ReadonlyMap<string, string> | undefined;
  /** Results are left out of an answer. */
  leaveOut: (uetr: Uetr) => boolean;
  close(): Promise<void>;
}

export const WALLET_SECRET = `whsec_${createHash("sha256").update("a wallet's secret").digest("base64")}`;
/** Longer than a busy machine takes to answer, and what a test waits for that has the wallet hang. */
const TIMEOUT_MS = 3_000;

export async function startHttpWallet(): Promise<HttpWallet> {
  const app = Fastify({ forceCloseConnections: true });
  const verifier = new Webhook(WALLET_SECRET);
  const posted = new Map<Uetr, WireCredit>();
  const asked: Uetr[] = [];
  const random = createRandom("a wallet's requests");

  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    // Throws unless it is signed.
    done(null, verifier.verify(body, request.headers as Record<string, string>));
  });
  app.addHook("preHandler", async (request, reply) => {
    const fate = wallet.fateOf(request.url.slice(1));
    if (fate === "refused") await reply.code(503).send({ secret: "Maria Dela Cruz" });
    if (fate === "hangs") await Promise.withResolvers().promise;
  });
  app.addHook("onSend", (request, reply, _payload, done) => {
    if (wallet.fateOf(request.url.slice(1)) === "answer lost") reply.raw.destroy();
    done();
  });
  app.post("/payees/lookup", (request) => {
    const { alias } = request.body as { alias: { value: string } };
    const known = alias.value === "+639171234567";
    return known ? { found: true, name: "Maria Dela Cruz" } : { found: false, reason: "BE23" };
  });
  app.post("/billers", (_request, reply) => {
    const reference = { characters: "digits", min: 8, max: 10, check: "luhn" };
    const power = { id: "power", name: "Manila Power", category: "electricity", reference };
    return wallet.bills === undefined ? reply.code(404).send({}) : { billers: [power] };
  });
  app.post("/bills/lookup", (request) => {
    const found = wallet.bills?.get((request.body as { reference: string }).reference);
    return found === undefined ? { found: false } : { found: true, request: found };
  });
  app.post("/credits/check", (request) => {
    const { credits } = request.body as { credits: WireCredit[] };
    const results = credits.map((credit) => {
      const reason = wallet.checkReason(credit);
      return reason === undefined ? { uetr: credit.uetr, accept: true } : { uetr: credit.uetr, accept: false, reason };
    });
    return { results: results.filter(({ uetr }) => !wallet.leaveOut(uetr)) };
  });
  app.post("/credits", (request) => {
    const { credits } = request.body as { credits: WireCredit[] };
    const results = credits.map((credit) => {
      const { uetr } = credit;
      asked.push(uetr);
      const before = posted.get(uetr);
      const reason = wallet.creditReason(credit);
      if (before !== undefined && JSON.stringify(before) !== JSON.stringify(credit)) {
        return { uetr, status: "refused", reason: "AM05" };
      }
      if (before === undefined && reason !== undefined) return { uetr, status: "refused", reason };
      posted.set(uetr, credit);
      return { uetr, status: "credited", reference: `C-${uetr.slice(0, 8)}`, creditedAt: wallet.creditedAt };
    });
    return { results: results.filter(({ uetr }) => !wallet.leaveOut(uetr)) };
  });

  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const wallet: HttpWallet = {
    connector: httpWallet({
      url: `${url}/`,
      secret: WALLET_SECRET,
      fetch,
      timeoutMs: TIMEOUT_MS,
      clock: systemClock,
      drawBytes: (length) => random.bytes(length),
    }),
    url,
    app,
    posted,
    asked,
    fateOf: () => "answered",
    checkReason: () => undefined,
    creditReason: () => undefined,
    creditedAt: new Date(systemClock.nowMs()).toISOString(),
    bills: undefined,
    leaveOut: () => false,
    close: () => app.close(),
  };
  return wallet;
}
