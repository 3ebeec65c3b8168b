import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { until } from "../support/until.ts";
import { ALIPAY_HK, fundedLedger } from "../integration/support/chain.ts";
import { startHttpNode } from "../integration/support/http.ts";
import { startHttpWallet } from "../integration/support/http-wallet.ts";
import { createOperator, register, type Operator } from "../integration/support/operator.ts";
import { startPostgres } from "../integration/support/postgres.ts";
import { healthCheckOfImage } from "../unit/deploy/relay/dockerfile.ts";
import { assembleImage, commandIn, type Image } from "./support/image.ts";

/** What compiles, tests or runs a chain: none of it is where money is moved. */
const TOOLS = ["typescript", "hardhat", "solc", "mocha", "node", "esbuild", "injective-core-linux-x64"];

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe("The image of a relay, put together by hand", function () {
  this.timeout(600_000);
  const closing: (() => Promise<unknown>)[] = [];
  let image: Image;
  let operator: Operator;
  let variables: Readonly<Record<string, string>>;

  before(async function () {
    const postgres = await startPostgres();
    if (postgres === undefined) return this.skip();
    closing.push(() => postgres.stop());
    image = await assembleImage();
    closing.push(() => image.remove());
    const sandbox = await fundedLedger();
    const node = await startHttpNode();
    closing.push(() => node.close());
    const wallet = await startHttpWallet();
    closing.push(() => wallet.close());
    operator = await createOperator(ALIPAY_HK, { sandbox, nodeUrl: node.url, walletUrl: wallet.url });
    closing.push(() => operator.remove());
    await writeFile(join(operator.folder, "database.url"), postgres.url, { mode: 0o600 });
    await handOver(operator.folder, image.user);
    variables = {
      ...Object.fromEntries(image.variables),
      // As this machine has them.
      FEIQIAN_CONFIG: operator.configPath,
      FEIQIAN_API_HOST: "127.0.0.1",
      FEIQIAN_API_PORT: new URL(operator.url).port,
      FEIQIAN_DATABASE_URL_FILE: "database.url",
      FEIQIAN_LOG_LEVEL: "info",
    };
  });
  after(async () => {
    // The last one opened first.
    for (const close of closing.splice(0).reverse()) await close();
  });

  /** Runs a command as the container's user, with the container's variables and no others. */
  function launch([program = "", ...args]: readonly string[]): { readonly ended: Promise<Ended>; stop(): void } {
    const child = spawn(program, args, {
      ...image.user,
      cwd: join(image.root, "app"),
      env: variables,
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Where a test fails before it has ended.
    closing.push(() => Promise.resolve(child.kill("SIGKILL")));
    const [out, err] = [text(child.stdout), text(child.stderr)];
    const ended = once(child, "exit").then(async () => ({ code: child.exitCode, out: await out, err: await err }));
    return { ended, stop: () => void child.kill("SIGTERM") };
  }

  const feiqian = (...args: readonly string[]): Promise<Ended> =>
    launch([...image.command.slice(0, -2), ...args]).ended;

  const healthCheck = (): Promise<Ended> =>
    launch(
      commandIn(image.root, healthCheckOfImage()).map((word) =>
        word.replace(`127.0.0.1:${image.variables.get("FEIQIAN_API_PORT") ?? ""}`, new URL(operator.url).host),
      ),
    ).ended;

  it("has what a relay runs on, and nothing that compiles or tests", async () => {
    const packages = await readdir(join(image.root, "app/node_modules"));
    expect(packages).to.include("fastify");
    expect(TOOLS.filter((name) => packages.includes(name))).to.deep.equal([]);
    expect(existsSync(join(image.root, "app/artifacts"))).to.equal(false);
    expect((await feiqian("--version")).out).to.match(/^\d+\.\d+\.\d+\n$/);
    expect(await feiqian("relay", "--help")).to.include({ code: 0, err: "" });
  });

  it("cannot be written to by its own user", async function () {
    if (image.user.uid === undefined) return this.skip();
    const files = ["/app/src/new.ts", "/app/bin/feiqian.js", "/app/node_modules/new.js"].map((file) =>
      join(image.root, file),
    );
    const write = `for (const file of ${JSON.stringify(files)}) try { fs.appendFileSync(file, ""); console.log(file); } catch {}`;
    expect(await launch([...commandIn(image.root, ["node", "-e"]), write]).ended).to.include({ code: 0, out: "" });
  });

  it("checks, starts, is well, and ends in order when it is told to", async () => {
    const first = await feiqian("relay", "check");
    expect(first.code, first.err).to.equal(9);
    expect(await register(operator)).to.include({ code: 0 });
    const second = await feiqian("relay", "check");
    expect(second.code, second.err).to.equal(0);
    expect(await healthCheck()).to.include({ code: 1 });

    const relay = launch(image.command);
    const isReady = until(async () => {
      const answer = await fetch(`${operator.url}/readyz`).catch(() => undefined);
      return answer?.status === 200;
    });
    const early = await Promise.race([isReady, relay.ended]);
    expect(early, JSON.stringify(early)).to.equal(undefined);
    expect(await healthCheck()).to.deep.include({ code: 0, err: "" });
    expect(await (await fetch(`${operator.url}/metrics`)).text()).to.contain("feiqian_leader");
    relay.stop();
    const { code, out, err } = await relay.ended;
    expect(code, err).to.equal(0);
    expect(out).to.contain("drained");
    expect(err).to.equal("");
  });
});

/** Gives the operator's files to the container's user, as compose.yaml's manual does. */
async function handOver(folder: string, { uid, gid }: Image["user"]): Promise<void> {
  if (uid === undefined || gid === undefined) return;
  await chmod(folder, 0o755);
  for (const name of await readdir(folder)) await chown(join(folder, name), uid, gid);
}
