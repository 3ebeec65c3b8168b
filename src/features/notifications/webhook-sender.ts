import { InvalidInput } from "../../domain/errors.ts";
import { postTo } from "../../kernel/outside/outside.ts";
import { parseOutsideUrl, type Reach } from "../../kernel/outside/url-guard.ts";

/** What an endpoint answered; nothing of its answer's body is read. */
export type SendResult =
  { readonly kind: "answered"; readonly status: number } | { readonly kind: "failed"; readonly error: string };

/** An answer's body is let through up to here, so that the connection can be used again. */
const MAX_ANSWER_BYTES = 65_536;

/** POSTs a body. Redirects are not followed. A URL that was allowed when it was registered may not be any more. Never rejects. */
export async function postWebhook(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  { timeoutMs, reach }: { readonly timeoutMs: number; readonly reach: Reach },
): Promise<SendResult> {
  try {
    const response = await postTo(parseOutsideUrl(url, reach), { headers, body, timeoutMs }, reach);
    // The body no longer matters.
    response.on("error", () => undefined);
    let bytes = 0;
    response.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) response.destroy();
    });
    return { kind: "answered", status: response.statusCode ?? 0 };
  } catch (failure) {
    return { kind: "failed", error: describe(failure, timeoutMs) };
  }
}

/** Says what went wrong, and nothing of what was sent. */
function describe(failure: unknown, timeoutMs: number): string {
  if (!(failure instanceof Error)) return "failed";
  if (failure instanceof InvalidInput) return failure.rule;
  if (failure.name === "TimeoutError" || failure.name === "AbortError") return `no answer within ${timeoutMs} ms`;
  return "code" in failure && typeof failure.code === "string" ? failure.code : failure.message.slice(0, 200);
}
