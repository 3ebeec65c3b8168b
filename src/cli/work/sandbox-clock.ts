import type { z } from "zod/v4";
import { InvalidInput } from "../../domain/errors.ts";
import { parseWire } from "../../domain/wire.ts";
import { readJson } from "../../kernel/http/body.ts";
import { CommandFailure } from "../../command/exit-codes.ts";
import { renderFacts, requirePlace, type Session } from "../../command/session.ts";
import { formatAdvance, parseAdvance, sandboxClockSchema, sandboxRefusalSchema } from "../../schema/sandbox-clock.ts";

const USUAL_URL = "http://127.0.0.1:8680";
/** A month takes the ledger as many beats as it has days, on a machine that may be busy. */
const TIMEOUT_MS = 300_000;
const MAX_ANSWER_BYTES = 10_000;
const BAD_REQUEST = 400;

type SandboxClock = z.output<typeof sandboxClockSchema>;

/** Shows the sandbox's clock, once it has been advanced by what is given. */
export async function clock(session: Session, [advance]: readonly string[]): Promise<void> {
  // Before anybody is asked.
  if (advance !== undefined) parseAdvance(advance);
  const url = session.text("sandbox") ?? session.io.environment["FEIQIAN_SANDBOX_URL"] ?? USUAL_URL;
  requirePlace(url, "--sandbox");
  session.print(await ask(session, url.replace(/\/+$/, ""), advance), ({ now, advancedSeconds }) =>
    renderFacts([
      ["now", now],
      ["ahead by", `${formatAdvance(advancedSeconds)} of the machine's clock`],
    ]),
  );
}

/** Asked once: an advance whose answer is lost may have been made. */
async function ask({ io }: Session, url: string, advance: string | undefined): Promise<SandboxClock> {
  const headers = { "content-type": "application/json" };
  const posting = advance === undefined ? {} : { method: "POST", headers, body: JSON.stringify({ advance }) };
  const signal = AbortSignal.any([io.interrupted, AbortSignal.timeout(TIMEOUT_MS)]);
  const response = await io.fetch(`${url}/clock`, { ...posting, redirect: "error", signal }).catch(() => {
    throw new CommandFailure("UNAVAILABLE", `no sandbox answers at ${url}: npm start runs one, --sandbox says where`);
  });
  const read = async <Answer>(schema: z.ZodType<Answer>): Promise<Answer> => {
    try {
      return parseWire(schema, await readJson(response, MAX_ANSWER_BYTES), "answer");
    } catch {
      throw new CommandFailure("UNAVAILABLE", `what answers at ${url} is no sandbox`);
    }
  };
  if (response.ok) return read(sandboxClockSchema);
  if (response.status !== BAD_REQUEST) {
    const what = `the sandbox answered ${response.status}: see what time it has, before you try again`;
    throw new CommandFailure("UNAVAILABLE", what);
  }
  const { field, rule } = await read(sandboxRefusalSchema);
  throw new InvalidInput(field, rule);
}
