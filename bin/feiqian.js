#!/usr/bin/env node
// Starts the command line on a Node that runs TypeScript: this one, or the one that is pinned in node_modules.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath, URL } from "node:url";

const LEAST_MAJOR = 24;
const major = Number.parseInt(process.versions.node, 10);

if (major >= LEAST_MAJOR) {
  await import("../src/cli/main.ts");
} else {
  const pinned = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(pinned)) {
    process.stderr.write(`feiqian: needs Node ${LEAST_MAJOR} (this is ${process.versions.node}); run npm ci\n`);
    process.exit(1);
  }
  const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
  const child = spawn(pinned, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  // On a terminal, Ctrl-C reaches both; from elsewhere a signal comes here alone.
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGINT", () => (process.stdin.isTTY ? undefined : child.kill("SIGINT")));
  child.on("exit", (code, signal) => {
    process.exit(code ?? (signal === null ? 1 : 128 + 15));
  });
}
