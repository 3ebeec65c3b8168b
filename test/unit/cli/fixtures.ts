import type { TransferFate } from "../../../src/schema/problems.ts";
import { systemClock, type Clock } from "../../../src/kernel/clock/clock.ts";
import type { Io } from "../../../src/command/io.ts";
import type { RelayFeature } from "../../../src/features/context.ts";
import { runCommand } from "../../../src/cli/program.ts";

export const KEY = "fq_4f_c2VjcmV0";
export const UETR = "eb6305c9-1f7f-49de-aed0-16487c27b42d";

/** What a relay is asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly body: unknown;
}

export type Answering = (asked: Asked) => { readonly status?: number; readonly body?: unknown; readonly text?: string };

/** A relay that answers as it is told, and remembers what it was asked. */
export function fakeRelay(answering: Answering): { readonly fetch: typeof fetch; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  return {
    asked,
    async fetch(input, init) {
      const request = new Request(input, init);
      const { pathname, search } = new URL(request.url);
      const text = await request.text();
      const isJson = request.headers.get("content-type") === "application/json";
      const question = {
        method: request.method,
        path: `${pathname}${search}`,
        authorization: request.headers.get("authorization"),
        body: isJson && text !== "" ? (JSON.parse(text) as unknown) : text,
      };
      asked.push(question);
      const { status = 200, body, text: plain } = answering(question);
      const type = status >= 400 ? "application/problem+json" : "application/json";
      return new Response(plain ?? JSON.stringify(body), { status, headers: { "content-type": type } });
    },
  };
}

export function problem(
  status: number,
  code: string,
  detail: string,
  transfer?: TransferFate,
): { status: number; body: unknown } {
  const body = {
    type: `urn:feiqian:problem:${code}`,
    title: code,
    status,
    detail,
    instance: "urn:feiqian:request:1",
    code,
    ...(transfer === undefined ? {} : { transfer }),
  };
  return { status, body };
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line; its `fetch` fails where none is given. */
export async function run(
  args: readonly string[],
  changes: Partial<Pick<Io, "fetch" | "environment" | "interrupted" | "onStop" | "drawBytes">> & {
    readonly clock?: Clock;
    /** Whether somebody looks at what is written; nobody does unless given. */
    readonly isTerminal?: boolean;
    readonly features?: readonly RelayFeature[];
  } = {},
): Promise<Ran> {
  let [out, err] = ["", ""];
  const { features, isTerminal = false, ...world } = changes;
  const io: Io = {
    out: { isTTY: isTerminal, write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    environment: { FEIQIAN_URL: "http://relay.test:8480", FEIQIAN_API_KEY: KEY },
    fetch: () => Promise.reject(new Error("no network in this test")),
    clock: systemClock,
    drawBytes: (length) => new Uint8Array(length).fill(7),
    interrupted: new AbortController().signal,
    onStop: () => undefined,
    user: "operator",
    ...world,
  };
  const code = await runCommand(args, io, features);
  return { code, out, err };
}

const money = (currency: string, minor: string) => ({ currency, minor });

export const ACCEPTANCE = {
  uetr: UETR,
  target: 4,
  send: money("HKD", "150000"),
  fee: money("HKD", "450"),
  total: money("HKD", "150450"),
  receive: money("PHP", "1092217"),
  acceptedAt: "2026-11-22T08:30:00.000Z",
  expiresAt: "2026-11-22T08:35:00.000Z",
};

/** A transfer as the relay tells of it, with its steps. */
export function transferAt(...statuses: readonly string[]): object {
  const status = statuses.at(-1) ?? "received";
  const isFinal = ["settled", "credited", "rejected", "expired", "failed", "cancelled"].includes(status);
  const steps = statuses.map((name, index) => ({ status: name, at: `2026-11-22T08:30:0${index}.000Z` }));
  const reason = status === "rejected" ? { reason: "AC03" } : {};
  return { ...ACCEPTANCE, status, pacs002: "ACSP", isFinal, steps, ...reason };
}

/** A transfer that nothing is wrong with, on the command line. */
export const SEND = [
  "send",
  "4",
  "--send",
  "1500.00HKD",
  "--from",
  "+852 9123 4567",
  "--from-name",
  "Chan Tai Man",
  "--to",
  "+639171234567",
];

/** JSON that was printed: whatever it is, the assertions look at it. */
export function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
