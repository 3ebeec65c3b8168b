// npm decides which optional native packages to install by the Node it runs on, not by the Node this project pins.
// Under a host Node older than Hardhat's minimum it leaves out Hardhat's native package, so the install is completed
// here by the pinned Node. The nested npm announces the pinned version itself, which is what ends the recursion.
// An install without development packages (npm ci --omit=dev) has neither of the two, and is complete.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const oldestHostMajor = 22;

const agent = process.env["npm_config_user_agent"] ?? "";
const hostMajor = Number.parseInt(/\bnode\/v(\d+)\./.exec(agent)?.[1] ?? "", 10);
const npm = process.env["npm_execpath"];

if (npm !== undefined && hostMajor < oldestHostMajor && existsSync("node_modules/hardhat")) {
  const { npm_config_user_agent: _, ...env } = process.env;
  const args = [npm, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync(process.execPath, args, { env, stdio: "inherit" });
  process.exitCode = status ?? 1;
}
