import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { corridorKey } from "../../../src/domain/corridor.ts";
import { formatPaymentCode, parsePaymentCode } from "../../../src/domain/payment-code/payment-code.ts";
import type { ProblemCode } from "../../../sdk/problems.ts";
import { ACCEPT, ALIPAY_HK, GCASH, newUetr, TO_PHP, type ApiRelay } from "./api.ts";

type Call = (options: InjectOptions) => Promise<LightMyRequestResponse>;
/** What an answer is to be. */
type Answered = readonly [ProblemCode, LightMyRequestResponse];

const BILL = { target: ALIPAY_HK, biller: "nobody", reference: "1" };

/** Answers of a relay about payment requests, each with the problem that it is to be. */
export async function requestProblems({ context }: ApiRelay, call: Call): Promise<readonly Answered[]> {
  const { db, registry, ledger } = context;
  // Somebody can pay this partner, and it signs.
  const corridor = { ...TO_PHP, source: GCASH, target: ALIPAY_HK };
  const read = async () => {
    const view = await registry.read();
    const open = { corridor, terms: { open: true, feeBps: 0n, maxPerBatch: 1n, maxPerDay: 1n } };
    return { ...view, corridors: new Map(view.corridors).set(corridorKey(corridor), open) };
  };
  const chain = { chainId: 1n, transferRegistry: `0x${"11".repeat(20)}`, quoteBook: `0x${"12".repeat(20)}` };
  const wallet = { billers: () => Promise.resolve([]) };
  Object.assign(context, {
    registry: { read, refresh: read },
    keys: { accept: ACCEPT },
    ledger: { ...ledger, chain },
    wallet,
  });

  const currency = corridor.targetCurrency;
  const payee = { name: "Maria", alias: { type: "ALIAS", value: "maria" } };
  const request = { id: newUetr(), payee, amount: { currency, minor: "100" } };
  const create = (payload: object) => call({ method: "POST", url: "/v1/requests", payload });
  const resolve = (code: string) => call({ method: "POST", url: "/v1/requests/resolve", payload: { code } });
  const { code } = (await create(request)).json<{ code: string }>();
  const objects = parsePaymentCode(code).objects.map((each) => (each.id === "54" ? { id: "54", value: "0.99" } : each));
  const [payment, batch] = [newUetr(), new Uint8Array(32).fill(3)];
  await db.query("INSERT INTO credits (uetr, source, batch, amount, currency) VALUES ($1::uuid, 4, $2, 100, $3)", [
    payment,
    batch,
    currency,
  ]);
  await db.query("INSERT INTO request_payments (uetr, request, batch, amount) VALUES ($1::uuid, $2::uuid, $3, 100)", [
    payment,
    request.id,
    batch,
  ]);
  return [
    ["request-conflict", await create({ ...request, purpose: "UBIL" })],
    ["request-not-found", await call({ url: `/v1/requests/${newUetr()}` })],
    ["request-not-cancellable", await call({ method: "POST", url: `/v1/requests/${request.id}/cancel` })],
    ["bill-not-found", await call({ method: "POST", url: "/v1/bills/lookup", payload: BILL })],
    ["code-altered", await resolve(formatPaymentCode({ objects }))],
  ];
}
