import { once } from "node:events";

/** Resolves at Ctrl-C or SIGTERM. A second one ends the process at once, as without this. */
export async function stopSignal(): Promise<void> {
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  process.removeAllListeners("SIGINT");
  process.removeAllListeners("SIGTERM");
}
