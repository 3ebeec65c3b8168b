import type { Acceptance, SubmitRequest } from "../../../src/schema/transfers.ts";
import { createClient, newUetr, type ConnectionOptions, type RelayClient } from "../../../sdk/index.ts";
import type { Manner, Receiver } from "../../integration/support/receiver.ts";

export const KEY = "fq_test_secret";

/** A client that does not wait long. */
export function clientOf({ url }: Receiver, options: Partial<ConnectionOptions> = {}): RelayClient {
  return createClient({ url, key: KEY, firstDelayMs: 1, timeoutMs: 20_000, retries: 3, ...options });
}

export function requestOf(uetr: string = newUetr()): SubmitRequest {
  return {
    uetr,
    target: 4,
    amount: { send: { currency: "HKD", minor: "150000" } },
    debtor: { name: "Chan Tai Man", alias: { type: "MSISDN", value: "+85291234567" } },
    creditor: { name: "Maria Dela Cruz", alias: { type: "MSISDN", value: "+639171234567" } },
    purpose: "FAMI",
  };
}

export function acceptanceOf(uetr: string): Acceptance {
  const hkd = (minor: string) => ({ currency: "HKD", minor });
  return {
    uetr,
    target: 4,
    send: hkd("150000"),
    fee: hkd("75"),
    total: hkd("150075"),
    receive: { currency: "PHP", minor: "1087500" },
    acceptedAt: "2026-11-22T08:30:00.000Z",
    expiresAt: "2026-11-22T08:40:00.000Z",
  };
}

export const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Manner =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };

export const problem = (
  status: number,
  code: string,
  more: object = {},
  headers: Readonly<Record<string, string>> = {},
): Manner =>
  json(
    status,
    {
      type: `urn:feiqian:problem:${code}`,
      title: code,
      status,
      detail: `it is ${code}`,
      instance: "req-1",
      code,
      ...more,
    },
    headers,
  );

/** Accepts whatever is submitted. */
export const accepting: Manner = (response, request) => {
  // What the client sent.
  const { uetr } = JSON.parse(request.body) as SubmitRequest;
  json(202, acceptanceOf(uetr))(response, request);
};

/** One manner after another; the last one from then on. */
export function inTurn(...manners: readonly Manner[]): Manner {
  let turn = 0;
  return (response, request) => manners[Math.min(turn++, manners.length - 1)]?.(response, request);
}

/** The error that it fails with. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error("it did not fail");
    },
    (failure: unknown) => failure,
  );
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
