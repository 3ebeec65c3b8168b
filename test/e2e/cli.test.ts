import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const LAUNCHER = fileURLToPath(new URL("../../bin/feiqian.js", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** `feiqian` as a process of its own, without anything of this one's environment but the way to programs. */
async function feiqian(
  program: string,
  ...args: readonly string[]
): Promise<{ code: unknown; out: string; err: string }> {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env["PATH"] } });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: child.exitCode, out, err };
}

describe("feiqian, as a program", function () {
  it("starts, from its launcher and by itself", async () => {
    const started = { code: 0, out: "0.1.0\n", err: "" };
    expect(await feiqian(LAUNCHER, "--version")).to.deep.equal(started);
    expect(await feiqian(MAIN, "--version")).to.deep.equal(started);
  });

  it("ends with the code that its table has, and says why on standard error", async () => {
    const missing = await feiqian(LAUNCHER, "liquidity");
    expect(missing).to.deep.include({ code: 2, out: "" });
    expect(missing.err).to.contain("FEIQIAN_URL");
    const nobody = await feiqian(LAUNCHER, "relay", "check", "--config", "no-such-file.yaml", "--json");
    expect(nobody).to.deep.include({ code: 3, out: "" });
    expect(nobody.err).to.contain('"exit":"CONFIG"');
  });
});
