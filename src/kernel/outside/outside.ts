import { Agent as HttpAgent, request as requestOverHttp, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestOverHttps } from "node:https";
import type { BlockList } from "node:net";
import { readBody } from "../http/body.ts";
import { guardedLookup, parseOutsideUrl, type Reach } from "./url-guard.ts";

export interface OutsideRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** For all of it, the answer's body included. */
  readonly timeoutMs: number;
}

export interface OutsideAnswer {
  readonly status: number;
  /** `retry-after`, where it is a number of seconds. */
  readonly retryAfterSeconds: number | undefined;
  /** What time it is there, by `date`. */
  readonly theirSeconds: number | undefined;
  readonly body: Uint8Array;
}

/** What other partners have registered, asked for from inside this operator's network. */
export interface Outside {
  /**
   * POSTs. Redirects are not followed: they are answers like others.
   * @throws InvalidInput when the URL leads where it may not, or the answer is longer than `maxAnswerBytes`
   * @throws Error when there is no answer
   */
  post(url: string, request: OutsideRequest & { readonly maxAnswerBytes: number }): Promise<OutsideAnswer>;
}

/** @param trusted networks in which others' servers may be, over plain HTTP, too */
export function createOutside(trusted: BlockList): Outside {
  const reach: Reach = { from: "registry", trusted };
  // Of its own: a connection that was opened under other rules is not gone on with.
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  return {
    async post(text, { maxAnswerBytes, ...request }) {
      const response = await postTo(parseOutsideUrl(text, reach), request, reach, agents);
      const retryAfter = response.headers["retry-after"] ?? "";
      const theirMs = Date.parse(response.headers.date ?? "");
      return {
        status: response.statusCode ?? 0,
        retryAfterSeconds: /^[0-9]{1,6}$/.test(retryAfter) ? Number.parseInt(retryAfter, 10) : undefined,
        theirSeconds: Number.isNaN(theirMs) ? undefined : Math.floor(theirMs / 1_000),
        body: await readBody({ body: response }, maxAnswerBytes),
      };
    },
  };
}

/** @returns the answer's head, with its body still to come: whoever takes it reads that, or destroys it */
export function postTo(
  url: URL,
  { headers, body, timeoutMs }: OutsideRequest,
  reach: Reach,
  agents?: { readonly http: HttpAgent; readonly https: HttpsAgent },
): Promise<IncomingMessage> {
  const isSecure = url.protocol === "https:";
  const agent = isSecure ? agents?.https : agents?.http;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (isSecure ? requestOverHttps : requestOverHttp)(url, {
    method: "POST",
    headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
    signal: AbortSignal.timeout(timeoutMs),
    lookup: guardedLookup(url, reach),
    ...(agent === undefined ? {} : { agent }),
  });
  request.on("error", reject);
  request.on("response", resolve);
  request.end(body);
  return promise;
}
