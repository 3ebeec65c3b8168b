// A server that takes whatever it is sent and answers at once, in a process of its own: what HTTP alone costs. `floor.ts`
// starts it.
import { createServer } from "node:http";
import { serveUntilStopped } from "./path-parts.ts";

const NEWLINE = 0x0a;
/** As short as what the load looks for. */
const LINE = '{"status":202}\n';

const server = createServer((request, response) => {
  if (request.headers["content-type"] === "application/x-ndjson") {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    request.on("data", (chunk: Buffer) => response.write(LINE.repeat(linesIn(chunk))));
    request.on("end", () => response.end());
  } else {
    request.resume();
    request.on("end", () => response.writeHead(202).end());
  }
});
await serveUntilStopped(server);
process.disconnect();

function linesIn(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}
