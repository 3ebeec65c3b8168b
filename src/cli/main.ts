import { userInfo } from "node:os";
import { systemClock } from "../kernel/clock/clock.ts";
import { drawSecurely } from "../kernel/secure-random.ts";
import { EXIT_CODES } from "../command/exit-codes.ts";
import { runCommand } from "./program.ts";

// Where `feiqian` starts.

/** How long a command that can be stopped has to say how far it got. */
const GRACE_MS = 500;
const interrupt = new AbortController();
const stopping = { isHandled: false };
process.on("SIGINT", () => {
  interrupt.abort();
  if (!stopping.isHandled) setTimeout(() => process.exit(EXIT_CODES.INTERRUPTED.code), GRACE_MS);
});
// A reader that has seen enough, as `head`, is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT_CODES.OK.code : EXIT_CODES.INTERNAL.code);
});

const code = await runCommand(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  environment: process.env,
  fetch: globalThis.fetch,
  clock: systemClock,
  drawBytes: drawSecurely,
  interrupted: interrupt.signal,
  onStop: (signal, listener) => {
    stopping.isHandled = true;
    process.on(signal, listener);
  },
  user: userName(),
});
process.exit(code);

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // An account without an entry in the system's list, as in some containers.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
