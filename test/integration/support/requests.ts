import { expect } from "chai";
import type { LightMyRequestResponse } from "fastify";
import type { z } from "zod/v4";
import { uetrFromRandom, type Uetr } from "../../../src/domain/uetr.ts";
import { watcherStep } from "../../../src/features/remittance/steps/watcher.ts";
import { issueApiKey } from "../../../src/kernel/access/api-keys.ts";
import { problemSchema } from "../../../src/schema/problems.ts";
import {
  paymentRequestSchema,
  type createRequestSchema,
  type PaymentRequestJson,
} from "../../../src/schema/requests.ts";
import type { SubmitRequest } from "../../../src/schema/transfers.ts";
import { transferStatusSchema } from "../../../src/schema/transfer-status.ts";
import { GCASH } from "./chain.ts";
import type { OpenDatabase } from "./databases.ts";
import { startPair, type Pair, type Peer } from "./peers.ts";
import { run, standingQuote, testClock, type TestRelay } from "./relay-context.ts";

type CreateRequest = z.input<typeof createRequestSchema>;

export const MARIA = { type: "MSISDN", value: "+639171234567" } as const;
export const PRICE = "72500";

/** Two relays of which the target's customers ask to be paid, and the source's pay. */
export type Requests = Awaited<ReturnType<typeof startRequests>>;

export async function startRequests(open: OpenDatabase, settings: Parameters<typeof startPair>[1] = {}) {
  const pair: Pair = await startPair(open, settings, testClock());
  const issued = [pair.source, pair.target].map(async (relay) => {
    const { text } = await issueApiKey(relay, { label: "wallet", scopes: ["submit", "read"], rateLimit: 1_000_000 });
    return [relay, text] as const;
  });
  const keys: ReadonlyMap<TestRelay, string> = new Map(await Promise.all(issued));
  await run(pair.source, watcherStep);
  await standingQuote(pair.source);

  const ask = ({ app, relay }: Peer, method: "GET" | "POST", url: string, payload?: object) =>
    app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${keys.get(relay) ?? ""}` },
      ...(payload === undefined ? {} : { payload }),
    });
  const newId = () => uetrFromRandom(pair.source.drawBytes(16));
  const asking = (more: Partial<CreateRequest> = {}): CreateRequest => ({
    id: newId(),
    payee: { name: "Maria's Store", alias: MARIA },
    amount: { currency: "PHP", minor: PRICE },
    reference: "Order 17",
    ...more,
  });
  const create = async (more: Partial<CreateRequest> = {}): Promise<PaymentRequestJson> => {
    const answer = await ask(pair.targetPeer, "POST", "/v1/requests", asking(more));
    expect(answer.statusCode, answer.body).to.equal(201);
    return paymentRequestSchema.parse(answer.json());
  };
  const show = async (id: string) =>
    paymentRequestSchema.parse((await ask(pair.targetPeer, "GET", `/v1/requests/${id}`)).json());
  const cancel = (id: string) => ask(pair.targetPeer, "POST", `/v1/requests/${id}/cancel`);
  const resolve = (code: string) => ask(pair.sourcePeer, "POST", "/v1/requests/resolve", { code });
  const pay = async (id: string, minor = PRICE): Promise<Uetr> => {
    const submission: SubmitRequest = {
      uetr: newId(),
      target: GCASH,
      amount: { receive: { currency: "PHP", minor } },
      debtor: { name: "Chan Tai Man", alias: { type: "MSISDN", value: "+85291234567" } },
      creditor: { name: "Maria's Store", alias: { type: "REQUEST", value: id } },
      purpose: "GDDS",
    };
    const answer = await ask(pair.sourcePeer, "POST", "/v1/transfers", submission);
    expect(answer.statusCode, answer.body).to.equal(202);
    return submission.uetr as Uetr; // as it was drawn
  };
  const becameOf = async (uetr: Uetr): Promise<string> => {
    const answer = await ask(pair.sourcePeer, "GET", `/v1/transfers/${uetr}`);
    const { status, reason } = transferStatusSchema.parse(answer.json());
    return reason === undefined ? status : `${status} ${reason}`;
  };
  return { pair, ask, newId, asking, create, show, cancel, resolve, pay, becameOf };
}

/** The problem that an answer is. */
export const problemOf = (answer: Pick<LightMyRequestResponse, "body">) => problemSchema.parse(JSON.parse(answer.body));
