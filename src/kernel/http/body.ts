import { InvalidInput } from "../../domain/errors.ts";

/**
 * The body of an answer, as far as it may go.
 * @throws InvalidInput when it is longer; the rest is not read
 */
export async function readBody(
  response: { readonly body: AsyncIterable<unknown> | null },
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // What fetch gives, and a request of Node's: a stream of bytes.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) throw new InvalidInput("answer", `at most ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws InvalidInput when the body is longer, or is not JSON */
export async function readJson(response: Response, maxBytes: number): Promise<unknown> {
  return parseJson(await readBody(response, maxBytes), "answer");
}

/** @throws InvalidInput that quotes nothing of what was given */
export function parseJson(bytes: Uint8Array, field: string): unknown {
  try {
    // Whatever it is: that is for a schema to tell.
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw new InvalidInput(field, "JSON in UTF-8");
  }
}

/** JSON with bigints as decimal text, for JSON's numbers are floats. Large messages are not gone through twice. */
export function jsonText(value: object): string {
  return JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? String(member) : member));
}
