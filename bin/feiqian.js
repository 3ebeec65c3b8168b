#!/usr/bin/env node
// Starts the command line on this Node, or on the one that a checkout's development packages bring.
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
    process.stderr.write(
      `feiqian: needs Node ${LEAST_MAJOR} or later, and this is ${process.versions.node}: install it from https://nodejs.org, or as your system has it\n`,
    );
    process.exit(1);
  }
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  // On a terminal, Ctrl-C reaches both; from elsewhere a signal comes here alone.
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGINT", () => (process.stdin.isTTY ? undefined : child.kill("SIGINT")));
  child.on("exit", (code, signal) => {
    process.exit(code ?? (signal === null ? 1 : 128 + 15));
  });
}
