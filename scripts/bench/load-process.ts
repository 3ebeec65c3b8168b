// Who sends transfers, in a process of its own: `path.ts` starts it. Lines of NDJSON, or each alone, over plain HTTP. What
// it keeps does not grow with what it has sent.
import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { createHistogram } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { uetrFromRandom } from "../../src/domain/uetr.ts";
import { createRequests, optionsOf, until, type Accepted, type LoadOptions, type LoadOrder } from "./path-parts.ts";

/** A stream of a wallet's; the next begins when it has its answers. */
const LINES_PER_STREAM = 50_000;
const LINES_PER_WRITE = 100;
const NANOSECONDS_A_MILLISECOND = 1e6;

const { url, key, connections } = optionsOf() as LoadOptions;
const requestOf = createRequests();
const latencies = createHistogram();
process.send?.("ready");
for (;;) {
  const asked = await until();
  if (asked === "stop") break;
  const { transfers, anew } = asked as LoadOrder;
  if (anew) latencies.reset();
  if (connections === undefined) await sendStreams(transfers);
  else await sendSingly(transfers, connections);
  process.send?.({ latency: latencies.count === 0 ? undefined : percentiles() } satisfies Accepted);
}
process.disconnect();

function percentiles(): NonNullable<Accepted["latency"]> {
  const [p50, p99] = [latencies.percentile(50), latencies.percentile(99)];
  return { p50: p50 / NANOSECONDS_A_MILLISECOND, p99: p99 / NANOSECONDS_A_MILLISECOND };
}

async function sendStreams(count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += LINES_PER_STREAM) {
    await sendStream(sent, Math.min(LINES_PER_STREAM, count - sent));
  }
}

/** Each connection sends the next one when it has its answer. */
async function sendSingly(count: number, atOnce: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  let next = 0;
  const sendNext = async (): Promise<void> => {
    while (next < count) {
      const begun = performance.now();
      await sendOne(lineOf(next++), agent);
      latencies.record(Math.max(1, Math.round((performance.now() - begun) * NANOSECONDS_A_MILLISECOND)));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendNext));
  agent.destroy();
}

async function sendOne(body: string, agent: Agent): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const sending = request(`${url}/v1/transfers`, { method: "POST", agent, headers });
  sending.on("error", reject);
  sending.on("response", (answer) => {
    answer.resume();
    answer.on("error", reject);
    answer.on("end", () => {
      if (answer.statusCode === 202) resolve(undefined);
      else reject(new Error(`not accepted: ${answer.statusCode}`));
    });
  });
  sending.end(body);
  await promise;
}

async function sendStream(first: number, count: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sending = request(`${url}/v1/transfers`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/x-ndjson" },
  });
  sending.on("error", reject);
  sending.on("response", (answer) => {
    let accepted = 0;
    const lines = createInterface({ input: answer });
    lines.on("line", (line) => {
      if (line.includes('"status":202')) accepted++;
      else reject(new Error(`not accepted: ${line}`));
    });
    lines.on("close", () => resolve(accepted));
  });
  const [accepted] = await Promise.all([promise, pipeline(Readable.from(writes(first, count)), sending)]);
  if (accepted !== count) throw new Error(`${accepted} of ${count} were accepted`);
}

function* writes(first: number, count: number): Generator<Buffer> {
  for (let from = first; from < first + count; from += LINES_PER_WRITE) {
    const length = Math.min(LINES_PER_WRITE, first + count - from);
    yield Buffer.from(Array.from({ length }, (_, index) => lineOf(from + index)).join(""));
  }
}

function lineOf(index: number): string {
  return `${JSON.stringify(requestOf(uetrFromRandom(randomBytes(16)), index))}\n`;
}
