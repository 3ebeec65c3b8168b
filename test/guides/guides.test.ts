// The guides' commands, as they stand on the page: each page from a fresh clone, on a machine of its own, block by block,
// and what is shown of their output compared with what comes. page.ts tells which marks a block can have.
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { mustRun, outsideEnv } from "../support/outside.ts";
import { until } from "../support/until.ts";
import { startMachine, type Done, type Machine, type Terminal } from "./machine.ts";
import { readSteps, type RunStep, type Step } from "./page.ts";
import { compareShape } from "./shape.ts";

/** A guide, and the Node that it tells its reader to have. */
interface Guide {
  readonly page: string;
  readonly node: "this machine's" | "24";
}

const GUIDES: readonly Guide[] = [
  { page: "docs/wallet-engineer.md", node: "this machine's" },
  { page: "docs/developer.md", node: "this machine's" },
  { page: "docs/relay-operator.md", node: "24" },
  { page: "docs/ledger-operator.md", node: "24" },
];
/** What cannot be had here: programs, machines of others, npm's registry, and time for what CI runs by itself. */
const NOT_HERE = ["besu", "your-network", "registry", "an-hour"];
type Places = [clone: string, kept: string, bin: string, layers: string];
const PAGE_TIMEOUT_MS = 900_000;
const MOST_REPEATS = 200;
const BETWEEN_LOOKS_MS = 250;
/** What npm would fetch it has in its cache: what these pages install, this checkout was installed with. */
const OFFLINE = { npm_config_offline: "true", npm_config_update_notifier: "false" };

/** What a reader's `npm ci` and first compilation leave. Every clone has the same path: the compiler's cache knows it. */
const BUILT = ["node_modules", "artifacts", "cache"];

/**
 * Stands in for `npm ci` in a clone, which takes a minute and has been done in this checkout: the first page gets links to
 * what is here, the next ones what the page before has left.
 */
const npmScript = (kept: string, path: string) => `#!/bin/sh
if [ "$*" = ci ] && [ -e .git ]; then
  [ ! -e node_modules ] || exit 0
  [ ! -e ${kept}/node_modules ] || exec mv ${kept}/* .
  exec cp -al ${process.cwd()}/node_modules .
fi
PATH='${path}' exec npm "$@"
`;

describe("The guides, as they stand", function () {
  this.timeout(PAGE_TIMEOUT_MS);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-guides-"));
  });
  after(async () => rm(folder, { recursive: true, maxRetries: 3 }));

  for (const { page, node } of GUIDES) {
    const steps = readSteps(readFileSync(page, "utf8"));
    it(`${page}: ${countsOf(steps)}`, async function () {
      const [clone, kept, bin, layers] = ["feiqian", "kept", "bin", "layers"].map((name) =>
        join(folder, name),
      ) as Places;
      const env = outsideEnv(node === "24" ? dirname(process.execPath) : undefined);
      await Promise.all([kept, bin, layers].map(async (each) => mkdir(each, { recursive: true })));
      await mustRun("git", ["clone", "--quiet", `file://${process.cwd()}`, clone], { cwd: folder, env });
      await writeFile(join(bin, "npm"), npmScript(kept, env["PATH"] ?? ""), { mode: 0o755 });
      const path = `${bin}:${env["PATH"] ?? ""}`;
      const machine = await startMachine(layers, { cwd: clone, env: { ...env, ...OFFLINE, PATH: path } });
      if (machine === undefined) {
        process.stderr.write(`${page} was not tried: it takes root on Linux, with util-linux and iproute2\n`);
        return this.skip();
      }
      try {
        await goThrough(page, clone, steps, machine);
      } finally {
        await machine.end();
        await Promise.allSettled(BUILT.map(async (name) => rename(join(clone, name), join(kept, name))));
        await rm(clone, { recursive: true });
      }
    });
  }

  it("leave out only what cannot be had here", () => {
    const reasons = GUIDES.flatMap(({ page }) => readSteps(readFileSync(page, "utf8"))).flatMap((step) =>
      step.kind === "marked" ? [step.reason] : [],
    );
    expect(NOT_HERE).to.include.members(reasons);
  });
});

function countsOf(steps: readonly Step[]): string {
  const marked = steps.flatMap((step) => (step.kind === "marked" ? [`${step.reason} (line ${step.line})`] : []));
  const run = `${steps.length - marked.length} blocks are run`;
  return marked.length === 0 ? run : `${run}, ${marked.length} are not: ${marked.join(", ")}`;
}

async function goThrough(page: string, clone: string, steps: readonly Step[], machine: Machine): Promise<void> {
  const staying: { readonly terminal: Terminal; readonly done: Promise<Done> }[] = [];
  let terminal = machine.open();
  for (const step of steps) {
    if (step.kind === "marked") continue;
    try {
      if (step.until === undefined) judge(step, await runBlock(terminal, step));
      else {
        const done = terminal.run(step.commands);
        await becomes(step.until, clone, machine, terminal, done);
        judge(step, { printed: terminal.shown(), endings: step.endings });
        staying.push({ terminal, done });
        terminal = machine.open();
      }
    } catch (failure) {
      throw new Error(`${page}, line ${step.line}: ${failure instanceof Error ? failure.message : "failed"}`, {
        cause: failure,
      });
    }
  }
  // Ctrl-C ends what stays, the last first.
  for (const each of staying.toReversed()) {
    await each.terminal.interrupt();
    await each.done;
  }
}

async function runBlock(terminal: Terminal, step: RunStep): Promise<Done> {
  if (step.ctrlC) {
    const done = terminal.run(step.commands);
    await until(() => terminal.shown() !== "");
    await terminal.interrupt();
    return { printed: (await done).printed, endings: step.endings };
  }
  for (let repeats = 0; ; repeats++) {
    const done = await terminal.run(step.commands);
    if (!step.again || step.output === undefined || repeats === MOST_REPEATS) return done;
    if (compareShape(step.output, done.printed) === undefined) return done;
    await delay(BETWEEN_LOOKS_MS);
  }
}

/** @throws Error where the block ended, or did not print, as the page says */
function judge({ endings, output }: RunStep, done: Done): void {
  if (done.endings.join() !== endings.join()) {
    const expected = endings.length === 0 ? "none" : endings.join(", ");
    throw new Error(`exit codes other than 0: ${done.endings.join(", ")}; on the page: ${expected}\n${done.printed}`);
  }
  const difference = output === undefined ? undefined : compareShape(output, done.printed);
  if (difference !== undefined) throw new Error(difference);
}

/** @throws Error where the command ends before */
async function becomes(
  condition: string,
  clone: string,
  machine: Machine,
  terminal: Terminal,
  done: Promise<Done>,
): Promise<void> {
  let ended: Done | undefined;
  void done.then(
    (told) => void (ended = told),
    () => undefined,
  );
  const command = /^https?:/.test(condition)
    ? `curl -fsS -o /dev/null ${condition}`
    : `[ -e ${resolve(clone, condition)} ]`;
  await until(async () => {
    if (ended !== undefined) throw new Error(`it has ended:\n${terminal.shown()}`);
    await delay(BETWEEN_LOOKS_MS);
    return machine.succeeds(command);
  }, PAGE_TIMEOUT_MS);
}
